/*
 * Tests of master/pool: who died, and when the next one is forked.
 */
#include "unit/pool_state.h"

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
static const struct pool_life was_leaving = {
	.asked = true, .leaving = true, .was_ready = true, .lived_ms = 1
};

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
	{ "was leaving", &was_leaving, false },
	{ "never was ready", &(struct pool_life){ .lived_ms = 3600000 }, true },
};

START_TEST(only_a_useless_life_is_early_death)
{
	ck_assert_msg(pool_died_early(lives[_i].life) == lives[_i].early, "%s",
	    lives[_i].name);
}
END_TEST

START_TEST(a_harmless_death_is_for_the_next_look)
{
	static const struct pool_life *const harmless[] = { &crashed_late,
		&crashed_serving, &left_as_told };
	struct pool_state pool = pool_of(&limits, 10);

	for (unsigned i = 0; i < 3; i++) {
		ck_assert(!pool_reaped(&pool, harmless[i], 5000));
		ck_assert_uint_eq(pool.alive, 9 - i);
		ck_assert_uint_eq(pool.wanted, 9 - i);
		ck_assert_uint_eq(pool_to_fork(&pool, 5000), 0);
	}
	ck_assert_int_eq(pool_wake_at(&pool, 5000), CLOCK_NEVER);
	ck_assert(!pool_is_degraded(&pool));
}
END_TEST

START_TEST(a_harmless_death_before_the_beginning_is_replaced)
{
	struct pool_state pool;

	pool_init(&pool, &limits);
	while (fork_all_at(&pool, 0) > 0)
		;
	ck_assert(!pool_reaped(&pool, &crashed_serving, 5000));
	ck_assert_uint_eq(pool.wanted, START);
	ck_assert_uint_eq(pool_to_fork(&pool, 5000), 1);
}
END_TEST

START_TEST(a_worker_told_to_leave_while_starting_delays_nothing)
{
	struct pool_state pool;

	pool_init(&pool, &limits);
	pool_forked(&pool);
	ck_assert(!pool_reaped(&pool, &left_at_start, 1000));
	ck_assert_uint_eq(pool.alive, 0);
	ck_assert_uint_eq(pool.starting, 0);
	ck_assert_uint_eq(pool_to_fork(&pool, 1000), 1);
}
END_TEST

START_TEST(an_early_death_delays_the_next_fork)
{
	struct pool_state pool = pool_of(&limits, START);

	ck_assert(pool_reaped(&pool, &crashed_early, 1000));
	ck_assert(pool.trial);
	ck_assert_uint_eq(pool.wanted, START);
	ck_assert(pool_is_degraded(&pool));
	ck_assert_uint_eq(pool_to_fork(&pool, 1000), 0);
	ck_assert_uint_eq(pool_to_fork(&pool, 1099), 0);
	ck_assert_int_eq(pool_wake_at(&pool, 1000), 1100);
	ck_assert_int_eq(pool_wake_at(&pool, 1099), 1100);
	ck_assert_uint_eq(pool_to_fork(&pool, 1100), 1);
	ck_assert_int_eq(pool_wake_at(&pool, 1100), 1100);
	pool_forked(&pool);
	ck_assert_int_eq(pool_wake_at(&pool, 1100), CLOCK_NEVER);
}
END_TEST

/* What a trial is for does not depend on who else dies meanwhile. */
START_TEST(while_a_trial_is_due_deaths_change_nothing)
{
	struct pool_state pool = pool_of(&limits, 10);

	pool_reaped(&pool, &crashed_early, 1000);
	pool_reaped(&pool, &crashed_serving, 1001);
	ck_assert_uint_eq(pool.wanted, 10);
	look(&pool, 8, 0, 0, 1002);
	ck_assert_uint_eq(pool.wanted, 10);
	ck_assert_uint_eq(fork_all_at(&pool, 1100), 1);
	/* It went well: the next look says who is missing, and nobody is. */
	ck_assert_uint_eq(pool_to_fork(&pool, 1100), 1);
	look(&pool, 9, 0, 0, 1100);
	ck_assert_uint_eq(pool_to_fork(&pool, 1100), 0);
	ck_assert(!pool_is_degraded(&pool));
}
END_TEST

/* There were too many, so nobody is tried, and nobody is missing. */
START_TEST(a_failure_is_over_when_nobody_is_wanted)
{
	struct pool_state pool = pool_of(&limits, 30);

	pool_reaped(&pool, &crashed_early, 1000);
	ck_assert(pool_is_degraded(&pool));
	pool.retire = 1;
	pool_retired(&pool);
	ck_assert_uint_eq(pool.wanted, 28);
	ck_assert(pool.trial);
	ck_assert(!pool_is_degraded(&pool));
	ck_assert_uint_eq(pool_to_fork(&pool, 5000), 0);
	ck_assert_int_eq(pool_wake_at(&pool, 1000), CLOCK_NEVER);
}
END_TEST

/* Until it is in accept, nobody knows whether it went well. */
START_TEST(a_pool_is_degraded_until_the_trial_is_in_accept)
{
	struct pool_state pool = pool_of(&limits, START);

	pool_reaped(&pool, &crashed_early, 1000);
	pool_forked(&pool);
	ck_assert(pool_is_degraded(&pool));
	pool_ready(&pool);
	ck_assert(!pool_is_degraded(&pool));
}
END_TEST

START_TEST(a_burst_of_deaths_is_one_failure)
{
	struct pool_state pool = pool_of(&limits, START);

	ck_assert(pool_reaped(&pool, &crashed_early, 1000));
	for (int i = 1; i < START; i++)
		ck_assert(!pool_reaped(&pool, &crashed_early, 1000 + i));
	ck_assert_uint_eq(pool.alive, 0);
	ck_assert_uint_eq(pool.backoff.failures, 1);
	ck_assert_uint_eq(pool_to_fork(&pool, 1100), 1);
	ck_assert(pool_is_degraded(&pool));
	ck_assert(!pool_is_up(&pool));
}
END_TEST

START_TEST(a_failed_fork_is_a_failure_as_well)
{
	struct pool_state pool;

	pool_init(&pool, &limits);
	ck_assert(pool_fork_failed(&pool, 500));
	ck_assert(!pool_fork_failed(&pool, 550));
	ck_assert(pool.trial);
	ck_assert_uint_eq(pool.alive, 0);
	ck_assert_int_eq(pool_wake_at(&pool, 550), 600);
	ck_assert_uint_eq(pool_to_fork(&pool, 600), 1);
}
END_TEST

START_TEST(a_fork_that_fails_among_others_is_tried_alone)
{
	struct pool_state pool = pool_of(&limits, START);

	pool.wanted = 20;
	ck_assert_uint_eq(pool_to_fork(&pool, 1000), 16);
	pool_forked(&pool);
	pool_forked(&pool);
	ck_assert(pool_fork_failed(&pool, 1000));
	ck_assert(pool_is_degraded(&pool));
	/* Those that were forked before it are waited for. */
	ck_assert_uint_eq(pool_to_fork(&pool, 1100), 0);
	ck_assert_int_eq(pool_wake_at(&pool, 1100), CLOCK_NEVER);
	pool_ready(&pool);
	pool_ready(&pool);
	ck_assert_uint_eq(pool_to_fork(&pool, 1099), 0);
	ck_assert_uint_eq(pool_to_fork(&pool, 1100), 14);
}
END_TEST

START_TEST(only_what_started_after_the_delay_clears_the_record)
{
	struct pool_state pool = pool_of(&limits, 10);
	struct pool_life life = crashed_serving;

	pool_reaped(&pool, &crashed_early, 1000);
	ck_assert_uint_eq(pool.backoff.failures, 1);
	life.lived_ms = 3901; /* since 1099 */
	pool_reaped(&pool, &life, 5000);
	ck_assert_uint_eq(pool.backoff.failures, 1);
	life.lived_ms = 3900;
	pool_reaped(&pool, &life, 5000);
	ck_assert_uint_eq(pool.backoff.failures, 0);
}
END_TEST

START_TEST(nobody_has_to_be_woken_for_a_full_pool)
{
	struct pool_state pool = pool_of(&limits, START);

	pool.backoff.until = 5000;
	ck_assert_int_eq(pool_wake_at(&pool, 1000), CLOCK_NEVER);
	ck_assert_uint_eq(pool_to_fork(&pool, 1000), 0);
}
END_TEST

/* Forks what the pool asks for; every worker dies before it is ready. */
START_TEST(a_worker_that_crashes_at_start_is_tried_ten_times_a_minute)
{
	struct pool_state pool;
	unsigned forks = 0;

	pool_init(&pool, &limits);
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

START_TEST(after_a_burst_one_fork_and_then_the_others)
{
	struct pool_state pool = pool_of(&limits, START);
	int64_t wake;

	for (int i = 0; i < START; i++)
		pool_reaped(&pool, &crashed_early, 900);
	wake = pool_wake_at(&pool, 900);
	ck_assert_int_eq(wake, 1000);
	ck_assert_uint_eq(fork_all_at(&pool, wake - 1), 0);
	ck_assert_uint_eq(fork_all_at(&pool, wake), 1);
	ck_assert_uint_eq(fork_all_at(&pool, wake), START - 1);
	ck_assert(pool_is_up(&pool));
	ck_assert_int_eq(pool_wake_at(&pool, wake), CLOCK_NEVER);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pool_deaths");
	TCase *tcase = unit_case(suite, "deaths");

	tcase_add_loop_test(tcase, only_a_useless_life_is_early_death, 0,
	    (int)(sizeof(lives) / sizeof(lives[0])));
	tcase_add_test(tcase, a_harmless_death_is_for_the_next_look);
	tcase_add_test(
	    tcase, a_harmless_death_before_the_beginning_is_replaced);
	tcase_add_test(
	    tcase, a_worker_told_to_leave_while_starting_delays_nothing);
	tcase_add_test(tcase, an_early_death_delays_the_next_fork);
	tcase_add_test(tcase, while_a_trial_is_due_deaths_change_nothing);
	tcase_add_test(tcase, a_failure_is_over_when_nobody_is_wanted);
	tcase_add_test(tcase, a_pool_is_degraded_until_the_trial_is_in_accept);
	tcase_add_test(tcase, a_burst_of_deaths_is_one_failure);
	tcase_add_test(tcase, a_failed_fork_is_a_failure_as_well);
	tcase_add_test(tcase, a_fork_that_fails_among_others_is_tried_alone);
	tcase_add_test(
	    tcase, only_what_started_after_the_delay_clears_the_record);
	tcase_add_test(tcase, nobody_has_to_be_woken_for_a_full_pool);
	tcase_add_test(
	    tcase, a_worker_that_crashes_at_start_is_tried_ten_times_a_minute);
	tcase_add_test(tcase, after_a_burst_one_fork_and_then_the_others);
	return unit_run(suite);
}
