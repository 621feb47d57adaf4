/*
 * Tests of master/pool: when workers are forked, and when they are not.
 */
#include "common/clock.h"
#include "master/pool.h"
#include "unit/unit.h"

#define WANTED 4

static const struct pool_life crashed_at_start = { .lived_ms = 5 };
static const struct pool_life crashed_early = { .was_ready = true,
	.lived_ms = POOL_EARLY_MS - 1 };
static const struct pool_life crashed_late = { .was_ready = true,
	.lived_ms = POOL_EARLY_MS };
static const struct pool_life crashed_serving = {
	.was_ready = true, .connections = 1, .lived_ms = 1
};
static const struct pool_life left_as_told = {
	.asked = true, .was_ready = true, .lived_ms = 1
};
static const struct pool_life left_at_start = { .asked = true };

/* A pool whose workers are all in accept. */
static struct pool_state
running_pool(void)
{
	struct pool_state pool;

	pool_init(&pool, WANTED);
	for (int i = 0; i < WANTED; i++) {
		pool_forked(&pool);
		pool_ready(&pool);
	}
	return pool;
}

START_TEST(a_new_pool_forks_one_on_trial)
{
	struct pool_state pool;

	pool_init(&pool, WANTED);
	ck_assert_uint_eq(pool.wanted, WANTED);
	ck_assert_uint_eq(pool.alive, 0);
	ck_assert_uint_eq(pool.starting, 0);
	ck_assert(pool.trial);
	ck_assert_uint_eq(pool_to_fork(&pool, 0), 1);
	ck_assert_int_eq(pool_wake_at(&pool, 0), CLOCK_NEVER);
	ck_assert(!pool_is_up(&pool));
	ck_assert(!pool_is_degraded(&pool));
}
END_TEST

START_TEST(a_pool_that_wants_nobody_forks_nobody)
{
	struct pool_state pool;

	pool_init(&pool, 0);
	ck_assert_uint_eq(pool_to_fork(&pool, 1000), 0);
	ck_assert_int_eq(pool_wake_at(&pool, 1000), CLOCK_NEVER);
}
END_TEST

START_TEST(nobody_is_forked_while_the_trial_starts)
{
	struct pool_state pool;

	pool_init(&pool, WANTED);
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

	pool_init(&pool, WANTED);
	pool_forked(&pool);
	pool_ready(&pool);
	ck_assert(!pool.trial);
	ck_assert_uint_eq(pool.starting, 0);
	ck_assert_uint_eq(pool_to_fork(&pool, 1000), WANTED - 1);
	pool_forked(&pool);
	ck_assert_uint_eq(pool_to_fork(&pool, 1000), WANTED - 2);
	ck_assert(!pool_is_up(&pool));
}
END_TEST

START_TEST(a_pool_is_up_once_all_are_in_accept)
{
	struct pool_state pool;

	pool_init(&pool, 2);
	pool_forked(&pool);
	pool_ready(&pool);
	ck_assert(!pool_is_up(&pool));
	pool_forked(&pool);
	ck_assert(!pool_is_up(&pool));
	pool_ready(&pool);
	ck_assert(pool_is_up(&pool));
	ck_assert(!pool_is_degraded(&pool));
	ck_assert_uint_eq(pool_to_fork(&pool, 1000), 0);
}
END_TEST

static const struct {
	const char *name;
	const struct pool_life *life;
	bool early;
} lives[] = {
	{ "crashed at start", &crashed_at_start, true },
	{ "crashed early", &crashed_early, true },
	{ "crashed late", &crashed_late, false },
	{ "crashed over a connection", &crashed_serving, false },
	{ "left as told", &left_as_told, false },
	{ "left at start as told", &left_at_start, false },
};

START_TEST(only_a_useless_life_is_early_death)
{
	for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++)
		ck_assert_msg(pool_died_early(lives[i].life) == lives[i].early,
		    "%s", lives[i].name);
}
END_TEST

START_TEST(a_worker_that_never_was_ready_died_early_however_old)
{
	struct pool_life life = { .lived_ms = 3600000 };

	ck_assert(pool_died_early(&life));
}
END_TEST

START_TEST(a_harmless_death_is_replaced_at_once)
{
	static const struct pool_life *const harmless[] = { &crashed_late,
		&crashed_serving, &left_as_told };
	struct pool_state pool = running_pool();

	for (unsigned i = 0; i < 3; i++) {
		ck_assert(!pool_reaped(&pool, harmless[i], 1000));
		ck_assert_uint_eq(pool.alive, WANTED - 1 - i);
		ck_assert_uint_eq(pool_to_fork(&pool, 1000), i + 1);
	}
	ck_assert_int_eq(pool_wake_at(&pool, 1000), CLOCK_NEVER);
	ck_assert(!pool_is_degraded(&pool));
}
END_TEST

START_TEST(a_worker_told_to_leave_while_starting_delays_nothing)
{
	struct pool_state pool;

	pool_init(&pool, WANTED);
	pool_forked(&pool);
	ck_assert(!pool_reaped(&pool, &left_at_start, 1000));
	ck_assert_uint_eq(pool.alive, 0);
	ck_assert_uint_eq(pool.starting, 0);
	ck_assert_uint_eq(pool_to_fork(&pool, 1000), 1);
}
END_TEST

START_TEST(an_early_death_delays_the_next_fork)
{
	struct pool_state pool = running_pool();

	ck_assert(pool_reaped(&pool, &crashed_early, 1000));
	ck_assert(pool.trial);
	ck_assert(pool_is_degraded(&pool));
	ck_assert_uint_eq(pool_to_fork(&pool, 1000), 0);
	ck_assert_uint_eq(pool_to_fork(&pool, 1099), 0);
	ck_assert_int_eq(pool_wake_at(&pool, 1000), 1100);
	ck_assert_uint_eq(pool_to_fork(&pool, 1100), 1);
	ck_assert_int_eq(pool_wake_at(&pool, 1100), CLOCK_NEVER);
}
END_TEST

START_TEST(a_burst_of_deaths_is_one_failure)
{
	struct pool_state pool = running_pool();

	ck_assert(pool_reaped(&pool, &crashed_early, 1000));
	for (int i = 1; i < WANTED; i++)
		ck_assert(!pool_reaped(&pool, &crashed_early, 1000 + i));
	ck_assert_uint_eq(pool.alive, 0);
	ck_assert_uint_eq(pool.backoff.failures, 1);
	ck_assert_uint_eq(pool_to_fork(&pool, 1100), 1);
}
END_TEST

START_TEST(a_failed_fork_is_a_failure_as_well)
{
	struct pool_state pool;

	pool_init(&pool, WANTED);
	ck_assert(pool_fork_failed(&pool, 500));
	ck_assert(!pool_fork_failed(&pool, 550));
	ck_assert(pool.trial);
	ck_assert_uint_eq(pool.alive, 0);
	ck_assert_int_eq(pool_wake_at(&pool, 550), 600);
	ck_assert_uint_eq(pool_to_fork(&pool, 600), 1);
}
END_TEST

START_TEST(nobody_has_to_be_woken_for_a_full_pool)
{
	struct pool_state pool = running_pool();

	pool.backoff.until = 5000;
	ck_assert_int_eq(pool_wake_at(&pool, 1000), CLOCK_NEVER);
	ck_assert_uint_eq(pool_to_fork(&pool, 1000), 0);
}
END_TEST

START_TEST(a_degraded_pool_is_up_while_one_serves)
{
	struct pool_state pool = running_pool();

	pool_reaped(&pool, &crashed_early, 1000);
	ck_assert(pool_is_up(&pool));
	/* The trial of a successor decides: until then it is not known. */
	pool_forked(&pool);
	ck_assert(!pool_is_up(&pool));
	ck_assert(pool_is_degraded(&pool));
	pool_ready(&pool);
	ck_assert(pool_is_up(&pool));
	ck_assert(!pool_is_degraded(&pool));
}
END_TEST

START_TEST(a_pool_without_a_worker_in_accept_is_not_up)
{
	struct pool_state pool = running_pool();

	for (int i = 0; i < WANTED; i++)
		pool_reaped(&pool, &crashed_early, 1000);
	ck_assert(pool_is_degraded(&pool));
	ck_assert(!pool_is_up(&pool));
}
END_TEST

/* Forks what the pool asks for; every worker dies before it is ready. */
START_TEST(a_worker_that_crashes_at_start_is_tried_ten_times_a_minute)
{
	struct pool_state pool;
	unsigned forks = 0;

	pool_init(&pool, WANTED);
	for (int64_t now = 0; now < 60000; now++)
		for (unsigned n = pool_to_fork(&pool, now); n > 0; n--) {
			forks++;
			pool_forked(&pool);
			pool_reaped(&pool, &crashed_at_start, now);
		}
	ck_assert_uint_eq(forks, 10);
	ck_assert(pool_is_degraded(&pool));
	ck_assert(!pool_is_up(&pool));
}
END_TEST

/* One step of a master that finds every start succeed. */
static unsigned
fork_all_at(struct pool_state *pool, int64_t now)
{
	unsigned n = pool_to_fork(pool, now);

	for (unsigned i = 0; i < n; i++)
		pool_forked(pool);
	for (unsigned i = 0; i < n; i++)
		pool_ready(pool);
	return n;
}

START_TEST(after_a_burst_one_fork_and_then_the_others)
{
	struct pool_state pool;
	int64_t wake;

	pool_init(&pool, WANTED);
	ck_assert_uint_eq(fork_all_at(&pool, 0), 1);
	ck_assert_uint_eq(fork_all_at(&pool, 0), WANTED - 1);
	ck_assert(pool_is_up(&pool));
	for (int i = 0; i < WANTED; i++)
		pool_reaped(&pool, &crashed_early, 900);
	wake = pool_wake_at(&pool, 900);
	ck_assert_int_eq(wake, 1000);
	ck_assert_uint_eq(fork_all_at(&pool, wake - 1), 0);
	ck_assert_uint_eq(fork_all_at(&pool, wake), 1);
	ck_assert_uint_eq(fork_all_at(&pool, wake), WANTED - 1);
	ck_assert(pool_is_up(&pool));
	ck_assert_int_eq(pool_wake_at(&pool, wake), CLOCK_NEVER);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pool");
	TCase *tcase = unit_case(suite, "starting");

	tcase_add_test(tcase, a_new_pool_forks_one_on_trial);
	tcase_add_test(tcase, a_pool_that_wants_nobody_forks_nobody);
	tcase_add_test(tcase, nobody_is_forked_while_the_trial_starts);
	tcase_add_test(tcase, after_the_trial_the_others_are_forked_at_once);
	tcase_add_test(tcase, a_pool_is_up_once_all_are_in_accept);
	tcase = unit_case(suite, "deaths");
	tcase_add_test(tcase, only_a_useless_life_is_early_death);
	tcase_add_test(
	    tcase, a_worker_that_never_was_ready_died_early_however_old);
	tcase_add_test(tcase, a_harmless_death_is_replaced_at_once);
	tcase_add_test(
	    tcase, a_worker_told_to_leave_while_starting_delays_nothing);
	tcase_add_test(tcase, an_early_death_delays_the_next_fork);
	tcase_add_test(tcase, a_burst_of_deaths_is_one_failure);
	tcase_add_test(tcase, a_failed_fork_is_a_failure_as_well);
	tcase_add_test(tcase, nobody_has_to_be_woken_for_a_full_pool);
	tcase_add_test(tcase, a_degraded_pool_is_up_while_one_serves);
	tcase_add_test(tcase, a_pool_without_a_worker_in_accept_is_not_up);
	tcase = unit_case(suite, "simulations");
	tcase_add_test(
	    tcase, a_worker_that_crashes_at_start_is_tried_ten_times_a_minute);
	tcase_add_test(tcase, after_a_burst_one_fork_and_then_the_others);
	return unit_run(suite);
}
