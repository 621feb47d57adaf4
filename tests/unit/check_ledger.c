/*
 * Tests of common/ledger: the words of endings, and a connection's line.
 */
#include <string.h>

#include "common/ledger.h"
#include "unit/unit.h"

static const char *const words[] = { "served", "peer-closed", "reset",
	"dead-peer", "stalled", "unreachable", "idle", "lingered", "stopped",
	"failed", "refused", "evicted" };

static const struct ledger_entry known = { .service = "echo",
	.peer = "192.0.2.7:51514",
	.local = "[2001:db8::1]:7",
	.ending = ENDING_PEER_CLOSED,
	.in = 12,
	.out = 345678901234,
	.unacked = 5,
	.milliseconds = 61234,
	.wait_ms = 7,
	.rtt_us = 1234567,
	.retrans = 3,
	.pid = 4242 };

START_TEST(each_ending_has_its_word)
{
	ck_assert_int_eq(
	    (int)(sizeof(words) / sizeof(words[0])), (int)ENDING_COUNT);
	ck_assert_str_eq(ending_name((enum ending)_i), words[_i]);
}
END_TEST

START_TEST(a_line_says_all_in_its_order)
{
	char line[LEDGER_LINE_SIZE];

	ck_assert_str_eq(ledger_format(&known, line, sizeof(line)),
	    "service=echo peer=192.0.2.7:51514 local=[2001:db8::1]:7 "
	    "ending=peer-closed in=12 out=345678901234 unacked=5 "
	    "seconds=61.234 wait=0.007 rtt=1.234567 retrans=3 pid=4242");
	ck_assert_ptr_null(strchr(line, '\n'));
}
END_TEST

START_TEST(what_is_unknown_is_a_dash)
{
	struct ledger_entry entry = known;
	char line[LEDGER_LINE_SIZE];

	entry.in = entry.out = entry.unacked = LEDGER_UNKNOWN;
	entry.milliseconds = entry.wait_ms = LEDGER_UNKNOWN;
	entry.rtt_us = entry.retrans = LEDGER_UNKNOWN;
	ck_assert_str_eq(ledger_format(&entry, line, sizeof(line)),
	    "service=echo peer=192.0.2.7:51514 local=[2001:db8::1]:7 "
	    "ending=peer-closed in=- out=- unacked=- "
	    "seconds=- wait=- rtt=- retrans=- pid=4242");
}
END_TEST

static const struct {
	int64_t ms, us;
	const char *part;
} decimals[] = { { 0, 0, "seconds=0.000 wait=0.000 rtt=0.000000 " },
	{ 1, 1, "seconds=0.001 wait=0.001 rtt=0.000001 " },
	{ 999, 999999, "seconds=0.999 wait=0.999 rtt=0.999999 " },
	{ 1000, 1000000, "seconds=1.000 wait=1.000 rtt=1.000000 " },
	{ 86400050, 60000500,
	    "seconds=86400.050 wait=86400.050 rtt=60.000500 " } };

START_TEST(times_are_seconds_with_all_decimals)
{
	struct ledger_entry entry = known;
	char line[LEDGER_LINE_SIZE];

	entry.milliseconds = entry.wait_ms = decimals[_i].ms;
	entry.rtt_us = decimals[_i].us;
	ledger_format(&entry, line, sizeof(line));
	ck_assert_msg(strstr(line, decimals[_i].part) != NULL, "%s not in %s",
	    decimals[_i].part, line);
}
END_TEST

START_TEST(a_line_that_does_not_fit_is_cut)
{
	char line[16], guard[sizeof(line)];

	memset(line, 'x', sizeof(line));
	memcpy(guard, line, sizeof(guard));
	ledger_format(&known, line, 9);
	ck_assert_str_eq(line, "service=");
	ck_assert_mem_eq(line + 9, guard, sizeof(line) - 9);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ledger");
	TCase *tcase = unit_case(suite, "ledger");

	tcase_add_loop_test(tcase, each_ending_has_its_word, 0, ENDING_COUNT);
	tcase_add_test(tcase, a_line_says_all_in_its_order);
	tcase_add_test(tcase, what_is_unknown_is_a_dash);
	tcase_add_loop_test(tcase, times_are_seconds_with_all_decimals, 0,
	    (int)(sizeof(decimals) / sizeof(decimals[0])));
	tcase_add_test(tcase, a_line_that_does_not_fit_is_cut);
	return unit_run(suite);
}
