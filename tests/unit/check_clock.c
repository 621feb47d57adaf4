/*
 * Tests of common/clock: deadlines and time as text.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "unit/unit.h"

static const struct tm moment = { .tm_year = 126,
	.tm_mon = 8,
	.tm_mday = 30,
	.tm_wday = 3,
	.tm_hour = 1,
	.tm_min = 2,
	.tm_sec = 3 };

START_TEST(microseconds_are_of_the_same_clock)
{
	int64_t before = clock_ms(), us = clock_us(), after = clock_ms();

	ck_assert_int_le(before, us / 1000);
	ck_assert_int_le(us / 1000, after);
	ck_assert_int_ge(clock_us(), us);
}
END_TEST

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

/* Seconds since the Epoch, which are not those of moment. */
static const struct {
	const char *format;
	int64_t when;
	const char *text;
} epochs[] = {
	{ "%s", 1790812799, "1790812799" },
	{ "%s", 0, "0" },
	{ "%s", -1, "-1" },
	{ "%s", 253402300799, "253402300799" },
	{ "at %s.", 5, "at 5." },
	{ "%s%s", 5, "55" },
	{ "%s %Y %s", 5, "5 2026 5" },
	{ "%H%s%M", 5, "01502" },
	{ "%%s", 5, "%s" },
	{ "%%%s", 5, "%5" },
	{ "%%%%s", 5, "%%s" },
	{ "%%%%%s", 5, "%%5" },
	{ "%%s%s", 5, "%s5" },
	{ "%S%s%%s", 5, "035%s" },
	{ "%-ds%s", 5, "30s5" },
};

#define EPOCHS ((int)(sizeof(epochs) / sizeof(epochs[0])))

START_TEST(strftime_writes_the_epoch_itself)
{
	char text[64];

	ck_assert_uint_eq(clock_strftime(text, sizeof(text), epochs[_i].format,
			      &moment, epochs[_i].when),
	    strlen(epochs[_i].text));
	ck_assert_str_eq(text, epochs[_i].text);
}
END_TEST

/* So many x before %s and after it, then the length and the last byte. */
static const struct {
	size_t before;
	size_t after;
	size_t length;
	char last;
} cuts[] = {
	{ 508, 0, 511, '3' },
	{ 508, 1, 511, '3' },
	{ 507, 1, 511, 'x' },
	{ 509, 0, 511, '2' },
	{ 510, 0, 511, '1' },
	{ 511, 0, 511, 'x' },
	{ 600, 0, 511, 'x' },
	{ 0, 600, 511, 'x' },
};

#define CUTS ((int)(sizeof(cuts) / sizeof(cuts[0])))

START_TEST(what_strftime_has_no_room_for_is_cut)
{
	char format[1024], text[1024];

	memset(format, 'x', sizeof(format));
	memcpy(format + cuts[_i].before, "%s", 2);
	format[cuts[_i].before + 2 + cuts[_i].after] = '\0';
	ck_assert_uint_eq(
	    clock_strftime(text, sizeof(text), format, &moment, 123),
	    cuts[_i].length);
	ck_assert_uint_eq(strlen(text), cuts[_i].length);
	ck_assert_int_eq(text[cuts[_i].length - 1], cuts[_i].last);
}
END_TEST

START_TEST(a_zone_that_was_given_is_read)
{
	ck_assert_int_eq(setenv("TZ", "XYZ-3", 1), 0);
	clock_set_zone();
	ck_assert_str_eq(getenv("TZ"), "XYZ-3");
	ck_assert_str_eq(tzname[0], "XYZ");
	ck_assert_int_eq(timezone, -3 * 3600);
}
END_TEST

START_TEST(without_a_zone_the_file_is_named)
{
	ck_assert_int_eq(unsetenv("TZ"), 0);
	clock_set_zone();
	ck_assert_str_eq(getenv("TZ"), ":/etc/localtime");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("clock");
	TCase *tcase = unit_case(suite, "clock");

	tcase_add_test(tcase, microseconds_are_of_the_same_clock);
	tcase_add_test(tcase, never_is_what_poll_takes_for_no_limit);
	tcase_add_test(tcase, a_deadline_that_is_reached_leaves_nothing);
	tcase_add_test(tcase, a_deadline_ahead_leaves_the_difference);
	tcase_add_test(tcase, more_than_an_int_is_its_largest);
	tcase_add_test(tcase, clock_ms_is_the_monotonic_clock);
	tcase_add_test(tcase, strftime_writes_what_the_format_says);
	tcase_add_test(tcase, strftime_gives_0_where_room_is_short);
	tcase_add_test(tcase, strftime_of_an_empty_format_is_0);
	tcase_add_loop_test(tcase, strftime_writes_the_epoch_itself, 0, EPOCHS);
	tcase_add_loop_test(
	    tcase, what_strftime_has_no_room_for_is_cut, 0, CUTS);
	tcase_add_test(tcase, a_zone_that_was_given_is_read);
	tcase_add_test(tcase, without_a_zone_the_file_is_named);
	return unit_run(suite);
}
