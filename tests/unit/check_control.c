/*
 * master/control: clients on socket pairs, and time as the cases have it.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "master/control.h"
#include "unit/unit.h"

#define BIG 200000 /* far more than a socket takes */

static struct control *control;
static int64_t now;

/* What run was called with, and what it shall do. */
static char requests[16][512];
static int runs;
static const char *answer; /* NULL: none */
static bool good;
static bool waits;
static enum control_what waits_for;

static void
run(struct control_client *client, char *request, void *context)
{
	ck_assert_ptr_eq(context, requests);
	ck_assert_int_lt(runs, 16);
	snprintf(requests[runs++], sizeof(requests[0]), "%s", request);
	if (waits)
		control_wait(client, waits_for);
	else if (answer != NULL)
		control_reply(client, good, answer);
}

static void
make(void)
{
	control = control_new(-1);
	ck_assert_ptr_nonnull(control);
	now = clock_ms();
	runs = 0;
	answer = "text";
	good = true;
	waits = false;
}

static void
destroy(void)
{
	control_free(control);
}

/* A new client; returns its end, which does not block either. */
static int
join(void)
{
	int pair[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	control_admit(control, pair[0], now);
	return pair[1];
}

/* Serves what can be served; returns when it wants to be called again. */
static int64_t
turn(void)
{
	struct pollfd fds[CONTROL_FDS];
	int64_t wake = CLOCK_NEVER;

	ck_assert_int_ge(
	    poll(fds, control_prepare(control, fds, now, &wake), 0), 0);
	control_serve(control, fds, now, run, requests);
	wake = CLOCK_NEVER;
	control_prepare(control, fds, now, &wake);
	return wake;
}

static unsigned
places_taken(void)
{
	struct pollfd fds[CONTROL_FDS];
	int64_t wake = CLOCK_NEVER;

	/* Without a listening socket these are all. */
	return (unsigned)control_prepare(control, fds, now, &wake);
}

static void
say(int fd, const char *text)
{
	ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
}

/* Up to end of file or size bytes; "-" where it is still open and empty. */
static const char *
heard(int fd)
{
	static char text[BIG + 64];
	size_t used = 0;
	ssize_t n;

	while ((n = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	return used == 0 && n < 0 ? "-" : text;
}

/* All of it has come, and end of file after it. */
static void
assert_heard(int fd, const char *expected)
{
	char byte;

	ck_assert_str_eq(heard(fd), expected);
	ck_assert_int_eq(read(fd, &byte, 1), 0);
	close(fd);
	ck_assert_uint_eq(places_taken(), 0);
}

START_TEST(a_line_is_a_request)
{
	int fd = join();

	ck_assert_int_eq(turn(), now + CONTROL_ASK_MS);
	ck_assert_int_eq(runs, 0);
	say(fd, "log-level debug\n");
	ck_assert_int_eq(turn(), CLOCK_NEVER);
	ck_assert_int_eq(runs, 1);
	ck_assert_str_eq(requests[0], "log-level debug");
	assert_heard(fd, "ok\ntext\n");
}
END_TEST

START_TEST(a_reply_has_one_newline_at_its_end)
{
	static const char *const texts[][2] = { { "", "error\n" },
		{ "\n", "error\n\n" }, { "x", "error\nx\n" },
		{ "x\n", "error\nx\n" }, { "x\ny", "error\nx\ny\n" } };
	int fd = join();

	good = false;
	answer = texts[_i][0];
	say(fd, "x\n");
	turn();
	assert_heard(fd, texts[_i][1]);
}
END_TEST

START_TEST(a_line_may_come_in_pieces)
{
	int fd = join();

	for (const char *p = "status"; *p != '\0'; p++) {
		ck_assert_int_eq(write(fd, p, 1), 1);
		turn();
		ck_assert_int_eq(runs, 0);
	}
	say(fd, "\r\n");
	turn();
	ck_assert_str_eq(requests[0], "status");
	assert_heard(fd, "ok\ntext\n");
}
END_TEST

START_TEST(end_of_file_ends_a_line)
{
	int fd = join();

	say(fd, "status");
	shutdown(fd, SHUT_WR);
	turn();
	turn();
	ck_assert_int_eq(runs, 1);
	ck_assert_str_eq(requests[0], "status");
	assert_heard(fd, "ok\ntext\n");
}
END_TEST

START_TEST(what_comes_after_the_line_is_nothing)
{
	int fd = join();

	say(fd, "one\ntwo\nthree");
	turn();
	turn();
	ck_assert_int_eq(runs, 1);
	ck_assert_str_eq(requests[0], "one");
	assert_heard(fd, "ok\ntext\n");
}
END_TEST

START_TEST(a_request_is_printable)
{
	int fd = join();

	ck_assert_int_eq(write(fd, "a\0\x1b[\tb\xc3\x7f~\n", 10), 10);
	turn();
	ck_assert_str_eq(requests[0], "a??[\tb??~");
	close(fd);
}
END_TEST

START_TEST(a_request_of_256_bytes_is_taken)
{
	char line[CONTROL_REQUEST_MAX + 2];
	int fd = join();

	memset(line, 'a', CONTROL_REQUEST_MAX);
	strcpy(line + CONTROL_REQUEST_MAX, "\n");
	say(fd, line);
	turn();
	ck_assert_int_eq(runs, 1);
	ck_assert_uint_eq(strlen(requests[0]), CONTROL_REQUEST_MAX);
	assert_heard(fd, "ok\ntext\n");
}
END_TEST

START_TEST(a_longer_one_is_refused)
{
	char line[CONTROL_REQUEST_MAX + 2] = "";
	int fd = join();

	memset(line, 'a', CONTROL_REQUEST_MAX + 1);
	say(fd, line);
	turn();
	ck_assert_int_eq(runs, 0);
	assert_heard(fd,
	    "error\nthe request is longer than 256 bytes: send one command\n");
}
END_TEST

START_TEST(one_that_floods_costs_a_turn)
{
	static char flood[4096];
	int fd = join();

	memset(flood, 'a', sizeof(flood));
	while (write(fd, flood, sizeof(flood)) > 0)
		;
	turn();
	ck_assert_int_eq(runs, 0);
	ck_assert_uint_eq(places_taken(), 0);
	ck_assert_int_eq(strncmp(heard(fd), "error\n", 6), 0);
	close(fd);
}
END_TEST

START_TEST(a_silent_one_has_two_seconds)
{
	int fd = join();

	now += CONTROL_ASK_MS - 1;
	turn();
	ck_assert_uint_eq(places_taken(), 1);
	now++;
	turn();
	ck_assert_int_eq(runs, 0);
	assert_heard(fd, "error\nno line has come within 2 seconds\n");
}
END_TEST

START_TEST(a_byte_now_and_then_does_not_gain_time)
{
	int64_t until = now + CONTROL_ASK_MS;
	int fd = join();

	for (int i = 0; i < 19; i++) {
		now += 100;
		say(fd, "a");
		ck_assert_int_eq(turn(), until);
	}
	now += 100;
	say(fd, "a");
	turn();
	assert_heard(fd, "error\nno line has come within 2 seconds\n");
}
END_TEST

START_TEST(one_that_vanishes_frees_its_place)
{
	int fd = join();

	if (_i == 1)
		say(fd, "sta");
	close(fd);
	turn();
	turn();
	ck_assert_uint_eq(places_taken(), 0);
	ck_assert_int_eq(runs, _i);
}
END_TEST

/* Whether it would accept another one; all that is polled is open. */
static bool
accepts(int listener)
{
	struct pollfd fds[CONTROL_FDS];
	int64_t wake = CLOCK_NEVER;
	nfds_t n = control_prepare(control, fds, now, &wake);
	bool yes = false;

	for (nfds_t i = 0; i < n; i++) {
		ck_assert_int_ge(fcntl(fds[i].fd, F_GETFD), 0);
		yes = yes || fds[i].fd == listener;
	}
	return yes;
}

START_TEST(there_are_eight_places)
{
	const struct sockaddr at = { .sa_family = AF_UNIX };
	int clients[CONTROL_CLIENTS], ninth, listener;

	control_free(control);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	/* At a name that the kernel chooses. */
	ck_assert_int_eq(bind(listener, &at, sizeof(at.sa_family)), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	control = control_new(listener);
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		ck_assert(accepts(listener));
		clients[i] = join();
	}
	ck_assert(!accepts(listener));
	ninth = join();
	ck_assert_str_eq(heard(ninth), "error\ntoo many clients; try again\n");
	/* Not in the order in which they came. */
	for (int i = CONTROL_CLIENTS - 1; i >= 0; i--) {
		say(clients[i], "x\n");
		turn();
		ck_assert_str_eq(heard(clients[i]), "ok\ntext\n");
		close(clients[i]);
		ck_assert(accepts(listener));
	}
	close(ninth);
	close(listener);
}
END_TEST

/* A listening socket that somebody waits at; returns that one's end too. */
static int
listener_with_client(int *client)
{
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	socklen_t length = sizeof(at);

	ck_assert_int_eq(
	    bind(listener, (struct sockaddr *)&at, sizeof(at.sun_family)), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	getsockname(listener, (struct sockaddr *)&at, &length);
	*client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(connect(*client, (struct sockaddr *)&at, length), 0);
	return listener;
}

START_TEST(accept_that_fails_is_no_busy_loop)
{
	struct rlimit limit, none;
	int client, listener = listener_with_client(&client);

	control_free(control);
	control = control_new(listener);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)client + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(turn(), now + 1000);
	ck_assert(!accepts(listener));
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	now += 1000;
	ck_assert(accepts(listener));
	turn();
	say(client, "x\n");
	turn();
	ck_assert_str_eq(heard(client), "ok\ntext\n");
	close(client);
	close(listener);
}
END_TEST

static char big[BIG + 1];

static int
ask_for_big(void)
{
	int fd = join();

	memset(big, 'b', BIG);
	big[BIG - 1] = '\n';
	answer = big;
	say(fd, "x\n");
	now = clock_ms();
	turn();
	ck_assert_uint_eq(places_taken(), 1);
	return fd;
}

START_TEST(a_big_reply_comes_in_turns)
{
	char *all = calloc(1, BIG + 64);
	int fd = ask_for_big(), turns = 0;

	while (places_taken() > 0) {
		const char *part = heard(fd);

		if (strcmp(part, "-") != 0)
			strcat(all, part);
		turn();
		/* What a turn takes is bounded, whatever there is to send. */
		ck_assert_uint_le(strlen(part), 4 * CONTROL_SEND_BUFFER);
		ck_assert_int_lt(turns++, 1000);
	}
	strcat(all, heard(fd));
	ck_assert_int_eq(strncmp(all, "ok\n", 3), 0);
	ck_assert_str_eq(all + 3, big);
	ck_assert_int_gt(turns, 2);
	free(all);
	close(fd);
}
END_TEST

START_TEST(one_that_does_not_read_is_given_up)
{
	int fd = ask_for_big();

	/* The deadline is that of the first write, a moment after now. */
	now += CONTROL_READ_MS - 100;
	turn();
	ck_assert_uint_eq(places_taken(), 1);
	now += 1000;
	turn();
	ck_assert_uint_eq(places_taken(), 0);
	close(fd);
}
END_TEST

START_TEST(one_that_reads_has_time)
{
	int fd = ask_for_big();

	for (int i = 0; i < 4; i++) {
		now += CONTROL_READ_MS - 200;
		ck_assert_str_ne(heard(fd), "-");
		turn();
		ck_assert_uint_eq(places_taken(), 1);
	}
	now += CONTROL_READ_MS;
	turn();
	ck_assert_uint_eq(places_taken(), 0);
	close(fd);
}
END_TEST

static int
wait_for(enum control_what what)
{
	int fd = join();

	waits = true;
	waits_for = what;
	say(fd, "x\n");
	ck_assert_int_eq(turn(), CLOCK_NEVER);
	return fd;
}

START_TEST(an_outcome_is_for_those_who_wait_for_it)
{
	int reload = wait_for(CONTROL_RELOAD), other = wait_for(CONTROL_RELOAD);
	int stop = wait_for(CONTROL_STOP);

	now += 1000 * CONTROL_READ_MS;
	ck_assert_int_eq(turn(), CLOCK_NEVER);
	control_outcome(control, CONTROL_UPGRADE, true, "upgraded");
	ck_assert_uint_eq(places_taken(), 3);
	control_outcome(control, CONTROL_RELOAD, false, "f:1: bad");
	ck_assert_str_eq(heard(reload), "error\nf:1: bad\n");
	ck_assert_str_eq(heard(other), "error\nf:1: bad\n");
	ck_assert_str_eq(heard(stop), "-");
	control_outcome(control, CONTROL_STOP, true, "stopped");
	close(reload);
	close(other);
	assert_heard(stop, "ok\nstopped\n");
}
END_TEST

START_TEST(one_that_waits_may_have_closed_its_side)
{
	int fd = wait_for(CONTROL_STOP);

	shutdown(fd, SHUT_WR);
	turn();
	ck_assert_uint_eq(places_taken(), 1);
	control_outcome(control, CONTROL_STOP, true, "stopped");
	assert_heard(fd, "ok\nstopped\n");
}
END_TEST

START_TEST(one_that_waits_no_more_frees_its_place)
{
	close(wait_for(CONTROL_STOP));
	turn();
	ck_assert_uint_eq(places_taken(), 0);
	control_outcome(control, CONTROL_STOP, true, "stopped");
}
END_TEST

START_TEST(at_the_end_nobody_is_left_waiting)
{
	int reload = wait_for(CONTROL_RELOAD), silent = join();

	control_free(control);
	ck_assert_str_eq(heard(reload),
	    "error\nthe daemon has stopped before that was done\n");
	ck_assert_str_eq(heard(silent), "");
	control = control_new(-1);
	close(reload);
	close(silent);
}
END_TEST

START_TEST(a_request_that_nothing_answers_is_an_error)
{
	int fd = join();

	answer = NULL;
	say(fd, "x\n");
	turn();
	assert_heard(fd, "error\nthere is no answer to this\n");
}
END_TEST

START_TEST(root_and_our_own_user_may_ask)
{
	ck_assert(control_may_ask(0, 0));
	ck_assert(control_may_ask(0, 4711));
	ck_assert(control_may_ask(4711, 4711));
	ck_assert(!control_may_ask(4711, 0));
	ck_assert(!control_may_ask(4712, 4711));
}
END_TEST

static void
add_request_tests(Suite *suite)
{
	TCase *tcase = unit_case(suite, "request");

	tcase_add_checked_fixture(tcase, make, destroy);
	tcase_add_test(tcase, a_line_is_a_request);
	tcase_add_test(tcase, a_line_may_come_in_pieces);
	tcase_add_test(tcase, end_of_file_ends_a_line);
	tcase_add_test(tcase, what_comes_after_the_line_is_nothing);
	tcase_add_test(tcase, a_request_is_printable);
	tcase_add_test(tcase, a_request_of_256_bytes_is_taken);
	tcase_add_test(tcase, a_longer_one_is_refused);
	tcase_add_test(tcase, one_that_floods_costs_a_turn);
	tcase_add_test(tcase, a_silent_one_has_two_seconds);
	tcase_add_test(tcase, a_byte_now_and_then_does_not_gain_time);
	tcase_add_loop_test(tcase, one_that_vanishes_frees_its_place, 0, 2);
	tcase_add_test(tcase, there_are_eight_places);
	tcase_add_test(tcase, accept_that_fails_is_no_busy_loop);
	tcase_add_test(tcase, a_request_that_nothing_answers_is_an_error);
	tcase_add_test(tcase, root_and_our_own_user_may_ask);
}

static void
add_reply_tests(Suite *suite)
{
	TCase *tcase = unit_case(suite, "reply");

	tcase_add_checked_fixture(tcase, make, destroy);
	tcase_add_loop_test(tcase, a_reply_has_one_newline_at_its_end, 0, 5);
	tcase_add_test(tcase, a_big_reply_comes_in_turns);
	tcase_add_test(tcase, one_that_does_not_read_is_given_up);
	tcase_add_test(tcase, one_that_reads_has_time);
	tcase_add_test(tcase, an_outcome_is_for_those_who_wait_for_it);
	tcase_add_test(tcase, one_that_waits_may_have_closed_its_side);
	tcase_add_test(tcase, one_that_waits_no_more_frees_its_place);
	tcase_add_test(tcase, at_the_end_nobody_is_left_waiting);
}

int
main(void)
{
	Suite *suite = suite_create("control");

	add_request_tests(suite);
	add_reply_tests(suite);
	return unit_run(suite);
}
