/*
 * pool_sim_workers: clients, and what src/worker/worker.c does for them.
 */
#ifndef UNIT_POOL_SIM_WORKERS_H
#define UNIT_POOL_SIM_WORKERS_H

#include "unit/pool_sim.h"

static inline void
sim_die(struct sim *sim, struct sim_worker *worker, bool asked)
{
	if (worker->state == SIM_IDLE)
		sim->idle--;
	worker->state = SIM_DEAD;
	worker->asked = asked;
	worker->life++;
	sim_wake(sim);
}

static inline void
sim_serve(struct sim *sim, uint32_t index)
{
	struct sim_worker *worker = &sim->workers[index];
	int64_t need = sim->load.service_us, from = sim->now;
	unsigned cpu = 0;

	worker->client = sim->queue[sim->queue_first].client;
	from -= sim->queue[sim->queue_first].since;
	if (from > sim->longest_wait)
		sim->longest_wait = from;
	sim->queue_first = (sim->queue_first + 1) % SIM_CLIENTS;
	sim->queue_count--;
	worker->connections++;
	worker->state = SIM_BUSY;
	sim->idle--;
	if (sim->want_short && sim->idle < sim->world.limits.min_spare) {
		sim->want_short = false;
		sim_wake(sim);
	}
	if (sim->load.random)
		need = sim_exponential(sim, need);
	from = sim->now;
	if (sim->load.kind == SIM_CPU) {
		for (unsigned i = 1; i < sim->world.cpus; i++)
			if (sim->cpu_free[i] < sim->cpu_free[cpu])
				cpu = i;
		if (sim->cpu_free[cpu] > from)
			from = sim->cpu_free[cpu];
		sim->cpu_free[cpu] = from + need;
	}
	sim_push(sim, from + need, SIM_SERVED, index, worker->life);
}

static inline void
sim_enter_idle(struct sim *sim, uint32_t index)
{
	sim->workers[index].state = SIM_IDLE;
	sim->idle++;
	if (sim->want_excess && sim->idle > sim->world.limits.max_spare) {
		sim->want_excess = false;
		sim_wake(sim);
	}
	if (sim->workers[index].leaving) {
		sim_die(sim, &sim->workers[index], true);
		return;
	}
	if (sim->queue_count > 0)
		sim_serve(sim, index);
}

static inline void
sim_arrive(struct sim *sim, uint32_t client)
{
	sim_must(sim, sim->queue_count < SIM_CLIENTS);
	sim->queue[(sim->queue_first + sim->queue_count) % SIM_CLIENTS].client =
	    client;
	sim->queue[(sim->queue_first + sim->queue_count) % SIM_CLIENTS].since =
	    sim->now;
	sim->queue_count++;
	for (uint32_t i = 0; sim->idle > 0 && i < sim->used; i++)
		if (sim->workers[i].state == SIM_IDLE &&
		    !sim->workers[i].leaving) {
			sim_serve(sim, i);
			return;
		}
}

static inline void
sim_client_leaves(struct sim *sim, uint32_t client)
{
	if (client == SIM_NOBODY)
		return;
	if (client < sim->load.clients)
		sim_push(
		    sim, sim->now + sim->load.think_us, SIM_ARRIVES, client, 0);
	else
		sim->active[client] = false;
}

static inline void
sim_end(struct sim *sim, uint32_t index)
{
	struct sim_worker *worker = &sim->workers[index];

	sim->returned++;
	sim->served++;
	sim_client_leaves(sim, worker->client);
	if (worker->most != 0 && worker->connections >= worker->most)
		sim_die(sim, worker, true);
	else
		sim_enter_idle(sim, index);
}

static inline void
sim_come_ready(struct sim *sim, uint32_t index)
{
	if (sim_percent(sim) < sim->world.crashes) {
		sim_die(sim, &sim->workers[index], false);
		return;
	}
	if (sim->want_ready)
		sim_wake(sim);
	sim->want_ready = false;
	sim_enter_idle(sim, index);
}

static inline void
sim_kill(struct sim *sim)
{
	uint32_t index =
	    sim->used == 0 ? 0 : (uint32_t)(sim_random(sim) % sim->used);
	struct sim_worker *worker = &sim->workers[index];

	if (sim->world.kill_us == 0)
		return;
	sim_push(sim, sim->now + sim_exponential(sim, sim->world.kill_us),
	    SIM_KILLS, 0, 0);
	if (worker->state == SIM_FREE || worker->state == SIM_DEAD)
		return;
	sim->kills++;
	if (worker->state == SIM_BUSY)
		sim_client_leaves(sim, worker->client);
	sim_die(sim, worker, false);
}

#endif
