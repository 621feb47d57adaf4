/*
 * Tests of master/pool: whether more workers raise the pace of those that
 * take turns.
 */
#include "unit/pool_state.h"

#define T INT64_C(100000)
#define QUEUE 5

static uint64_t returned;

/* Looks as often as the pool wants to, at that pace, until it is time. */
static int64_t
turn_at_pace(
    struct pool_state *pool, int64_t now, int64_t until, unsigned a_second)
{
	uint64_t before = returned;

	for (int64_t at = now + 1; at <= until; at++) {
		returned = before + (uint64_t)(at - now) * a_second / 1000;
		look(pool, 0, QUEUE, returned, at);
		if (pool->retire > 0 || pool_to_fork(pool, at) > 0)
			return at;
	}
	return until;
}

/* A pool of so many that take turns since T + POOL_WATCH_MS. */
static struct pool_state
turning_pool(unsigned workers, unsigned a_second, int64_t *now)
{
	struct pool_state pool = pool_of(&limits, workers);

	returned = 7;
	look(&pool, 0, QUEUE, returned, T);
	*now = turn_at_pace(&pool, T, T + POOL_WATCH_MS, a_second);
	ck_assert_int_eq(pool.mood, POOL_TURNING);
	ck_assert_int_eq(*now, T + POOL_WATCH_MS);
	return pool;
}

START_TEST(half_as_many_again_are_tried_once_the_pace_is_known)
{
	static const unsigned sizes[][2] = { { 1, 2 }, { 4, 7 }, { 5, 8 },
		{ 10, 16 }, { 100, 151 }, { 900, MAX } };
	int64_t now;
	struct pool_state pool = turning_pool(sizes[_i][0], 1000, &now);

	now = turn_at_pace(&pool, now, now + 1000, 1000);
	ck_assert_int_eq(now, T + POOL_WATCH_MS + POOL_PACE_MS);
	ck_assert_uint_eq(pool.wanted, sizes[_i][1]);
	ck_assert_uint_eq(pool.best_pace, 1000);
	ck_assert_uint_eq(pool.before_try, sizes[_i][0]);
}
END_TEST

/* A pool of 10 that has tried 16. */
static struct pool_state
tried_pool(int64_t *now)
{
	struct pool_state pool = turning_pool(10, 1000, now);

	*now = turn_at_pace(&pool, *now, *now + 1000, 1000);
	ck_assert_uint_eq(fork_all_at(&pool, *now), 6);
	return pool;
}

START_TEST(a_pace_that_rises_by_a_quarter_keeps_them_and_tries_on)
{
	int64_t now, since;
	struct pool_state pool = tried_pool(&now);

	since = now;
	now = turn_at_pace(&pool, now, now + 1000, 1260);
	ck_assert_int_eq(now - since, POOL_PACE_MS);
	ck_assert_uint_eq(pool.best_pace, 1260);
	ck_assert_uint_eq(pool.before_try, 16);
	ck_assert_uint_eq(pool.wanted, 25);
	ck_assert_uint_eq(pool_to_retire(&pool), 0);
}
END_TEST

START_TEST(otherwise_they_are_taken_back)
{
	static const unsigned low[] = { 700, 1000, 1240, 1250 };
	int64_t now, since;
	struct pool_state pool = tried_pool(&now);

	since = now;
	now = turn_at_pace(&pool, now, now + 1000, low[_i]);
	ck_assert_int_eq(now - since, POOL_PACE_MS);
	ck_assert_int_eq(pool.mood, POOL_TURNING);
	ck_assert_uint_eq(pool.best_pace, 1000);
	ck_assert_uint_eq(pool_to_retire(&pool), 6);
	ck_assert(pool_retires_busy(&pool));
	while (pool_to_retire(&pool) > 0)
		pool_retired(&pool);
	ck_assert_uint_eq(pool.alive, 10);
	ck_assert_uint_eq(pool.wanted, 10);
	/* Once: another measurement takes nobody. */
	since = now;
	ck_assert_int_eq(
	    turn_at_pace(&pool, now, now + 1000, 1000), since + 1000);
}
END_TEST

/* One that reaches max-workers is judged like any other. */
START_TEST(a_try_up_to_the_limit_is_taken_back)
{
	int64_t now;
	struct pool_state pool = tried_pool(&now);

	pool.limits.max = pool.alive;
	turn_at_pace(&pool, now, now + 2 * POOL_PACE_MS, 1000);
	ck_assert_uint_eq(pool_to_retire(&pool), 6);
	ck_assert_int_eq(pool.mood, POOL_TURNING);
}
END_TEST

/* Whoever dies is replaced at once, and the pace is measured anew. */
START_TEST(deaths_meanwhile_are_made_good)
{
	struct pool_life life = { .was_ready = true, .connections = 1 };
	int64_t now;
	struct pool_state pool = tried_pool(&now);

	for (int i = 0; i < 4; i++)
		pool_reaped(&pool, &life, now);
	ck_assert_uint_eq(pool_to_fork(&pool, now), 4);
	for (int i = 0; i < 4; i++) {
		pool_forked(&pool);
		pool_ready(&pool);
	}
	turn_at_pace(&pool, now, now + 2 * POOL_PACE_MS, 1000);
	ck_assert_uint_eq(pool_to_retire(&pool), 6);
	ck_assert_uint_eq(pool.before_try, 0);
}
END_TEST

START_TEST(a_try_is_remembered_for_a_minute)
{
	int64_t now, best;
	struct pool_state pool = tried_pool(&now);

	best = now;
	now = turn_at_pace(&pool, now, now + 1000, 1000);
	while (pool_to_retire(&pool) > 0)
		pool_retired(&pool);
	now = turn_at_pace(&pool, now, now + 2 * POOL_FORGET_MS, 1000);
	ck_assert_int_gt(now - best, POOL_FORGET_MS);
	ck_assert_int_le(now - best, POOL_FORGET_MS + POOL_PACE_MS);
	ck_assert_uint_eq(pool.wanted, 16);
	ck_assert_uint_eq(pool.best_pace, 1000);
	ck_assert_int_eq(pool.best_at, now);
}
END_TEST

/* Looks where a pace of a second was measured from pace_at on. */
static void
look_again(struct pool_state *pool, int64_t pace_at, int64_t now)
{
	pool->retire = 0;
	pool->pace_at = pace_at;
	pool->pace_returned = returned;
	pool->seen_at = now - POOL_WATCH_MS;
	pool->seen_returned = returned;
	pool->look_at = now;
	look(pool, 0, QUEUE, returned + (uint64_t)(now - pace_at), now);
	ck_assert_int_eq(pool->mood, POOL_TURNING);
}

START_TEST(a_minute_is_a_minute)
{
	int64_t now, end;
	struct pool_state pool = tried_pool(&now);

	end = pool.best_at + POOL_FORGET_MS;
	look_again(&pool, end - POOL_PACE_MS, end);
	ck_assert_uint_eq(pool.wanted, 16);
	look_again(&pool, end + 1 - POOL_PACE_MS, end + 1);
	ck_assert_uint_eq(pool.wanted, 25);
	ck_assert_int_eq(pool.best_at, end + 1);
}
END_TEST

START_TEST(a_pace_is_measured_over_no_less_than_it_takes)
{
	int64_t now;
	struct pool_state pool = turning_pool(10, 1000, &now);

	look_again(&pool, now, now + POOL_PACE_MS - 1);
	ck_assert_uint_eq(pool.wanted, 10);
	look_again(&pool, now, now + POOL_PACE_MS);
	ck_assert_uint_eq(pool.wanted, 16);
}
END_TEST

START_TEST(what_a_single_worker_tried_is_taken_back_too)
{
	int64_t now;
	struct pool_state pool = turning_pool(1, 1000, &now);

	now = turn_at_pace(&pool, now, now + 1000, 1000);
	ck_assert_uint_eq(fork_all_at(&pool, now), 1);
	turn_at_pace(&pool, now, now + 1000, 1000);
	ck_assert_uint_eq(pool_to_retire(&pool), 1);
}
END_TEST

START_TEST(a_pace_is_measured_when_all_are_in_accept)
{
	int64_t now, since;
	struct pool_state pool = turning_pool(10, 1000, &now);

	now = turn_at_pace(&pool, now, now + 1000, 1000);
	for (int i = 0; i < 6; i++)
		pool_forked(&pool);
	for (int i = 0; i < 5; i++)
		pool_ready(&pool);
	/* The last one takes long: what they do meanwhile tells nothing. */
	now = turn_at_pace(&pool, now, now + 5 * POOL_PACE_MS, 1000);
	ck_assert_uint_eq(pool.best_pace, 1000);
	since = now;
	pool_ready(&pool);
	now = turn_at_pace(&pool, now, now + 1000, 2000);
	ck_assert_int_eq(now - since, POOL_PACE_MS);
	ck_assert_uint_eq(pool.best_pace, 2000);
}
END_TEST

START_TEST(nothing_is_tried_where_nobody_waits)
{
	int64_t now;
	struct pool_state pool = turning_pool(10, 1000, &now);

	now = turn_at_pace(&pool, now, now + POOL_PACE_MS - 1, 1000);
	ck_assert_int_ne(pool.pace_at, 0);
	now = pool.look_at;
	look(&pool, 1, 0, returned += 10, now);
	ck_assert_int_eq(pool.mood, POOL_TURNING);
	ck_assert_int_eq(pool.pace_at, 0);
	ck_assert_uint_eq(pool.wanted, 10);
	/* Then it is measured from the start. */
	now = pool.look_at;
	look(&pool, 0, QUEUE, returned += 10, now);
	ck_assert_int_eq(pool.pace_at, now);
	ck_assert_uint_eq(pool.wanted, 10);
}
END_TEST

START_TEST(calm_ends_a_try_and_keeps_what_it_brought)
{
	int64_t now;
	struct pool_state pool = tried_pool(&now);

	look(&pool, MIN_SPARE, 0, returned, now + 1);
	ck_assert_int_eq(pool.mood, POOL_CALM);
	ck_assert(!pool_retires_busy(&pool));
	ck_assert_int_eq(pool.pace_at, 0);
	ck_assert_uint_eq(pool.before_try, 0);
	ck_assert_uint_eq(pool.alive, 16);
	ck_assert_uint_eq(pool_to_retire(&pool), 0);
	ck_assert_uint_eq(pool.best_pace, 1000);
}
END_TEST

START_TEST(growth_ends_a_try_and_keeps_what_it_brought)
{
	int64_t now;
	struct pool_state pool = tried_pool(&now);

	look(&pool, 0, 300, returned, now + POOL_WATCH_MS);
	ck_assert_int_eq(pool.mood, POOL_GROWING);
	while (fork_all_at(&pool, now) > 0)
		;
	ck_assert_uint_eq(pool.alive, 320);
	ck_assert_uint_eq(pool.before_try, 0);
	now = pool.look_at;
	look(&pool, 0, QUEUE, returned += 10, now);
	turn_at_pace(&pool, now, now + 3 * POOL_PACE_MS, 1000);
	ck_assert_int_eq(pool.mood, POOL_TURNING);
	ck_assert_uint_eq(pool.alive, 320);
	ck_assert_uint_eq(pool_to_retire(&pool), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pool_try");
	TCase *tcase = unit_case(suite, "try");

	tcase_add_loop_test(
	    tcase, half_as_many_again_are_tried_once_the_pace_is_known, 0, 6);
	tcase_add_test(
	    tcase, a_pace_that_rises_by_a_quarter_keeps_them_and_tries_on);
	tcase_add_loop_test(tcase, otherwise_they_are_taken_back, 0, 4);
	tcase_add_test(tcase, a_try_up_to_the_limit_is_taken_back);
	tcase_add_test(tcase, deaths_meanwhile_are_made_good);
	tcase_add_test(tcase, a_try_is_remembered_for_a_minute);
	tcase_add_test(tcase, a_minute_is_a_minute);
	tcase_add_test(tcase, a_pace_is_measured_over_no_less_than_it_takes);
	tcase_add_test(tcase, what_a_single_worker_tried_is_taken_back_too);
	tcase_add_test(tcase, a_pace_is_measured_when_all_are_in_accept);
	tcase_add_test(tcase, nothing_is_tried_where_nobody_waits);
	tcase_add_test(tcase, calm_ends_a_try_and_keeps_what_it_brought);
	tcase_add_test(tcase, growth_ends_a_try_and_keeps_what_it_brought);
	return unit_run(suite);
}
