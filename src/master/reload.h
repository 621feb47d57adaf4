/*
 * reload: from one configuration to the next, or not at all.
 *
 * First everything that can fail: the configuration is read and checked, new
 * listeners are opened, and one worker a pool is started with the new
 * settings. When all of those are in accept, the old workers are told to leave
 * after their connection and the new configuration is in force. A failure
 * before that leaves configuration and workers as they were.
 *
 * A listening socket whose address stays is kept, and with it its queue. One
 * that goes lets nobody in any more; its workers empty the queue, finish, and
 * leave, and then it is closed.
 */
#ifndef MASTER_RELOAD_H
#define MASTER_RELOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/conf.h"
#include "common/privilege.h"
#include "master/outcome.h"
#include "master/pools.h"

struct child;
struct master;

#define RELOAD_LIMIT_MS 10000 /* for the first new workers, all together */

#define RELOAD_NO_SERVICE "the configuration names no service any more"

/* One in progress, or none. */
struct reload {
	bool wanted; /* since the last one began */
	bool active;
	const char *failed; /* why it cannot be finished, or NULL */
	struct conf *conf;
	struct privilege privilege;
	struct pool_list added;
	int64_t deadline;
	int64_t ended; /* the last one */
	struct outcome outcome;
};

void reload_init(struct reload *reload);

/*
 * Asks for one. Another one that is in progress is finished first; several
 * that are asked for meanwhile are one.
 */
void reload_request(struct master *master);

/*
 * Begins one that was asked for, and ends one that is in progress where that
 * can be said. Called in each turn but while the daemon stops; returns when it
 * wants to be called again, or CLOCK_NEVER.
 */
int64_t reload_turn(struct master *master, int64_t now);

/* A worker that was started for it died, or could not be started. */
void reload_fail(struct master *master, const char *why);

/* Gives one in progress up, for the daemon stops. */
void reload_abort(struct master *master, const char *why);

#endif
