#include "master/pressure.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/unshared.h"
#include "connection/tcpstate.h"
#include "master/evict.h"

#define FULL_WARN_MS 60000
#define CLAUSE_SIZE (ADDR_STRLEN + 160)

/* "192.0.2.7:51514" without its port. */
static char *
host_of(const struct slot *slot, char text[ADDR_STRLEN])
{
	struct slot copy;
	char *port;

	scoreboard_read(slot, &copy);
	port = strrchr(slot_peer(&copy, text), ':');
	if (port != NULL)
		*port = '\0';
	return text;
}

/* What is done about it, and what is to do. */
static char *
describe(const struct master *master, const struct evict_choice *choice,
    char text[CLAUSE_SIZE])
{
	char host[ADDR_STRLEN];

	if (choice == NULL || choice->heaviest == 0)
		strlcpy(text, "raise max-workers, or lower idle-timeout",
		    CLAUSE_SIZE);
	else
		snprintf(text, CLAUSE_SIZE,
		    "idle connections of who has the most are evicted for "
		    "them, and %s has %zu; raise max-workers, or set "
		    "max-per-source",
		    host_of(&master->board.slots[choice->worker], host),
		    choice->heaviest);
	return text;
}

static void
warn(const struct master *master, struct pool *pool,
    const struct evict_choice *choice, int64_t now)
{
	char text[CLAUSE_SIZE];
	uint32_t length, limit;

	if ((pool->full_warned_ms != 0 &&
		now - pool->full_warned_ms < FULL_WARN_MS) ||
	    tcpstate_queue(fdref_fd(pool->listener.ref), &length, &limit) < 0)
		return;
	pool->full_warned_ms = now;
	log_warnx("%s %s: all of max-workers %u serve, and %" PRIu32
		  " clients wait in the queue of %" PRIu32 "; %s",
	    pool->plan.service->known.name, pool->listener.address,
	    pool->state.limits.max, length, limit,
	    describe(master, choice, text));
}

/* Workers can write anything into a slot. */
static int64_t
moment(int64_t ms, int64_t now)
{
	return ms < 0 ? 0 : ms > now ? now : ms;
}

static size_t
collect(const struct master *master, const struct pool *pool,
    struct evict_connection *to, int64_t now)
{
	struct slot slot;
	size_t count = 0;

	for (uint32_t i = 0; i < master->board.used; i++) {
		const struct child *child = &master->children.places[i];

		if (child->pid == 0 || child->pool != pool ||
		    !scoreboard_read(child->slot, &slot) ||
		    (slot.state != SLOT_BUSY && slot.state != SLOT_CLOSING))
			continue;
		to[count++] =
		    (struct evict_connection){ .source = slot.source_key,
			    .idle_since = moment(slot.traffic.moved_ms, now),
			    .closing = slot.state == SLOT_CLOSING,
			    .worker = i,
			    .number = slot_number(
				slot.connections, slot.traffic.moved_ms) };
	}
	return count;
}

/*
 * One that has moved on to another connection does not mind, nor one whose
 * bytes have moved meanwhile. One that has looked just before the signal sleeps
 * over it, and is chosen in the next turn again.
 */
static void
order(const struct master *master, const struct evict_connection *connection)
{
	const union sigval number = { .sival_int = connection->number };
	pid_t pid = master->children.places[connection->worker].pid;

	/* An unreaped child keeps its pid, so this hits nobody else. */
	if (sigqueue(pid, SIGURG, number) < 0)
		log_warn("signal %d to worker %d", SIGURG, (int)pid);
}

/* Returns when to look again. */
static int64_t
evict(struct master *master, struct pool *pool, uint32_t waiting, int64_t now)
{
	const uint32_t places = master->board.used;
	struct evict_choice choice = { .look_at = now + EVICT_GRACE_MS };
	struct evict_connection *connections;
	size_t count;

	connections = unshared_alloc(places, sizeof(*connections));
	if (connections == NULL) {
		log_warn("%s: memory to choose whom to evict",
		    pool->listener.address);
		return choice.look_at;
	}
	count = collect(master, pool, connections, now);
	if (count > 0)
		choice = evict_choose(connections, count, waiting, now);
	warn(master, pool, &choice, now);
	for (size_t i = 0; i < choice.victims; i++)
		order(master, &connections[i]);
	unshared_free(connections, places, sizeof(*connections));
	return choice.look_at;
}

int64_t
pressure_turn(struct master *master, struct pool *pool,
    const struct pool_view *view, int64_t now)
{
	bool evicts = pool->plan.settings->evict != 0;
	bool full = pool_is_full(&pool->state, view);
	bool called = pool->queue_called;

	pool->queue_called = pool->queue_watched = false;
	if (full) {
		master->board.rows[pool->row].full_ms = now;
		if (!evicts)
			warn(master, pool, NULL, now);
	}
	if (!evicts || !pool_may_be_full(&pool->state))
		return CLOCK_NEVER;
	/* Not at each connection, where they come and go. */
	if (now < pool->evict_at)
		return pool->evict_at;
	if (full)
		pool->evict_at = evict(master, pool, view->queue, now);
	else if (called)
		pool->evict_at = now + EVICT_PERIOD_MS;
	else
		pool->queue_watched = true;
	return pool->queue_watched ? CLOCK_NEVER : pool->evict_at;
}

nfds_t
pressure_prepare(struct master *master, struct pollfd *fds)
{
	struct pool *pool;
	nfds_t count = 0;

	TAILQ_FOREACH(pool, &master->pools, entry) {
		/* Nobody is evicted then, and a queue may stay as it is. */
		if (pool->removed || master->stop.begun)
			pool->queue_watched = false;
		if (!pool->queue_watched)
			continue;
		fds[count].fd = fdref_fd(pool->listener.ref);
		fds[count].events = POLLIN;
		fds[count++].revents = 0;
	}
	return count;
}

void
pressure_serve(struct master *master, const struct pollfd *fds)
{
	struct pool *pool;
	nfds_t count = 0;

	TAILQ_FOREACH(pool, &master->pools, entry)
		if (pool->queue_watched)
			pool->queue_called = fds[count++].revents != 0;
}
