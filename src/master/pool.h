/*
 * pool: how many workers a listening socket shall have. Policy only: it looks
 * at numbers, and master/spawn does what it says.
 */
#ifndef MASTER_POOL_H
#define MASTER_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "master/backoff.h"

#define POOL_EARLY_MS 1000 /* a life shorter than this may be early death */

/* All zero but wanted and trial: a pool before its first worker. */
struct pool_state {
	unsigned wanted;   /* workers that it shall have */
	unsigned alive;    /* forked and not reaped */
	unsigned starting; /* of those, not yet in accept */
	bool trial;        /* fork one alone, and wait until it is in
			      accept: the first, and after a failure */
	struct backoff backoff;
};

/* How one worker's life was. */
struct pool_life {
	bool asked;     /* left as it was told, or may leave at will */
	bool was_ready; /* had come into accept */
	uint64_t connections;
	int64_t lived_ms;
};

/* A pool that shall have so many workers. */
void pool_init(struct pool_state *pool, unsigned wanted);

/* How many workers to fork now. */
unsigned pool_to_fork(const struct pool_state *pool, int64_t now);

/* When pool_to_fork has to be asked again without an event, or CLOCK_NEVER. */
int64_t pool_wake_at(const struct pool_state *pool, int64_t now);

/* Notes what happened. */
void pool_forked(struct pool_state *pool);
void pool_ready(struct pool_state *pool);

/* fork(2) failed. True when a new delay has begun. */
bool pool_fork_failed(struct pool_state *pool, int64_t now);

/* A worker was reaped. True when it died early and a new delay has begun. */
bool
pool_reaped(struct pool_state *pool, const struct pool_life *life, int64_t now);

/* True for a death that must not be answered with a fork at once. */
bool pool_died_early(const struct pool_life *life);

/* True while fewer workers serve than shall, for want of a successful start. */
bool pool_is_degraded(const struct pool_state *pool);

/*
 * True when the pool can be called started: all its workers are in accept,
 * or at least one is and the others are held back.
 */
bool pool_is_up(const struct pool_state *pool);

#endif
