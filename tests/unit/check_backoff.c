/*
 * Tests of master/backoff: the delays before a dead worker's successor.
 */
#include "master/backoff.h"
#include "unit/unit.h"

static const int64_t delays[] = { 0, 100, 200, 400, 800, 1600, 3200, 6400,
	12800, 25600, 30000, 30000, 30000 };

#define DELAYS (sizeof(delays) / sizeof(delays[0]))

START_TEST(delays_double_from_100_ms_to_30_s)
{
	for (unsigned i = 0; i < DELAYS; i++)
		ck_assert_msg(backoff_delay(i) == delays[i],
		    "after %u failures: %lld", i, (long long)backoff_delay(i));
}
END_TEST

START_TEST(the_delay_stays_at_30_s_for_ever)
{
	ck_assert_int_eq(backoff_delay(1000), 30000);
	ck_assert_int_eq(backoff_delay(UINT32_MAX), 30000);
}
END_TEST

START_TEST(each_failure_after_its_delay_begins_the_next_one)
{
	struct backoff backoff = { 0 };
	int64_t now = 5000;

	for (unsigned i = 1; i < DELAYS; i++) {
		ck_assert(backoff_fail(&backoff, now));
		ck_assert_uint_eq(backoff.failures, i);
		ck_assert_int_eq(backoff.until, now + delays[i]);
		now = backoff.until;
	}
}
END_TEST

START_TEST(a_burst_counts_once)
{
	struct backoff backoff = { 0 };

	ck_assert(backoff_fail(&backoff, 1000));
	for (int64_t now = 1000; now < 1100; now++)
		ck_assert(!backoff_fail(&backoff, now));
	ck_assert_uint_eq(backoff.failures, 1);
	ck_assert_int_eq(backoff.until, 1100);
	ck_assert(backoff_fail(&backoff, 1100));
	ck_assert_uint_eq(backoff.failures, 2);
}
END_TEST

static void
fail_three_times(struct backoff *backoff)
{
	for (int i = 0; i < 3; i++)
		ck_assert(backoff_fail(backoff, backoff->until + 1));
	ck_assert_uint_eq(backoff->failures, 3);
}

START_TEST(a_quiet_minute_clears_the_record)
{
	struct backoff backoff = { 0 };
	int64_t now;

	fail_three_times(&backoff);
	now = backoff.until + BACKOFF_FORGET_MS + 1;
	ck_assert(backoff_fail(&backoff, now));
	ck_assert_uint_eq(backoff.failures, 1);
	ck_assert_int_eq(backoff.until, now + 100);
}
END_TEST

START_TEST(less_than_a_minute_clears_nothing)
{
	struct backoff backoff = { 0 };
	int64_t now;

	fail_three_times(&backoff);
	now = backoff.until + BACKOFF_FORGET_MS - 1;
	ck_assert(backoff_fail(&backoff, now));
	ck_assert_uint_eq(backoff.failures, 4);
	ck_assert_int_eq(backoff.until, now + 800);
}
END_TEST

/* How often a worker that dies at once is tried from start to end. */
static unsigned
attempts_between(int64_t start, int64_t end)
{
	struct backoff backoff = { 0 };
	unsigned attempts = 0;

	for (int64_t now = start; now < end; now++)
		if (now >= backoff.until) {
			attempts++;
			backoff_fail(&backoff, now);
		}
	return attempts;
}

START_TEST(a_first_minute_has_at_most_ten_attempts)
{
	static const int64_t starts[] = { 0, 1, 999, 60000, 123456789 };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		ck_assert_msg(
		    attempts_between(starts[i], starts[i] + 60000) == 10,
		    "from %lld", (long long)starts[i]);
}
END_TEST

START_TEST(later_minutes_have_two_attempts)
{
	unsigned first = attempts_between(0, 120000);
	unsigned more = attempts_between(0, 720000);

	ck_assert_uint_eq(more - first, 20);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("backoff");
	TCase *tcase = unit_case(suite, "backoff");

	tcase_add_test(tcase, delays_double_from_100_ms_to_30_s);
	tcase_add_test(tcase, the_delay_stays_at_30_s_for_ever);
	tcase_add_test(tcase, each_failure_after_its_delay_begins_the_next_one);
	tcase_add_test(tcase, a_burst_counts_once);
	tcase_add_test(tcase, a_quiet_minute_clears_the_record);
	tcase_add_test(tcase, less_than_a_minute_clears_nothing);
	tcase_add_test(tcase, a_first_minute_has_at_most_ten_attempts);
	tcase_add_test(tcase, later_minutes_have_two_attempts);
	return unit_run(suite);
}
