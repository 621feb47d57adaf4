/*
 * pool: how many workers a listening socket shall have. Policy only: it looks
 * at numbers, and master/spawn does what it says.
 *
 * A pool is short when fewer than min-spare-workers are left for the next
 * clients, or clients wait in the accept queue already. It is watched for a
 * moment then: connections that end sooner than a fork pays leave the same few
 * workers in turns, and more of them would only be in each other's way. If
 * they do not come back, the whole shortfall is forked at once. A pool with
 * more than max-spare-workers for a whole second lets go of some, more each
 * second.
 */
#ifndef MASTER_POOL_H
#define MASTER_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "master/backoff.h"

#define POOL_EARLY_MS 1000 /* a life shorter than this may be early death */
#define POOL_WATCH_MS                                                          \
	10                   /* before a pool grows; and the longest wait in   \
				the queue that is no reason to */
#define POOL_PACE_MS 100     /* over which a pace is measured */
#define POOL_FORGET_MS 60000 /* a pace that more workers did not raise */
#define POOL_FULL_MS 1000    /* between two looks at a pool that may not grow */
#define POOL_SAMPLE_MS 100   /* between two looks at one that has too many */
#define POOL_SAMPLES 10      /* all of which must say so */
#define POOL_FIRST_BATCH 32  /* forks in a turn, doubled from turn to turn */
#define POOL_LAST_BATCH 512
#define POOL_MOST_RETIRED 256 /* in a second */

/* The worker keywords of preforkd.conf(5). */
struct pool_limits {
	unsigned start;
	unsigned min_spare;
	unsigned max_spare;
	unsigned max;
};

/* What the master sees when it looks. */
struct pool_view {
	unsigned idle;     /* workers in accept */
	unsigned queue;    /* connections that wait, where idle is 0 */
	uint64_t returned; /* from their connections, all workers, ever */
};

enum pool_mood {
	POOL_CALM,    /* nobody is missing: workers wake us when that ends */
	POOL_WATCHED, /* short since a moment */
	POOL_TURNING, /* short, but the few there are take turns */
	POOL_GROWING
};

struct pool_state {
	struct pool_limits limits;
	unsigned wanted;   /* workers that it shall have; never below alive */
	unsigned alive;    /* forked, not reaped, not told to leave */
	unsigned starting; /* of those, not yet in accept */
	unsigned leaving;  /* told to leave, and not reaped */
	unsigned arrived;  /* came into accept, ever */
	unsigned batch;    /* forks in the next turn, at most */
	bool begun;        /* the first workers have been in accept */
	bool trial;        /* fork one alone, and wait until it is in
			      accept: the first, and after a failure */
	struct backoff backoff;
	enum pool_mood mood;
	int64_t look_at; /* pool_look wants to be called again */
	/* the moment of watching */
	int64_t seen_at;
	uint64_t seen_returned;
	/* whether more workers raise the pace */
	int64_t pace_at; /* 0: not measured */
	uint64_t pace_returned;
	uint64_t best_pace; /* a second; more workers did not raise it */
	int64_t best_at;
	unsigned before_try; /* workers; 0: no try */
	/* too many spare ones */
	unsigned samples;
	unsigned least_idle;
	unsigned step;   /* to retire, doubled from second to second */
	unsigned retire; /* to be told to leave, now */
};

/* How one worker's life was. */
struct pool_life {
	bool asked;     /* left as it was told, or may leave at will */
	bool leaving;   /* pool_retired was called for it */
	bool was_ready; /* had come into accept */
	uint64_t connections;
	int64_t lived_ms;
};

/*
 * After how many connections the nth worker of a pool shall leave, for a limit
 * of max-connections-per-worker: between three quarters of it and all of it,
 * spread so that a pool never leaves at once. 0 is no limit.
 */
uint64_t pool_connections(uint64_t limit, uint64_t nth);

void pool_init(struct pool_state *pool, const struct pool_limits *limits);

/*
 * Looks, and decides how many workers there shall be. Called whenever the
 * master wakes up; does nothing until it is time.
 */
void
pool_look(struct pool_state *pool, const struct pool_view *view, int64_t now);

/* How many workers to fork now. */
unsigned pool_to_fork(const struct pool_state *pool, int64_t now);

/* How many idle workers to tell to leave now. */
unsigned pool_to_retire(const struct pool_state *pool);

/*
 * True where those in accept may be too few to be told: then one that serves
 * is told, and leaves after its connection.
 */
bool pool_retires_busy(const struct pool_state *pool);

/*
 * When pool_look and pool_to_fork have to be asked again without an event, or
 * CLOCK_NEVER.
 */
int64_t pool_wake_at(const struct pool_state *pool, int64_t now);

/* True when a worker that finds spare workers short shall wake the master. */
bool pool_wants_short(const struct pool_state *pool);

/* The same for one that comes back and finds more than max-spare-workers. */
bool pool_wants_excess(const struct pool_state *pool);

/* True while spare workers are short, and there may be no more of them. */
bool pool_may_be_full(const struct pool_state *pool);

/* True while clients wait, all workers serve, and there may be no more. */
bool pool_is_full(const struct pool_state *pool, const struct pool_view *view);

/* Notes what happened. pool_turned: a turn's forks are done. */
void pool_forked(struct pool_state *pool);
void pool_turned(struct pool_state *pool);
void pool_ready(struct pool_state *pool);

/* An idle one was told to leave. */
void pool_retired(struct pool_state *pool);

/* All that pool_to_retire asked for were told, or there was nobody left. */
void pool_retired_all(struct pool_state *pool);

/* fork(2) failed. True when a new delay has begun. */
bool pool_fork_failed(struct pool_state *pool, int64_t now);

/*
 * A pool that another master had: it has begun, with so many workers already,
 * of which some are on their way into accept, and beside some that leave.
 */
void pool_inherit(struct pool_state *pool, unsigned alive, unsigned starting,
    unsigned leaving);

/*
 * A reload: fresh, with its own limits and the workers that it has already,
 * takes the place of pool, of which all were told to leave; or pool stays, and
 * those of fresh were told.
 */
void pool_succeed(struct pool_state *pool, const struct pool_state *fresh);
void pool_outlive(struct pool_state *pool, const struct pool_state *fresh);

/* A worker was reaped. True when it died early and a new delay has begun. */
bool
pool_reaped(struct pool_state *pool, const struct pool_life *life, int64_t now);

/* True for a death that must not be answered with a fork at once. */
bool pool_died_early(const struct pool_life *life);

/* True while fewer workers serve than shall, for want of a successful start. */
bool pool_is_degraded(const struct pool_state *pool);

/*
 * True when the pool can be called started: all its first workers are in
 * accept, or at least one is and the others are held back.
 */
bool pool_is_up(const struct pool_state *pool);

#endif
