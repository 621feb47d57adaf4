/*
 * pool_state: a pool whose first workers are in accept, for the tests of
 * master/pool.
 */
#ifndef UNIT_POOL_STATE_H
#define UNIT_POOL_STATE_H

#include "common/clock.h"
#include "master/pool.h"
#include "unit/unit.h"

#define START 4
#define MIN_SPARE 4
#define MAX_SPARE 16
#define MAX 1000

static const struct pool_limits limits = { .start = START,
	.min_spare = MIN_SPARE,
	.max_spare = MAX_SPARE,
	.max = MAX };

static inline void
look(struct pool_state *pool, unsigned idle, unsigned queue, uint64_t returned,
    int64_t now)
{
	struct pool_view view = { idle, queue, returned };

	pool_look(pool, &view, now);
}

/* A turn of a master all of whose forks succeed at once; how many. */
static inline unsigned
fork_all_at(struct pool_state *pool, int64_t now)
{
	unsigned n = pool_to_fork(pool, now);

	if (n > 0)
		pool_turned(pool);
	for (unsigned i = 0; i < n; i++)
		pool_forked(pool);
	for (unsigned i = 0; i < n; i++)
		pool_ready(pool);
	return n;
}

/* So many workers, which have begun. */
static inline struct pool_state
pool_of(const struct pool_limits *these, unsigned workers)
{
	struct pool_limits started = *these;
	struct pool_state pool;

	started.start = workers;
	pool_init(&pool, &started);
	while (fork_all_at(&pool, 0) > 0)
		;
	look(&pool, workers, 0, 0, 0);
	ck_assert(pool.begun);
	ck_assert_uint_eq(pool.alive, workers);
	pool.batch = POOL_FIRST_BATCH;
	return pool;
}

#endif
