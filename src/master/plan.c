#include "master/plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "master/activation.h"
#include "master/listener.h"
#include "master/master.h"

bool
plan_has(const struct pool *pool)
{
	return pool->next.settings != NULL;
}

static bool
is_open(void *context, const char *address)
{
	struct master *master = context;

	return pools_find(&master->pools, address) != NULL;
}

void
plan_say_twice(const struct conf_listen *listen, const char *address)
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
		if (plan_has(pool)) {
			plan_say_twice(listen, listener->address);
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
plan_workers(const struct conf_service *settings)
{
	return (uint64_t)settings->max_workers + 1;
}

bool
plan_finds_room(uint64_t workers, uint32_t slots)
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
		if (plan_has(pool))
			workers += plan_workers(pool->next.settings);
	return workers;
}

int
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
	return plan_finds_room(workers, master->board.slot_count) ? result : -1;
}
