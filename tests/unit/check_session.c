/*
 * Tests of probe/session and the modes: what each call says of a connection
 * whose other end the test has.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>

#include "common/ledger.h"
#include "probe/mode.h"
#include "unit/tcp_pair.h"
#include "unit/unit.h"

#define LONG_MS 5000 /* far more than a noisy machine adds */

static struct session_options options;
static struct session session;
static struct report report;
static char buffer[4096];
static size_t n;
static FILE *out;

/* The pair's client is ours, its server is the far end. */
static void
set_up(void)
{
	tcp_pair_make();
	ck_assert_int_eq(fcntl(client, F_SETFL, O_NONBLOCK), 0);
	out = fopen("/dev/null", "we");
	report_init(&report, out, "echo", "pair", 7);
	memset(&session, 0, sizeof(session));
	options.timeout_ms = 200;
	options.count = 1;
	options.size = 64;
	session.options = &options;
	session.report = &report;
	session.fd = client;
	session.facts.stage = STAGE_TALK;
	session_renew(&session);
}

static void
tear_down(void)
{
	fclose(out);
	tcp_pair_close();
}

static void
far_sends(const char *text)
{
	must(send(server, text, strlen(text), MSG_NOSIGNAL) ==
	    (ssize_t)strlen(text));
}

static enum session_result
receive(void)
{
	return session_recv(&session, buffer, sizeof(buffer), &n);
}

/* EAGAIN is no FIN, and no error. */
START_TEST(nothing_is_nothing)
{
	ck_assert_int_eq((int)receive(), SESSION_NOTHING);
	ck_assert_uint_eq(n, 0);
	ck_assert(!session.fin);
	ck_assert_int_eq(session.facts.error, 0);
}
END_TEST

START_TEST(a_fin_is_a_fin)
{
	shutdown(server, SHUT_WR);
	ck_assert(session_wait(&session, POLLIN));
	ck_assert_int_eq((int)receive(), SESSION_FIN);
	ck_assert(session.fin);
	ck_assert_int_eq(session.facts.error, 0);
	ck_assert(!session.facts.late);
}
END_TEST

START_TEST(a_reset_is_a_reset_and_not_late)
{
	end_resets(&server);
	ck_assert(session_wait(&session, POLLIN));
	ck_assert_int_eq((int)receive(), SESSION_FAILED);
	ck_assert_int_eq(session.facts.error, ECONNRESET);
	ck_assert(!session.facts.late);
	ck_assert_int_eq((int)session_close(&session), VERDICT_RESET);
	client = -1;
}
END_TEST

START_TEST(the_deadline_is_the_deadline)
{
	int64_t start = clock_ms();

	ck_assert(!session_wait(&session, POLLIN));
	ck_assert(session.facts.late);
	ck_assert_int_eq(session.facts.error, 0);
	ck_assert_int_ge(clock_ms() - start, 199);
	ck_assert_int_lt(clock_ms() - start, LONG_MS);
}
END_TEST

/* poll(2) would take a negative time for an endless one. */
START_TEST(a_deadline_that_has_passed_is_no_wait)
{
	int64_t start = clock_ms();

	session.deadline = start - 100000;
	ck_assert(!session_wait(&session, POLLIN));
	ck_assert(session.facts.late);
	ck_assert(!session_wait_until(&session, POLLIN, 0));
	ck_assert_int_lt(clock_ms() - start, LONG_MS);
}
END_TEST

START_TEST(bytes_do_not_hide_a_fin_nor_a_fin_bytes)
{
	far_sends("hello");
	shutdown(server, SHUT_WR);
	ck_assert(session_wait(&session, POLLIN));
	ck_assert_int_eq((int)receive(), SESSION_BYTES);
	ck_assert_uint_eq(n, 5);
	ck_assert(session_wait(&session, POLLIN));
	ck_assert_int_eq((int)receive(), SESSION_FIN);
}
END_TEST

/* A line and its FIN in one segment. */
START_TEST(daytime_has_the_line_that_came_with_the_fin)
{
	far_sends("now\r\n");
	shutdown(server, SHUT_WR);
	ck_assert(daytime_talk(&session));
	ck_assert_uint_eq(report.trips.count, 1);
	session_end(&session, false);
	ck_assert_int_eq((int)session_close(&session), VERDICT_OK);
	client = -1;
}
END_TEST

static enum verdict
verdict_of(bool (*talk)(struct session *))
{
	enum verdict verdict;

	if (talk(&session))
		session_end(&session, false);
	verdict = session_close(&session);
	client = -1;
	return verdict;
}

START_TEST(daytime_without_a_line_is_closed_early)
{
	shutdown(server, SHUT_WR);
	ck_assert_int_eq((int)verdict_of(daytime_talk), VERDICT_CLOSED_EARLY);
}
END_TEST

START_TEST(daytime_with_something_else_is_a_mismatch)
{
	must(send(server, "\0\1\2", 3, 0) == 3);
	ck_assert_int_eq((int)verdict_of(daytime_talk), VERDICT_MISMATCH);
}
END_TEST

START_TEST(daytime_that_does_not_end_is_a_mismatch)
{
	memset(buffer, 'x', sizeof(buffer));
	must(send(server, buffer, 2000, 0) == 2000);
	ck_assert_int_eq((int)verdict_of(daytime_talk), VERDICT_MISMATCH);
}
END_TEST

/* The kernel acknowledges our FIN, as it would for a program that hangs. */
START_TEST(silence_is_stalled)
{
	ck_assert_int_eq((int)verdict_of(_i == 0 ? daytime_talk : echo_talk),
	    VERDICT_STALLED);
}
END_TEST

/* As after a name server that took all of it. */
START_TEST(no_time_for_any_address_is_timed_out)
{
	options.host = "127.0.0.1";
	options.port = 7;
	options.timeout_ms = 0;
	ck_assert(!session_open(&session, &options, &report));
	ck_assert_int_eq((int)session_close(&session), VERDICT_TIMED_OUT);
}
END_TEST

START_TEST(a_byte_before_it_was_asked_for_is_a_mismatch)
{
	far_sends("x");
	ck_assert_int_eq((int)verdict_of(echo_talk), VERDICT_MISMATCH);
}
END_TEST

/* They are the right ones, but nobody has asked. */
START_TEST(an_answer_before_it_was_asked_for_is_a_mismatch)
{
	char first[64];

	ck_assert(!echo_talk(&session));
	must(recv(server, first, sizeof(first), MSG_WAITALL) == sizeof(first));
	tear_down();
	set_up();
	must(send(server, first, sizeof(first), 0) == sizeof(first));
	ck_assert_int_eq((int)verdict_of(echo_talk), VERDICT_MISMATCH);
}
END_TEST

/* What the far end does with 64 bytes, in a process of its own. */
enum manner {
	WHOLE,
	BYTE_BY_BYTE,
	ONE_MORE,
	ONE_BEHIND_THE_FIN,
	ONE_WRONG,
	ONE_LESS,
	NEVER_ENDS
};

static void
far_end(enum manner manner)
{
	size_t got = 0;
	ssize_t more;

	close(client);
	while (got < 64 &&
	    (more = recv(server, buffer + got, sizeof(buffer) - got, 0)) > 0)
		got += (size_t)more;
	if (manner == ONE_WRONG)
		buffer[63] ^= 1;
	if (manner == ONE_MORE)
		got++;
	if (manner == ONE_LESS)
		got--;
	for (size_t i = 0; manner == BYTE_BY_BYTE && i < got; i++) {
		must(send(server, buffer + i, 1, MSG_NOSIGNAL) == 1);
		poll(NULL, 0, 2);
	}
	if (manner != BYTE_BY_BYTE)
		must(send(server, buffer, got, MSG_NOSIGNAL) == (ssize_t)got);
	/* One byte too many meets a client that may be gone. */
	if (manner != ONE_LESS)
		while (recv(server, buffer, sizeof(buffer), 0) > 0)
			;
	if (manner == ONE_BEHIND_THE_FIN)
		must(send(server, "", 1, MSG_NOSIGNAL) == 1);
	if (manner == NEVER_ENDS)
		poll(NULL, 0, LONG_MS);
	_exit(0);
}

static const struct {
	enum manner manner;
	enum verdict verdict;
} manners[] = {
	{ WHOLE, VERDICT_OK },
	{ BYTE_BY_BYTE, VERDICT_OK },
	{ ONE_MORE, VERDICT_MISMATCH },
	{ ONE_BEHIND_THE_FIN, VERDICT_MISMATCH },
	{ ONE_WRONG, VERDICT_MISMATCH },
	{ ONE_LESS, VERDICT_CLOSED_EARLY },
	{ NEVER_ENDS, VERDICT_STALLED },
};

#define MANNERS ((int)(sizeof(manners) / sizeof(manners[0])))

START_TEST(every_byte_of_an_echo_counts)
{
	int64_t start = clock_ms();
	enum verdict verdict;
	pid_t pid = fork();

	if (pid == 0)
		far_end(manners[_i].manner);
	close(server);
	server = -1;
	options.timeout_ms = manners[_i].manner == NEVER_ENDS ? 500 : 20000;
	session_renew(&session);
	verdict = verdict_of(echo_talk);
	ck_assert_msg(verdict == manners[_i].verdict, "%s, not %s",
	    verdict_name(verdict), verdict_name(manners[_i].verdict));
	ck_assert_int_lt(clock_ms() - start, 20000);
	end_process(pid);
}
END_TEST

/* Bytes that come one by one do not set the deadline anew. */
START_TEST(the_deadline_is_for_all_of_a_round_trip)
{
	int64_t start;
	pid_t pid = fork();

	if (pid == 0) {
		for (;;) {
			if (recv(server, buffer, 1, 0) <= 0 ||
			    send(server, buffer, 1, MSG_NOSIGNAL) != 1)
				_exit(0);
			poll(NULL, 0, 50);
		}
	}
	start = clock_ms();
	session_renew(&session);
	ck_assert_int_eq((int)verdict_of(echo_talk), VERDICT_STALLED);
	ck_assert_uint_eq(report.trips.count, 0);
	ck_assert_int_lt(clock_ms() - start, 64 * 50 / 2);
	end_process(pid);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("session");
	TCase *tcase = unit_case(suite, "session");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, nothing_is_nothing);
	tcase_add_test(tcase, a_fin_is_a_fin);
	tcase_add_test(tcase, a_reset_is_a_reset_and_not_late);
	tcase_add_test(tcase, the_deadline_is_the_deadline);
	tcase_add_test(tcase, a_deadline_that_has_passed_is_no_wait);
	tcase_add_test(tcase, bytes_do_not_hide_a_fin_nor_a_fin_bytes);
	tcase_add_test(tcase, daytime_has_the_line_that_came_with_the_fin);
	tcase_add_test(tcase, daytime_without_a_line_is_closed_early);
	tcase_add_test(tcase, daytime_with_something_else_is_a_mismatch);
	tcase_add_test(tcase, daytime_that_does_not_end_is_a_mismatch);
	tcase_add_loop_test(tcase, silence_is_stalled, 0, 2);
	tcase_add_test(tcase, no_time_for_any_address_is_timed_out);
	tcase_add_test(tcase, a_byte_before_it_was_asked_for_is_a_mismatch);
	tcase_add_test(tcase, an_answer_before_it_was_asked_for_is_a_mismatch);
	tcase_add_loop_test(tcase, every_byte_of_an_echo_counts, 0, MANNERS);
	tcase_add_test(tcase, the_deadline_is_for_all_of_a_round_trip);
	return unit_run(suite);
}
