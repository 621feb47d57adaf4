#include "master/reload.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/log.h"
#include "connection/tcpstate.h"
#include "master/activation.h"
#include "master/master.h"
#include "master/spawn.h"
#include "master/staff.h"

#define DRAIN_LOOK_MS 50 /* between two looks for who still waits */

void
reload_init(struct reload *reload)
{
	memset(reload, 0, sizeof(*reload));
	TAILQ_INIT(&reload->added);
}

void
reload_request(struct master *master)
{
	if (master->stop.begun)
		log_warnx("reload refused: the daemon stops");
	else
		master->reload.wanted = true;
}

static bool
is_planned(const struct pool *pool)
{
	return pool->next.settings != NULL;
}

/* A pool whose listen line is gone, or was never in force. */
static void
remove_pool(struct master *master, struct pool *pool, struct conf *conf)
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

/* The first one after an upgrade is the end of that as well. */
static void
end(struct master *master, bool ok, const char *last)
{
	char text[64];

	snprintf(
	    text, sizeof(text), "upgraded to preforkd %s", PACKAGE_VERSION);
	control_outcome(master->control, CONTROL_UPGRADE, ok,
	    ok ? text :
		 "upgraded, but its first reload was refused: see the log");
	outcome_end(
	    &master->reload.outcome, master->control, CONTROL_RELOAD, ok, last);
}

/* What was opened and started for it, goes; what was there, stays. */
static void
abandon(struct master *master, const char *why)
{
	struct reload *reload = &master->reload;
	char text[NOTIFY_REFUSED_SIZE];
	struct pool *pool;

	notify_refused(&master->notify, "reload",
	    outcome_why(&reload->outcome, why, text, sizeof(text)));
	TAILQ_FOREACH(pool, &reload->added, entry)
		remove_pool(master, pool, reload->conf);
	TAILQ_CONCAT(&master->pools, &reload->added, entry);
	TAILQ_FOREACH(pool, &master->pools, entry) {
		if (!is_planned(pool))
			continue;
		staff_replace(master, pool, false);
		pool_outlive(&pool->state, &pool->fresh);
		memset(&pool->next, 0, sizeof(pool->next));
	}
	if (reload->conf != NULL)
		conf_free(reload->conf);
	reload->conf = NULL;
	reload->active = false;
	log_errorx("reload refused: %s; the configuration that was in force "
		   "stays",
	    why);
	end(master, false, NULL);
}

/* Each line is logged, for it may name a line of the file. */
static void
log_lines(char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")) != NULL)
		if (*line != '\0')
			log_errorx("%s", line);
}

static struct conf *
read_configuration(struct master *master, struct privilege *privilege)
{
	const struct master_source *source = master->source;
	struct conf *conf;
	char *text = NULL;
	size_t size;
	FILE *errors;
	int status;

	errors = open_memstream(&text, &size);
	if (errors == NULL) {
		log_warn("reload");
		return NULL;
	}
	conf = source->read(source->context, errors, &status);
	if (conf != NULL && privilege_find(privilege, conf, errors) < 0) {
		conf_free(conf);
		conf = NULL;
	}
	if (fclose(errors) == 0)
		log_lines(text);
	free(text);
	return conf;
}

static bool
is_open(void *context, const char *address)
{
	struct master *master = context;

	return pools_find(&master->pools, address) != NULL;
}

void
reload_say_twice(const struct conf_listen *listen, const char *address)
{
	log_errorx("%s:%u: listen %s: another listen of this configuration "
		   "has %s",
	    listen->file == NULL ? "" : listen->file, listen->line,
	    listen->text, address);
}

/* A socket of a listen line: a new one, or one that is open already. */
static int
plan_listener(struct master *master, const struct conf_listen *listen,
    const struct listener *listener, const struct pool_plan *plan)
{
	struct reload *reload = &master->reload;
	struct pool *pool;

	if (listener->ref != NULL) {
		pool =
		    pools_add(&reload->added, &master->board, listener, plan);
		if (pool == NULL) {
			log_warn("listen %s: no room for it; a restart makes "
				 "some",
			    listen->text);
			return -1;
		}
	} else {
		pool = pools_find(&master->pools, listener->address);
		if (is_planned(pool)) {
			reload_say_twice(listen, listener->address);
			return -1;
		}
	}
	pool->next = *plan;
	memset(&pool->fresh, 0, sizeof(pool->fresh));
	return 0;
}

static int
plan_listen(struct master *master, const struct conf_service *service,
    const struct conf_listen *listen)
{
	const struct pool_plan plan = { service_find(service->name), service };
	struct listener *listeners;
	int count, result = 0;

	count = listener_open(service, listen, is_open, master, &listeners);
	if (count < 0)
		return -1;
	for (int i = 0; i < count; i++)
		if (plan_listener(master, listen, &listeners[i], &plan) < 0) {
			/* What is planned already is undone with the rest. */
			while (i < count)
				listener_release(&listeners[i++]);
			result = -1;
		}
	free(listeners);
	return result;
}

uint64_t
reload_workers(const struct conf_service *settings)
{
	return (uint64_t)settings->max_workers + 1;
}

bool
reload_finds_room(uint64_t workers, uint32_t slots)
{
	if (workers <= slots)
		return true;
	log_errorx("max-workers of all listening sockets is %" PRIu64
		   ", and this process has room for %" PRIu32
		   "; a restart makes more",
	    workers, slots);
	return false;
}

static uint64_t
count_planned(const struct pool_list *pools)
{
	const struct pool *pool;
	uint64_t workers = 0;

	TAILQ_FOREACH(pool, pools, entry)
		if (is_planned(pool))
			workers += reload_workers(pool->next.settings);
	return workers;
}

/* All that is wrong is named, as at the start. */
static int
plan_listeners(struct master *master)
{
	const struct conf *conf = master->reload.conf;
	const struct conf_service *service;
	const struct conf_listen *listen;
	uint64_t workers;
	int result = 0;

	activation_claim(conf);
	TAILQ_FOREACH(service, &conf->services, entry)
		TAILQ_FOREACH(listen, &service->listens, entry)
			if (plan_listen(master, service, listen) < 0)
				result = -1;
	workers = count_planned(&master->pools) +
	    count_planned(&master->reload.added);
	return reload_finds_room(workers, master->board.slot_count) ? result :
								      -1;
}

static int
start_fresh(struct master *master, struct pool_list *pools)
{
	struct pool_limits limits;
	struct pool *pool;

	TAILQ_FOREACH(pool, pools, entry) {
		if (!is_planned(pool))
			continue;
		limits = pools_limits(pool->next.settings);
		pool_init(&pool->fresh, &limits);
		if (spawn_fresh(master, pool) < 0) {
			log_warn("%s: fork of a first worker",
			    pool->listener.address);
			return -1;
		}
	}
	return 0;
}

static void
begin(struct master *master, int64_t now)
{
	struct reload *reload = &master->reload;

	log_notice("reloading");
	outcome_begin(&reload->outcome, master->control, CONTROL_RELOAD_NEXT,
	    CONTROL_RELOAD);
	reload->wanted = false;
	reload->failed = NULL;
	notify_reloading(&master->notify, now);
	reload->conf = read_configuration(master, &reload->privilege);
	if (reload->conf == NULL) {
		abandon(master, "the configuration cannot be used");
		return;
	}
	/* As likely as not it is being written at this moment. */
	if (reload->conf->by_default && !master->conf->by_default) {
		abandon(master, RELOAD_NO_SERVICE);
		return;
	}
	reload->active = true;
	if (plan_listeners(master) < 0)
		reload->failed = "not every address can be listened on";
	else if (start_fresh(master, &master->pools) < 0 ||
	    start_fresh(master, &reload->added) < 0)
		reload->failed = "workers cannot be started";
	/* Names were looked up before that, which can take long. */
	reload->deadline = clock_ms() + RELOAD_LIMIT_MS;
}

static bool
has_begun(const struct pool_list *pools)
{
	const struct pool *pool;

	TAILQ_FOREACH(pool, pools, entry)
		if (is_planned(pool) && pool->fresh.arrived == 0)
			return false;
	return true;
}

/* The workers that were started for it are its workers now. */
static void
adopt(struct master *master, struct pool *pool)
{
	staff_replace(master, pool, true);
	pool_succeed(&pool->state, &pool->fresh);
	pool->plan = pool->next;
	memset(&pool->next, 0, sizeof(pool->next));
	pool->fork_warned = pool->degraded_said = false;
	pool->full_warned_ms = 0;
	listener_adjust(&pool->listener, pool->plan.settings);
	pools_name_row(&master->board, pool);
}

static void
commit(struct master *master)
{
	struct reload *reload = &master->reload;
	struct pool *pool;

	TAILQ_CONCAT(&master->pools, &reload->added, entry);
	TAILQ_FOREACH(pool, &master->pools, entry) {
		if (is_planned(pool)) {
			adopt(master, pool);
		} else if (!pool->removed) {
			log_notice("%s %s: no longer in the configuration",
			    pool->plan.service->known.name,
			    pool->listener.address);
			remove_pool(master, pool, master->conf);
			staff_signal(master, pool, SIGALRM);
		}
	}
	conf_free(master->conf);
	master->conf = reload->conf;
	master->privilege = reload->privilege;
	reload->conf = NULL;
	reload->active = false;
	clock_set_zone();
	master_set_log_level(master, (int)master->conf->log_level);
	pools_bound_slots(&master->pools, &master->board);
	master_set_title(master);
	log_notice("reloaded");
	end(master, true, "reloaded");
}

/*
 * An address that goes may come again, but not while clients of before wait in
 * its queue.
 */
static bool
may_begin(const struct master *master, int64_t now)
{
	const struct reload *reload = &master->reload;
	const struct pool *pool;

	if (!reload->wanted || reload->active || upgrade_is_active(master))
		return false;
	TAILQ_FOREACH(pool, &master->pools, entry)
		if (pool->removed && !pool->closed &&
		    now < reload->ended + RELOAD_LIMIT_MS)
			return false;
	return true;
}

int64_t
reload_turn(struct master *master, int64_t now)
{
	struct reload *reload = &master->reload;

	if (may_begin(master, now))
		begin(master, now);
	if (!reload->active)
		return CLOCK_NEVER; /* the drain wakes us where it must */
	if (reload->failed == NULL && now >= reload->deadline)
		reload->failed = "new workers were not ready in time";
	if (reload->failed != NULL)
		abandon(master, reload->failed);
	else if (has_begun(&master->pools) && has_begun(&reload->added))
		commit(master);
	else
		return reload->deadline;
	reload->ended = now;
	/* What came of it is to be told, and the next one may wait already. */
	return now;
}

void
reload_fail(struct master *master, const char *why)
{
	master->reload.failed = why;
}

void
reload_abort(struct master *master, const char *why)
{
	master->reload.wanted = false;
	if (master->reload.active)
		abandon(master, why);
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
reload_drain_removed(struct master *master, int64_t now)
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
