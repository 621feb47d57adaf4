#include "master/pool.h"

#include <string.h>

#include "common/clock.h"

/*
 * Multiples of the golden ratio, of which the fraction is taken: any few in a
 * row are far apart (Knuth, The Art of Computer Programming, 6.4).
 */
uint64_t
pool_connections(uint64_t limit, uint64_t nth)
{
	uint64_t fraction = (nth * UINT64_C(2654435769)) & UINT32_MAX;

	return limit - ((limit / 4 * fraction) >> 32);
}

void
pool_init(struct pool_state *pool, const struct pool_limits *limits)
{
	memset(pool, 0, sizeof(*pool));
	pool->limits = *limits;
	pool->wanted = limits->start;
	pool->batch = POOL_FIRST_BATCH;
	pool->trial = true;
	pool->look_at = CLOCK_NEVER;
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* How many workers there may be beside those that are about to leave. */
static unsigned
room(const struct pool_state *pool)
{
	return pool->limits.max - least(pool->leaving, pool->limits.max);
}

static void
want(struct pool_state *pool, unsigned workers)
{
	pool->wanted = least(workers, room(pool));
}

/* What was wanted and not forked yet is wanted no more. */
static void
want_no_more(struct pool_state *pool)
{
	if (!pool->trial)
		pool->wanted = pool->alive;
}

/* Spare workers that are missing; one for each client that waits as well. */
static unsigned
shortfall(const struct pool_state *pool, const struct pool_view *view)
{
	unsigned needed = pool->limits.min_spare + view->queue;
	unsigned spare = view->idle + pool->starting;

	return needed > spare ? needed - spare : 0;
}

static void
see(struct pool_state *pool, const struct pool_view *view, int64_t now)
{
	pool->seen_at = now;
	pool->seen_returned = view->returned;
	pool->look_at = now + POOL_WATCH_MS;
}

/*
 * Whether those that wait are taken within POOL_WATCH_MS at the pace of the
 * last moment: returned / elapsed workers a millisecond, queue + 1 clients.
 */
static bool
takes_turns(
    const struct pool_state *pool, const struct pool_view *view, int64_t now)
{
	uint64_t returned = view->returned - pool->seen_returned;
	uint64_t elapsed = (uint64_t)(now - pool->seen_at);

	return returned * POOL_WATCH_MS > (view->queue + 1) * elapsed;
}

static void
end_try(struct pool_state *pool)
{
	pool->pace_at = 0;
	pool->before_try = 0;
}

static void
measure(struct pool_state *pool, const struct pool_view *view, int64_t now)
{
	pool->pace_at = now;
	pool->pace_returned = view->returned;
}

/*
 * Workers that wait for the network rather than for a processor end more
 * connections when there are more of them. Only a try tells: half as many
 * again, and if they do not raise the pace by a quarter they go again.
 */
static void
try_more(struct pool_state *pool, const struct pool_view *view, int64_t now)
{
	uint64_t pace;

	if (view->queue == 0) {
		pool->pace_at = 0;
		return;
	}
	if (pool->pace_at == 0 || pool->starting > 0) {
		measure(pool, view, now);
		return;
	}
	if (now - pool->pace_at < POOL_PACE_MS)
		return;
	pace = (view->returned - pool->pace_returned) * 1000 /
	    (uint64_t)(now - pool->pace_at);
	measure(pool, view, now);
	if (now - pool->best_at > POOL_FORGET_MS)
		pool->best_pace = 0;
	if (pace > pool->best_pace + pool->best_pace / 4) {
		pool->best_pace = pace;
		pool->best_at = now;
		pool->before_try = pool->alive;
		want(pool, pool->alive + pool->alive / 2 + 1);
	} else if (pool->before_try > 0) {
		if (pool->alive > pool->before_try)
			pool->retire = pool->alive - pool->before_try;
		pool->before_try = 0;
	}
}

static void
grow(struct pool_state *pool, const struct pool_view *view, int64_t now)
{
	unsigned missing = shortfall(pool, view);

	if (pool->mood == POOL_CALM) {
		pool->mood = POOL_WATCHED;
		see(pool, view, now);
		return;
	}
	if (pool->mood != POOL_GROWING && now < pool->look_at)
		return;
	/* A try that has come so far is judged like any other. */
	if (pool->alive >= room(pool) && pool->mood != POOL_TURNING) {
		/* Whoever leaves or dies now is missed at once. */
		pool->mood = POOL_GROWING;
		see(pool, view, now);
		pool->look_at = now + POOL_FULL_MS;
		return;
	}
	if (now >= pool->look_at) {
		if (takes_turns(pool, view, now)) {
			pool->mood = POOL_TURNING;
			want_no_more(pool);
		} else {
			pool->mood = POOL_GROWING;
			end_try(pool);
		}
		see(pool, view, now);
	}
	if (pool->mood == POOL_TURNING)
		try_more(pool, view, now);
	else
		want(pool, pool->alive + missing);
}

/*
 * More than max-spare-workers were there in each sample of a second: a load
 * that comes and goes within it costs no fork.
 */
static void
shrink(struct pool_state *pool, const struct pool_view *view, int64_t now)
{
	unsigned excess;

	if (view->idle <= pool->limits.max_spare) {
		pool->samples = 0;
		pool->step = 0;
		pool->look_at = CLOCK_NEVER;
		return;
	}
	if (pool->samples > 0 && now < pool->look_at)
		return;
	pool->look_at = now + POOL_SAMPLE_MS;
	pool->least_idle = pool->samples == 0 ?
	    view->idle :
	    least(pool->least_idle, view->idle);
	if (pool->samples++ < POOL_SAMPLES)
		return;
	pool->samples = 0;
	excess = pool->least_idle - pool->limits.max_spare;
	pool->step =
	    pool->step == 0 ? 1 : least(2 * pool->step, POOL_MOST_RETIRED);
	pool->retire = least(excess, pool->step);
}

/*
 * Counted, not seen at one moment: under a load that recycles workers somebody
 * is always on the way.
 */
static bool
has_begun(const struct pool_state *pool)
{
	return !pool->trial && pool->arrived >= pool->limits.start;
}

void
pool_look(struct pool_state *pool, const struct pool_view *view, int64_t now)
{
	if (!pool->begun) {
		pool->begun = has_begun(pool);
		return;
	}
	if (shortfall(pool, view) > 0) {
		pool->samples = 0;
		pool->step = 0;
		grow(pool, view, now);
		return;
	}
	if (pool->mood != POOL_CALM) {
		pool->mood = POOL_CALM;
		pool->batch = POOL_FIRST_BATCH;
		end_try(pool);
	}
	want_no_more(pool);
	shrink(pool, view, now);
}

unsigned
pool_to_fork(const struct pool_state *pool, int64_t now)
{
	unsigned wanted = least(pool->wanted, room(pool));

	if (pool->alive >= wanted || now < pool->backoff.until)
		return 0;
	if (pool->trial)
		return pool->starting == 0 ? 1 : 0;
	return least(wanted - pool->alive, pool->batch);
}

unsigned
pool_to_retire(const struct pool_state *pool)
{
	return pool->retire;
}

bool
pool_retires_busy(const struct pool_state *pool)
{
	return pool->mood == POOL_TURNING;
}

int64_t
pool_wake_at(const struct pool_state *pool, int64_t now)
{
	int64_t fork_at = CLOCK_NEVER;

	if (pool->alive < least(pool->wanted, room(pool))) {
		if (now < pool->backoff.until)
			fork_at = pool->backoff.until;
		else if (pool_to_fork(pool, now) > 0)
			fork_at = now; /* the next batch */
	}
	return fork_at < pool->look_at ? fork_at : pool->look_at;
}

bool
pool_wants_short(const struct pool_state *pool)
{
	return pool->begun && pool->mood == POOL_CALM;
}

bool
pool_wants_excess(const struct pool_state *pool)
{
	return pool->begun && pool->look_at == CLOCK_NEVER &&
	    pool->alive > pool->limits.max_spare;
}

static bool
cannot_grow(const struct pool_state *pool)
{
	return pool->begun && pool->starting == 0 && pool->alive >= room(pool);
}

bool
pool_may_be_full(const struct pool_state *pool)
{
	return cannot_grow(pool) && pool->mood != POOL_CALM;
}

bool
pool_is_full(const struct pool_state *pool, const struct pool_view *view)
{
	return cannot_grow(pool) && view->queue > 0;
}

void
pool_forked(struct pool_state *pool)
{
	pool->alive++;
	pool->starting++;
}

void
pool_turned(struct pool_state *pool)
{
	pool->batch = least(2 * pool->batch, POOL_LAST_BATCH);
}

void
pool_ready(struct pool_state *pool)
{
	pool->starting--;
	pool->arrived++;
	pool->trial = false;
}

void
pool_retired(struct pool_state *pool)
{
	pool->alive--;
	pool->leaving++;
	pool->retire--;
	pool->wanted = pool->alive;
}

void
pool_retired_all(struct pool_state *pool)
{
	pool->retire = 0;
}

void
pool_inherit(struct pool_state *pool, unsigned alive, unsigned starting,
    unsigned leaving)
{
	pool->alive = pool->wanted = alive;
	pool->starting = starting;
	pool->leaving = leaving;
	pool->arrived = pool->limits.start;
	pool->begun = true;
	pool->trial = false;
}

void
pool_succeed(struct pool_state *pool, const struct pool_state *fresh)
{
	unsigned leaving = pool->leaving + pool->alive;

	*pool = *fresh;
	pool->leaving = leaving;
}

void
pool_outlive(struct pool_state *pool, const struct pool_state *fresh)
{
	pool->leaving += fresh->alive;
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
	if (life->leaving) {
		pool->leaving--;
		return false;
	}
	pool->alive--;
	if (!life->was_ready)
		pool->starting--;
	if (pool_died_early(life))
		return fail(pool, now);
	backoff_succeed(&pool->backoff, now - life->lived_ms);
	/*
	 * One that leaves a pool that is short is missed: those that take turns
	 * would become fewer and fewer. Otherwise the next look says.
	 */
	if (pool->begun && !pool->trial && pool->mood == POOL_CALM)
		pool->wanted = least(pool->wanted, pool->alive);
	return false;
}

bool
pool_is_degraded(const struct pool_state *pool)
{
	/* One that tries to start is none yet; or nobody is missing now. */
	return pool->trial && pool->backoff.failures > 0 &&
	    pool->alive - pool->starting < pool->wanted;
}

bool
pool_is_up(const struct pool_state *pool)
{
	if (pool->alive == pool->starting)
		return false;
	return pool->begun || has_begun(pool) ||
	    (pool->starting == 0 && pool_is_degraded(pool));
}
