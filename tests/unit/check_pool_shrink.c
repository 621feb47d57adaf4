/*
 * Tests of master/pool: when a pool lets workers go, and how many.
 */
#include "unit/pool_state.h"

#define T INT64_C(100000)

/* Looks in each sample of one round; idle is what each of them sees. */
static int64_t
sample(struct pool_state *pool, unsigned idle, int64_t now)
{
	look(pool, idle, 0, 0, now);
	for (int i = 0; i < POOL_SAMPLES; i++) {
		ck_assert_uint_eq(pool_to_retire(pool), 0);
		ck_assert_int_eq(pool_wake_at(pool, now), now + POOL_SAMPLE_MS);
		ck_assert(!pool_wants_excess(pool));
		now += POOL_SAMPLE_MS;
		look(pool, idle, 0, 0, now);
	}
	return now;
}

static void
retire_all(struct pool_state *pool)
{
	while (pool_to_retire(pool) > 0)
		pool_retired(pool);
	pool_retired_all(pool);
}

START_TEST(max_spare_are_kept_for_ever)
{
	struct pool_state pool = pool_of(&limits, 100);

	look(&pool, MAX_SPARE, 0, 0, T);
	ck_assert_int_eq(pool_wake_at(&pool, T), CLOCK_NEVER);
	ck_assert(pool_wants_excess(&pool));
	ck_assert(pool_wants_short(&pool));
}
END_TEST

START_TEST(only_a_pool_that_may_have_too_many_wants_to_know)
{
	struct pool_state pool = pool_of(&limits, MAX_SPARE);

	ck_assert(!pool_wants_excess(&pool));
	pool_forked(&pool);
	ck_assert(pool_wants_excess(&pool));
	pool.begun = false;
	ck_assert(!pool_wants_excess(&pool));
	ck_assert(!pool_wants_short(&pool));
}
END_TEST

START_TEST(one_leaves_after_a_second)
{
	struct pool_state pool = pool_of(&limits, 100);

	ck_assert_int_eq(sample(&pool, 17, T), T + 1000);
	ck_assert_uint_eq(pool_to_retire(&pool), 1);
	ck_assert_int_eq(pool_wake_at(&pool, T + 1000), T + 1100);
}
END_TEST

START_TEST(looks_between_samples_do_not_count)
{
	struct pool_state pool = pool_of(&limits, 100);

	for (int64_t now = T; now < T + 1000; now++) {
		look(&pool, 50, 0, 0, now);
		ck_assert_uint_eq(pool_to_retire(&pool), 0);
	}
	look(&pool, 50, 0, 0, T + 1000);
	ck_assert_uint_eq(pool_to_retire(&pool), 1);
}
END_TEST

START_TEST(one_dip_in_a_second_keeps_all)
{
	for (int dip = 0; dip <= POOL_SAMPLES; dip++) {
		struct pool_state pool = pool_of(&limits, 100);

		for (int i = 0; i <= POOL_SAMPLES; i++)
			look(&pool, i == dip ? MAX_SPARE : 50, 0, 0,
			    T + i * POOL_SAMPLE_MS);
		ck_assert_uint_eq(pool_to_retire(&pool), 0);
		/* And then it takes a whole second again. */
		look(&pool, MAX_SPARE, 0, 0, T + 1050);
		ck_assert_int_eq(pool.look_at, CLOCK_NEVER);
		sample(&pool, 50, T + 1100);
		ck_assert_uint_eq(pool_to_retire(&pool), 1);
	}
}
END_TEST

START_TEST(a_shortage_in_a_second_keeps_all)
{
	struct pool_state pool = pool_of(&limits, 100);

	sample(&pool, 50, T);
	retire_all(&pool);
	ck_assert_uint_eq(pool.step, 1);
	look(&pool, 50, 0, 0, T + 1100);
	ck_assert_uint_eq(pool.samples, 1);
	look(&pool, 0, 0, 0, T + 1200);
	ck_assert_uint_eq(pool.samples, 0);
	ck_assert_uint_eq(pool.step, 0);
	sample(&pool, 50, T + 1201);
	ck_assert_uint_eq(pool_to_retire(&pool), 1);
}
END_TEST

START_TEST(the_least_of_a_second_is_what_is_too_many)
{
	static const unsigned seen[] = { 60, 50, 19, 40, 30, 70, 80, 90, 60, 70,
		99 };
	struct pool_state pool = pool_of(&limits, 100);

	pool.step = 64;
	for (int i = 0; i <= POOL_SAMPLES; i++)
		look(&pool, seen[i], 0, 0, T + i * POOL_SAMPLE_MS);
	ck_assert_uint_eq(pool_to_retire(&pool), 3);
	/* A second for itself: the 19 is forgotten. */
	retire_all(&pool);
	sample(&pool, 40, T + 1100);
	ck_assert_uint_eq(pool_to_retire(&pool), 24);
}
END_TEST

START_TEST(the_first_sample_counts_as_the_others_do)
{
	struct pool_state pool = pool_of(&limits, 100);

	pool.step = 64;
	for (int i = 0; i <= POOL_SAMPLES; i++)
		look(&pool, i == 0 ? 20 : 50, 0, 0, T + i * POOL_SAMPLE_MS);
	ck_assert_uint_eq(pool_to_retire(&pool), 4);
}
END_TEST

START_TEST(each_second_twice_as_many_leave)
{
	static const unsigned steps[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 256,
		220, 0 };
	struct pool_state pool = pool_of(&limits, MAX);
	int64_t now = T;
	unsigned idle = MAX;

	for (size_t i = 0; steps[i] != 0; i++) {
		now = sample(&pool, idle, now);
		if (steps[i] > idle - MAX_SPARE) {
			ck_assert_uint_eq(
			    pool_to_retire(&pool), idle - MAX_SPARE);
		} else
			ck_assert_uint_eq(pool_to_retire(&pool), steps[i]);
		idle -= pool_to_retire(&pool);
		retire_all(&pool);
		now += POOL_SAMPLE_MS;
	}
	ck_assert_uint_eq(idle, MAX_SPARE);
	/* And the next time from the start. */
	look(&pool, idle, 0, 0, now);
	ck_assert_uint_eq(pool.step, 0);
	ck_assert_int_eq(pool_wake_at(&pool, now), CLOCK_NEVER);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pool_shrink");
	TCase *tcase = unit_case(suite, "shrinking");

	tcase_add_test(tcase, max_spare_are_kept_for_ever);
	tcase_add_test(tcase, only_a_pool_that_may_have_too_many_wants_to_know);
	tcase_add_test(tcase, one_leaves_after_a_second);
	tcase_add_test(tcase, looks_between_samples_do_not_count);
	tcase_add_test(tcase, one_dip_in_a_second_keeps_all);
	tcase_add_test(tcase, a_shortage_in_a_second_keeps_all);
	tcase_add_test(tcase, the_least_of_a_second_is_what_is_too_many);
	tcase_add_test(tcase, the_first_sample_counts_as_the_others_do);
	tcase_add_test(tcase, each_second_twice_as_many_leave);
	return unit_run(suite);
}
