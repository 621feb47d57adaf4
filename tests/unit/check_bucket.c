/*
 * Tests of common/bucket: how many tokens there are, at any time.
 */
#include <stdlib.h>

#include "common/bucket.h"
#include "unit/unit.h"

#define WRAP (UINT64_C(1) << BUCKET_TIME_BITS)
#define SECOND UINT64_C(1000000)

/* How many can be taken at that instant. */
static int
takes(uint64_t *full, const struct bucket_rate *rate, uint64_t now)
{
	int n = 0;

	while (n < 1000000 && bucket_take(full, rate, now))
		n++;
	return n;
}

/* Around the start, around the wrap, and in between. */
static const uint64_t starts[] = { 0, 5 * SECOND, WRAP - 1, WRAP - SECOND / 2,
	WRAP / 2, WRAP / 2 - SECOND, 3 * WRAP - 7 };

#define STARTS ((int)(sizeof(starts) / sizeof(starts[0])))

START_TEST(a_full_bucket_has_its_burst_and_comes_back_at_its_rate)
{
	const struct bucket_rate rate = bucket_rate(20, 40);
	uint64_t now = starts[_i], full = now & (WRAP - 1);

	ck_assert_int_eq(takes(&full, &rate, now), 40);
	ck_assert_int_eq(takes(&full, &rate, now + 49999), 0);
	ck_assert_int_eq(takes(&full, &rate, now + 50000), 1);
	ck_assert_int_eq(takes(&full, &rate, now + 99999), 0);
	ck_assert_int_eq(takes(&full, &rate, now + SECOND), 19);
	ck_assert_int_eq(takes(&full, &rate, now + 2 * SECOND), 20);
	/* No more than the burst, however long it waits. */
	ck_assert_int_eq(takes(&full, &rate, now + 3600 * SECOND), 40);
	ck_assert_uint_lt(full, WRAP);
}
END_TEST

START_TEST(a_burst_of_one_is_one_at_a_time)
{
	const struct bucket_rate rate = bucket_rate(1, 1);
	uint64_t now = starts[_i], full = now & (WRAP - 1);

	for (int i = 0; i < 5; i++, now += SECOND) {
		ck_assert_int_eq(takes(&full, &rate, now), 1);
		ck_assert_int_eq(takes(&full, &rate, now + SECOND - 1), 0);
	}
}
END_TEST

START_TEST(a_clock_that_stands_still_gives_nothing_back)
{
	const struct bucket_rate rate = bucket_rate(10000, 3);
	uint64_t full = 12345;

	ck_assert_int_eq(takes(&full, &rate, 12345), 3);
	for (int i = 0; i < 1000; i++)
		ck_assert(!bucket_take(&full, &rate, 12345));
	/* Nor one that another processor is behind with. */
	ck_assert(!bucket_take(&full, &rate, 12345 - 50));
}
END_TEST

START_TEST(what_was_refused_costs_nothing)
{
	const struct bucket_rate rate = bucket_rate(1, 2);
	uint64_t full = 0;

	ck_assert_int_eq(takes(&full, &rate, 0), 2);
	for (uint64_t now = 0; now < SECOND; now += 100)
		ck_assert(!bucket_take(&full, &rate, now));
	ck_assert(bucket_take(&full, &rate, SECOND));
}
END_TEST

START_TEST(a_bucket_that_owes_more_than_it_can_is_full)
{
	const struct bucket_rate slow = bucket_rate(1, 1000);
	const struct bucket_rate quick = bucket_rate(20, 40);
	uint64_t full = 0;

	/* After a reload with other limits. */
	ck_assert_int_eq(takes(&full, &slow, 0), 1000);
	ck_assert_int_eq(takes(&full, &quick, 0), 40);
	/* And after almost a turn of the clock. */
	full = 100;
	ck_assert_int_eq(takes(&full, &quick, WRAP - 60 * SECOND), 40);
}
END_TEST

/* The reference: tokens that are counted, in microseconds of their return. */
START_TEST(the_same_as_counted_tokens)
{
	int64_t a_second = 1 + rand() % 200, burst = 1 + rand() % 50, tokens;
	const struct bucket_rate rate = bucket_rate(a_second, burst);
	const int64_t most = rate.interval_us * burst;
	uint64_t now = WRAP - (uint64_t)(rand() % 20000000), full = now, last;
	unsigned taken = 0;

	tokens = most;
	for (int i = 0; i < 5000; i++) {
		last = now;
		now += (uint64_t)(rand() % (int)(2 * rate.interval_us));
		if (rand() % 100 == 0)
			now += (uint64_t)(rand() % 10000000);
		tokens += (int64_t)(now - last);
		tokens = tokens > most ? most : tokens;
		ck_assert_int_eq(
		    bucket_take(&full, &rate, now), tokens >= rate.interval_us);
		if (tokens >= rate.interval_us) {
			tokens -= rate.interval_us;
			taken++;
		}
	}
	ck_assert_uint_gt(taken, 500);
	ck_assert_uint_lt(taken, 5000);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("bucket");
	TCase *tcase = unit_case(suite, "bucket");

	srand(26);
	tcase_add_loop_test(tcase,
	    a_full_bucket_has_its_burst_and_comes_back_at_its_rate, 0, STARTS);
	tcase_add_loop_test(tcase, a_burst_of_one_is_one_at_a_time, 0, STARTS);
	tcase_add_test(tcase, a_clock_that_stands_still_gives_nothing_back);
	tcase_add_test(tcase, what_was_refused_costs_nothing);
	tcase_add_test(tcase, a_bucket_that_owes_more_than_it_can_is_full);
	tcase_add_loop_test(tcase, the_same_as_counted_tokens, 0, 10);
	return unit_run(suite);
}
