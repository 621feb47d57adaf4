/*
 * Tests of common/conf: listen, arguments, defaults and conf_print.
 */
#include "common/conf_table.h"
#include "unit/conf_text.h"
#include "unit/unit.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof(table[0])))

static const struct {
	const char *text;
	const char *host;
	uint16_t port;
} good[] = {
	{ "*:7", "*", 7 },
	{ "0.0.0.0:7", "0.0.0.0", 7 },
	{ "[::]:7", "::", 7 },
	{ "[::1]:65535", "::1", 65535 },
	{ "[fe80::1%eth0]:13", "fe80::1%eth0", 13 },
	{ "127.0.0.1:1", "127.0.0.1", 1 },
	{ "localhost:7007", "localhost", 7007 },
	{ "host-7.example.org:7", "host-7.example.org", 7 },
	{ "systemd", "", 0 },
	{ "systemd:echo", "echo", 0 },
	{ "systemd:7", "7", 0 },
	{ "systemd:echo.socket", "echo.socket", 0 },
	{ "systemd.example.org:7", "systemd.example.org", 7 },
	{ "systemd2:7", "systemd2", 7 },
};

START_TEST(an_address_has_a_host_and_a_port)
{
	struct conf_listen *listen;
	struct conf *conf;
	char text[128];

	snprintf(text, sizeof(text), "service echo {\nlisten %s\n}\n",
	    good[_i].text);
	conf = good_conf(text);
	listen = TAILQ_FIRST(&first_service(conf)->listens);
	ck_assert_str_eq(listen->host, good[_i].host);
	ck_assert_uint_eq(listen->port, good[_i].port);
	ck_assert_int_eq(listen->systemd, good[_i].port == 0);
	ck_assert_str_eq(listen->text, good[_i].text);
	ck_assert_uint_eq(listen->line, 2);
	ck_assert_ptr_null(TAILQ_NEXT(listen, entry));
	conf_free(conf);
}
END_TEST

#define BRACKETS "must be [address]:port, as in [::1]:7"
#define NO_PORT "has no port: must be address:port, as in *:7 or 127.0.0.1:7"
#define NO_HOST "has no address: write *:port for every address"
#define BARE_V6 "an IPv6 address needs brackets, as in [::1]:7"
#define NO_NAME                                                                \
	"has no name: must be systemd:NAME, or systemd for what no other "     \
	"listen names"
#define BAD_NAME "the name has a character that no FileDescriptorName= has"
#define BAD_PORT "the port must be a number, 1 to 65535"

static const struct {
	const char *text;
	const char *why;
} bad[] = {
	{ "7", NO_PORT },
	{ "localhost", NO_PORT },
	{ "*", NO_PORT },
	{ ":7", NO_HOST },
	{ ":", NO_HOST },
	{ "::1:7", BARE_V6 },
	{ "fe80::1", BARE_V6 },
	{ "a:b:7", BARE_V6 },
	{ "[::1]", BRACKETS },
	{ "[::1]7", BRACKETS },
	{ "[::1:7", BRACKETS },
	{ "[]:7", BRACKETS },
	{ "*:0", BAD_PORT },
	{ "*:65536", BAD_PORT },
	{ "*:-7", BAD_PORT },
	{ "*:", BAD_PORT },
	{ "*:echo", BAD_PORT },
	{ "*:7x", BAD_PORT },
	{ "*:99999999999999999999", BAD_PORT },
	{ "[::1]:", BAD_PORT },
	{ "[::1]:0", BAD_PORT },
	{ "[::1]:7:7", BAD_PORT },
	{ "systemd:", NO_NAME },
	{ "systemd:a:b", BAD_NAME },
};

START_TEST(another_form_is_refused_with_the_right_one)
{
	char text[128], expected[256];

	snprintf(text, sizeof(text),
	    "service echo {\nlisten *:9999\nlisten %s\n}\n", bad[_i].text);
	snprintf(expected, sizeof(expected), "f:3: listen %s: %s\n",
	    bad[_i].text, bad[_i].why);
	assert_errors(text, expected);
}
END_TEST

START_TEST(an_address_is_listened_on_once)
{
	assert_errors("service echo {\nlisten *:7\nlisten *:8\nlisten *:7\n}\n",
	    "f:4: listen *:7: is listened on already at f:2\n");
	assert_errors("service echo {\nlisten systemd:a\nlisten systemd\n}\n"
		      "service daytime {\nlisten systemd\n"
		      "listen systemd:b\nlisten systemd:a\n}\n",
	    "f:6: listen systemd: is listened on already at f:3\n"
	    "f:8: listen systemd:a: is listened on already at f:2\n");
	assert_errors("service echo {\nlisten [::1]:7\n}\n"
		      "service daytime {\nlisten [::1]:7\n}\n",
	    "f:5: listen [::1]:7: is listened on already at f:2\n");
}
END_TEST

START_TEST(another_host_or_port_is_another_address)
{
	struct conf *conf = good_conf("service echo {\nlisten *:7\n"
				      "listen *:8\nlisten 127.0.0.1:7\n}\n");

	ck_assert_ptr_nonnull(conf_listen_find(conf, "127.0.0.1", 7));
	ck_assert_ptr_nonnull(conf_listen_find(conf, "*", 8));
	ck_assert_ptr_null(conf_listen_find(conf, "127.0.0.1", 8));
	conf_free(conf);
}
END_TEST

START_TEST(default_services_are_on_the_ports_of_their_rfcs)
{
	struct conf *conf = conf_new();
	struct conf_service *echo, *daytime;

	ck_assert_int_eq(conf_add_default_services(conf, service_known), 0);
	echo = conf_service_find(conf, "echo");
	daytime = conf_service_find(conf, "daytime");
	ck_assert_ptr_nonnull(echo);
	ck_assert_ptr_nonnull(daytime);
	ck_assert_str_eq(TAILQ_FIRST(&echo->listens)->text, "*:7");
	ck_assert_str_eq(TAILQ_FIRST(&daytime->listens)->text, "*:13");
	ck_assert_uint_eq(TAILQ_FIRST(&echo->listens)->line, 0);
	ck_assert_int_eq(echo->keepalive_idle, 60);
	ck_assert_ptr_null(TAILQ_NEXT(daytime, entry));
	conf_free(conf);
}
END_TEST

/* Applies up to four arguments; returns what was said, to be freed. */
static char *
apply(struct conf *conf, const char *const arguments[4], int expected)
{
	char *copies[4], *errors;
	int count = 0, result;
	size_t size;
	FILE *to = open_memstream(&errors, &size);

	while (count < 4 && arguments[count] != NULL) {
		copies[count] = strdup(arguments[count]);
		count++;
	}
	result = conf_apply_arguments(conf, copies, count, service_known, to);
	fclose(to);
	ck_assert_msg(result == expected, "%d: %s", result, errors);
	while (count > 0)
		free(copies[--count]);
	return errors;
}

START_TEST(arguments_replace_what_is_listened_on)
{
	static const char *const arguments[4] = { "echo@127.0.0.1:7007",
		"echo@[::1]:7007", NULL };
	struct conf *conf = good_conf("service daytime {\nlisten *:13\n}\n"
				      "service echo {\nlisten *:7\n"
				      "backlog 5\n}\n");
	char *errors = apply(conf, arguments, 0);
	struct conf_service *echo = first_service(conf);

	ck_assert_str_eq(errors, "");
	ck_assert_str_eq(echo->name, "echo");
	ck_assert_int_eq(echo->backlog, 5);
	ck_assert_ptr_null(TAILQ_NEXT(echo, entry));
	ck_assert_ptr_null(conf_listen_find(conf, "*", 7));
	ck_assert_ptr_nonnull(conf_listen_find(conf, "127.0.0.1", 7007));
	ck_assert_ptr_nonnull(conf_listen_find(conf, "::1", 7007));
	ck_assert_uint_eq(TAILQ_FIRST(&echo->listens)->line, 0);
	free(errors);
	conf_free(conf);
}
END_TEST

START_TEST(an_argument_needs_no_block)
{
	static const char *const arguments[4] = { "daytime@*:1313", NULL };
	struct conf *conf = conf_new();
	char *errors = apply(conf, arguments, 0);

	ck_assert_str_eq(first_service(conf)->name, "daytime");
	ck_assert_int_eq(first_service(conf)->backlog, 4096);
	ck_assert_int_eq(first_service(conf)->keepalive_count, 6);
	free(errors);
	conf_free(conf);
}
END_TEST

#define SHAPE "must be service@address:port, as in echo@127.0.0.1:7007\n"

START_TEST(wrong_arguments_are_all_named)
{
	static const char *const first[4] = { "echo", "@*:7", "ecko@*:7",
		"echo@*:7" };
	static const char *const second[4] = { "echo@*:0", "echo@",
		"echo@::1:7", "echo@[::1]" };
	struct conf *conf = conf_new();
	char *errors = apply(conf, first, -1);

	ck_assert_str_eq(errors,
	    "preforkd: echo: " SHAPE "preforkd: @*:7: " SHAPE
	    "preforkd: ecko@*:7: unknown service; the nearest is \"echo\"\n");
	free(errors);
	errors = apply(conf, second, -1);
	ck_assert_str_eq(errors,
	    "preforkd: echo@*:0: " BAD_PORT "\npreforkd: echo@: " NO_PORT
	    "\npreforkd: echo@::1:7: " BARE_V6
	    "\npreforkd: echo@[::1]: " BRACKETS "\n");
	free(errors);
	conf_free(conf);
}
END_TEST

START_TEST(the_command_line_sets_the_pid_file)
{
	struct conf *conf = conf_new();
	char *errors;
	size_t size;
	FILE *to = open_memstream(&errors, &size);

	ck_assert(!conf_is_set(conf, "pid-file"));
	ck_assert_int_eq(conf_set_pid_file(conf, "run/x", to), -1);
	ck_assert(!conf_is_set(conf, "pid-file"));
	ck_assert_int_eq(conf_set_pid_file(conf, "/x", to), 0);
	ck_assert(conf_is_set(conf, "pid-file"));
	ck_assert_str_eq(conf->pid_file, "/x");
	ck_assert_int_eq(conf_set_pid_file(conf, "none", to), 0);
	ck_assert_str_eq(conf->pid_file, "none");
	fclose(to);
	ck_assert_str_eq(
	    errors, "preforkd: -p run/x: must be an absolute path or none\n");
	free(errors);
	conf_free(conf);
}
END_TEST

START_TEST(print_says_what_is_derived)
{
	struct conf *conf = good_conf("log-level debug\nservice echo {\n"
				      "listen *:7\nsend-timeout 90m\n}\n");
	char *text = printed(conf);

	ck_assert_str_eq(text,
	    "user preforkd\n"
	    "group preforkd\n"
	    "chroot \"" LOCALSTATEDIR "/empty/preforkd\"\n"
	    "pid-file \"/run/preforkd.pid\"\n"
	    "control \"/run/preforkd/control.sock\"\n"
	    "log-level debug\n"
	    "log-connections no\n"
	    "stop-timeout 10s\n"
	    "scoreboard \"none\"\n"
	    "\n"
	    "service echo {\n"
	    "\tlisten *:7\n"
	    "\tbacklog 4096\n"
	    "\tstart-workers 4\n"
	    "\tmin-spare-workers 4\n"
	    "\tmax-spare-workers 16\n"
	    "\tmax-workers 1024\n"
	    "\tmax-connections-per-worker 0\n"
	    "\tkeepalive yes\n"
	    "\tpeer-timeout 120s\n"
	    "\tkeepalive-idle 60s\t# from peer-timeout\n"
	    "\tkeepalive-interval 10s\t# from peer-timeout\n"
	    "\tkeepalive-count 6\t# from peer-timeout\n"
	    "\tuser-timeout 120s\t# from peer-timeout\n"
	    "\tsend-timeout 90m\n"
	    "\tidle-timeout 10m\n"
	    "\tlinger-timeout 5s\n"
	    "\tdefer-accept 0\n"
	    "\tscheduling normal\n"
	    "\tmax-per-source 0\n"
	    "\trate-per-source 0\n"
	    "\tevict yes\n"
	    "}\n");
	free(text);
	conf_free(conf);
}
END_TEST

/* What is read back is given and no longer derived: its comment is gone. */
static void
strip_comments(char *text)
{
	char *at, *end;

	while ((at = strstr(text, "\t# from ")) != NULL) {
		end = strchr(at, '\n');
		memmove(at, end, strlen(end) + 1);
	}
}

static const char *const round_trips[] = { "",
	"service echo {\nlisten *:7\n}\n",
	"service daytime {\nlisten *:13\n}\nservice echo {\nlisten *:7\n"
	"listen [::1]:8\n}\n",
	"service echo {\nlisten *:7\nmax-workers 2\n}\n",
	"service echo {\nlisten *:7\npeer-timeout 64800s\n}\n",
	"service echo {\nlisten *:7\npeer-timeout 2s\nkeepalive-idle 9s\n}\n",
	"pid-file \"/a # \\\"b\\\" \\\\c\"\nlog-level error\n"
	"log-connections yes\nstop-timeout 1501ms\nservice daytime {\n"
	"listen localhost:1313\nbacklog 1\nstart-workers 65534\n"
	"min-spare-workers 2\nmax-spare-workers 3\nmax-workers 65535\n"
	"max-connections-per-worker 1000000000\nscheduling batch\nevict no\n"
	"keepalive no\npeer-timeout 601s\nkeepalive-idle 7m\n"
	"keepalive-interval 3s\nkeepalive-count 127\nuser-timeout 0\n"
	"send-timeout 24h\nidle-timeout 1ms\nlinger-timeout 59m\n"
	"defer-accept 1h\nformat \"\\\"%H\\\\%M\\\" # %%\"\nutc yes\n}\n",
	"service echo {\nlisten *:7\nallow 192.0.2.0/24\n"
	"max-per-source 4\ndeny ::ffff:192.0.0.0/104\n"
	"rate-per-source 20 burst 40\nallow ::1\ndeny any\n}\n",
	"service echo {\nlisten *:7\nrate-per-source 20\n}\n",
	"pid-file none\ncontrol none\n", "control \"/a b\"\n",
	"user www-data\ngroup 33\nchroot none\n",
	"chroot \"/var/empty/a b\"\n" };

START_TEST(print_gives_what_can_be_read_again)
{
	struct conf *conf = good_conf(round_trips[_i]), *again;
	char *first = printed(conf), *second;

	again = good_conf(first);
	second = printed(again);
	strip_comments(first);
	strip_comments(second);
	ck_assert_str_eq(first, second);
	free(first);
	free(second);
	conf_free(conf);
	conf_free(again);
}
END_TEST

static const char *const odd_addresses[] = { "\"a b:7\"", "\"*: 7\"", "\"#:7\"",
	"\"\\\"x:7\"" };

/* Refused, or printed so that it can be read again. */
START_TEST(no_address_makes_print_unreadable)
{
	char text[128], *errors, *print;
	struct conf *conf;

	snprintf(text, sizeof(text), "service echo {\nlisten %s\n}\n",
	    odd_addresses[_i]);
	conf = read_conf(dir_write("f", text), &errors);
	if (conf == NULL) {
		ck_assert_ptr_nonnull(strstr(errors, "f:2: listen "));
	} else {
		print = printed(conf);
		conf_free(good_conf(print));
		free(print);
	}
	free(errors);
	conf_free(conf);
}
END_TEST

START_TEST(a_long_path_is_printed_whole)
{
	char path[3000], expected[sizeof(path) + 32], *text;
	struct conf *conf = conf_new();

	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(conf_set_pid_file(conf, path, stderr), 0);
	text = printed(conf);
	snprintf(expected, sizeof(expected), "pid-file \"%s\"\n", path);
	ck_assert_ptr_nonnull(strstr(text, expected));
	free(text);
	conf_free(conf);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("conf_listen");
	TCase *tcase = unit_case(suite, "listen");

	tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
	tcase_add_loop_test(
	    tcase, an_address_has_a_host_and_a_port, 0, COUNT(good));
	tcase_add_loop_test(
	    tcase, another_form_is_refused_with_the_right_one, 0, COUNT(bad));
	tcase_add_test(tcase, an_address_is_listened_on_once);
	tcase_add_test(tcase, another_host_or_port_is_another_address);
	tcase_add_test(tcase, default_services_are_on_the_ports_of_their_rfcs);
	tcase = unit_case(suite, "arguments");
	tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
	tcase_add_test(tcase, arguments_replace_what_is_listened_on);
	tcase_add_test(tcase, an_argument_needs_no_block);
	tcase_add_test(tcase, wrong_arguments_are_all_named);
	tcase_add_test(tcase, the_command_line_sets_the_pid_file);
	tcase = unit_case(suite, "print");
	tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
	tcase_add_test(tcase, print_says_what_is_derived);
	tcase_add_loop_test(
	    tcase, print_gives_what_can_be_read_again, 0, COUNT(round_trips));
	tcase_add_loop_test(
	    tcase, no_address_makes_print_unreadable, 0, COUNT(odd_addresses));
	tcase_add_test(tcase, a_long_path_is_printed_whole);
	return unit_run(suite);
}
