#include "master/stop.h"

#include <inttypes.h>
#include <signal.h>

#include "common/clock.h"
#include "common/log.h"
#include "connection/tcpstate.h"
#include "master/spawn.h"
#include "master/staff.h"

#define FIRST_STEP_MS 50
#define QUEUE_ROUNDS 3
#define AFTER_KILL_MS 1000 /* between two SIGKILLs that the kernel delays */

static void
kill_all(struct master *master, int64_t now)
{
	child_signal_all(&master->children, SIGKILL);
	master->stop.killed = true;
	master->stop.again = now + AFTER_KILL_MS;
}

void
stop_request(struct master *master, int64_t now)
{
	struct stop *stop = &master->stop;
	struct pool *pool;

	if (stop->begun) {
		if (now - stop->begun_at < STOP_SAME_MS)
			return;
		if (!stop->killed)
			log_notice("stopping at once");
		kill_all(master, now);
		return;
	}
	reload_abort(master, "the daemon stops");
	upgrade_abort(master);
	log_notice("stopping");
	notify_stopping(&master->notify, master->conf->stop_timeout);
	stop->begun = true;
	stop->begun_at = now;
	stop->step = FIRST_STEP_MS;
	stop->again = now + stop->step;
	stop->deadline = now + master->conf->stop_timeout;
	/*
	 * In this order: a worker that accept surprises with EAGAIN leaves,
	 * and one that hears TERM first finds that accept does not block.
	 */
	/* One that is removed has been stopped; listen(2) would open it. */
	TAILQ_FOREACH(pool, &master->pools, entry)
		if (!pool->removed)
			listener_stop(&pool->listener);
	child_signal_all(&master->children, SIGTERM);
}

static bool
queue_is_empty(const struct pool *pool)
{
	uint32_t length, limit;

	return tcpstate_queue(fdref_fd(pool->listener.ref), &length, &limit) <
	    0 ||
	    length == 0;
}

bool
stop_serve_queues(struct master *master, int64_t now)
{
	struct stop *stop = &master->stop;
	struct pool *pool;
	bool forked = false;

	if (stop->killed || now >= stop->deadline ||
	    stop->rounds++ == QUEUE_ROUNDS)
		return false;
	TAILQ_FOREACH(pool, &master->pools, entry) {
		/* With systemd, it waits for the next instance. */
		if (fdref_is_with_systemd(pool->listener.ref) ||
		    queue_is_empty(pool))
			continue;
		if (spawn_one(master, pool) == 0)
			forked = true;
		else
			log_warn("%s: fork for the clients that still wait "
				 "(RLIMIT_NPROC, pids.max or kernel.pid_max "
				 "may be too low, or memory short)",
			    pool->listener.address);
	}
	/* It waits for the child to have a handler. */
	child_signal_all(&master->children, SIGTERM);
	return forked;
}

/*
 * TERM has a worker go on until the queue is empty, which it may never be while
 * systemd lets clients in. QUIT has it leave after its connection: half of the
 * time is for the queue, the other one to finish in.
 */
static void
leave_queues(struct master *master, int64_t now)
{
	struct stop *stop = &master->stop;
	int64_t half = stop->begun_at + master->conf->stop_timeout / 2;
	struct pool *pool;

	TAILQ_FOREACH(pool, &master->pools, entry) {
		if (!fdref_is_with_systemd(pool->listener.ref))
			continue;
		if (now >= half)
			staff_signal(master, pool, SIGQUIT);
		else if (half < stop->again)
			stop->again = half;
	}
}

int64_t
stop_turn(struct master *master, int64_t now)
{
	struct stop *stop = &master->stop;

	notify_stopping(&master->notify, master->conf->stop_timeout);
	if (!stop->killed && now >= stop->deadline &&
	    !child_table_is_empty(&master->children)) {
		log_warnx("stop-timeout of %" PRId64 " ms is over: killing "
			  "the workers that still serve",
		    master->conf->stop_timeout);
		kill_all(master, now);
	} else if (stop->killed && now >= stop->again) {
		kill_all(master, now);
	} else if (now >= stop->again) {
		/*
		 * A worker may have looked at its flag just before the signal
		 * and gone to sleep in recv right after it.
		 */
		child_signal_all(&master->children, SIGTERM);
		stop->step *= 2;
		stop->again = now + stop->step;
		leave_queues(master, now);
	}
	return stop->killed || stop->again < stop->deadline ? stop->again :
							      stop->deadline;
}
