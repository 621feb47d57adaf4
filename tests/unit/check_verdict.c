/*
 * Tests of probe/verdict: which word each set of facts becomes.
 */
#include <errno.h>
#include <string.h>

#include "common/ledger.h"
#include "probe/verdict.h"
#include "unit/unit.h"

static const char *const stages[] = { "resolve", "connect", "talk", "end",
	"done" };

static struct verdict_facts facts;

/* A connection on which 64 bytes were sent and acknowledged. */
static void
set_up(void)
{
	memset(&facts, 0, sizeof(facts));
	facts.stage = STAGE_TALK;
	facts.sent = facts.acked = 65;
	facts.rtt_us = 1000;
	facts.asked_us = 5000;
	facts.waited_ms = 4000;
	facts.silent_ms = 4000;
}

static void
expect(enum verdict expected)
{
	enum verdict is = verdict_decide(&facts);

	ck_assert_msg(is == expected,
	    "stage %s, error %d, late %d, sent %d, acked %d, retrans %d, heard %d: %s, not %s",
	    stages[facts.stage], facts.error, facts.late, (int)facts.sent,
	    (int)facts.acked, (int)facts.retrans, facts.heard, verdict_name(is),
	    verdict_name(expected));
}

static const struct {
	int error;
	enum verdict verdict;
} errors[] = {
	{ ECONNREFUSED, VERDICT_REFUSED },
	{ EHOSTUNREACH, VERDICT_HOST_UNREACHABLE },
	{ EHOSTDOWN, VERDICT_HOST_UNREACHABLE },
	{ ENONET, VERDICT_HOST_UNREACHABLE },
	{ ENOPROTOOPT, VERDICT_HOST_UNREACHABLE },
	{ EPROTO, VERDICT_HOST_UNREACHABLE },
	{ ENETUNREACH, VERDICT_NET_UNREACHABLE },
	{ ENETDOWN, VERDICT_NET_UNREACHABLE },
	{ EACCES, VERDICT_PROHIBITED },
	{ EPERM, VERDICT_PROHIBITED },
	{ ECONNRESET, VERDICT_RESET },
	{ ECONNABORTED, VERDICT_RESET },
	{ EMFILE, VERDICT_FAILED },
	{ EADDRNOTAVAIL, VERDICT_FAILED },
	{ ENOBUFS, VERDICT_FAILED },
	{ EAFNOSUPPORT, VERDICT_FAILED },
	{ EBADF, VERDICT_FAILED },
	{ -1, VERDICT_FAILED },
};

#define ERRORS ((int)(sizeof(errors) / sizeof(errors[0])))

START_TEST(a_blackhole_route_is_net_unreachable)
{
	facts.error = EINVAL;
	facts.stage = STAGE_CONNECT;
	expect(VERDICT_NET_UNREACHABLE);
	facts.stage = STAGE_TALK;
	expect(VERDICT_FAILED);
}
END_TEST

/* Late or not: an error says more than the time that has passed. */
START_TEST(an_error_is_its_word_in_each_stage)
{
	for (int stage = STAGE_CONNECT; stage <= STAGE_END; stage++)
		for (int late = 0; late < 2; late++) {
			facts.stage = (enum verdict_stage)stage;
			facts.late = late != 0;
			facts.error = errors[_i].error;
			expect(errors[_i].verdict);
		}
}
END_TEST

START_TEST(epipe_is_a_fin_before_its_time_or_a_reset)
{
	facts.error = EPIPE;
	expect(VERDICT_CLOSED_EARLY);
	facts.stage = STAGE_END;
	expect(VERDICT_RESET);
}
END_TEST

START_TEST(what_was_seen_goes_before_errors)
{
	for (int i = 0; i < ERRORS; i++) {
		facts.error = errors[i].error;
		facts.prohibited = true;
		expect(VERDICT_PROHIBITED);
		facts.closed = true;
		expect(VERDICT_CLOSED_EARLY);
		facts.differs = true;
		expect(VERDICT_MISMATCH);
		facts.closed = facts.differs = false;
	}
}
END_TEST

START_TEST(the_first_stage_and_the_last_decide_alone)
{
	for (int i = 0; i < ERRORS; i++)
		for (int bits = 0; bits < 16; bits++) {
			facts.error = errors[i].error;
			facts.late = (bits & 1) != 0;
			facts.prohibited = (bits & 2) != 0;
			facts.differs = (bits & 4) != 0;
			facts.closed = (bits & 8) != 0;
			facts.stage = STAGE_RESOLVE;
			expect(VERDICT_UNRESOLVED);
			facts.stage = STAGE_DONE;
			expect(VERDICT_OK);
		}
}
END_TEST

START_TEST(no_handshake_in_time_is_timed_out)
{
	facts.stage = STAGE_CONNECT;
	facts.late = true;
	expect(VERDICT_TIMED_OUT);
	facts.late = false;
	facts.error = ETIMEDOUT;
	expect(VERDICT_TIMED_OUT);
}
END_TEST

/* By our patience or by the kernel's. */
static void
run_out_of_time(int how)
{
	facts.late = how == 0;
	facts.error = how == 0 ? 0 : ETIMEDOUT;
}

static const enum verdict_stage after[] = { STAGE_TALK, STAGE_END };

START_TEST(acknowledged_and_not_answered_is_stalled)
{
	for (int stage = 0; stage < 2; stage++)
		for (int heard = 0; heard < 2; heard++)
			for (int again = 0; again < 3; again++) {
				facts.stage = after[stage];
				facts.heard = heard != 0;
				facts.retrans = again;
				run_out_of_time(_i);
				expect(VERDICT_STALLED);
			}
}
END_TEST

START_TEST(never_taken_is_half_established)
{
	for (int stage = 0; stage < 2; stage++)
		for (int sent = 2; sent < 70; sent += 63)
			for (int again = 1; again < 4; again++) {
				facts.stage = after[stage];
				facts.acked = 1;
				facts.sent = sent;
				facts.retrans = again;
				run_out_of_time(_i);
				expect(VERDICT_HALF_ESTABLISHED);
			}
}
END_TEST

START_TEST(never_taken_and_no_time_to_ask_again_is_timed_out)
{
	facts.acked = 1;
	run_out_of_time(_i);
	expect(VERDICT_TIMED_OUT);
}
END_TEST

/* It has spoken, so it has the connection. */
START_TEST(who_was_heard_is_not_half_established)
{
	facts.acked = 1;
	facts.retrans = 3;
	facts.heard = true;
	run_out_of_time(_i);
	expect(VERDICT_TIMED_OUT);
	facts.late = false;
	facts.error = ECONNRESET;
	expect(VERDICT_RESET);
}
END_TEST

START_TEST(nothing_was_asked_nothing_is_known)
{
	facts.sent = facts.acked = 1;
	run_out_of_time(_i);
	expect(VERDICT_STALLED);
	facts.late = false;
	facts.error = ECONNRESET;
	expect(VERDICT_RESET);
}
END_TEST

/* Some is acknowledged: silence is a broken line, answers a closed window. */
START_TEST(in_the_middle_silence_decides)
{
	facts.acked = 40;
	facts.retrans = 4;
	run_out_of_time(_i);
	facts.silent_ms = 3000;
	expect(VERDICT_TIMED_OUT);
	facts.silent_ms = 2999;
	expect(VERDICT_STALLED);
	facts.silent_ms = LEDGER_UNKNOWN;
	expect(VERDICT_STALLED);
}
END_TEST

START_TEST(without_tcp_info_it_is_stalled)
{
	facts.acked = facts.silent_ms = LEDGER_UNKNOWN;
	facts.retrans = 3;
	run_out_of_time(_i);
	expect(VERDICT_STALLED);
	facts.late = false;
	facts.error = ECONNRESET;
	expect(VERDICT_RESET);
}
END_TEST

START_TEST(a_reset_at_the_first_byte_is_half_established)
{
	facts.error = ECONNRESET;
	facts.acked = 1;
	for (int stage = 0; stage < 2; stage++) {
		facts.stage = after[stage];
		facts.asked_us = 1000;
		expect(VERDICT_HALF_ESTABLISHED);
		/* It was on its way before. */
		facts.asked_us = 999;
		expect(VERDICT_RESET);
	}
}
END_TEST

START_TEST(a_reset_after_an_acknowledgement_is_a_reset)
{
	facts.error = ECONNRESET;
	facts.acked = 2;
	expect(VERDICT_RESET);
	facts.acked = 65;
	expect(VERDICT_RESET);
}
END_TEST

START_TEST(no_reason_at_all_is_an_error_of_ours)
{
	expect(VERDICT_FAILED);
	facts.stage = STAGE_CONNECT;
	expect(VERDICT_FAILED);
}
END_TEST

START_TEST(icmp_says_what_is_prohibited)
{
	for (int code = 0; code < 256; code++) {
		bool v4 = code == 9 || code == 10 || code == 13;
		bool v6 = code == 1 || code == 5 || code == 6;

		ck_assert_int_eq(
		    verdict_prohibits(false, 3, (uint8_t)code), v4);
		ck_assert_int_eq(verdict_prohibits(true, 1, (uint8_t)code), v6);
		ck_assert(!verdict_prohibits(false, 11, (uint8_t)code));
		ck_assert(!verdict_prohibits(true, 3, (uint8_t)code));
	}
}
END_TEST

/* A host that answers, a router that does, silence, no way, nothing tried. */
START_TEST(what_tells_more)
{
	static const enum verdict order[] = { VERDICT_REFUSED, VERDICT_RESET,
		VERDICT_PROHIBITED, VERDICT_HOST_UNREACHABLE, VERDICT_TIMED_OUT,
		VERDICT_NET_UNREACHABLE, VERDICT_FAILED };
	const int last = sizeof(order) / sizeof(order[0]);

	for (int i = 0; i < last; i++)
		for (int j = 0; j < last; j++)
			ck_assert_int_eq(
			    verdict_tells_more(order[i], order[j]), i < j);
}
END_TEST

START_TEST(each_has_a_name_and_a_sentence)
{
	const enum verdict v = (enum verdict)_i;
	const char *name = verdict_name(v), *hint = verdict_hint(v);

	ck_assert_uint_gt(strlen(name), 0);
	ck_assert_uint_eq(
	    strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
	for (int i = 0; i < _i; i++)
		ck_assert_str_ne(name, verdict_name((enum verdict)i));
	if (v == VERDICT_OK) {
		ck_assert_str_eq(hint, "");
		return;
	}
	ck_assert_ptr_nonnull(strstr(hint, "look "));
	ck_assert_ptr_null(strchr(hint, '\n'));
	ck_assert_int_eq(hint[strlen(hint) - 1], '.');
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("verdict");
	TCase *tcase = unit_case(suite, "verdict");

	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, a_blackhole_route_is_net_unreachable);
	tcase_add_loop_test(
	    tcase, an_error_is_its_word_in_each_stage, 0, ERRORS);
	tcase_add_test(tcase, epipe_is_a_fin_before_its_time_or_a_reset);
	tcase_add_test(tcase, what_was_seen_goes_before_errors);
	tcase_add_test(tcase, the_first_stage_and_the_last_decide_alone);
	tcase_add_test(tcase, no_handshake_in_time_is_timed_out);
	tcase_add_loop_test(
	    tcase, acknowledged_and_not_answered_is_stalled, 0, 2);
	tcase_add_loop_test(tcase, never_taken_is_half_established, 0, 2);
	tcase_add_loop_test(
	    tcase, never_taken_and_no_time_to_ask_again_is_timed_out, 0, 2);
	tcase_add_loop_test(tcase, who_was_heard_is_not_half_established, 0, 2);
	tcase_add_loop_test(tcase, nothing_was_asked_nothing_is_known, 0, 2);
	tcase_add_loop_test(tcase, in_the_middle_silence_decides, 0, 2);
	tcase_add_loop_test(tcase, without_tcp_info_it_is_stalled, 0, 2);
	tcase_add_test(tcase, a_reset_at_the_first_byte_is_half_established);
	tcase_add_test(tcase, a_reset_after_an_acknowledgement_is_a_reset);
	tcase_add_test(tcase, no_reason_at_all_is_an_error_of_ours);
	tcase_add_test(tcase, icmp_says_what_is_prohibited);
	tcase_add_test(tcase, what_tells_more);
	tcase_add_loop_test(
	    tcase, each_has_a_name_and_a_sentence, 0, VERDICT_COUNT);
	return unit_run(suite);
}
