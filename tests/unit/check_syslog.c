/*
 * Tests of common/log with syslog, in a mount namespace with a /dev of its
 * own: the machine's /dev/log is out of reach.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "unit/unit.h"

static int stderr_reader;
static int syslogd; /* -1: none runs */

/* False for a user who may not have a /dev of his own. */
static bool
take_own_dev(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("none", "/dev", "tmpfs", MS_NOSUID, NULL) == 0;
}

static void
start_syslogd(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX,
		.sun_path = "/dev/log" };

	syslogd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(syslogd, 0);
	ck_assert_int_eq(
	    bind(syslogd, (struct sockaddr *)&sun, sizeof(sun)), 0);
}

static void
restart_syslogd(void)
{
	close(syslogd);
	ck_assert_int_eq(unlink("/dev/log"), 0);
	start_syslogd();
}

static void
open_log(void)
{
	int end[2];

	ck_assert_int_eq(pipe(end), 0);
	stderr_reader = end[0];
	ck_assert_int_ge(dup2(end[1], STDERR_FILENO), 0);
	close(end[1]);
	log_open(LOG_TO_SYSLOG, LOG_INFO);
}

/* Each case runs in a process of its own, so it has a /dev of its own. */
static void
set_up_without_syslogd(void)
{
	ck_assert(take_own_dev());
	open_log();
}

static void
set_up_with_syslogd(void)
{
	ck_assert(take_own_dev());
	start_syslogd();
	open_log();
}

/* The next datagram or what a pipe has, "" where there is nothing. */
static const char *
next_line(int fd)
{
	static char text[8192];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n = 0;

	if (poll(&p, 1, 0) == 1)
		n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
assert_matches(const char *text, const char *pattern)
{
	regex_t regex;

	ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	ck_assert_msg(
	    regexec(&regex, text, 0, NULL, 0) == 0, "%s for %s", text, pattern);
	regfree(&regex);
}

START_TEST(a_line_is_a_datagram_as_syslog_has_it)
{
	char pattern[128];

	log_warnx("hello");
	snprintf(pattern, sizeof(pattern),
	    "^<28>[A-Z][a-z]{2} [ 1-3][0-9] [0-9:]{8} preforkd\\[%d\\]: "
	    "hello$",
	    (int)getpid());
	assert_matches(next_line(syslogd), pattern);
	ck_assert_str_eq(next_line(syslogd), "");
	ck_assert_str_eq(next_line(stderr_reader), "");
	ck_assert_int_gt(log_descriptor(), STDERR_FILENO);
	ck_assert_int_eq(fcntl(log_descriptor(), F_GETFD), FD_CLOEXEC);
}
END_TEST

START_TEST(a_missing_syslogd_is_said_on_stderr_and_tried_again)
{
	assert_matches(next_line(stderr_reader), "warning: no syslog at");
	ck_assert_int_eq(log_descriptor(), -1);
	log_info("lost");
	ck_assert_uint_eq(log_lost(), 1);
	start_syslogd();
	log_info("found");
	assert_matches(next_line(syslogd), ": found$");
	ck_assert_uint_eq(log_lost(), 1);
}
END_TEST

START_TEST(lines_are_copied_to_stderr_until_told_otherwise)
{
	log_copy_to_stderr(true);
	log_info("both");
	assert_matches(next_line(syslogd), ": both$");
	assert_matches(next_line(stderr_reader), "info: both\n$");
	log_copy_to_stderr(false);
	log_info("one");
	assert_matches(next_line(syslogd), ": one$");
	ck_assert_str_eq(next_line(stderr_reader), "");
}
END_TEST

START_TEST(the_master_finds_a_restarted_syslogd_at_once)
{
	restart_syslogd();
	log_info("again");
	assert_matches(next_line(syslogd), ": again$");
	ck_assert_uint_eq(log_lost(), 0);
	ck_assert_int_eq(log_health(), LOG_HEALTHY);
}
END_TEST

START_TEST(a_worker_says_that_its_syslogd_is_dead)
{
	log_enter_worker();
	log_info("fine");
	ck_assert_int_eq(log_health(), LOG_HEALTHY);
	assert_matches(next_line(syslogd), ": fine$");
	restart_syslogd();
	log_info("lost");
	ck_assert_int_eq(log_health(), LOG_DEAD);
	ck_assert_uint_eq(log_lost(), 1);
	ck_assert_str_eq(next_line(syslogd), "");
}
END_TEST

START_TEST(a_worker_counts_its_own_lost_lines_alone)
{
	log_info("lost by the master");
	ck_assert_uint_eq(log_lost(), 1);
	log_enter_worker();
	ck_assert_uint_eq(log_lost(), 0);
	log_info("lost by the worker");
	ck_assert_uint_eq(log_lost(), 1);
}
END_TEST

START_TEST(a_worker_says_that_it_never_had_a_syslogd)
{
	log_enter_worker();
	ck_assert_int_eq(log_health(), LOG_HEALTHY);
	log_info("lost");
	ck_assert_int_eq(log_health(), LOG_MUTE);
	ck_assert_uint_eq(log_lost(), 1);
}
END_TEST

START_TEST(reopen_connects_the_master_to_a_new_syslogd)
{
	restart_syslogd();
	log_reopen();
	/* A worker cannot connect by itself: reopen must have done it. */
	log_enter_worker();
	log_info("again");
	assert_matches(next_line(syslogd), ": again$");
}
END_TEST

START_TEST(a_syslogd_that_does_not_read_blocks_nobody)
{
	for (int i = 0; i < 100000 && log_lost() == 0; i++)
		log_info("line %d", i);
	ck_assert_uint_eq(log_lost(), 1);
	ck_assert_int_eq(log_health(), LOG_HEALTHY);
	while (next_line(syslogd)[0] != '\0')
		continue;
	log_info("read");
	assert_matches(next_line(syslogd), ": read$");
}
END_TEST

/* In a child: the namespace would be left behind otherwise. */
static bool
may_have_own_dev(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(take_own_dev() ? 0 : 1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

int
main(void)
{
	Suite *suite = suite_create("syslog");
	TCase *with = unit_case(suite, "with syslogd");
	TCase *without = unit_case(suite, "without syslogd");

	if (!may_have_own_dev()) {
		printf("1..0 # SKIP needs root and mount namespaces\n");
		return 0;
	}
	tcase_add_checked_fixture(with, set_up_with_syslogd, NULL);
	tcase_add_test(with, a_line_is_a_datagram_as_syslog_has_it);
	tcase_add_test(with, lines_are_copied_to_stderr_until_told_otherwise);
	tcase_add_test(with, the_master_finds_a_restarted_syslogd_at_once);
	tcase_add_test(with, a_worker_says_that_its_syslogd_is_dead);
	tcase_add_test(with, reopen_connects_the_master_to_a_new_syslogd);
	tcase_add_test(with, a_syslogd_that_does_not_read_blocks_nobody);
	tcase_add_checked_fixture(without, set_up_without_syslogd, NULL);
	tcase_add_test(
	    without, a_missing_syslogd_is_said_on_stderr_and_tried_again);
	tcase_add_test(without, a_worker_counts_its_own_lost_lines_alone);
	tcase_add_test(without, a_worker_says_that_it_never_had_a_syslogd);
	return unit_run(suite);
}
