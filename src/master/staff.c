#include "master/staff.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "master/spawn.h"

#define TURN_MS 20 /* of forks, at most, before the master looks up */

static bool
is_of(const struct child *child, const struct pool *pool)
{
	return child->pid != 0 && child->pool == pool;
}

void
staff_signal(struct master *master, const struct pool *pool, int signal)
{
	for (uint32_t i = 0; i < master->board.used; i++) {
		struct child *child = &master->children.places[i];

		if (is_of(child, pool) && kill(child->pid, signal) < 0)
			log_warn(
			    "signal %d to worker %d", signal, (int)child->pid);
	}
}

void
staff_replace(struct master *master, struct pool *pool, bool fresh)
{
	for (uint32_t i = 0; i < master->board.used; i++) {
		struct child *child = &master->children.places[i];

		if (!is_of(child, pool))
			continue;
		if (child->fresh != fresh && !child->leaving) {
			/* One that has just died is reaped in a moment. */
			if (kill(child->pid, SIGQUIT) < 0)
				log_warn("QUIT to worker %d", (int)child->pid);
			child->leaving = true;
		}
		child->fresh = false;
	}
}

/*
 * Those in the highest slots, idle ones as a rule. One that takes a connection
 * before the signal reaches it serves that first.
 */
void
staff_retire(struct master *master, struct pool *pool)
{
	const idle_word *idle = scoreboard_idle(&master->board, pool->row);
	bool busy = pool_retires_busy(&pool->state);

	for (uint32_t i = master->board.used;
	     i-- > 0 && pool_to_retire(&pool->state) > 0;) {
		struct child *child = &master->children.places[i];

		/* Those of a reload are counted elsewhere, and it needs them.
		 */
		if (!is_of(child, pool) || child->fresh || child->leaving ||
		    !child->ready || !(busy || idle_set_has(idle, i)))
			continue;
		if (kill(child->pid, SIGQUIT) < 0) {
			log_warn("QUIT to worker %d", (int)child->pid);
			continue;
		}
		child->leaving = true;
		pool_retired(&pool->state);
	}
	pool_retired_all(&pool->state);
}

/*
 * Once for all attempts until the pool has the workers that it wants: each time
 * that one worker leaves another can be forked, and the next cannot.
 */
static void
log_fork_failure(struct pool *pool)
{
	if (pool->fork_warned)
		return;
	pool->fork_warned = true;
	log_warn("%s %s: fork; serving with %u of %u workers until it works "
		 "again (RLIMIT_NPROC, pids.max, kernel.pid_max or "
		 "kernel.threads-max may be too low, or memory short)",
	    pool->plan.service->known.name, pool->listener.address,
	    pool->state.alive, pool->state.wanted);
}

void
staff_note_mended(struct pool *pool)
{
	if ((!pool->fork_warned && !pool->degraded_said) ||
	    pool->state.starting > 0 || pool->state.alive < pool->state.wanted)
		return;
	pool->fork_warned = pool->degraded_said = false;
	log_notice("%s %s: %s: %u", pool->plan.service->known.name,
	    pool->listener.address,
	    pool->state.trial ? "no more workers are missing" :
				"workers start again",
	    pool->state.alive);
}

void
staff_fill(struct master *master, struct pool *pool, int64_t now)
{
	unsigned n = pool_to_fork(&pool->state, now);

	if (n == 0)
		return;
	pool_turned(&pool->state);
	while (n-- > 0) {
		if (spawn_one(master, pool) == 0) {
			/* Signals and other pools wait for the next turn. */
			if (clock_ms() - now >= TURN_MS)
				return;
			continue;
		}
		log_fork_failure(pool);
		pool_fork_failed(&pool->state, now);
		if (pool->state.alive == 0 && !master->is_up)
			master->start_failed = true;
		return;
	}
}
