/*
 * pool_sim: master/pool against simulated workers, clients and processors, in
 * virtual microseconds. The master looks only when a worker, a timer or a
 * death wakes it, as the real one does, and each of its looks is checked for
 * what must always be true. All is decided by the seed.
 */
#ifndef UNIT_POOL_SIM_H
#define UNIT_POOL_SIM_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "master/pool.h"
#include "unit/unit.h"

#define SIM_SECOND INT64_C(1000000)
#define SIM_CLIENTS 65536
#define SIM_NOBODY UINT32_MAX /* a client that does not come back */
#define SIM_WAKE_US 50        /* from an event to the master's turn */
#define SIM_SHORT_US /* a pool may be short: a timer has whole milliseconds */ \
	(POOL_WATCH_MS * 1000 + 1000 + 2 * SIM_WAKE_US)

enum sim_kind {
	SIM_CPU, /* a connection needs a processor, one of a few */
	SIM_WAIT /* or only time */
};

/* What clients do, until that changes. */
struct sim_load {
	unsigned clients;   /* each comes back after its connection */
	int64_t think_us;   /* when */
	int64_t spread_us;  /* over which they come first */
	int64_t between_us; /* others, that do not: mean time between two */
	enum sim_kind kind;
	int64_t service_us;
	bool random; /* exponential around service_us */
};

/* What the machine is like. */
struct sim_world {
	struct pool_limits limits;
	uint64_t seed;
	unsigned cpus;
	int64_t fork_us;
	int64_t start_us;       /* from the fork into accept */
	int64_t kill_us;        /* mean time between two kills; 0: none */
	unsigned fork_failures; /* of 100 */
	unsigned crashes;       /* at start, of 100 */
	uint64_t most_connections;
};

enum sim_event_kind {
	SIM_ARRIVES, /* a client of the load */
	SIM_STRANGER,
	SIM_READY,
	SIM_SERVED,
	SIM_EXITS,
	SIM_KILLS,
	SIM_MASTER
};

struct sim_event {
	int64_t at;
	uint64_t order; /* of two at once the older comes first */
	enum sim_event_kind kind;
	uint32_t who;
	uint32_t life; /* of a worker: an event of an earlier one is void */
};

enum sim_state { SIM_FREE, SIM_STARTING, SIM_IDLE, SIM_BUSY, SIM_DEAD };

struct sim_worker {
	enum sim_state state;
	bool known_ready; /* to the master */
	bool leaving;
	bool asked;
	uint32_t life;
	uint32_t client;
	uint64_t connections, most;
	int64_t started_ms;
};

struct sim {
	struct sim_world world;
	struct sim_load load;
	struct pool_state pool;
	int64_t now;
	uint64_t random;
	struct sim_event *heap;
	size_t heap_count, heap_size;
	uint64_t order;
	struct sim_worker *workers;
	unsigned used, idle, processes;
	int64_t *cpu_free;
	/* the accept queue: a ring */
	struct {
		uint32_t client;
		int64_t since;
	} * queue;
	unsigned queue_first, queue_count;
	bool *active; /* clients */
	uint32_t load_number;
	/* the scoreboard's words */
	bool want_ready, want_short, want_excess;
	uint64_t returned;
	int64_t master_at, master_free;
	int64_t short_since; /* us; 0: not, or there is an excuse */
	/* what came of it */
	uint64_t forks, retired, turns, served, failures, kills;
	unsigned most_alive;
	int64_t longest_wait;
};

/* check(3) writes to a pipe for each of its own, and these are millions. */
#define sim_must(sim, true_here)                                               \
	do {                                                                   \
		if (!(true_here))                                              \
			sim_break(sim, __LINE__, #true_here);                  \
	} while (0)

static inline void
sim_break(const struct sim *sim, int line, const char *what)
{
	const struct pool_state *pool = &sim->pool;

	ck_abort_msg("line %d, seed %llu at %lld us: not true: %s; mood %d, "
		     "idle %u, queue %u, alive %u, starting %u, leaving %u, "
		     "wanted %u, short since %lld, wakes at %lld",
	    line, (unsigned long long)sim->world.seed, (long long)sim->now,
	    what, pool->mood, sim->idle, sim->queue_count, pool->alive,
	    pool->starting, pool->leaving, pool->wanted,
	    (long long)sim->short_since, (long long)sim->master_at);
}

static inline uint64_t
sim_random(struct sim *sim)
{
	sim->random ^= sim->random >> 12;
	sim->random ^= sim->random << 25;
	sim->random ^= sim->random >> 27;
	return sim->random * UINT64_C(2685821657736338717) >> 11;
}

static inline unsigned
sim_percent(struct sim *sim)
{
	return (unsigned)(sim_random(sim) % 100);
}

static inline int64_t
sim_exponential(struct sim *sim, int64_t mean)
{
	double u = ((double)sim_random(sim) + 1) / 9007199254740993.0;

	return (int64_t)(-log(u) * (double)mean) + 1;
}

static inline bool
sim_before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static inline void
sim_push(struct sim *sim, int64_t at, enum sim_event_kind kind, uint32_t who,
    uint32_t life)
{
	struct sim_event event = { at, sim->order++, kind, who, life };
	size_t i = sim->heap_count++;

	if (i == sim->heap_size) {
		sim->heap_size = 2 * sim->heap_size + 1024;
		sim->heap =
		    realloc(sim->heap, sim->heap_size * sizeof(*sim->heap));
		ck_assert_ptr_nonnull(sim->heap);
	}
	for (; i > 0 && sim_before(&event, &sim->heap[(i - 1) / 2]);
	     i = (i - 1) / 2)
		sim->heap[i] = sim->heap[(i - 1) / 2];
	sim->heap[i] = event;
}

static inline struct sim_event
sim_pop(struct sim *sim)
{
	struct sim_event top = sim->heap[0];
	struct sim_event last = sim->heap[--sim->heap_count];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < sim->heap_count) {
		if (child + 1 < sim->heap_count &&
		    sim_before(&sim->heap[child + 1], &sim->heap[child]))
			child++;
		if (!sim_before(&sim->heap[child], &last))
			break;
		sim->heap[i] = sim->heap[child];
		i = child;
	}
	sim->heap[i] = last;
	return top;
}

static inline void
sim_master_at(struct sim *sim, int64_t at)
{
	if (at < sim->master_free)
		at = sim->master_free;
	if (at >= sim->master_at)
		return;
	sim->master_at = at;
	sim_push(sim, at, SIM_MASTER, 0, 0);
}

static inline void
sim_wake(struct sim *sim)
{
	sim_master_at(sim, sim->now + SIM_WAKE_US);
}

static inline void
sim_init(struct sim *sim, const struct sim_world *world)
{
	memset(sim, 0, sizeof(*sim));
	sim->world = *world;
	sim->random = world->seed * 2 + 1;
	sim->now = SIM_SECOND;
	sim->master_at = INT64_MAX;
	sim->workers = calloc(world->limits.max, sizeof(*sim->workers));
	sim->cpu_free = calloc(world->cpus, sizeof(*sim->cpu_free));
	sim->queue = calloc(SIM_CLIENTS, sizeof(*sim->queue));
	sim->active = calloc(SIM_CLIENTS, sizeof(*sim->active));
	for (int i = 0; i < 20; i++)
		sim_random(sim);
	pool_init(&sim->pool, &world->limits);
	if (world->kill_us != 0)
		sim_push(sim, sim->now + world->kill_us, SIM_KILLS, 0, 0);
	sim_wake(sim);
}

static inline void
sim_free(struct sim *sim)
{
	free(sim->heap);
	free(sim->workers);
	free(sim->cpu_free);
	free(sim->queue);
	free(sim->active);
}

static inline void
sim_set_load(struct sim *sim, const struct sim_load *load)
{
	sim->load = *load;
	sim->load_number++;
	for (uint32_t i = 0; i < load->clients; i++) {
		if (sim->active[i])
			continue;
		sim->active[i] = true;
		sim_push(sim,
		    sim->now +
			(load->spread_us == 0 ? 0 :
						(int64_t)(sim_random(sim) %
						    (uint64_t)load->spread_us)),
		    SIM_ARRIVES, i, 0);
	}
	if (load->between_us != 0)
		sim_push(sim, sim->now + sim_exponential(sim, load->between_us),
		    SIM_STRANGER, SIM_NOBODY, sim->load_number);
}

#endif
