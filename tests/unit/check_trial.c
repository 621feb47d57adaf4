/*
 * Tests of probe/trial: what each end of an idle connection is taken for. The
 * test has the other end.
 */
#include <fcntl.h>
#include <stdio.h>

#include "connection/tcpstate.h"
#include "probe/trial.h"
#include "unit/tcp_pair.h"
#include "unit/unit.h"

#define SIZE 64
#define LONG_MS 20000 /* only a hang may end by it */

static struct session_options options;
static struct trial trial;
static char bytes[4 * SIZE];
static FILE *out;

/* The pair's client is the trial's, after its first round trip. */
static void
set_up(void)
{
	tcp_pair_make();
	must(fcntl(client, F_SETFL, O_NONBLOCK) == 0);
	out = fopen("/dev/null", "we");
	options =
	    (struct session_options){ .timeout_ms = LONG_MS, .size = SIZE };
	trial = (struct trial){ .state = TRIAL_IDLE,
		.due_ms = clock_ms() + LONG_MS,
		.session = { .options = &options,
		    .report = &trial.report,
		    .fd = client,
		    .facts.stage = STAGE_TALK,
		    .sent = SIZE,
		    .received = SIZE,
		    .last_us = clock_us() } };
	trial.segments = tcpstate_segments_in(client);
	report_init(&trial.report, out, "idle", "pair", 7);
}

static void
tear_down(void)
{
	fclose(out);
	trial_close(&trial);
	close(server);
}

static void
run(void)
{
	while (!trial_is_over(&trial)) {
		trial_wait(&trial, 1);
		trial_step(&trial);
	}
}

/* It asks, and the other end has that. */
static void
ask(void)
{
	trial.due_ms = clock_ms();
	trial_step(&trial);
	ck_assert_int_eq(trial.state, TRIAL_ASKED);
	must(recv(server, bytes, SIZE, MSG_WAITALL) == SIZE);
}

static void
far_sends(const char *what, size_t size)
{
	must(send(server, what, size, MSG_NOSIGNAL) == (ssize_t)size);
}

START_TEST(nothing_happens_before_it_is_due)
{
	trial_step(&trial);
	ck_assert_int_eq(trial.state, TRIAL_IDLE);
	ck_assert_int_eq(recv(server, bytes, 1, MSG_DONTWAIT), -1);
}
END_TEST

START_TEST(an_answer_is_alive)
{
	ask();
	far_sends(bytes, SIZE);
	run();
	ck_assert_int_eq(trial.state, TRIAL_ALIVE);
	ck_assert(!trial.kept);
}
END_TEST

/* It was idle since the last byte came, and not since it was due. */
START_TEST(what_counts_is_how_long_it_was_idle)
{
	trial.session.last_us = clock_us() - 7000000;
	ask();
	far_sends(bytes, SIZE);
	run();
	ck_assert_int_ge(trial.idled_ms, 7000);
	ck_assert_int_lt(trial.idled_ms, 7000 + LONG_MS);
}
END_TEST

/* Silence, or all but a byte. */
START_TEST(less_than_the_answer_is_gone)
{
	options.timeout_ms = 100;
	ask();
	if (_i > 0)
		far_sends(bytes, SIZE - 1);
	run();
	ck_assert_int_eq(trial.state, TRIAL_GONE);
	ck_assert_int_ne(trial.verdict, VERDICT_OK);
}
END_TEST

START_TEST(a_reset_for_an_answer_is_gone)
{
	ask();
	end_resets(&server);
	run();
	ck_assert_int_eq(trial.state, TRIAL_GONE);
	ck_assert_int_eq(trial.verdict, VERDICT_RESET);
}
END_TEST

/* Some boxes say so when they forget. */
START_TEST(a_reset_before_it_is_due_is_gone)
{
	trial.session.last_us = clock_us() - 3000000;
	end_resets(&server);
	run();
	ck_assert_int_eq(trial.state, TRIAL_GONE);
	ck_assert_int_eq(trial.verdict, VERDICT_RESET);
	ck_assert_int_ge(trial.idled_ms, 3000);
}
END_TEST

START_TEST(a_fin_is_the_server_s)
{
	if (_i == 1)
		ask();
	trial.session.last_us = clock_us() - 3000000;
	shutdown(server, SHUT_WR);
	run();
	ck_assert_int_eq(trial.state, TRIAL_ENDED);
	if (_i == 0)
		ck_assert_int_ge(trial.idled_ms, 3000);
}
END_TEST

START_TEST(other_bytes_are_no_echo)
{
	if (_i == 1) {
		ask();
		bytes[SIZE / 2] ^= 1;
	}
	far_sends(bytes, SIZE);
	run();
	ck_assert_int_eq(trial.state, TRIAL_BROKEN);
	ck_assert_int_eq(trial.verdict, VERDICT_MISMATCH);
}
END_TEST

START_TEST(keepalive_is_set)
{
	static const struct {
		int level, option, value;
	} expected[] = { { SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 7 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 3 } };

	ck_assert(trial_keep_alive(&trial, 7, 3));
	for (size_t i = 0; i < 3; i++) {
		socklen_t length = sizeof(int);
		int value = -1;

		must(getsockopt(client, expected[i].level, expected[i].option,
			 &value, &length) == 0);
		ck_assert_int_eq(value, expected[i].value);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("trial");
	TCase *tcase = unit_case(suite, "trial");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, nothing_happens_before_it_is_due);
	tcase_add_test(tcase, an_answer_is_alive);
	tcase_add_test(tcase, what_counts_is_how_long_it_was_idle);
	tcase_add_loop_test(tcase, less_than_the_answer_is_gone, 0, 2);
	tcase_add_test(tcase, a_reset_for_an_answer_is_gone);
	tcase_add_test(tcase, a_reset_before_it_is_due_is_gone);
	tcase_add_loop_test(tcase, a_fin_is_the_server_s, 0, 2);
	tcase_add_loop_test(tcase, other_bytes_are_no_echo, 0, 2);
	tcase_add_test(tcase, keepalive_is_set);
	return unit_run(suite);
}
