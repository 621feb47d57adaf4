/*
 * Tests of master/pool: what a reload and an upgrade make of a pool's counts.
 */
#include "unit/pool_state.h"

static const struct pool_life was_leaving = { .asked = true,
	.leaving = true,
	.was_ready = true,
	.connections = 1,
	.lived_ms = 5000 };
static const struct pool_limits fewer = {
	.start = 2, .min_spare = 1, .max_spare = 4, .max = 24
};

/* What a reload starts with: one worker of the new settings, in accept. */
static struct pool_state
fresh_of(const struct pool_limits *these)
{
	struct pool_state fresh;

	pool_init(&fresh, these);
	pool_forked(&fresh);
	pool_ready(&fresh);
	return fresh;
}

START_TEST(the_new_one_begins_with_its_worker_and_its_limits)
{
	struct pool_state pool = pool_of(&limits, 20), fresh = fresh_of(&fewer);

	pool_succeed(&pool, &fresh);
	ck_assert_uint_eq(pool.limits.max, fewer.max);
	ck_assert_uint_eq(pool.alive, 1);
	ck_assert_uint_eq(pool.starting, 0);
	ck_assert_uint_eq(pool.leaving, 20);
	ck_assert_uint_eq(pool.wanted, fewer.start);
	ck_assert(!pool.begun);
	ck_assert_uint_eq(pool_to_fork(&pool, 0), 1);
	ck_assert_uint_eq(pool_to_retire(&pool), 0);
}
END_TEST

START_TEST(those_of_before_count_until_they_are_gone)
{
	struct pool_state pool = pool_of(&limits, 24), fresh = fresh_of(&fewer);

	pool_succeed(&pool, &fresh);
	ck_assert_uint_eq(pool.leaving, 24);
	ck_assert_uint_eq(pool_to_fork(&pool, 0), 0);
	ck_assert_int_eq(pool_wake_at(&pool, 0), CLOCK_NEVER);
	/* More of them than there may be now, and two are needed to go. */
	pool_reaped(&pool, &was_leaving, 10);
	ck_assert_uint_eq(pool_to_fork(&pool, 10), 0);
	pool_reaped(&pool, &was_leaving, 10);
	ck_assert_uint_eq(pool_to_fork(&pool, 10), 1);
	for (int i = 0; i < 22; i++)
		pool_reaped(&pool, &was_leaving, 10);
	ck_assert_uint_eq(pool.leaving, 0);
	ck_assert_uint_eq(pool.alive, 1);
}
END_TEST

/* Some were told to leave by the policy already, and others are starting. */
START_TEST(who_left_already_and_who_starts_leave_as_well)
{
	struct pool_state pool = pool_of(&limits, 20), fresh = fresh_of(&fewer);

	pool.retire = 3;
	for (int i = 0; i < 3; i++)
		pool_retired(&pool);
	pool_forked(&pool);
	pool_succeed(&pool, &fresh);
	ck_assert_uint_eq(pool.leaving, 21);
	ck_assert_uint_eq(pool.alive, 1);
	ck_assert_uint_eq(pool.starting, 0);
}
END_TEST

/* A reload upon another, whose workers serve on. */
START_TEST(several_generations_leave_together)
{
	struct pool_state pool = pool_of(&limits, 4), fresh;

	for (unsigned i = 0; i < 200; i++) {
		fresh = fresh_of(&limits);
		pool_succeed(&pool, &fresh);
		ck_assert_uint_eq(pool.leaving, 4 + i);
		ck_assert_uint_eq(pool.alive, 1);
	}
	for (int i = 0; i < 203; i++)
		pool_reaped(&pool, &was_leaving, 0);
	ck_assert_uint_eq(pool.leaving, 0);
	ck_assert_uint_eq(pool.alive, 1);
}
END_TEST

/* It has come into accept, served one client and left, as it shall. */
START_TEST(a_first_worker_that_left_has_shown_that_it_can)
{
	const struct pool_life life = {
		.asked = true, .was_ready = true, .connections = 1
	};
	struct pool_state pool = pool_of(&limits, 4), fresh = fresh_of(&limits);

	ck_assert(!pool_reaped(&fresh, &life, 0));
	pool_succeed(&pool, &fresh);
	ck_assert_uint_eq(pool.alive, 0);
	ck_assert_uint_eq(pool.leaving, 4);
	ck_assert_uint_eq(pool_to_fork(&pool, 0), START);
}
END_TEST

/* The failures of before were those of the settings of before. */
START_TEST(a_pool_that_was_degraded_is_none_any_more)
{
	const struct pool_life crashed = { .was_ready = false };
	struct pool_state pool = pool_of(&limits, 4), fresh = fresh_of(&limits);

	pool_forked(&pool);
	pool_reaped(&pool, &crashed, 0);
	pool.wanted = 5;
	ck_assert(pool_is_degraded(&pool));
	pool_succeed(&pool, &fresh);
	ck_assert(!pool_is_degraded(&pool));
	ck_assert_uint_eq(pool_to_fork(&pool, 0), START - 1);
}
END_TEST

START_TEST(a_reload_that_is_refused_changes_nothing_but_who_leaves)
{
	struct pool_state pool = pool_of(&limits, 20), before = pool,
			  fresh = fresh_of(&fewer);

	pool_forked(&fresh); /* another that has not come into accept */
	pool_outlive(&pool, &fresh);
	ck_assert_uint_eq(pool.leaving, 2);
	for (int i = 0; i < 2; i++)
		pool_reaped(&pool, &was_leaving, 10);
	ck_assert_mem_eq(&pool, &before, sizeof(pool));
}
END_TEST

START_TEST(none_that_was_started_is_none_that_leaves)
{
	const struct pool_life died = { .was_ready = false };
	struct pool_state pool = pool_of(&limits, 20), before = pool, fresh;

	pool_init(&fresh, &fewer);
	pool_outlive(&pool, &fresh);
	ck_assert_mem_eq(&pool, &before, sizeof(pool));
	pool_forked(&fresh);
	pool_reaped(&fresh, &died, 10);
	pool_outlive(&pool, &fresh);
	ck_assert_mem_eq(&pool, &before, sizeof(pool));
}
END_TEST

START_TEST(one_that_is_inherited_goes_on)
{
	struct pool_state pool;

	pool_init(&pool, &limits);
	pool_inherit(&pool, 10, 2, 3);
	ck_assert_uint_eq(pool.alive, 10);
	ck_assert_uint_eq(pool.starting, 2);
	ck_assert_uint_eq(pool.leaving, 3);
	ck_assert(pool_is_up(&pool));
	ck_assert(!pool_is_degraded(&pool));
	ck_assert(pool_wants_short(&pool));
	ck_assert_uint_eq(pool_to_fork(&pool, 0), 0);
	ck_assert_int_eq(pool_wake_at(&pool, 0), CLOCK_NEVER);
	/* The two arrive, and three leave. */
	pool_ready(&pool);
	pool_ready(&pool);
	for (int i = 0; i < 3; i++)
		pool_reaped(&pool, &was_leaving, 10);
	ck_assert_uint_eq(pool.alive, 10);
	ck_assert_uint_eq(pool.starting, 0);
	ck_assert_uint_eq(pool.leaving, 0);
}
END_TEST

/* All of them died while another binary was executed. */
START_TEST(one_that_is_inherited_without_workers_grows)
{
	struct pool_state pool;

	pool_init(&pool, &limits);
	pool_inherit(&pool, 0, 0, 0);
	ck_assert(!pool_is_up(&pool));
	look(&pool, 0, 0, 0, 1000);
	look(&pool, 0, 0, 0, 1000 + POOL_WATCH_MS);
	ck_assert_uint_eq(pool_to_fork(&pool, 1000 + POOL_WATCH_MS), MIN_SPARE);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pool");
	TCase *tcase = unit_case(suite, "succeed");

	tcase_add_test(
	    tcase, the_new_one_begins_with_its_worker_and_its_limits);
	tcase_add_test(tcase, those_of_before_count_until_they_are_gone);
	tcase_add_test(tcase, who_left_already_and_who_starts_leave_as_well);
	tcase_add_test(tcase, several_generations_leave_together);
	tcase_add_test(tcase, a_first_worker_that_left_has_shown_that_it_can);
	tcase_add_test(tcase, a_pool_that_was_degraded_is_none_any_more);
	tcase = unit_case(suite, "outlive");
	tcase_add_test(
	    tcase, a_reload_that_is_refused_changes_nothing_but_who_leaves);
	tcase_add_test(tcase, none_that_was_started_is_none_that_leaves);
	tcase = unit_case(suite, "inherit");
	tcase_add_test(tcase, one_that_is_inherited_goes_on);
	tcase_add_test(tcase, one_that_is_inherited_without_workers_grows);
	return unit_run(suite);
}
