/*
 * Tests of common/clock: deadlines and time as text.
 */
#include <limits.h>

#include "common/clock.h"
#include "unit/unit.h"

static const struct tm moment = { .tm_year = 126,
	.tm_mon = 8,
	.tm_mday = 30,
	.tm_wday = 3,
	.tm_hour = 1,
	.tm_min = 2,
	.tm_sec = 3 };

START_TEST(never_is_what_poll_takes_for_no_limit)
{
	ck_assert_int_eq(clock_left(CLOCK_NEVER, 0), -1);
	ck_assert_int_eq(clock_left(CLOCK_NEVER, INT64_MAX - 1), -1);
}
END_TEST

START_TEST(a_deadline_that_is_reached_leaves_nothing)
{
	ck_assert_int_eq(clock_left(1000, 1000), 0);
	ck_assert_int_eq(clock_left(1000, 1001), 0);
	ck_assert_int_eq(clock_left(0, INT64_MAX - 1), 0);
	ck_assert_int_eq(clock_left(-5, 0), 0);
}
END_TEST

START_TEST(a_deadline_ahead_leaves_the_difference)
{
	ck_assert_int_eq(clock_left(1001, 1000), 1);
	ck_assert_int_eq(clock_left(INT_MAX, 0), INT_MAX);
	ck_assert_int_eq(
	    clock_left(INT64_C(1) << 40, (INT64_C(1) << 40) - 25), 25);
}
END_TEST

START_TEST(more_than_an_int_is_its_largest)
{
	ck_assert_int_eq(clock_left((int64_t)INT_MAX + 1, 0), INT_MAX);
	ck_assert_int_eq(clock_left(CLOCK_NEVER - 1, 0), INT_MAX);
}
END_TEST

START_TEST(clock_ms_is_the_monotonic_clock)
{
	struct timespec before, after;
	int64_t now;

	clock_gettime(CLOCK_MONOTONIC, &before);
	now = clock_ms();
	clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_int_ge(
	    now, (int64_t)before.tv_sec * 1000 + before.tv_nsec / 1000000);
	ck_assert_int_le(
	    now, (int64_t)after.tv_sec * 1000 + after.tv_nsec / 1000000);
}
END_TEST

START_TEST(strftime_writes_what_the_format_says)
{
	char text[64];

	ck_assert_uint_eq(
	    clock_strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &moment, 0),
	    19);
	ck_assert_str_eq(text, "2026-09-30 01:02:03");
}
END_TEST

START_TEST(strftime_gives_0_where_room_is_short)
{
	char text[11];

	ck_assert_uint_eq(
	    clock_strftime(text, sizeof(text), "%Y-%m-%d", &moment, 0), 10);
	ck_assert_uint_eq(
	    clock_strftime(text, sizeof(text) - 1, "%Y-%m-%d", &moment, 0), 0);
}
END_TEST

START_TEST(strftime_of_an_empty_format_is_0)
{
	char text[8];

	ck_assert_uint_eq(
	    clock_strftime(text, sizeof(text), "", &moment, 0), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("clock");
	TCase *tcase = unit_case(suite, "clock");

	tcase_add_test(tcase, never_is_what_poll_takes_for_no_limit);
	tcase_add_test(tcase, a_deadline_that_is_reached_leaves_nothing);
	tcase_add_test(tcase, a_deadline_ahead_leaves_the_difference);
	tcase_add_test(tcase, more_than_an_int_is_its_largest);
	tcase_add_test(tcase, clock_ms_is_the_monotonic_clock);
	tcase_add_test(tcase, strftime_writes_what_the_format_says);
	tcase_add_test(tcase, strftime_gives_0_where_room_is_short);
	tcase_add_test(tcase, strftime_of_an_empty_format_is_0);
	return unit_run(suite);
}
