/*
 * drain: listening sockets whose listen line is gone. They let nobody in any
 * more; who waits in the queue is served, the workers finish and leave, and
 * then the socket is closed.
 */
#ifndef MASTER_DRAIN_H
#define MASTER_DRAIN_H

#include <stdint.h>

#include "common/conf.h"
#include "master/pools.h"

struct master;

/* A pool whose listen line of that conf is gone, or was never in force. */
void drain_begin(struct master *master, struct pool *pool, struct conf *conf);

/*
 * Looks after all that were removed, and frees those that are over. Called in
 * each turn but while the daemon stops; returns when it wants to be called
 * again, or CLOCK_NEVER.
 */
int64_t drain_turn(struct master *master, int64_t now);

#endif
