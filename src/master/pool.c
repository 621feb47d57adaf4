#include "master/pool.h"

#include <string.h>

#include "common/clock.h"

void
pool_init(struct pool_state *pool, unsigned wanted)
{
	memset(pool, 0, sizeof(*pool));
	pool->wanted = wanted;
	pool->trial = true;
}

unsigned
pool_to_fork(const struct pool_state *pool, int64_t now)
{
	if (pool->alive >= pool->wanted || now < pool->backoff.until)
		return 0;
	if (pool->trial)
		return pool->starting == 0 ? 1 : 0;
	return pool->wanted - pool->alive;
}

int64_t
pool_wake_at(const struct pool_state *pool, int64_t now)
{
	if (pool->alive < pool->wanted && now < pool->backoff.until)
		return pool->backoff.until;
	return CLOCK_NEVER;
}

void
pool_forked(struct pool_state *pool)
{
	pool->alive++;
	pool->starting++;
}

void
pool_ready(struct pool_state *pool)
{
	pool->starting--;
	pool->trial = false;
}

static bool
fail(struct pool_state *pool, int64_t now)
{
	pool->trial = true;
	return backoff_fail(&pool->backoff, now);
}

bool
pool_fork_failed(struct pool_state *pool, int64_t now)
{
	return fail(pool, now);
}

/*
 * A worker that never came into accept, or died within a second before its
 * first connection, would die again. One that crashes over a connection costs
 * a fork each time, which its clients pay for: that must not stop the others.
 */
bool
pool_died_early(const struct pool_life *life)
{
	if (life->asked)
		return false;
	return !life->was_ready ||
	    (life->connections == 0 && life->lived_ms < POOL_EARLY_MS);
}

bool
pool_reaped(struct pool_state *pool, const struct pool_life *life, int64_t now)
{
	pool->alive--;
	if (!life->was_ready)
		pool->starting--;
	return pool_died_early(life) && fail(pool, now);
}

bool
pool_is_degraded(const struct pool_state *pool)
{
	return pool->trial && pool->backoff.failures > 0;
}

bool
pool_is_up(const struct pool_state *pool)
{
	if (pool->alive == pool->starting)
		return false;
	return pool->starting == 0 &&
	    (pool->alive >= pool->wanted || pool_is_degraded(pool));
}
