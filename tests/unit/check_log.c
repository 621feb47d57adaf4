/*
 * Tests of common/log: lines on stderr, whatever stderr is.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "unit/dir.h"
#include "unit/unit.h"

#define WHEN "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} "

static int reader; /* the other end of what is stderr now */

/* Each case runs in a process of its own: stderr need not come back. */
static void
become_stderr(int fd)
{
	ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
	close(fd);
}

static void
pipe_as_stderr(void)
{
	int end[2];

	ck_assert_int_eq(pipe(end), 0);
	reader = end[0];
	become_stderr(end[1]);
}

static void
socket_as_stderr(int type)
{
	int end[2];

	ck_assert_int_eq(socketpair(AF_UNIX, type, 0, end), 0);
	reader = end[0];
	become_stderr(end[1]);
}

/* What has come to the reader up to now. */
static const char *
received(void)
{
	static char text[1 << 20];
	struct pollfd p = { .fd = reader, .events = POLLIN };
	size_t used = 0;
	ssize_t n;

	while (poll(&p, 1, 0) == 1 && used < sizeof(text) - 1) {
		n = read(reader, text + used, sizeof(text) - 1 - used);
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	text[used] = '\0';
	return text;
}

static bool
matches(const char *text, const char *pattern)
{
	regex_t regex;
	bool yes;

	ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	yes = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return yes;
}

/* Exactly one plain line with that end has come. */
static void
assert_line(const char *end)
{
	const char *text = received();
	char pattern[256];

	snprintf(pattern, sizeof(pattern), WHEN "preforkd\\[%d\\]: %s\n$",
	    (int)getpid(), end);
	ck_assert_msg(matches(text, pattern), "\"%s\" for %s", text, pattern);
	ck_assert_ptr_eq(strchr(text, '\n'), strrchr(text, '\n'));
}

static const struct {
	const char *name;
	int level;
	void (*function)(const char *, ...);
} levels[] = { { "error", LOG_ERR, log_errorx },
	{ "warning", LOG_WARNING, log_warnx },
	{ "notice", LOG_NOTICE, log_notice }, { "info", LOG_INFO, log_info },
	{ "debug", LOG_DEBUG, log_debug } };

#define LEVELS 5

START_TEST(each_level_has_a_name)
{
	ck_assert_str_eq(log_level_name(levels[_i].level), levels[_i].name);
	ck_assert_int_eq(log_level_parse(levels[_i].name), levels[_i].level);
}
END_TEST

START_TEST(other_levels_have_none)
{
	static const char *const names[] = { "", "Info", "err", "infos",
		"emerg" };

	ck_assert_ptr_null(log_level_name(LOG_CRIT));
	ck_assert_ptr_null(log_level_name(LOG_DEBUG + 1));
	ck_assert_ptr_null(log_level_name(-1));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(
		    log_level_parse(names[i]) == -1, "\"%s\"", names[i]);
}
END_TEST

START_TEST(a_plain_line_has_time_pid_and_level)
{
	char end[64];

	pipe_as_stderr();
	log_open(LOG_TO_STDERR, LOG_DEBUG);
	levels[_i].function("hello %d", 7);
	snprintf(end, sizeof(end), "%s: hello 7", levels[_i].name);
	assert_line(end);
}
END_TEST

START_TEST(lines_before_log_open_go_to_stderr)
{
	pipe_as_stderr();
	log_info("early");
	log_debug("not at the level of info");
	assert_line("info: early");
}
END_TEST

START_TEST(warn_appends_the_error_and_keeps_errno)
{
	pipe_as_stderr();
	log_open(LOG_TO_STDERR, LOG_INFO);
	errno = ENOENT;
	log_warn("open %s", "x");
	ck_assert_int_eq(errno, ENOENT);
	assert_line("warning: open x: No such file or directory");
}
END_TEST

START_TEST(only_wanted_levels_are_written)
{
	int limit = levels[_i].level;

	pipe_as_stderr();
	log_open(LOG_TO_STDERR, limit);
	for (int i = 0; i < LEVELS; i++) {
		const char *text;

		ck_assert(log_wants(levels[i].level) == (i <= _i));
		levels[i].function("x");
		text = received();
		ck_assert_msg((text[0] != '\0') == (i <= _i), "%s at %s: %s",
		    levels[i].name, levels[_i].name, text);
	}
	ck_assert_uint_eq(log_lost(), 0);
}
END_TEST

/* Whoever asked for a reload is told all, whatever the log is to have. */
START_TEST(warnings_and_errors_are_gathered_at_each_level)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	pipe_as_stderr();
	log_open(LOG_TO_STDERR, levels[_i].level);
	log_tee(to);
	for (int i = 0; i < LEVELS; i++)
		levels[i].function("%s", levels[i].name);
	log_tee(NULL);
	log_errorx("later");
	ck_assert_int_eq(fclose(to), 0);
	ck_assert_str_eq(text, "error\nwarning\n");
	free(text);
}
END_TEST

START_TEST(the_level_can_be_changed)
{
	pipe_as_stderr();
	log_open(LOG_TO_STDERR, LOG_DEBUG);
	log_set_level(LOG_WARNING);
	ck_assert_int_eq(log_level(), LOG_WARNING);
	log_notice("unwanted");
	ck_assert_str_eq(received(), "");
	log_set_level(LOG_NOTICE);
	log_notice("wanted");
	assert_line("notice: wanted");
}
END_TEST

START_TEST(the_level_that_is_followed_is_the_one_in_force)
{
	static _Atomic uint32_t level = LOG_WARNING;

	pipe_as_stderr();
	log_open(LOG_TO_STDERR, LOG_DEBUG);
	log_follow_level(&level);
	ck_assert_int_eq(log_level(), LOG_WARNING);
	log_notice("unwanted");
	ck_assert_str_eq(received(), "");
	level = LOG_NOTICE;
	log_notice("wanted");
	assert_line("notice: wanted");
	log_follow_level(NULL);
	ck_assert_int_eq(log_level(), LOG_DEBUG);
}
END_TEST

START_TEST(a_long_line_is_cut_and_still_a_line)
{
	char longest[5000];
	const char *text;

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	pipe_as_stderr();
	log_open(LOG_TO_STDERR, LOG_INFO);
	log_info("%s", longest);
	text = received();
	ck_assert_uint_gt(strlen(text), 1000);
	ck_assert_uint_le(strlen(text), 4096);
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
}
END_TEST

/* JOURNAL_STREAM for what stderr is now, with a shifted inode. */
static void
set_journal_stream(unsigned shift)
{
	struct stat st;
	char text[64];

	ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
	snprintf(text, sizeof(text), "%" PRIuMAX ":%" PRIuMAX,
	    (uintmax_t)st.st_dev, (uintmax_t)st.st_ino + shift);
	setenv("JOURNAL_STREAM", text, 1);
}

START_TEST(the_journal_gets_the_level_as_a_prefix)
{
	socket_as_stderr(SOCK_STREAM);
	set_journal_stream(0);
	log_open(LOG_TO_STDERR, LOG_INFO);
	log_info("hello");
	log_errorx("oh");
	ck_assert_str_eq(received(), "<6>hello\n<3>oh\n");
}
END_TEST

START_TEST(a_stderr_that_is_not_the_journal_stays_plain)
{
	pipe_as_stderr();
	set_journal_stream(1);
	log_open(LOG_TO_STDERR, LOG_INFO);
	log_info("hello");
	assert_line("info: hello");
}
END_TEST

/* Fills stderr through a description of our own, up to the last byte. */
static void
fill_pipe(void)
{
	char block[4096] = "";
	int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	while (write(fd, block, sizeof(block)) > 0)
		continue;
	while (write(fd, block, 1) > 0)
		continue;
	ck_assert_int_eq(errno, EAGAIN);
	close(fd);
}

START_TEST(a_full_pipe_loses_lines_and_blocks_nobody)
{
	pipe_as_stderr();
	if (_i == 1)
		log_open(LOG_TO_STDERR, LOG_INFO);
	fill_pipe();
	log_info("one");
	log_info("two");
	log_debug("not wanted, so not lost");
	ck_assert_uint_eq(log_lost(), 2);
	received();
	log_info("three");
	assert_line("info: three");
	ck_assert_uint_eq(log_lost(), 2);
}
END_TEST

START_TEST(stderr_itself_stays_blocking)
{
	int flags;

	pipe_as_stderr();
	log_open(LOG_TO_STDERR, LOG_INFO);
	flags = fcntl(STDERR_FILENO, F_GETFL);
	ck_assert_int_ge(flags, 0);
	ck_assert_int_eq(flags & O_NONBLOCK, 0);
}
END_TEST

START_TEST(a_full_socket_loses_lines_and_blocks_nobody)
{
	char block[4096] = "";

	socket_as_stderr(SOCK_STREAM);
	log_open(LOG_TO_STDERR, LOG_INFO);
	while (send(STDERR_FILENO, block, sizeof(block), MSG_DONTWAIT) > 0)
		continue;
	log_info("one");
	ck_assert_uint_eq(log_lost(), 1);
	received();
	log_info("two");
	assert_line("info: two");
}
END_TEST

START_TEST(a_reader_that_has_gone_kills_nobody)
{
	socket_as_stderr(SOCK_STREAM);
	log_open(LOG_TO_STDERR, LOG_INFO);
	close(reader);
	log_info("one");
	ck_assert_uint_eq(log_lost(), 1);
}
END_TEST

START_TEST(a_closed_stderr_loses_lines)
{
	close(STDERR_FILENO);
	log_open(LOG_TO_STDERR, LOG_INFO);
	log_info("one");
	ck_assert_uint_eq(log_lost(), 1);
	ck_assert_int_eq(log_descriptor(), -1);
}
END_TEST

START_TEST(a_file_shared_with_others_is_appended_to)
{
	const char *path = dir_write("shared.log", "");
	FILE *file;
	pid_t pid;

	become_stderr(open(path, O_WRONLY));
	log_open(LOG_TO_STDERR, LOG_INFO);
	dprintf(STDERR_FILENO, "before\n");
	log_info("one");
	pid = fork();
	if (pid == 0) {
		dprintf(STDERR_FILENO, "child\n");
		log_info("two");
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	dprintf(STDERR_FILENO, "after\n");
	log_info("three");
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	reader = fileno(file);
	ck_assert(matches(received(),
	    "^before\n[^\n]*: one\nchild\n[^\n]*: two\nafter\n[^\n]*: "
	    "three\n$"));
	fclose(file);
	ck_assert_uint_eq(log_lost(), 0);
}
END_TEST

START_TEST(the_descriptor_of_a_pipe_is_our_own)
{
	int fd;

	pipe_as_stderr();
	ck_assert_int_eq(log_descriptor(), -1);
	log_open(LOG_TO_STDERR, LOG_INFO);
	fd = log_descriptor();
	ck_assert_int_gt(fd, STDERR_FILENO);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
}
END_TEST

START_TEST(a_file_and_a_socket_need_no_descriptor)
{
	become_stderr(open(dir_write("plain.log", ""), O_WRONLY));
	log_open(LOG_TO_STDERR, LOG_INFO);
	ck_assert_int_eq(log_descriptor(), -1);
	socket_as_stderr(SOCK_DGRAM);
	log_open(LOG_TO_STDERR, LOG_INFO);
	ck_assert_int_eq(log_descriptor(), -1);
	log_info("hello");
	assert_line("info: hello");
}
END_TEST

static void
say_exit(void)
{
	dprintf(STDERR_FILENO, "exit handler\n");
}

/* Returns the exit status of a process that ends with fatal or fatalx. */
static int
status_of_fatal(bool with_errno, bool worker)
{
	int status;
	pid_t pid;

	pipe_as_stderr();
	log_open(LOG_TO_STDERR, LOG_INFO);
	pid = fork();
	if (pid == 0) {
		atexit(say_exit);
		if (worker)
			log_enter_worker();
		errno = EACCES;
		if (with_errno)
			fatal("cannot");
		fatalx("cannot");
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(fatal_says_why_and_exits_with_1)
{
	ck_assert_int_eq(status_of_fatal(true, false), 1);
	ck_assert(matches(
	    received(), "error: cannot: Permission denied\nexit handler\n$"));
	ck_assert_int_eq(status_of_fatal(false, false), 1);
	ck_assert(matches(received(), "error: cannot\nexit handler\n$"));
}
END_TEST

START_TEST(fatal_in_a_worker_runs_no_exit_handler)
{
	ck_assert_int_eq(status_of_fatal(false, true), 1);
	ck_assert(matches(received(), "error: cannot\n$"));
}
END_TEST

static void
add_line_tests(Suite *suite)
{
	TCase *tcase = unit_case(suite, "lines");

	tcase_add_loop_test(tcase, each_level_has_a_name, 0, LEVELS);
	tcase_add_test(tcase, other_levels_have_none);
	tcase_add_loop_test(
	    tcase, a_plain_line_has_time_pid_and_level, 0, LEVELS);
	tcase_add_test(tcase, lines_before_log_open_go_to_stderr);
	tcase_add_test(tcase, warn_appends_the_error_and_keeps_errno);
	tcase_add_loop_test(tcase, only_wanted_levels_are_written, 0, LEVELS);
	tcase_add_loop_test(
	    tcase, warnings_and_errors_are_gathered_at_each_level, 0, LEVELS);
	tcase_add_test(tcase, the_level_can_be_changed);
	tcase_add_test(tcase, the_level_that_is_followed_is_the_one_in_force);
	tcase_add_test(tcase, a_long_line_is_cut_and_still_a_line);
	tcase_add_test(tcase, the_journal_gets_the_level_as_a_prefix);
	tcase_add_test(tcase, a_stderr_that_is_not_the_journal_stays_plain);
	tcase_add_test(tcase, fatal_says_why_and_exits_with_1);
	tcase_add_test(tcase, fatal_in_a_worker_runs_no_exit_handler);
}

int
main(void)
{
	Suite *suite = suite_create("log");
	TCase *tcase;

	add_line_tests(suite);
	tcase = unit_case(suite, "stderr");
	tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
	tcase_add_loop_test(
	    tcase, a_full_pipe_loses_lines_and_blocks_nobody, 0, 2);
	tcase_add_test(tcase, stderr_itself_stays_blocking);
	tcase_add_test(tcase, a_full_socket_loses_lines_and_blocks_nobody);
	tcase_add_test(tcase, a_reader_that_has_gone_kills_nobody);
	tcase_add_test(tcase, a_closed_stderr_loses_lines);
	tcase_add_test(tcase, a_file_shared_with_others_is_appended_to);
	tcase_add_test(tcase, the_descriptor_of_a_pipe_is_our_own);
	tcase_add_test(tcase, a_file_and_a_socket_need_no_descriptor);
	return unit_run(suite);
}
