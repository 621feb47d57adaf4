/*
 * Tests of probe/load_plan: every load has an end, and no option is taken that
 * means nothing. And of probe/pattern: what is sent can be told from the rest.
 */
#include <string.h>

#include "probe/load_plan.h"
#include "probe/pattern.h"
#include "unit/unit.h"

#define HOUR_MS (INT64_C(1000) * LOAD_SECONDS_MOST)

static const struct {
	struct load_plan given;
	const char *wrong; /* a part of it, or NULL */
	struct load_plan complete;
} plans[] = {
	/* An end: one of the two, and the hour is always there. */
	{ { .work = LOAD_ECHO }, "no end", { 0 } },
	{ { .work = LOAD_DAYTIME, .parallel = 9 }, "no end", { 0 } },
	{ { .work = LOAD_ROUND_TRIP, .size = 9 }, "no end", { 0 } },
	{ { .work = LOAD_BULK }, "no end", { 0 } },
	{ { .work = LOAD_HOLD }, "with --seconds", { 0 } },
	{ { .work = LOAD_ECHO, .count = 5 }, NULL,
	    { LOAD_ECHO, 5, HOUR_MS, 1, 64, false } },
	{ { .work = LOAD_ECHO, .time_ms = 5 }, NULL,
	    { LOAD_ECHO, 0, 5, 1, 64, false } },
	{ { .work = LOAD_ECHO, .count = 3, .time_ms = 5 }, NULL,
	    { LOAD_ECHO, 3, 5, 1, 64, false } },
	/* What each work has of its own. */
	{ { .work = LOAD_DAYTIME, .count = 5 }, NULL,
	    { LOAD_DAYTIME, 5, HOUR_MS, 1, 0, false } },
	{ { .work = LOAD_ROUND_TRIP, .count = 5 }, NULL,
	    { LOAD_ROUND_TRIP, 5, HOUR_MS, 1, 64, false } },
	{ { .work = LOAD_BULK, .count = 5 }, NULL,
	    { LOAD_BULK, 5, HOUR_MS, 1, 65536, false } },
	{ { .work = LOAD_HOLD, .time_ms = 5, .parallel = 7 }, NULL,
	    { LOAD_HOLD, 0, 5, 7, 1, false } },
	{ { .work = LOAD_BULK, .count = 5, .size = 3 }, NULL,
	    { LOAD_BULK, 5, HOUR_MS, 1, 3, false } },
	/* No more at once than in all. */
	{ { .work = LOAD_ECHO, .count = 5, .parallel = 5 }, NULL,
	    { LOAD_ECHO, 5, HOUR_MS, 5, 64, false } },
	{ { .work = LOAD_ECHO, .count = 5, .parallel = 6 }, NULL,
	    { LOAD_ECHO, 5, HOUR_MS, 5, 64, false } },
	{ { .work = LOAD_ECHO, .time_ms = 5, .parallel = 6 }, NULL,
	    { LOAD_ECHO, 0, 5, 6, 64, false } },
	/* A line has its most. */
	{ { .work = LOAD_BULK, .count = 5, .lines = true }, "65521", { 0 } },
	{ { LOAD_BULK, 5, 5, 1, PATTERN_LINE_MOST, true }, NULL,
	    { LOAD_BULK, 5, 5, 1, PATTERN_LINE_MOST, true } },
	{ { LOAD_BULK, 5, 5, 1, PATTERN_LINE_MOST + 1, true }, "65521", { 0 } },
	/* Options that would mean nothing. */
	{ { .work = LOAD_DAYTIME, .count = 5, .lines = true },
	    "--lines: daytime", { 0 } },
	{ { .work = LOAD_DAYTIME, .count = 5, .size = 64 }, "-s: daytime",
	    { 0 } },
	{ { .work = LOAD_HOLD, .time_ms = 5, .size = 1 }, "-s: hold", { 0 } },
	{ { .work = LOAD_HOLD, .time_ms = 5, .count = 1 }, "-c: hold", { 0 } },
};

START_TEST(a_plan_is_complete_or_refused)
{
	const struct load_plan *expected = &plans[_i].complete;
	struct load_plan plan = plans[_i].given;
	const char *wrong = load_plan_complete(&plan);

	if (plans[_i].wrong != NULL) {
		ck_assert_ptr_nonnull(wrong);
		ck_assert_msg(
		    strstr(wrong, plans[_i].wrong) != NULL, "%s", wrong);
		return;
	}
	ck_assert_msg(wrong == NULL, "%s", wrong);
	ck_assert_int_eq((int)plan.work, (int)expected->work);
	ck_assert_uint_eq(plan.count, expected->count);
	ck_assert_int_eq(plan.time_ms, expected->time_ms);
	ck_assert_uint_eq(plan.parallel, expected->parallel);
	ck_assert_uint_eq(plan.size, expected->size);
}
END_TEST

START_TEST(each_work_has_a_name)
{
	enum load_work work = LOAD_WORKS, found;

	ck_assert(!load_work_find(&work, "nosuch"));
	ck_assert(!load_work_find(&work, ""));
	ck_assert_int_eq((int)work, LOAD_WORKS);
	for (work = LOAD_ECHO; work < LOAD_WORKS; work++) {
		ck_assert(load_work_find(&found, load_work_name(work)));
		ck_assert_int_eq((int)found, (int)work);
		ck_assert_uint_eq(
		    load_work_port(work), work == LOAD_DAYTIME ? 13 : 7);
		ck_assert(load_work_stays(work) ==
		    (work != LOAD_ECHO && work != LOAD_DAYTIME));
	}
}
END_TEST

/* Far apart as well: a piece of any buffer's size that is missing is seen. */
START_TEST(another_place_has_other_bytes)
{
	for (uint64_t distance = 1; distance < 1 << 26; distance *= 2) {
		ck_assert(pattern_matches(
		    pattern_at(distance + 5), distance + 5, 64));
		ck_assert(!pattern_matches(pattern_at(5), distance + 5, 64));
	}
}
END_TEST

START_TEST(each_byte_is_looked_at)
{
	static unsigned char bytes[3 * PATTERN_CHUNK];
	const uint64_t place = 12345678901;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = *pattern_at(place + i);
	ck_assert(pattern_matches(bytes, place, sizeof(bytes)));
	for (size_t i = 0; i < sizeof(bytes); i += 1021) {
		bytes[i] ^= 1;
		ck_assert(!pattern_matches(bytes, place, sizeof(bytes)));
		bytes[i] ^= 1;
	}
	bytes[sizeof(bytes) - 1] ^= 1;
	ck_assert(!pattern_matches(bytes, place, sizeof(bytes)));
	ck_assert(pattern_matches(bytes, place, sizeof(bytes) - 1));
	ck_assert(pattern_matches(bytes, place, 0));
}
END_TEST

static const size_t lengths[] = { 1, 2, 64, 1000, 32760, 32761, 65520,
	PATTERN_LINE_MOST };

START_TEST(lines_end_with_lf_and_have_no_other)
{
	const size_t length = lengths[_i];

	pattern_set_lines(length);
	for (uint64_t place = 0; place < 300000; place++)
		ck_assert_msg((*pattern_at(place) == '\n') ==
			(place % length == length - 1),
		    "%zu: place %llu", length, (unsigned long long)place);
	/* Up to the end of what can be had at once. */
	for (uint64_t i = 0; i < PATTERN_CHUNK; i++)
		ck_assert_uint_eq(pattern_at(65000)[i], *pattern_at(65000 + i));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("load_plan");
	TCase *tcase = unit_case(suite, "load_plan");

	tcase_add_loop_test(tcase, a_plan_is_complete_or_refused, 0,
	    (int)(sizeof(plans) / sizeof(plans[0])));
	tcase_add_test(tcase, each_work_has_a_name);
	tcase_add_test(tcase, another_place_has_other_bytes);
	tcase_add_test(tcase, each_byte_is_looked_at);
	tcase_add_loop_test(tcase, lines_end_with_lf_and_have_no_other, 0,
	    (int)(sizeof(lengths) / sizeof(lengths[0])));
	return unit_run(suite);
}
