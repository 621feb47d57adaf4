/*
 * Tests of probe/histogram: what it says against the sorted times themselves.
 */
#include <stdlib.h>
#include <string.h>

#include "probe/histogram.h"
#include "unit/unit.h"

#define TIMES 10007

static struct histogram histogram;
static int64_t times[TIMES];

static void
set_up(void)
{
	memset(&histogram, 0, sizeof(histogram));
	srandom(1);
}

static int
compare(const void *a, const void *b)
{
	int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;

	return (first > second) - (first < second);
}

/* The nearest rank: the least that so many of a thousand do not exceed. */
static int64_t
reference(size_t count, unsigned of_thousand)
{
	return times[(count * of_thousand + 999) / 1000 - 1];
}

/* Exact below HISTOGRAM_STEPS, and a little more than the truth above. */
static void
compare_all(size_t count)
{
	int64_t truth, seen;

	for (size_t i = 0; i < count; i++)
		histogram_add(&histogram, times[i]);
	qsort(times, count, sizeof(times[0]), compare);
	ck_assert_uint_eq(histogram.count, count);
	ck_assert_int_eq(histogram.max, times[count - 1]);
	for (unsigned of = 1; of <= 1000; of++) {
		truth = reference(count, of);
		seen = histogram_at(&histogram, of);
		ck_assert_msg(seen >= truth &&
			seen <= truth + truth / HISTOGRAM_STEPS &&
			seen <= histogram.max,
		    "%u of 1000: %lld for %lld", of, (long long)seen,
		    (long long)truth);
	}
	ck_assert_int_eq(histogram_at(&histogram, 1000), times[count - 1]);
}

START_TEST(small_times_are_exact)
{
	for (size_t i = 0; i < TIMES; i++)
		times[i] = random() % HISTOGRAM_STEPS;
	compare_all(TIMES);
}
END_TEST

/* As many of each power of two. */
START_TEST(times_of_any_size)
{
	for (size_t i = 0; i < TIMES; i++)
		times[i] = ((int64_t)random() << 9) >> (random() % 40);
	compare_all(TIMES);
}
END_TEST

/* Around each border of a bucket's power. */
START_TEST(times_at_a_border)
{
	size_t n = 0;

	for (int shift = 0; shift < 40; shift++)
		for (int64_t d = -1; d <= 1; d++)
			times[n++] = ((INT64_C(1) << shift) + d);
	compare_all(n);
}
END_TEST

static const size_t counts[] = { 1, 2, 3, 9, 10, 11, 99, 100, 101, 999, 1000,
	1001 };

START_TEST(the_rank_is_the_nearest)
{
	for (size_t i = 0; i < counts[_i]; i++)
		times[i] = (int64_t)(i % HISTOGRAM_STEPS);
	compare_all(counts[_i]);
}
END_TEST

START_TEST(nothing_seen_is_0)
{
	ck_assert_int_eq(histogram_at(&histogram, 500), 0);
	ck_assert_int_eq(histogram_at(&histogram, 1000), 0);
}
END_TEST

START_TEST(what_is_out_of_bounds_is_at_the_bound)
{
	histogram_add(&histogram, -5);
	ck_assert_int_eq(histogram_at(&histogram, 1000), 0);
	histogram_add(&histogram, INT64_MAX);
	ck_assert_int_eq(histogram_at(&histogram, 500), 0);
	ck_assert_int_eq(histogram_at(&histogram, 1000), INT64_MAX);
	ck_assert_uint_eq(histogram.count, 2);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("histogram");
	TCase *tcase = unit_case(suite, "histogram");

	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, small_times_are_exact);
	tcase_add_test(tcase, times_of_any_size);
	tcase_add_test(tcase, times_at_a_border);
	tcase_add_loop_test(tcase, the_rank_is_the_nearest, 0,
	    (int)(sizeof(counts) / sizeof(counts[0])));
	tcase_add_test(tcase, nothing_seen_is_0);
	tcase_add_test(tcase, what_is_out_of_bounds_is_at_the_bound);
	return unit_run(suite);
}
