/*
 * Tests of master/pool: when a pool grows, and by how much.
 */
#include "unit/pool_state.h"

#define T INT64_C(100000)
#define WATCHED (T + POOL_WATCH_MS) /* what was watched from T is decided */

/* A pool that was short from T on and grows since WATCHED. */
static struct pool_state
growing_pool(unsigned workers, unsigned idle, unsigned queue)
{
	struct pool_state pool = pool_of(&limits, workers);

	look(&pool, idle, queue, 0, T);
	look(&pool, idle, queue, 0, WATCHED);
	ck_assert_int_eq(pool.mood, POOL_GROWING);
	return pool;
}

START_TEST(enough_spare_workers_are_left_alone)
{
	struct pool_state pool = pool_of(&limits, 10);

	look(&pool, MIN_SPARE, 0, 0, T);
	ck_assert_int_eq(pool.mood, POOL_CALM);
	ck_assert_uint_eq(pool_to_fork(&pool, T), 0);
	ck_assert_int_eq(pool_wake_at(&pool, T), CLOCK_NEVER);
	ck_assert(pool_wants_short(&pool));
	ck_assert(!pool_wants_excess(&pool));
}
END_TEST

START_TEST(a_short_pool_is_watched_first)
{
	struct pool_state pool = pool_of(&limits, 10);

	look(&pool, MIN_SPARE - 1, 0, 0, T);
	ck_assert_int_eq(pool.mood, POOL_WATCHED);
	ck_assert(!pool_wants_short(&pool));
	ck_assert_int_eq(pool_wake_at(&pool, T), WATCHED);
	look(&pool, 0, 100, 0, WATCHED - 1);
	ck_assert_int_eq(pool.mood, POOL_WATCHED);
	ck_assert_uint_eq(pool_to_fork(&pool, WATCHED - 1), 0);
	ck_assert_int_eq(pool_wake_at(&pool, WATCHED - 1), WATCHED);
	look(&pool, MIN_SPARE - 1, 0, 0, WATCHED);
	ck_assert_int_eq(pool.mood, POOL_GROWING);
	ck_assert_uint_eq(pool_to_fork(&pool, WATCHED), 1);
}
END_TEST

START_TEST(a_short_moment_costs_no_fork)
{
	struct pool_state pool = pool_of(&limits, 10);

	look(&pool, 0, 5, 0, T);
	look(&pool, MIN_SPARE, 0, 0, WATCHED - 1);
	ck_assert_int_eq(pool.mood, POOL_CALM);
	ck_assert(pool_wants_short(&pool));
	ck_assert_int_eq(pool_wake_at(&pool, WATCHED), CLOCK_NEVER);
	/* Then it is watched from the start. */
	look(&pool, 0, 5, 0, WATCHED);
	ck_assert_int_eq(pool.mood, POOL_WATCHED);
	ck_assert_int_eq(pool_wake_at(&pool, WATCHED), WATCHED + POOL_WATCH_MS);
}
END_TEST

START_TEST(all_that_are_missing_are_wanted_at_once)
{
	static const struct {
		unsigned idle, queue, wanted;
	} cases[] = { { 3, 0, 11 }, { 0, 0, 14 }, { 0, 1, 15 }, { 0, 500, 514 },
		{ 0, 5000, MAX } };
	struct pool_state pool =
	    growing_pool(10, cases[_i].idle, cases[_i].queue);

	ck_assert_uint_eq(pool.wanted, cases[_i].wanted);
}
END_TEST

START_TEST(those_that_start_are_not_missing)
{
	struct pool_state pool = growing_pool(10, 0, 0);

	ck_assert_uint_eq(pool_to_fork(&pool, WATCHED), 4);
	for (int i = 0; i < 3; i++)
		pool_forked(&pool);
	look(&pool, 0, 0, 0, WATCHED + 1);
	ck_assert_int_eq(pool.mood, POOL_GROWING);
	ck_assert_uint_eq(pool.wanted, 14);
	pool_forked(&pool);
	look(&pool, 0, 0, 0, WATCHED + 1);
	ck_assert_int_eq(pool.mood, POOL_CALM);
	ck_assert_uint_eq(pool_to_fork(&pool, WATCHED + 1), 0);
	/* While they start, more clients come. */
	look(&pool, 0, 3, 0, WATCHED + 2);
	ck_assert_int_eq(pool.mood, POOL_WATCHED);
}
END_TEST

START_TEST(a_growing_pool_follows_at_each_look)
{
	struct pool_state pool = growing_pool(10, 0, 10);

	ck_assert_uint_eq(pool.wanted, 24);
	look(&pool, 0, 40, 0, WATCHED + 1);
	ck_assert_uint_eq(pool.wanted, 54);
	look(&pool, 0, 2, 0, WATCHED + 2);
	ck_assert_uint_eq(pool.wanted, 16);
	ck_assert_int_eq(pool.look_at, WATCHED + POOL_WATCH_MS);
	look(&pool, 0, 2, 0, WATCHED + POOL_WATCH_MS);
	ck_assert_int_eq(pool.look_at, WATCHED + 2 * POOL_WATCH_MS);
	ck_assert_int_eq(pool.mood, POOL_GROWING);
}
END_TEST

START_TEST(batches_double_and_calm_resets_them)
{
	static const unsigned batches[] = { 32, 64, 128, 256, 512, 512, 512 };
	struct pool_limits large = limits;
	struct pool_state pool;

	large.max = 10000;
	pool = pool_of(&large, START);
	look(&pool, 0, 5000, 0, T);
	look(&pool, 0, 5000, 0, WATCHED);
	for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++) {
		ck_assert_int_eq(pool_wake_at(&pool, WATCHED), WATCHED);
		ck_assert_uint_eq(fork_all_at(&pool, WATCHED), batches[i]);
	}
	look(&pool, 20, 0, 0, WATCHED);
	ck_assert_uint_eq(pool.batch, POOL_FIRST_BATCH);
}
END_TEST

START_TEST(what_is_no_longer_missing_is_not_forked)
{
	struct pool_state pool = growing_pool(10, 0, 500);

	ck_assert_uint_eq(fork_all_at(&pool, WATCHED), 32);
	ck_assert_uint_gt(pool_to_fork(&pool, WATCHED), 0);
	look(&pool, 42, 0, 10, WATCHED + 1);
	ck_assert_uint_eq(pool_to_fork(&pool, WATCHED + 1), 0);
	ck_assert_uint_eq(pool.wanted, 42);
}
END_TEST

START_TEST(a_pool_never_has_more_than_max)
{
	struct pool_state pool = pool_of(&limits, MAX - 20);

	pool.retire = 5;
	for (int i = 0; i < 5; i++)
		pool_retired(&pool);
	look(&pool, 0, 500, 0, T);
	look(&pool, 0, 500, 0, WATCHED);
	ck_assert_uint_eq(pool.wanted, MAX - 5);
	ck_assert_uint_eq(fork_all_at(&pool, WATCHED), 20);
	ck_assert_uint_eq(pool.alive + pool.leaving, MAX);
	ck_assert_uint_eq(pool_to_fork(&pool, WATCHED), 0);
}
END_TEST

START_TEST(a_full_pool_is_looked_at_once_a_second)
{
	struct pool_state pool = pool_of(&limits, MAX);

	look(&pool, 0, 500, 0, T);
	ck_assert_int_eq(pool_wake_at(&pool, T), WATCHED);
	look(&pool, 0, 500, 0, WATCHED);
	ck_assert_int_eq(pool_wake_at(&pool, WATCHED), WATCHED + POOL_FULL_MS);
	ck_assert(!pool_wants_short(&pool));
	look(&pool, 0, 500, 0, WATCHED + POOL_FULL_MS);
	ck_assert_int_eq(pool_wake_at(&pool, WATCHED + POOL_FULL_MS),
	    WATCHED + 2 * POOL_FULL_MS);
}
END_TEST

START_TEST(whoever_a_full_pool_loses_is_replaced_at_once)
{
	struct pool_life life = { .was_ready = true, .connections = 1 };
	struct pool_state pool = pool_of(&limits, MAX);

	look(&pool, 0, 500, 0, T);
	look(&pool, 0, 500, 0, WATCHED);
	pool_reaped(&pool, &life, WATCHED + 1);
	ck_assert_uint_eq(pool_to_fork(&pool, WATCHED + 1), 1);
	look(&pool, 0, 500, 0, WATCHED + 1);
	ck_assert_uint_eq(pool_to_fork(&pool, WATCHED + 1), 1);
}
END_TEST

/* Those that came back before the last look do not count. */
START_TEST(a_pool_that_was_full_is_judged_by_its_last_second)
{
	struct pool_life life = { .was_ready = true, .connections = 1 };
	struct pool_state pool = pool_of(&limits, MAX);

	look(&pool, 0, 500, 0, T);
	look(&pool, 0, 500, 1000000, WATCHED);
	pool_reaped(&pool, &life, WATCHED + POOL_FULL_MS);
	look(&pool, 0, 500, 1000000, WATCHED + POOL_FULL_MS);
	ck_assert_int_eq(pool.mood, POOL_GROWING);
}
END_TEST

/* Exactly ten milliseconds for all that wait, and the next one: too slow. */
static const struct {
	unsigned queue;
	uint64_t returned;
	int64_t elapsed;
	enum pool_mood mood;
} paces[] = { { 0, 1, 10, POOL_GROWING }, { 0, 2, 10, POOL_TURNING },
	{ 9, 10, 10, POOL_GROWING }, { 9, 11, 10, POOL_TURNING },
	{ 99, 100, 10, POOL_GROWING }, { 99, 101, 10, POOL_TURNING },
	/* A master that came late has seen more of them. */
	{ 9, 20, 20, POOL_GROWING }, { 9, 21, 20, POOL_TURNING },
	{ 9, 0, 10, POOL_GROWING } };

START_TEST(those_that_come_back_in_time_take_turns)
{
	struct pool_state pool = pool_of(&limits, 10);

	look(&pool, 0, paces[_i].queue, 1000, T);
	look(&pool, 0, paces[_i].queue, 1000 + paces[_i].returned,
	    T + paces[_i].elapsed);
	ck_assert_int_eq(pool.mood, paces[_i].mood);
	ck_assert_int_eq(pool.look_at, T + paces[_i].elapsed + POOL_WATCH_MS);
	ck_assert(pool_retires_busy(&pool) == (pool.mood == POOL_TURNING));
	if (pool.mood == POOL_TURNING)
		ck_assert_uint_eq(
		    pool_to_fork(&pool, T + paces[_i].elapsed), 0);
}
END_TEST

START_TEST(turns_are_judged_anew_in_each_moment)
{
	struct pool_state pool = pool_of(&limits, 10);

	look(&pool, 0, 5, 0, T);
	look(&pool, 0, 5, 100, WATCHED);
	ck_assert_int_eq(pool.mood, POOL_TURNING);
	/* None came back since: those before that moment do not count. */
	look(&pool, 0, 5, 100, WATCHED + POOL_WATCH_MS - 1);
	ck_assert_int_eq(pool.mood, POOL_TURNING);
	look(&pool, 0, 5, 100, WATCHED + POOL_WATCH_MS);
	ck_assert_int_eq(pool.mood, POOL_GROWING);
	ck_assert_uint_eq(pool.wanted, 10 + MIN_SPARE + 5);
	look(&pool, 0, 5, 200, WATCHED + 2 * POOL_WATCH_MS);
	ck_assert_int_eq(pool.mood, POOL_TURNING);
	ck_assert_uint_eq(pool.wanted, 10);
}
END_TEST

START_TEST(what_a_trial_is_due_for_stays_wanted_in_turns)
{
	struct pool_state pool = growing_pool(10, 0, 5);

	pool_fork_failed(&pool, WATCHED);
	look(&pool, 0, 5, 100, WATCHED + POOL_WATCH_MS);
	ck_assert_int_eq(pool.mood, POOL_TURNING);
	ck_assert_uint_eq(pool.wanted, 19);
	ck_assert_uint_eq(pool_to_fork(&pool, WATCHED + 100), 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pool_growth");
	TCase *tcase = unit_case(suite, "growing");

	tcase_add_test(tcase, enough_spare_workers_are_left_alone);
	tcase_add_test(tcase, a_short_pool_is_watched_first);
	tcase_add_test(tcase, a_short_moment_costs_no_fork);
	tcase_add_loop_test(
	    tcase, all_that_are_missing_are_wanted_at_once, 0, 5);
	tcase_add_test(tcase, those_that_start_are_not_missing);
	tcase_add_test(tcase, a_growing_pool_follows_at_each_look);
	tcase_add_test(tcase, batches_double_and_calm_resets_them);
	tcase_add_test(tcase, what_is_no_longer_missing_is_not_forked);
	tcase_add_test(tcase, a_pool_never_has_more_than_max);
	tcase_add_test(tcase, a_full_pool_is_looked_at_once_a_second);
	tcase_add_test(tcase, whoever_a_full_pool_loses_is_replaced_at_once);
	tcase_add_test(
	    tcase, a_pool_that_was_full_is_judged_by_its_last_second);
	tcase = unit_case(suite, "turns");
	tcase_add_loop_test(tcase, those_that_come_back_in_time_take_turns, 0,
	    (int)(sizeof(paces) / sizeof(paces[0])));
	tcase_add_test(tcase, turns_are_judged_anew_in_each_moment);
	tcase_add_test(tcase, what_a_trial_is_due_for_stays_wanted_in_turns);
	return unit_run(suite);
}
