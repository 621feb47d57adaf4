/*
 * Tests of common/conf: lines, blocks, includes and their errors.
 */
#include <unistd.h>

#include "common/log.h"
#include "unit/conf_text.h"
#include "unit/unit.h"

struct refused {
	const char *text;
	const char *errors;
};

static const struct refused blocks[] = {
	{ "lissten *:7\n",
	    "f:1: lissten: unknown keyword; the nearest is \"listen\"\n" },
	{ "\n\npeertimeout 5s\n",
	    "f:3: peertimeout: unknown keyword; the nearest is "
	    "\"peer-timeout\"\n" },
	{ "Service echo {\n",
	    "f:1: Service: unknown keyword; the nearest is \"service\"\n" },
	{ "listen *:7\n", "f:1: listen: belongs in a service block\n" },
	{ "backlog 5\n", "f:1: backlog: belongs in a service block\n" },
	{ "format %H\n", "f:1: format: belongs in a service block\n" },
	{ "service echo {\nlisten *:7\nlog-level info\n}\n",
	    "f:3: log-level: belongs outside of the service block\n" },
	{ "service echo {\nlisten *:7\npid-file /x\nstop-timeout 1s\n}\n",
	    "f:3: pid-file: belongs outside of the service block\n"
	    "f:4: stop-timeout: belongs outside of the service block\n" },
	{ "service echo {\nlisten *:7\nformat %H\nutc yes\n}\n",
	    "f:3: format: is for service daytime only\n"
	    "f:4: utc: is for service daytime only\n" },
	{ "log-level info\nlog-level info\n",
	    "f:2: log-level: is set already in this configuration\n" },
	{ "service echo {\nlisten *:7\nbacklog 5\nbacklog 5\n}\n",
	    "f:4: backlog: is set already in this block\n" },
	{ "service ecko {\nlisten *:7\n}\n",
	    "f:1: service ecko: unknown service; the nearest is \"echo\"\n" },
	{ "service datetime {\nlisten *:7\nutc yes\n}\n",
	    "f:1: service datetime: unknown service; the nearest is "
	    "\"daytime\"\n" },
	{ "service echo {\nlisten *:7\n}\nservice echo {\nlisten *:8\n}\n",
	    "f:4: service echo: has a block already at f:1; a block can have "
	    "several listen lines\n" },
	{ "service echo {\n}\n", "f:2: service echo: has no listen line\n" },
	{ "\nservice echo {\nlisten *:7\n\n",
	    "f:2: service: the block has no closing }\n" },
	{ "}\n", "f:1: }: no block is open\n" },
	{ "service echo {\nlisten *:7\n}\n}\n", "f:4: }: no block is open\n" },
	{ "service echo {\nlisten *:7\n} # end\n}  x\n",
	    "f:4: }: must be alone on its line\n" },
	{ "service echo {\nlisten *:7\nservice daytime {\nlisten *:13\n}\n",
	    "f:3: service: the block before it has no closing }\n" },
	{ "service {\nlisten *:7\n}\n",
	    "f:1: service: must be: service NAME {\n" },
	{ "service echo\nlisten *:7\n}\n",
	    "f:1: service: must be: service NAME {\n" },
	{ "service echo\n{\nlisten *:7\n}\n",
	    "f:1: service: must be: service NAME {\n"
	    "f:2: {: must be on the line of its service: service NAME {\n" },
	{ "service echo \"{\"\nlisten *:7\n}\n",
	    "f:1: service: must be: service NAME {\n" },
	{ "service echo { listen *:7 }\n}\n",
	    "f:1: service: must be: service NAME {\n" },
	{ "allow any\n", "f:1: allow: belongs in a service block\n" },
	{ "service echo {\nlisten *:7\nallow\ndeny any any\n"
	  "deny 192.0.2.7/24\nallow fe80::1%lo\nrate-per-source\n}\n",
	    "f:3: allow: must be followed by one value\n"
	    "f:4: deny: must be followed by one value; one with spaces "
	    "needs quotes\n"
	    "f:5: deny 192.0.2.7/24: has bits set beyond its length 24: write "
	    "192.0.2.0/24, or 192.0.2.7/32\n"
	    "f:6: allow fe80::1%lo: takes no scope: write it without the part "
	    "from % on\n"
	    "f:7: rate-per-source: must be followed by one value\n" },
	{ "log-level\n", "f:1: log-level: must be followed by one value\n" },
	{ "pid-file /a b\n",
	    "f:1: pid-file: must be followed by one value; one with spaces "
	    "needs quotes\n" },
	{ "pid-file 1 2 3 4 5 6 7 8\n", "f:1: pid-file: more than 8 words\n" },
	{ "pid-file \"/a\nlog-level debug\n",
	    "f:1: the closing quote is missing\n" },
	{ "pid-file \"/a\\\"\n", "f:1: the closing quote is missing\n" },
};

#define COUNT(table) ((int)(sizeof(table) / sizeof(table[0])))

START_TEST(a_wrong_line_is_named_with_its_place)
{
	assert_errors(blocks[_i].text, blocks[_i].errors);
}
END_TEST

START_TEST(all_errors_are_said_in_one_run)
{
	assert_errors("log-level loud\n"
		      "# a comment\n"
		      "stop-timeout 5\n"
		      "\n"
		      "service echo {\n"
		      "\tlisten *:0\n"
		      "\tbacklog many\n"
		      "\tlisten *:7\n"
		      "}\n"
		      "backlogs 5\n"
		      "service daytime {\n"
		      "}",
	    "f:1: log-level loud: must be error, warning, notice, info or "
	    "debug\n"
	    "f:3: stop-timeout 5: needs a unit: 5ms, 5s, 5m or 5h\n"
	    "f:6: listen *:0: the port must be a number, 1 to 65535\n"
	    "f:7: backlog many: must be 1 to 65535\n"
	    "f:10: backlogs: unknown keyword; the nearest is \"backlog\"\n"
	    "f:12: service daytime: has no listen line\n");
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_an_error)
{
	char *errors;

	ck_assert_ptr_null(read_conf(dir_path("none"), &errors));
	ck_assert_str_eq(
	    errors, "none: cannot be opened: No such file or directory\n");
	free(errors);
	ck_assert_ptr_null(read_conf(dir_name, &errors));
	ck_assert_ptr_nonnull(strstr(errors, "Is a directory\n"));
	free(errors);
}
END_TEST

static const struct refused binaries[] = {
	{ "\x1b[2J\x07 x\n",
	    "f:1: ?[2J?: unknown keyword; the nearest is \"user\"\n" },
	{ "log-level \x1b]0;x\x07\n",
	    "f:1: log-level ?]0;x?: must be error, warning, notice, info or "
	    "debug\n" },
	{ "service \xff\xfe {\nlisten *:7\n}\n",
	    "f:1: service ??: unknown service; the nearest is \"echo\"\n" },
	{ "service echo {\nlisten \x80:x\nlisten *:7\n}\n",
	    "f:2: listen ?:x: the address has a character that "
	    "no address has\n" },
	{ "include \x9b"
	  "31m\n",
	    "f:1: include \"?31m\": there is no such file; a pattern with * "
	    "may match nothing\n" },
};

START_TEST(what_is_not_printable_is_not_echoed)
{
	assert_errors(binaries[_i].text, binaries[_i].errors);
}
END_TEST

START_TEST(a_zero_byte_ends_the_reading)
{
	static const char text[] = "log-level info\0\nstop-timeout 1s\n\0\n";
	char *errors;
	const char *path = dir_write_bytes("f", text, sizeof(text) - 1);

	ck_assert_ptr_null(read_conf(path, &errors));
	ck_assert_str_eq(errors, "f:1: a zero byte: this is no text file\n");
	free(errors);
}
END_TEST

START_TEST(a_byte_order_mark_is_passed_over)
{
	char *errors;
	struct conf *conf;

	conf =
	    read_conf(dir_write("f", "\xef\xbb\xbflog-level debug\n"), &errors);
	ck_assert_str_eq(errors, "");
	ck_assert_int_eq(conf->log_level, LOG_DEBUG);
	conf_free(conf);
	free(errors);
}
END_TEST

START_TEST(any_bytes_give_printable_errors)
{
	char bytes[4096], *errors;
	unsigned seed = 12345;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		seed = seed * 1103515245 + 12345;
		bytes[i] = (char)(seed >> 16);
	}
	ck_assert_ptr_null(
	    read_conf(dir_write_bytes("f", bytes, sizeof(bytes)), &errors));
	ck_assert_ptr_nonnull(strstr(errors, "f:1: "));
	for (const char *p = errors; *p != '\0'; p++)
		ck_assert_msg(
		    *p == '\n' || (*p >= ' ' && *p <= '~'), "byte %d", *p);
	free(errors);
}
END_TEST

/* How a path may be written, and what it is. */
static const struct {
	const char *text;
	const char *path;
} quotes[] = {
	{ "pid-file /a\n", "/a" },
	{ "pid-file /a", "/a" },
	{ "\t pid-file \t /a \t\r\n", "/a" },
	{ "pid-file /a # comment\n", "/a" },
	{ "pid-file /a#b\n", "/a#b" },
	{ "#\n  # pid-file /b\n\npid-file /a\n", "/a" },
	{ "pid-file \"/a b\"\n", "/a b" },
	{ "pid-file \"/a # b\" # c\n", "/a # b" },
	{ "pid-file \"/a\\\"b\"\n", "/a\"b" },
	{ "pid-file \"/a\\\\b\"\n", "/a\\b" },
	{ "pid-file \"/a\\\\\"\n", "/a\\" },
	{ "pid-file \"/a\\nb\"\n", "/a\\nb" },
	{ "pid-file /a\\b\"c\n", "/a\\b\"c" },
	{ "\"pid-file\" \"/{}\"\n", "/{}" },
};

START_TEST(quotes_escapes_and_comments)
{
	struct conf *conf = good_conf(quotes[_i].text);

	ck_assert_str_eq(conf->pid_file, quotes[_i].path);
	conf_free(conf);
}
END_TEST

START_TEST(an_empty_file_has_no_service)
{
	struct conf *conf = good_conf("");

	ck_assert(TAILQ_EMPTY(&conf->services));
	ck_assert(!conf_is_set(conf, "pid-file"));
	conf_free(conf);
}
END_TEST

START_TEST(is_set_knows_what_the_file_gave)
{
	struct conf *conf = good_conf("log-level info\n");

	ck_assert(conf_is_set(conf, "log-level"));
	ck_assert(!conf_is_set(conf, "pid-file"));
	ck_assert(!conf_is_set(conf, "stop-timeout"));
	conf_free(conf);
}
END_TEST

START_TEST(a_block_keeps_its_place_and_its_own_values)
{
	struct conf *conf = good_conf("service daytime {\nlisten *:13\n"
				      "backlog 5\n}\n\nservice echo {\n"
				      "listen *:7\nlisten [::1]:70\n}\n");
	struct conf_service *daytime = first_service(conf);
	struct conf_service *echo = TAILQ_NEXT(daytime, entry);

	ck_assert_str_eq(daytime->name, "daytime");
	ck_assert_uint_eq(daytime->line, 1);
	ck_assert_int_eq(daytime->backlog, 5);
	ck_assert_str_eq(echo->name, "echo");
	ck_assert_uint_eq(echo->line, 6);
	ck_assert_int_eq(echo->backlog, 4096);
	ck_assert_uint_eq(TAILQ_FIRST(&echo->listens)->line, 7);
	ck_assert_uint_eq(TAILQ_LAST(&echo->listens, conf_listens)->line, 8);
	ck_assert_ptr_null(TAILQ_NEXT(echo, entry));
	conf_free(conf);
}
END_TEST

#define ECHO "service echo {\nlisten *:7\n}\n"

START_TEST(an_include_is_relative_to_its_file)
{
	struct conf *conf;

	mkdir(dir_path("sub"), 0755);
	dir_write("sub/outer", "include inner\nlog-level debug\n");
	dir_write("sub/inner", "stop-timeout 3s\n");
	conf = good_conf("include sub/outer\n" ECHO);
	ck_assert_int_eq(conf->stop_timeout, 3000);
	ck_assert(conf_is_set(conf, "log-level"));
	ck_assert_str_eq(first_service(conf)->name, "echo");
	conf_free(conf);
}
END_TEST

START_TEST(an_absolute_include_is_read_as_it_is)
{
	struct conf *conf;
	char text[DIR_PATH_SIZE + 32];

	snprintf(text, sizeof(text), "include \"%s\"\n",
	    dir_write("with space", "stop-timeout 4s\n"));
	conf = good_conf(text);
	ck_assert_int_eq(conf->stop_timeout, 4000);
	conf_free(conf);
}
END_TEST

START_TEST(a_pattern_includes_all_that_match)
{
	struct conf *conf;

	mkdir(dir_path("d"), 0755);
	dir_write("d/1.conf", "log-level debug\n");
	dir_write("d/2.conf", ECHO);
	dir_write("d/3.other", "not a line of ours\n");
	conf = good_conf("include d/*.conf\n");
	ck_assert(conf_is_set(conf, "log-level"));
	ck_assert_str_eq(first_service(conf)->name, "echo");
	conf_free(conf);
}
END_TEST

START_TEST(a_pattern_may_match_nothing)
{
	struct conf *conf = good_conf("include nowhere/*.conf\n"
				      "include no?\ninclude no[ab]\n");

	ck_assert(TAILQ_EMPTY(&conf->services));
	conf_free(conf);
}
END_TEST

START_TEST(a_block_can_include_its_lines)
{
	struct conf *conf;

	dir_write("lines", "backlog 77\n");
	conf = good_conf("service echo {\nlisten *:7\ninclude lines\n}\n");
	ck_assert_int_eq(first_service(conf)->backlog, 77);
	conf_free(conf);
}
END_TEST

static const struct {
	const char *included;
	const char *text;
	const char *errors;
} includes[] = {
	{ "", "\ninclude missing\n",
	    "f:2: include \"missing\": there is no such file; a pattern with "
	    "* may match nothing\n" },
	{ "\nbacklog 5\n", "include inc\nlog-level x\n",
	    "inc:2: backlog: belongs in a service block\n"
	    "f:2: log-level x: must be error, warning, notice, info or "
	    "debug\n" },
	{ "log-level info\n", "log-level info\ninclude inc\n",
	    "inc:1: log-level: is set already in this configuration\n" },
	{ ECHO, ECHO "include inc\n",
	    "inc:1: service echo: has a block already at f:1; a block can "
	    "have several listen lines\n"
	    "inc:2: listen *:7: is listened on already at f:2\n" },
	{ "\nservice echo {\nlisten *:7\n", "include inc\n}\n",
	    "inc:2: service: the block has no closing }\n"
	    "f:2: }: no block is open\n" },
	{ "}\n", "service echo {\nlisten *:7\ninclude inc\n}\n",
	    "inc:1: }: closes a block of the file that includes this one\n" },
	{ "", "include\n", "f:1: include: must be followed by one value\n" },
	{ "", "include inc inc\n",
	    "f:1: include: must be followed by one value; one with spaces "
	    "needs quotes\n" },
};

START_TEST(an_error_is_named_with_the_file_it_is_in)
{
	dir_write("inc", includes[_i].included);
	assert_errors(includes[_i].text, includes[_i].errors);
}
END_TEST

/* The lines behind the include would be another service's. */
START_TEST(an_include_cannot_end_a_block_and_begin_another)
{
	char *errors;

	dir_write("inc", "}\nservice daytime {\n");
	ck_assert_ptr_null(
	    read_conf(dir_write("f",
			  "service echo {\nlisten *:7\ninclude inc\n"
			  "listen *:13\n}\n"),
		&errors));
	ck_assert_ptr_nonnull(strstr(errors, "inc:"));
	free(errors);
}
END_TEST

static const char *const loops[] = { "include f\n", "include loop\n",
	"include *oop\n" };

START_TEST(an_include_loop_is_refused)
{
	struct conf *conf;
	char *errors;

	dir_write("loop", "include f\n");
	conf = read_conf(dir_write("f", loops[_i]), &errors);
	ck_assert_ptr_null(conf);
	ck_assert_msg(strstr(errors, ":1: include \"") != NULL &&
		strstr(errors,
		    "more than 8 files deep; does a file include itself?\n") !=
		    NULL,
	    "%s", errors);
	free(errors);
}
END_TEST

/* Each eight files deep, that would be a million and more. */
START_TEST(files_that_include_each_other_are_soon_refused)
{
	static const char said[] = "more than 1000 files in all; does a file "
				   "include itself?\n";
	const char *const names[] = { "m/1", "m/2", "m/3", "m/4", "m/5",
		"m/6" };
	struct conf *conf;
	char *errors, *at;

	mkdir(dir_path("m"), 0700);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		dir_write(names[i], "include *\n");
	conf = read_conf(dir_path("m/1"), &errors);
	ck_assert_ptr_null(conf);
	at = strstr(errors, said);
	ck_assert_ptr_nonnull(at);
	ck_assert_ptr_null(strstr(at + 1, said));
	free(errors);
}
END_TEST

static void
add_include_tests(Suite *suite)
{
	TCase *tcase = unit_case(suite, "include");

	tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
	tcase_add_test(tcase, an_include_is_relative_to_its_file);
	tcase_add_test(tcase, an_absolute_include_is_read_as_it_is);
	tcase_add_test(tcase, a_pattern_includes_all_that_match);
	tcase_add_test(tcase, a_pattern_may_match_nothing);
	tcase_add_test(tcase, a_block_can_include_its_lines);
	tcase_add_loop_test(tcase, an_error_is_named_with_the_file_it_is_in, 0,
	    COUNT(includes));
	tcase_add_test(tcase, an_include_cannot_end_a_block_and_begin_another);
	tcase_add_test(tcase, files_that_include_each_other_are_soon_refused);
	tcase_add_loop_test(tcase, an_include_loop_is_refused, 0, COUNT(loops));
}

int
main(void)
{
	Suite *suite = suite_create("conf");
	TCase *tcase = unit_case(suite, "file");

	tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
	tcase_add_loop_test(
	    tcase, a_wrong_line_is_named_with_its_place, 0, COUNT(blocks));
	tcase_add_test(tcase, all_errors_are_said_in_one_run);
	tcase_add_test(tcase, a_file_that_cannot_be_read_is_an_error);
	tcase_add_loop_test(
	    tcase, what_is_not_printable_is_not_echoed, 0, COUNT(binaries));
	tcase_add_test(tcase, a_zero_byte_ends_the_reading);
	tcase_add_test(tcase, a_byte_order_mark_is_passed_over);
	tcase_add_test(tcase, any_bytes_give_printable_errors);
	tcase_add_loop_test(
	    tcase, quotes_escapes_and_comments, 0, COUNT(quotes));
	tcase_add_test(tcase, an_empty_file_has_no_service);
	tcase_add_test(tcase, is_set_knows_what_the_file_gave);
	tcase_add_test(tcase, a_block_keeps_its_place_and_its_own_values);
	add_include_tests(suite);
	return unit_run(suite);
}
