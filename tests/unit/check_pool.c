/*
 * Tests of master/pool: the first workers, and those that leave.
 */
#include "unit/pool_state.h"

static const struct pool_life crashed_early = { .was_ready = true,
	.lived_ms = POOL_EARLY_MS - 1 };
static const struct pool_life crashed_serving = {
	.was_ready = true, .connections = 1, .lived_ms = 1
};
static const struct pool_life was_leaving = {
	.asked = true, .leaving = true, .was_ready = true, .lived_ms = 1
};

START_TEST(a_new_pool_forks_one_on_trial)
{
	struct pool_state pool;

	pool_init(&pool, &limits);
	ck_assert_uint_eq(pool.wanted, START);
	ck_assert_uint_eq(pool.alive, 0);
	ck_assert_uint_eq(pool.starting, 0);
	ck_assert(pool.trial);
	ck_assert_uint_eq(pool_to_fork(&pool, 0), 1);
	ck_assert_int_eq(pool_wake_at(&pool, 0), 0);
	ck_assert_uint_eq(pool_to_retire(&pool), 0);
	ck_assert(!pool_is_up(&pool));
	ck_assert(!pool_is_degraded(&pool));
	ck_assert(!pool_wants_short(&pool));
	ck_assert(!pool_wants_excess(&pool));
}
END_TEST

START_TEST(nobody_is_forked_while_the_trial_starts)
{
	struct pool_state pool;

	pool_init(&pool, &limits);
	pool_forked(&pool);
	ck_assert_uint_eq(pool.alive, 1);
	ck_assert_uint_eq(pool.starting, 1);
	ck_assert_uint_eq(pool_to_fork(&pool, 1000), 0);
	ck_assert_int_eq(pool_wake_at(&pool, 1000), CLOCK_NEVER);
	ck_assert(!pool_is_up(&pool));
}
END_TEST

START_TEST(after_the_trial_the_others_are_forked_at_once)
{
	struct pool_state pool;

	pool_init(&pool, &limits);
	pool_forked(&pool);
	pool_ready(&pool);
	ck_assert(!pool.trial);
	ck_assert_uint_eq(pool.starting, 0);
	ck_assert_uint_eq(pool_to_fork(&pool, 1000), START - 1);
	ck_assert_int_eq(pool_wake_at(&pool, 1000), 1000);
	pool_forked(&pool);
	ck_assert_uint_eq(pool_to_fork(&pool, 1000), START - 2);
	ck_assert(!pool_is_up(&pool));
}
END_TEST

START_TEST(many_first_workers_are_forked_in_batches)
{
	struct pool_state pool;

	pool_init(&pool, &(struct pool_limits){ 500, 1, 2, 500 });
	ck_assert_uint_eq(pool_to_fork(&pool, 0), 1);
	pool_forked(&pool);
	pool_ready(&pool);
	ck_assert_uint_eq(fork_all_at(&pool, 0), POOL_FIRST_BATCH);
	ck_assert_uint_eq(fork_all_at(&pool, 0), 2 * POOL_FIRST_BATCH);
}
END_TEST

START_TEST(a_pool_is_up_once_all_are_in_accept)
{
	struct pool_state pool;

	pool_init(&pool, &(struct pool_limits){ 2, 1, 2, 4 });
	pool_forked(&pool);
	pool_ready(&pool);
	ck_assert(!pool_is_up(&pool));
	pool_forked(&pool);
	ck_assert(!pool_is_up(&pool));
	pool_ready(&pool);
	ck_assert(pool_is_up(&pool));
	ck_assert(!pool_is_degraded(&pool));
	ck_assert_uint_eq(pool_to_fork(&pool, 1000), 0);
	ck_assert_int_eq(pool_wake_at(&pool, 1000), CLOCK_NEVER);
}
END_TEST

/* Before that nobody is missed: they are on their way. */
START_TEST(a_pool_begins_once_all_are_in_accept)
{
	struct pool_state pool;

	pool_init(&pool, &limits);
	look(&pool, 0, 50, 0, 0);
	pool_forked(&pool);
	look(&pool, 0, 50, 0, 1);
	pool_ready(&pool);
	look(&pool, 0, 50, 0, 2);
	for (int i = 1; i < START; i++)
		pool_forked(&pool);
	look(&pool, 0, 50, 0, 3);
	ck_assert(!pool.begun);
	ck_assert(!pool_wants_short(&pool));
	ck_assert(!pool_is_full(&pool, &(struct pool_view){ .queue = 1 }));
	for (int i = 1; i < START; i++)
		pool_ready(&pool);
	ck_assert_int_eq(pool.mood, POOL_CALM);
	look(&pool, 0, 50, 0, 4);
	ck_assert(pool.begun);
	ck_assert(pool_wants_short(&pool));
	ck_assert_int_eq(pool.mood, POOL_CALM);
}
END_TEST

START_TEST(a_failure_before_the_beginning_holds_it_back)
{
	struct pool_state pool;

	pool_init(&pool, &limits);
	while (fork_all_at(&pool, 0) > 0)
		;
	pool_reaped(&pool, &crashed_early, 1000);
	look(&pool, 3, 0, 0, 1000);
	ck_assert(!pool.begun);
	ck_assert(pool_is_up(&pool));
	pool_forked(&pool);
	ck_assert(pool.trial);
	look(&pool, 3, 0, 0, 1100);
	ck_assert(!pool.begun);
	pool_ready(&pool);
	look(&pool, 4, 0, 0, 1100);
	ck_assert(pool.begun);
}
END_TEST

/* Somebody is always on the way where workers leave after one connection. */
START_TEST(a_pool_has_begun_though_workers_come_and_go)
{
	struct pool_view view = { 0 };
	struct pool_state pool;

	pool_init(&pool, &limits);
	for (int i = 0; i < START; i++) {
		ck_assert(!pool.begun);
		pool_forked(&pool);
		pool_ready(&pool);
		pool_forked(&pool);
		pool_look(&pool, &view, 1000);
		pool_reaped(&pool, &crashed_serving, 1000);
	}
	ck_assert(pool.begun);
}
END_TEST

START_TEST(a_pool_that_has_begun_is_up_while_others_start)
{
	struct pool_state pool = pool_of(&limits, START);

	pool_forked(&pool);
	ck_assert(pool_is_up(&pool));
	for (int i = 0; i < START; i++)
		pool_reaped(&pool, &crashed_serving, 5000);
	ck_assert(!pool_is_up(&pool));
	pool_ready(&pool);
	ck_assert(pool_is_up(&pool));
}
END_TEST

START_TEST(who_leaves_is_not_alive_and_not_gone)
{
	struct pool_state pool = pool_of(&limits, 20);

	pool.retire = 2;
	ck_assert_uint_eq(pool_to_retire(&pool), 2);
	pool_retired(&pool);
	ck_assert_uint_eq(pool_to_retire(&pool), 1);
	ck_assert_uint_eq(pool.alive, 19);
	ck_assert_uint_eq(pool.leaving, 1);
	ck_assert_uint_eq(pool.wanted, 19);
	/* Nobody else could be told. */
	pool_retired_all(&pool);
	ck_assert_uint_eq(pool_to_retire(&pool), 0);
	ck_assert_uint_eq(pool.alive, 19);
	ck_assert(!pool_reaped(&pool, &was_leaving, 5000));
	ck_assert_uint_eq(pool.alive, 19);
	ck_assert_uint_eq(pool.leaving, 0);
	ck_assert_uint_eq(pool_to_fork(&pool, 5000), 0);
}
END_TEST

/* Killed on its way out, it was of no use to anybody any more. */
START_TEST(a_leaving_one_that_crashes_is_no_failure)
{
	struct pool_life life = { .leaving = true, .was_ready = true };
	struct pool_state pool = pool_of(&limits, 20);

	pool.retire = 1;
	pool_retired(&pool);
	ck_assert(!pool_reaped(&pool, &life, 10));
	ck_assert_uint_eq(pool.backoff.failures, 0);
	ck_assert_uint_eq(pool.alive, 19);
}
END_TEST

START_TEST(those_that_leave_take_room)
{
	struct pool_state pool = pool_of(
	    &(struct pool_limits){ .min_spare = 1, .max_spare = 2, .max = 10 },
	    10);

	pool.retire = 3;
	for (int i = 0; i < 3; i++)
		pool_retired(&pool);
	pool.wanted = 10;
	ck_assert_uint_eq(pool_to_fork(&pool, 5000), 0);
	ck_assert_int_eq(pool_wake_at(&pool, 5000), CLOCK_NEVER);
	ck_assert(pool_is_full(&pool, &(struct pool_view){ .queue = 1 }));
	pool_reaped(&pool, &was_leaving, 5000);
	ck_assert_uint_eq(pool_to_fork(&pool, 5000), 1);
	ck_assert_int_eq(pool_wake_at(&pool, 5000), 5000);
	ck_assert(!pool_is_full(&pool, &(struct pool_view){ .queue = 1 }));
}
END_TEST

START_TEST(a_full_pool_is_one_where_clients_wait)
{
	struct pool_state pool = pool_of(
	    &(struct pool_limits){ .min_spare = 1, .max_spare = 2, .max = 5 },
	    5);

	ck_assert(pool_is_full(&pool, &(struct pool_view){ .queue = 1 }));
	ck_assert(!pool_is_full(&pool, &(struct pool_view){ .queue = 0 }));
	pool_reaped(&pool, &crashed_serving, 5000);
	ck_assert(!pool_is_full(&pool, &(struct pool_view){ .queue = 1 }));
}
END_TEST

START_TEST(a_pool_may_be_full_when_it_is_short_and_cannot_grow)
{
	struct pool_state pool = pool_of(
	    &(struct pool_limits){ .min_spare = 1, .max_spare = 2, .max = 5 },
	    5);

	pool_look(&pool, &(struct pool_view){ .idle = 1 }, 5000);
	ck_assert(!pool_may_be_full(&pool));
	pool_look(&pool, &(struct pool_view){ .idle = 0 }, 5000);
	ck_assert(pool_may_be_full(&pool));
	pool_look(
	    &pool, &(struct pool_view){ .idle = 0 }, 5000 + POOL_WATCH_MS);
	ck_assert(pool_may_be_full(&pool));
	pool_reaped(&pool, &crashed_serving, 6000);
	ck_assert(!pool_may_be_full(&pool));
	pool_forked(&pool);
	ck_assert(!pool_may_be_full(&pool));
	pool_ready(&pool);
	ck_assert(pool_may_be_full(&pool));
	pool_look(&pool, &(struct pool_view){ .idle = 1 }, 7000);
	ck_assert(!pool_may_be_full(&pool));
}
END_TEST

static const uint64_t spread_limits[] = { 16, 64, 100, 1000, 1000000000 };

START_TEST(lives_are_spread_over_a_quarter_of_the_limit)
{
	uint64_t limit = spread_limits[_i], least = limit, most = 0, n;

	for (uint64_t i = 0; i < 100000; i++) {
		n = pool_connections(limit, i);
		least = n < least ? n : least;
		most = n > most ? n : most;
	}
	ck_assert_uint_eq(most, limit);
	ck_assert_uint_ge(least, limit - limit / 4);
	ck_assert_uint_le(least, limit - limit / 4 + 1 + limit / 10000);
	ck_assert_uint_eq(pool_connections(limit, 0), limit);
}
END_TEST

START_TEST(any_sixteen_in_a_row_are_far_apart)
{
	const uint64_t limit = 1000000, quarter = limit / 4;
	uint64_t a, b;

	for (uint64_t first = 0; first < 20000; first++)
		for (uint64_t i = 0; i < 16; i++)
			for (uint64_t j = 0; j < i; j++) {
				a = pool_connections(limit, first + i);
				b = pool_connections(limit, first + j);
				if ((a > b ? a - b : b - a) < quarter / 48)
					ck_abort_msg("%llu, %llu and %llu",
					    (unsigned long long)first,
					    (unsigned long long)i,
					    (unsigned long long)j);
			}
}
END_TEST

START_TEST(a_small_limit_is_itself_and_none_is_none)
{
	for (uint64_t i = 0; i < 1000; i++) {
		for (uint64_t limit = 0; limit < 4; limit++)
			ck_assert(pool_connections(limit, i) == limit);
		ck_assert(pool_connections(4, i) == 4);
		ck_assert(pool_connections(8, i) >= 7);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pool");
	TCase *tcase = unit_case(suite, "starting");

	tcase_add_test(tcase, a_new_pool_forks_one_on_trial);
	tcase_add_test(tcase, nobody_is_forked_while_the_trial_starts);
	tcase_add_test(tcase, after_the_trial_the_others_are_forked_at_once);
	tcase_add_test(tcase, many_first_workers_are_forked_in_batches);
	tcase_add_test(tcase, a_pool_is_up_once_all_are_in_accept);
	tcase_add_test(tcase, a_pool_begins_once_all_are_in_accept);
	tcase_add_test(tcase, a_failure_before_the_beginning_holds_it_back);
	tcase_add_test(tcase, a_pool_has_begun_though_workers_come_and_go);
	tcase_add_test(tcase, a_pool_that_has_begun_is_up_while_others_start);
	tcase = unit_case(suite, "leaving");
	tcase_add_test(tcase, who_leaves_is_not_alive_and_not_gone);
	tcase_add_test(tcase, a_leaving_one_that_crashes_is_no_failure);
	tcase_add_test(tcase, those_that_leave_take_room);
	tcase_add_test(tcase, a_full_pool_is_one_where_clients_wait);
	tcase_add_test(
	    tcase, a_pool_may_be_full_when_it_is_short_and_cannot_grow);
	tcase = unit_case(suite, "connections");
	tcase_add_loop_test(tcase, lives_are_spread_over_a_quarter_of_the_limit,
	    0, (int)(sizeof(spread_limits) / sizeof(spread_limits[0])));
	tcase_add_test(tcase, any_sixteen_in_a_row_are_far_apart);
	tcase_add_test(tcase, a_small_limit_is_itself_and_none_is_none);
	return unit_run(suite);
}
