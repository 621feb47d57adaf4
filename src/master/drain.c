#include "master/drain.h"

#include <sys/socket.h>

#include "common/clock.h"
#include "common/log.h"
#include "connection/tcpstate.h"
#include "master/master.h"
#include "master/spawn.h"

#define DRAIN_LOOK_MS 50 /* between two looks for who still waits */

void
drain_begin(struct master *master, struct pool *pool, struct conf *conf)
{
	conf_hold(conf); /* for those that still wait in its queue */
	pool->kept = conf;
	pool->removed = true;
	if (pool->listener.passed)
		log_notice(
		    "%s: systemd holds the socket: who comes after "
		    "those in its queue waits there for the next start "
		    "of this service, unless its .socket unit is stopped",
		    pool->listener.address);
	store_forget(&master->notify, &pool->listener);
	listener_stop(&pool->listener);
}

/*
 * Nobody waits: the port is free from here on, though workers still hold the
 * descriptor. A look at the queue and this are not one step, see CAVEATS.
 */
static void
stop_listening(struct pool *pool)
{
	/* That of a socket unit goes on without us. */
	if (!pool->listener.passed &&
	    shutdown(fdref_fd(pool->listener.ref), SHUT_RDWR) < 0)
		log_warn("%s: shutdown", pool->listener.address);
	pool->closed = true;
}

/*
 * Those that are free have left, or are about to: others are needed. One more
 * than max-workers, for clients of the others may stay for hours, and not one
 * for each look: those that wait may say as little.
 */
static void
fork_for_queue(
    struct master *master, struct pool *pool, uint32_t waiting, int64_t now)
{
	unsigned workers = pool->state.alive + pool->state.leaving;
	unsigned max = pool->state.limits.max + 1;

	if (pool->state.starting > 0 || now < pool->state.backoff.until)
		return;
	if (pool->state.alive == 0 && workers >= max)
		max = workers + 1;
	for (uint32_t i = 0; i < waiting && workers + i < max; i++)
		if (spawn_one(master, pool) < 0) {
			if (!pool->fork_warned)
				log_warn("%s: fork for the clients that still "
					 "wait; tried again until it works",
				    pool->listener.address);
			pool->fork_warned = true;
			return;
		}
}

static int64_t
drain(struct master *master, struct pool *pool, int64_t now)
{
	uint32_t length, limit;

	if (!pool->closed) {
		if (tcpstate_queue(
			fdref_fd(pool->listener.ref), &length, &limit) < 0)
			length = 0;
		if (length > 0 && now < pool->look_at)
			return pool->look_at;
		pool->look_at = now + DRAIN_LOOK_MS;
		if (length > 0)
			fork_for_queue(master, pool, length, now);
		else
			stop_listening(pool);
	}
	if (pool->closed && pool->state.alive + pool->state.leaving == 0) {
		pools_remove(&master->pools, &master->board, pool);
		return CLOCK_NEVER;
	}
	return pool->closed ? CLOCK_NEVER : pool->look_at;
}

int64_t
drain_turn(struct master *master, int64_t now)
{
	int64_t wake = CLOCK_NEVER, at;
	struct pool *pool, *next;

	for (pool = TAILQ_FIRST(&master->pools); pool != NULL; pool = next) {
		next = TAILQ_NEXT(pool, entry);
		if (!pool->removed)
			continue;
		at = drain(master, pool, now);
		wake = at < wake ? at : wake;
	}
	return wake;
}
