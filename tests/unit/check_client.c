/*
 * control/client: against a daemon of the case's own making.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "control/client.h"
#include "unit/dir.h"
#include "unit/unit.h"

#define BIG 300000
#define SOON_MS 200

static const char *path;
static char *text;
static char why[CLIENT_WHY_SIZE];
static pid_t daemon_pid;

static int
listen_at(int backlog)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	path = dir_path("socket");
	unlink(path);
	strcpy(at.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(listen(fd, backlog), 0);
	return fd;
}

/* In a child: accepts one client, and answers after it has read its line. */
static void
serve(const char *expected, const char *reply, size_t length)
{
	char line[512];
	int listener = listen_at(1), fd;
	ssize_t n;

	daemon_pid = fork();
	ck_assert_int_ge(daemon_pid, 0);
	if (daemon_pid > 0) {
		close(listener);
		return;
	}
	fd = accept(listener, NULL, NULL);
	if (expected != NULL) {
		n = read(fd, line, sizeof(line) - 1);
		line[n > 0 ? n : 0] = '\0';
		if (strcmp(line, expected) != 0)
			_exit(1);
	}
	if (reply == NULL)
		pause();
	_exit(write(fd, reply, length) == (ssize_t)length ? 0 : 2);
}

static void
serve_text(const char *reply)
{
	serve("status\n", reply, reply == NULL ? 0 : strlen(reply));
}

static enum client_result
ask(int64_t reply_ms)
{
	return client_ask(path, "status", SOON_MS, reply_ms, &text, why);
}

static void
end_daemon(int expected)
{
	int status;

	ck_assert_int_eq(waitpid(daemon_pid, &status, 0), daemon_pid);
	ck_assert_int_eq(status, expected);
	free(text);
}

static void
assert_why(const char *part)
{
	ck_assert_ptr_null(text);
	ck_assert_msg(strstr(why, part) != NULL && strstr(why, path) != NULL,
	    "\"%s\" without \"%s\" or %s", why, part, path);
}

START_TEST(ok_is_the_text_after_it)
{
	serve_text("ok\none\ntwo\n");
	ck_assert_int_eq(ask(5000), CLIENT_OK);
	ck_assert_str_eq(text, "one\ntwo\n");
	end_daemon(0);
}
END_TEST

START_TEST(error_is_as_well)
{
	serve_text("error\nno\n");
	ck_assert_int_eq(ask(CLIENT_NO_LIMIT), CLIENT_REFUSED);
	ck_assert_str_eq(text, "no\n");
	end_daemon(0);
}
END_TEST

START_TEST(a_big_answer_is_whole)
{
	char *big = malloc(BIG);

	memset(big, 'b', BIG);
	memcpy(big, "ok\n", 3);
	serve("status\n", big, BIG);
	ck_assert_int_eq(ask(20000), CLIENT_OK);
	ck_assert_uint_eq(strlen(text), BIG - 3);
	ck_assert_uint_eq(strspn(text, "b"), BIG - 3);
	end_daemon(0);
	free(big);
}
END_TEST

/* It turns us away before it has read: that resets what we have sent. */
START_TEST(an_answer_before_the_question_counts)
{
	int listener = listen_at(1), fd;
	pid_t pid = fork();

	if (pid == 0) {
		fd = accept(listener, NULL, NULL);
		if (_i == 1) /* until the question is there, unread */
			recv(fd, why, 1, MSG_PEEK);
		_exit(write(fd, "error\nno\n", 9) == 9 ? 0 : 1);
	}
	close(listener);
	daemon_pid = pid;
	ck_assert_int_eq(ask(5000), CLIENT_REFUSED);
	ck_assert_str_eq(text, "no\n");
	end_daemon(0);
}
END_TEST

START_TEST(what_is_no_answer_is_said)
{
	serve_text(_i == 0 ? "" : "SSH-2.0\n");
	ck_assert_int_eq(ask(5000), CLIENT_FAILED);
	assert_why(_i == 0 ? "without an answer" : "no preforkd");
	end_daemon(0);
}
END_TEST

START_TEST(silence_has_an_end)
{
	int64_t began = clock_ms();

	serve_text(NULL);
	ck_assert_int_eq(ask(SOON_MS), CLIENT_FAILED);
	assert_why("timed out");
	ck_assert_int_ge(clock_ms() - began, SOON_MS);
	kill(daemon_pid, SIGKILL);
	end_daemon(SIGKILL);
}
END_TEST

START_TEST(no_daemon_is_a_result_of_its_own)
{
	path = dir_path("nothing");
	ck_assert_int_eq(ask(5000), CLIENT_NO_DAEMON);
	assert_why("No such file or directory");
	path = dir_write("file", "");
	ck_assert_int_eq(ask(5000), CLIENT_NO_DAEMON);
	assert_why("Connection refused");
	close(listen_at(1));
	ck_assert_int_eq(ask(5000), CLIENT_NO_DAEMON);
	assert_why("-s names another");
}
END_TEST

START_TEST(a_path_that_no_socket_can_have)
{
	static char longest[200];

	memset(longest, 'x', sizeof(longest) - 1);
	path = longest;
	ck_assert_int_eq(ask(5000), CLIENT_FAILED);
	assert_why("longer than 107 bytes");
}
END_TEST

START_TEST(a_full_queue_is_waited_for_and_not_for_ever)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int listener = listen_at(0), fd[4], n = 0;

	strcpy(at.sun_path, path);
	do
		fd[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	while (
	    connect(fd[n++], (struct sockaddr *)&at, sizeof(at)) == 0 && n < 4);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(ask(5000), CLIENT_FAILED);
	assert_why("try again");
	while (n > 0)
		close(fd[--n]);
	close(listener);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("client");
	TCase *tcase = unit_case(suite, "ask");

	tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
	tcase_add_test(tcase, ok_is_the_text_after_it);
	tcase_add_test(tcase, error_is_as_well);
	tcase_add_test(tcase, a_big_answer_is_whole);
	tcase_add_loop_test(tcase, an_answer_before_the_question_counts, 0, 2);
	tcase_add_loop_test(tcase, what_is_no_answer_is_said, 0, 2);
	tcase_add_test(tcase, silence_has_an_end);
	tcase_add_test(tcase, no_daemon_is_a_result_of_its_own);
	tcase_add_test(tcase, a_path_that_no_socket_can_have);
	tcase_add_test(tcase, a_full_queue_is_waited_for_and_not_for_ever);
	return unit_run(suite);
}
