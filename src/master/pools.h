/*
 * pools: the listening sockets that are served, each with its workers.
 *
 * A pool keeps its address in memory and its row in the scoreboard for as long
 * as it lives, through reloads: workers and the ledger refer to both.
 */
#ifndef MASTER_POOLS_H
#define MASTER_POOLS_H

#include <stdint.h>
#include <sys/queue.h>

#include "common/conf.h"
#include "common/scoreboard.h"
#include "master/listener.h"
#include "master/pool.h"
#include "services/service.h"

/* What a worker is started with. */
struct pool_plan {
	const struct service *service;
	const struct conf_service *settings; /* NULL: none */
};

/* A listening socket and its workers; in unshared memory. */
struct pool {
	TAILQ_ENTRY(pool) entry;
	struct listener listener;
	struct pool_plan plan;
	uint32_t row; /* in the scoreboard */
	struct pool_state state;
	unsigned idle;  /* workers in accept, at the last look */
	uint64_t forks; /* ever */
	/* see master/pressure.h */
	int64_t full_warned_ms; /* 0: never */
	int64_t evict_at;       /* not before */
	bool queue_watched;     /* the loop waits for who comes */
	bool queue_called;      /* somebody has come */
	bool fork_warned;       /* until it has the workers that it wants */
	bool degraded_said;     /* the same */
	/* a reload in progress, see master/reload.h */
	struct pool_plan next;
	struct pool_state fresh; /* of workers that were started with next */
	/* its listen line is gone: it empties its queue, and ends */
	bool removed;
	bool closed;       /* then: nobody waits, and nobody can come */
	int64_t look_at;   /* when to look for who still waits */
	struct conf *kept; /* that plan is of */
};

TAILQ_HEAD(pool_list, pool);

/* The worker keywords of a service, as the policy wants them. */
struct pool_limits pools_limits(const struct conf_service *settings);

/*
 * A new pool for that listener, which it owns from now on, at the end of the
 * list. Returns NULL with errno ENOMEM, or ENOSPC when the scoreboard has no
 * row left; then the listener stays the caller's.
 */
struct pool *pools_add(struct pool_list *list, struct scoreboard *board,
    const struct listener *listener, const struct pool_plan *plan);

/* The same in a row that is taken already, and has its name. */
struct pool *
pools_add_at(struct pool_list *list, const struct listener *listener,
    const struct pool_plan *plan, uint32_t row);

/* Takes it out of the list, drops listener and conf, frees row and memory. */
void pools_remove(
    struct pool_list *list, struct scoreboard *board, struct pool *pool);

/* The pool of that address, which is not one that ends; or NULL. */
struct pool *pools_find(const struct pool_list *list, const char *address);

/* How many there are. */
uint32_t pools_count(const struct pool_list *list);

/*
 * Bounds what workers look at, when they count who is idle, by what these
 * pools may have at most.
 */
void pools_bound_slots(const struct pool_list *list, struct scoreboard *board);

/* Adds what its socket has turned away since the last time to its row. */
void pools_count_overflows(struct scoreboard *board, const struct pool *pool);

/* Writes the service that it is planned to serve to its row. */
void pools_name_row(struct scoreboard *board, const struct pool *pool);

#endif
