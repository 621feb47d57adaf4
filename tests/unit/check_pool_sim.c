/*
 * Tests of master/pool: whole days of a pool, in virtual time.
 */
#include "unit/pool_sim_master.h"

#define SEEDS 40
#define CLIENTS 64

static const struct sim_world ordinary = {
	.limits = { .start = 4, .min_spare = 4, .max_spare = 16, .max = 1024 },
	.seed = 1,
	.cpus = 2,
	.fork_us = 60,
	.start_us = 300
};
static const struct sim_load nothing;
static struct sim sim;

static void
begin(const struct sim_world *world, uint64_t seed)
{
	struct sim_world seeded = *world;

	seeded.seed = seed;
	sim_init(&sim, &seeded);
	sim_run(&sim, SIM_SECOND);
	ck_assert_uint_eq(sim.pool.alive, world->limits.start);
	sim_reset_counts(&sim);
}

/* The load is over: the pool comes back, and then it sleeps. */
static void
assert_calm_in(int64_t us)
{
	sim_set_load(&sim, &nothing);
	sim_run(&sim, us);
	ck_assert_uint_eq(sim.queue_count, 0);
	ck_assert_uint_le(sim.pool.alive, sim.world.limits.max_spare);
	ck_assert_uint_ge(sim.pool.alive, sim.world.limits.min_spare);
	ck_assert_uint_eq(sim.pool.leaving, 0);
	sim_reset_counts(&sim);
	sim_run(&sim, 3600 * SIM_SECOND);
	ck_assert_uint_eq(sim.turns, 0);
	ck_assert_int_eq(pool_wake_at(&sim.pool, sim.now / 1000), CLOCK_NEVER);
	sim_free(&sim);
}

START_TEST(ten_thousand_who_stay_are_served_at_once)
{
	struct sim_world world = ordinary;
	struct sim_load load = { .clients = 10000,
		.kind = SIM_WAIT,
		.service_us = 60 * SIM_SECOND,
		.spread_us = _i % 2 == 0 ? 0 : SIM_SECOND / 5 };

	world.limits.max = 12000;
	begin(&world, (uint64_t)_i);
	sim_set_load(&sim, &load);
	sim_run(&sim, 5 * SIM_SECOND);
	ck_assert_uint_eq(sim.queue_count, 0);
	ck_assert_uint_ge(sim.idle, world.limits.min_spare);
	ck_assert_uint_le(sim.forks, 10000 + world.limits.min_spare);
	ck_assert_int_le(sim.longest_wait,
	    (POOL_WATCH_MS + 2) * 1000 + 10000 * world.fork_us +
		world.start_us);
	/* One by one, 256 a second at last. */
	assert_calm_in(200 * SIM_SECOND);
}
END_TEST

START_TEST(short_work_for_processors_needs_few_workers)
{
	static const int64_t needs[] = { 50, 100, 150, 200 };
	struct sim_load load = { .clients = CLIENTS,
		.think_us = 100,
		.kind = SIM_CPU,
		.service_us = needs[_i % 4],
		.random = _i >= 4 };

	begin(&ordinary, (uint64_t)_i);
	sim_set_load(&sim, &load);
	sim_run(&sim, SIM_SECOND);
	sim_reset_counts(&sim);
	for (int i = 0; i < 3; i++) {
		sim_run(&sim, 60 * SIM_SECOND);
		ck_assert_uint_le(sim.most_alive, 16);
		ck_assert_uint_ge(sim.served,
		    (uint64_t)(60 * SIM_SECOND * 2 / load.service_us * 9 / 10));
		ck_assert_uint_le(sim.forks, 12);
		ck_assert_uint_le(sim.retired, 12);
		sim_reset_counts(&sim);
	}
	assert_calm_in(30 * SIM_SECOND);
}
END_TEST

static uint64_t
best_of_network(const struct sim_load *load, int64_t us)
{
	return (
	    uint64_t)(us * load->clients / (load->service_us + load->think_us));
}

START_TEST(work_for_the_network_gets_the_workers_that_it_needs)
{
	struct sim_load load = { .clients = CLIENTS,
		.think_us = 100,
		.spread_us = _i % 2 == 0 ? 0 : 2 * SIM_SECOND,
		.kind = SIM_WAIT,
		.service_us = 1500,
		.random = _i % 4 >= 2 };

	begin(&ordinary, (uint64_t)_i);
	sim_set_load(&sim, &load);
	sim_run(&sim, 5 * SIM_SECOND);
	sim_reset_counts(&sim);
	sim_run(&sim, 60 * SIM_SECOND);
	ck_assert_uint_ge(
	    sim.served, best_of_network(&load, 60 * SIM_SECOND) * 8 / 10);
	ck_assert_uint_le(sim.forks, CLIENTS / 2);
	ck_assert_uint_le(sim.retired, CLIENTS / 2);
	assert_calm_in(60 * SIM_SECOND);
}
END_TEST

START_TEST(a_load_that_turns_is_followed)
{
	static const struct sim_load cpu = { .clients = CLIENTS,
		.think_us = 100,
		.kind = SIM_CPU,
		.service_us = 60 };
	static const struct sim_load network = { .clients = CLIENTS,
		.think_us = 100,
		.kind = SIM_WAIT,
		.service_us = 1500 };

	begin(&ordinary, (uint64_t)_i);
	sim_set_load(&sim, &cpu);
	sim_run(&sim, 30 * SIM_SECOND + _i * SIM_SECOND);
	sim_set_load(&sim, &network);
	sim_run(&sim, 2 * POOL_FORGET_MS * 1000);
	sim_reset_counts(&sim);
	sim_run(&sim, 10 * SIM_SECOND);
	ck_assert_uint_ge(
	    sim.served, best_of_network(&network, 10 * SIM_SECOND) * 8 / 10);
	sim_set_load(&sim, &cpu);
	sim_run(&sim, 2 * POOL_FORGET_MS * 1000);
	sim_reset_counts(&sim);
	sim_run(&sim, 10 * SIM_SECOND);
	ck_assert_uint_ge(sim.served,
	    (uint64_t)(10 * SIM_SECOND * 2 / cpu.service_us * 8 / 10));
	assert_calm_in(60 * SIM_SECOND);
}
END_TEST

/* Few workers keep up with all clients, and more would end more of them. */
START_TEST(what_is_remembered_of_another_load_is_forgotten)
{
	static const struct sim_load cpu = { .clients = 20,
		.think_us = 100,
		.kind = SIM_CPU,
		.service_us = 60 };
	static const struct sim_load network = { .clients = 20,
		.think_us = 100,
		.kind = SIM_WAIT,
		.service_us = 1000 };

	begin(&ordinary, (uint64_t)_i);
	sim_set_load(&sim, &cpu);
	sim_run(&sim, 30 * SIM_SECOND + _i * SIM_SECOND);
	ck_assert_uint_le(sim.most_alive, 7);
	sim_set_load(&sim, &network);
	sim_run(&sim, 2 * POOL_FORGET_MS * 1000);
	sim_reset_counts(&sim);
	sim_run(&sim, 10 * SIM_SECOND);
	ck_assert_uint_ge(
	    sim.served, best_of_network(&network, 10 * SIM_SECOND) * 8 / 10);
	assert_calm_in(60 * SIM_SECOND);
}
END_TEST

START_TEST(a_steady_load_costs_no_forks)
{
	struct sim_load load = { .between_us = 2000,
		.kind = SIM_WAIT,
		.service_us = 100000 + _i * 100000,
		.random = _i % 2 != 0 };

	begin(&ordinary, (uint64_t)_i);
	sim_set_load(&sim, &load);
	sim_run(&sim, 60 * SIM_SECOND);
	sim_reset_counts(&sim);
	sim_run(&sim, 60 * SIM_SECOND);
	ck_assert_uint_le(sim.forks, sim.served / 200);
	ck_assert_uint_le(sim.retired, sim.served / 200);
	ck_assert_int_le(sim.longest_wait, 2 * POOL_WATCH_MS * 1000);
	assert_calm_in(60 * SIM_SECOND);
}
END_TEST

START_TEST(bursts_find_the_workers_of_the_last_one)
{
	struct sim_load burst = { .clients = 200,
		.think_us = SIM_SECOND / 2,
		.kind = SIM_WAIT,
		.service_us = 150000 };

	begin(&ordinary, (uint64_t)_i);
	sim_set_load(&sim, &burst);
	sim_run(&sim, 10 * SIM_SECOND);
	sim_reset_counts(&sim);
	sim_run(&sim, 60 * SIM_SECOND);
	ck_assert_uint_le(sim.forks, 10);
	assert_calm_in(60 * SIM_SECOND);
}
END_TEST

/* Below most, and at least 1. */
static unsigned
roll(unsigned most)
{
	return 1 + (unsigned)(sim_random(&sim) % most);
}

/* A load of the seed. */
static void
roll_load(struct sim_load *load)
{
	*load = (struct sim_load){ .clients = roll(120),
		.think_us = roll(20000),
		.spread_us = roll(SIM_SECOND),
		.between_us = (roll(3) - 1) * INT64_C(3000),
		.kind = roll(2) == 1 ? SIM_CPU : SIM_WAIT,
		.random = roll(3) > 1 };
	load->service_us =
	    load->kind == SIM_CPU ? 20 + roll(400) : 200 + roll(300000);
}

/* A machine of the seed, on which nothing goes wrong. */
static void
roll_world(struct sim_world *world, int seed)
{
	*world = ordinary;
	sim.random = (uint64_t)seed * 77 + 5;
	for (int i = 0; i < 20; i++)
		sim_random(&sim);
	world->seed = (uint64_t)seed;
	world->limits.start = roll(20);
	world->limits.min_spare = roll(10);
	world->limits.max_spare = world->limits.min_spare + roll(10) - 1;
	world->fork_us = 30 + roll(300);
	world->start_us = 100 + roll(5000);
}

START_TEST(nobody_waits_for_long_where_nothing_goes_wrong)
{
	struct sim_world world;
	struct sim_load load;

	roll_world(&world, _i);
	sim_init(&sim, &world);
	sim_run(&sim, SIM_SECOND);
	for (int i = 0; i < 10; i++) {
		roll_load(&load);
		sim_set_load(&sim, &load);
		sim_run(&sim, 5 * SIM_SECOND);
		ck_assert_msg(sim.longest_wait <= 3 * POOL_WATCH_MS * 1000 +
			    world.start_us + 200 * world.fork_us,
		    "seed %d, load %d: %lld us", _i, i,
		    (long long)sim.longest_wait);
		sim_reset_counts(&sim);
	}
	assert_calm_in(120 * SIM_SECOND);
}
END_TEST

START_TEST(nothing_breaks_whatever_happens)
{
	struct sim_world world;
	struct sim_load load;

	roll_world(&world, _i);
	world.limits.max = 20 + roll(200);
	world.kill_us = _i % 2 * 200000;
	world.fork_failures = _i % 4 >= 2 ? 5 : 0;
	world.crashes = _i % 8 >= 4 ? 5 : 0;
	world.most_connections = _i % 3 == 0 ? 100 : 0;
	sim_init(&sim, &world);
	for (int i = 0; i < 12; i++) {
		roll_load(&load);
		sim_set_load(&sim, &load);
		sim_run(&sim, 5 * SIM_SECOND);
	}
	/* It heals, too. */
	sim.world.kill_us = 0;
	sim.world.fork_failures = sim.world.crashes = 0;
	assert_calm_in(120 * SIM_SECOND);
}
END_TEST

START_TEST(clients_are_served_once_forks_succeed_again)
{
	struct sim_load load = {
		.clients = 100, .kind = SIM_WAIT, .service_us = 600 * SIM_SECOND
	};

	begin(&ordinary, (uint64_t)_i);
	sim.world.fork_failures = 100;
	sim_set_load(&sim, &load);
	sim_run(&sim, 10 * SIM_SECOND);
	ck_assert_uint_eq(sim.queue_count, 96);
	ck_assert_uint_eq(sim.forks, 0);
	ck_assert_uint_eq(sim.failures, 7); /* 100 ms, 200 ms and so on */
	ck_assert(pool_is_degraded(&sim.pool));
	sim.world.fork_failures = 0;
	sim_run(&sim, 6400000);
	ck_assert_uint_eq(sim.queue_count, 0);
	ck_assert_uint_eq(sim.idle, 4);
	ck_assert(!pool_is_degraded(&sim.pool));
	sim_free(&sim);
}
END_TEST

START_TEST(a_dead_worker_of_a_full_pool_is_replaced_at_once)
{
	struct sim_world world = ordinary;
	struct sim_load load = {
		.clients = 50, .kind = SIM_WAIT, .service_us = 600 * SIM_SECOND
	};

	world.limits.max = 20;
	begin(&world, (uint64_t)_i);
	sim_set_load(&sim, &load);
	sim_run(&sim, 10 * SIM_SECOND + _i * 100000);
	ck_assert_uint_eq(sim.pool.alive, 20);
	ck_assert_uint_eq(sim.queue_count, 30);
	for (int i = 0; i < 20; i++) {
		sim_reset_counts(&sim);
		sim_die(&sim, &sim.workers[i], false);
		sim_run(&sim, 2000);
		ck_assert_uint_eq(sim.forks, 1);
		ck_assert_uint_eq(sim.queue_count, 29 - (unsigned)i);
	}
	sim_reset_counts(&sim);
	sim_run(&sim, 10 * SIM_SECOND);
	ck_assert_uint_le(sim.turns, 11);
	sim_free(&sim);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pool_sim");
	TCase *tcase = unit_case(suite, "loads");

	tcase_add_loop_test(
	    tcase, ten_thousand_who_stay_are_served_at_once, 0, 2);
	tcase_add_loop_test(
	    tcase, short_work_for_processors_needs_few_workers, 0, 8);
	tcase_add_loop_test(
	    tcase, work_for_the_network_gets_the_workers_that_it_needs, 0, 8);
	tcase_add_loop_test(tcase, a_load_that_turns_is_followed, 0, 4);
	tcase_add_loop_test(
	    tcase, what_is_remembered_of_another_load_is_forgotten, 0, 4);
	tcase_add_loop_test(tcase, a_steady_load_costs_no_forks, 0, 6);
	tcase_add_loop_test(
	    tcase, bursts_find_the_workers_of_the_last_one, 0, 3);
	tcase = unit_case(suite, "trouble");
	tcase_add_loop_test(
	    tcase, nobody_waits_for_long_where_nothing_goes_wrong, 0, SEEDS);
	tcase_add_loop_test(
	    tcase, clients_are_served_once_forks_succeed_again, 0, 3);
	tcase_add_loop_test(
	    tcase, a_dead_worker_of_a_full_pool_is_replaced_at_once, 0, 10);
	tcase_add_loop_test(tcase, nothing_breaks_whatever_happens, 0, SEEDS);
	return unit_run(suite);
}
