/*
 * master/activation: what systemd passed, and what is made of it.
 */
#include "master/activation.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "services/service.h"
#include "unit/conf_text.h"
#include "unit/unit.h"

#define LAST_FD 7

/* Those that are passed begin with 3, where the library would have its own. */
static void
keep_free(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
		if (fd < 0)
			abort();
	} while (fd < LAST_FD);
}

static void
place(int fd, int at)
{
	if (fd == at)
		return;
	ck_assert_int_eq(dup2(fd, at), at);
	close(fd);
}

static int
listening(int family, int v6only)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(family, SOCK_STREAM, 0);

	if (family == AF_INET) {
		ck_assert_int_eq(
		    bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	} else {
		setsockopt(
		    fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
		ck_assert_int_eq(
		    bind(fd, (struct sockaddr *)&in6, sizeof(in6)), 0);
	}
	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

static int
take(const char *count, const char *names)
{
	char pid[16];
	int taken;

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", count, 1);
	if (names != NULL)
		setenv("LISTEN_FDNAMES", names, 1);
	taken = activation_take();
	ck_assert_ptr_null(getenv("LISTEN_PID"));
	ck_assert_ptr_null(getenv("LISTEN_FDS"));
	ck_assert_ptr_null(getenv("LISTEN_FDNAMES"));
	return taken;
}

START_TEST(what_is_passed_has_name_and_address)
{
	struct activation_socket *socket;

	place(listening(AF_INET, 0), 3);
	place(listening(AF_INET6, 0), 4);
	place(listening(AF_INET6, 1), 5);
	ck_assert_int_eq(take("3", "echo:daytime:preforkd/[//]/7"), 3);
	socket = activation_next("echo", NULL);
	ck_assert_int_eq(socket->fd, 3);
	ck_assert_ptr_null(socket->wrong);
	ck_assert_int_eq(strncmp(socket->address, "127.0.0.1:", 10), 0);
	ck_assert_ptr_null(activation_next("echo", socket));
	ck_assert_int_eq(fcntl(3, F_GETFD), FD_CLOEXEC);
	socket = activation_next("daytime", NULL);
	ck_assert_int_eq(strncmp(socket->address, "*:", 2), 0);
	socket = activation_next_stored(NULL);
	ck_assert_int_eq(socket->fd, 5);
	ck_assert_int_eq(strncmp(socket->address, "[::]:", 5), 0);
	ck_assert_ptr_null(activation_next_stored(socket));
	ck_assert_ptr_null(activation_next("preforkd/[//]/7", NULL));
}
END_TEST

START_TEST(no_name_is_all_that_no_line_names)
{
	struct conf *conf = good_conf("service echo {\nlisten systemd:a\n}\n");
	struct activation_socket *socket;

	for (int fd = 3; fd < 6; fd++)
		place(listening(AF_INET, 0), fd);
	ck_assert_int_eq(take("3", "b:a"), 3);
	activation_claim(conf);
	socket = activation_next("", NULL);
	ck_assert_str_eq(socket->name, "b");
	socket = activation_next("", socket);
	ck_assert_str_eq(socket->name, "unknown");
	ck_assert_ptr_null(activation_next("", socket));
	conf_free(conf);
}
END_TEST

/* "listen systemd" has no name either, but means those without a line. */
START_TEST(an_empty_name_is_unknown)
{
	struct conf *conf = good_conf("service echo {\nlisten systemd\n}\n");
	struct activation_socket *socket = NULL;

	for (int fd = 3; fd < 6; fd++)
		place(listening(AF_INET, 0), fd);
	ck_assert_int_eq(take("3", ":a:"), 3);
	activation_claim(conf);
	for (int i = 0; i < 3; i++) {
		socket = activation_next("", socket);
		ck_assert_ptr_nonnull(socket);
		ck_assert_str_eq(socket->name, i == 1 ? "a" : "unknown");
	}
	conf_free(conf);
}
END_TEST

START_TEST(what_is_of_no_use_says_why)
{
	static const char *const why[] = { "is no socket", "is no stream",
		"is no TCP socket", "does not listen", "is not open" };
	struct activation_socket *found = NULL;

	place(open("/dev/null", O_RDWR), 3);
	place(socket(AF_INET, SOCK_DGRAM, 0), 4);
	place(socket(AF_UNIX, SOCK_STREAM, 0), 5);
	place(socket(AF_INET, SOCK_STREAM, 0), 6);
	close(7);
	ck_assert_int_eq(take("5", NULL), 5);
	for (int i = 0; i < 5; i++) {
		found = activation_next("unknown", found);
		ck_assert_ptr_nonnull(found);
		ck_assert_msg(
		    strncmp(found->wrong, why[i], strlen(why[i])) == 0,
		    "%d: %s", found->fd, found->wrong);
	}
}
END_TEST

static const char *const bad_counts[] = { "0", "-1", "x", "3x", "",
	"99999999999" };

START_TEST(a_number_that_is_none_takes_nothing)
{
	ck_assert_int_eq(take(bad_counts[_i], NULL), 0);
	ck_assert_ptr_null(activation_next("", NULL));
}
END_TEST

START_TEST(what_is_for_another_process_is_left)
{
	setenv("LISTEN_PID", "1", 1);
	setenv("LISTEN_FDS", "1", 1);
	ck_assert_int_eq(activation_take(), 0);
	ck_assert_ptr_null(getenv("LISTEN_FDS"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("activation");
	TCase *tcase = unit_case(suite, "activation");

	keep_free();
	tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
	tcase_add_test(tcase, what_is_passed_has_name_and_address);
	tcase_add_test(tcase, no_name_is_all_that_no_line_names);
	tcase_add_test(tcase, an_empty_name_is_unknown);
	tcase_add_test(tcase, what_is_of_no_use_says_why);
	tcase_add_loop_test(tcase, a_number_that_is_none_takes_nothing, 0, 6);
	tcase_add_test(tcase, what_is_for_another_process_is_left);
	return unit_run(suite);
}
