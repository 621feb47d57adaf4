/*
 * pool_sim_master: what manage() and src/master/spawn.c do with a pool, and
 * what must be true of it at any time.
 */
#ifndef UNIT_POOL_SIM_MASTER_H
#define UNIT_POOL_SIM_MASTER_H

#include "unit/pool_sim_workers.h"

static inline struct pool_view
sim_view(const struct sim *sim)
{
	return (struct pool_view){ .idle = sim->idle,
		.queue = sim->idle == 0 ? sim->queue_count : 0,
		.returned = sim->returned };
}

static inline bool
sim_has_excuse(const struct sim *sim)
{
	const struct pool_state *pool = &sim->pool;

	return pool->alive + pool->leaving >= pool->limits.max ||
	    sim->now / 1000 < pool->backoff.until || pool->trial ||
	    !pool->begun || pool->mood == POOL_TURNING;
}

/* What must be true at any time. */
static inline void
sim_check(struct sim *sim)
{
	const struct pool_state *pool = &sim->pool;
	bool few = sim->idle + pool->starting < pool->limits.min_spare;

	sim_must(sim, pool->alive + pool->leaving <= pool->limits.max);
	sim_must(sim, pool->alive + pool->leaving == sim->processes);
	sim_must(sim, pool->starting <= pool->alive);
	sim_must(sim, pool->alive <= pool->wanted);
	if (pool->alive > sim->most_alive)
		sim->most_alive = pool->alive;
	if (!few || sim_has_excuse(sim) || sim->master_free > sim->now)
		sim->short_since = 0;
	else if (sim->short_since == 0)
		sim->short_since = sim->now;
	else
		sim_must(sim, sim->now - sim->short_since <= SIM_SHORT_US);
	/* Nobody waits while nobody will ever look. */
	sim_must(sim,
	    sim->queue_count == 0 || sim->want_short ||
		sim->master_at != INT64_MAX || pool->starting > 0);
}

static inline void
sim_note_ready(struct sim *sim)
{
	sim->want_ready = true;
	for (uint32_t i = 0; sim->pool.starting > 0 && i < sim->used; i++) {
		struct sim_worker *worker = &sim->workers[i];

		if (worker->known_ready ||
		    (worker->state != SIM_IDLE && worker->state != SIM_BUSY))
			continue;
		worker->known_ready = true;
		pool_ready(&sim->pool);
	}
}

static inline void
sim_reap(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->used; i++) {
		struct sim_worker *worker = &sim->workers[i];
		struct pool_life life;

		if (worker->state != SIM_DEAD)
			continue;
		if (!worker->known_ready && worker->connections > 0) {
			worker->known_ready = true;
			pool_ready(&sim->pool);
		}
		life = (struct pool_life){ .asked = worker->asked,
			.leaving = worker->leaving,
			.was_ready = worker->known_ready,
			.connections = worker->connections,
			.lived_ms = sim->now / 1000 - worker->started_ms };
		pool_reaped(&sim->pool, &life, sim->now / 1000);
		worker->state = SIM_FREE;
		sim->processes--;
	}
}

static inline void
sim_retire(struct sim *sim)
{
	bool busy = pool_retires_busy(&sim->pool);

	for (uint32_t i = sim->used;
	     i-- > 0 && pool_to_retire(&sim->pool) > 0;) {
		struct sim_worker *worker = &sim->workers[i];

		if (worker->leaving || !worker->known_ready ||
		    (worker->state != SIM_IDLE &&
			!(busy && worker->state == SIM_BUSY)))
			continue;
		worker->leaving = true;
		pool_retired(&sim->pool);
		sim->retired++;
		if (worker->state == SIM_IDLE)
			sim_push(sim, sim->now + SIM_WAKE_US, SIM_EXITS, i,
			    worker->life);
	}
	pool_retired_all(&sim->pool);
}

static inline uint32_t
sim_free_slot(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->used; i++)
		if (sim->workers[i].state == SIM_FREE)
			return i;
	sim_must(sim, sim->used < sim->world.limits.max);
	return sim->used++;
}

static inline void
sim_fill(struct sim *sim)
{
	unsigned n = pool_to_fork(&sim->pool, sim->now / 1000);
	int64_t at = sim->now;

	if (n == 0)
		return;
	/* A trial is for finding out, and not for want of workers. */
	sim_must(sim,
	    !sim->pool.begun || sim->pool.trial ||
		sim->idle <= sim->world.limits.max_spare);
	pool_turned(&sim->pool);
	while (n-- > 0) {
		uint32_t i = sim_free_slot(sim), life = sim->workers[i].life;

		at += sim->world.fork_us;
		if (sim_percent(sim) < sim->world.fork_failures) {
			pool_fork_failed(&sim->pool, sim->now / 1000);
			sim->failures++;
			break;
		}
		sim->workers[i] = (struct sim_worker){ .state = SIM_STARTING,
			.life = life + 1,
			.most = pool_connections(
			    sim->world.most_connections, sim->forks),
			.started_ms = sim->now / 1000 };
		sim->processes++;
		sim->forks++;
		pool_forked(&sim->pool);
		sim_push(sim, at + sim->world.start_us, SIM_READY, i, life + 1);
	}
	sim->master_free = at;
}

static inline bool
sim_leave_word(struct sim *sim)
{
	const struct pool_state *pool = &sim->pool;

	sim->want_short = pool_wants_short(pool);
	sim->want_excess = pool_wants_excess(pool);
	return (sim->want_short &&
		   sim->idle + pool->starting < pool->limits.min_spare) ||
	    (sim->want_excess && sim->idle > pool->limits.max_spare);
}

static inline void
sim_turn(struct sim *sim)
{
	struct pool_view view;
	unsigned looks = 0;
	int64_t wake;

	sim->master_at = INT64_MAX;
	sim->turns++;
	sim_note_ready(sim);
	sim_reap(sim);
	do {
		view = sim_view(sim);
		pool_look(&sim->pool, &view, sim->now / 1000);
		sim_retire(sim);
		sim_fill(sim);
		sim_must(sim, looks++ < 10);
	} while (sim_leave_word(sim));
	wake = pool_wake_at(&sim->pool, sim->now / 1000);
	if (wake != CLOCK_NEVER)
		sim_master_at(
		    sim, wake * 1000 > sim->now ? wake * 1000 : sim->now + 1);
}

static inline void
sim_handle(struct sim *sim, const struct sim_event *event)
{
	switch (event->kind) {
	case SIM_ARRIVES:
		if (event->who < sim->load.clients)
			sim_arrive(sim, event->who);
		else
			sim->active[event->who] = false;
		break;
	case SIM_STRANGER:
		if (event->life != sim->load_number)
			return;
		sim_push(sim,
		    sim->now + sim_exponential(sim, sim->load.between_us),
		    SIM_STRANGER, SIM_NOBODY, sim->load_number);
		sim_arrive(sim, SIM_NOBODY);
		break;
	case SIM_KILLS:
		sim_kill(sim);
		break;
	case SIM_MASTER:
		if (event->at == sim->master_at)
			sim_turn(sim);
		break;
	case SIM_READY:
	case SIM_SERVED:
	case SIM_EXITS:
		if (event->life != sim->workers[event->who].life)
			break;
		if (event->kind == SIM_READY)
			sim_come_ready(sim, event->who);
		else if (event->kind == SIM_SERVED)
			sim_end(sim, event->who);
		else if (sim->workers[event->who].state == SIM_IDLE)
			sim_die(sim, &sim->workers[event->who], true);
		break;
	}
}

/* Lets so much time pass. */
static inline void
sim_run(struct sim *sim, int64_t us)
{
	int64_t until = sim->now + us;

	while (sim->heap_count > 0 && sim->heap[0].at <= until) {
		struct sim_event event = sim_pop(sim);

		sim->now = event.at;
		sim_handle(sim, &event);
		sim_check(sim);
	}
	sim->now = until;
}

/* Begins to count anew. */
static inline void
sim_reset_counts(struct sim *sim)
{
	sim->forks = sim->retired = sim->turns = sim->served = 0;
	sim->failures = sim->kills = 0;
	sim->most_alive = sim->pool.alive;
	sim->longest_wait = 0;
}

#endif
