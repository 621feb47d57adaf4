/*
 * pressure: clients wait, all workers of a pool serve, and there may be no
 * more of them. It is said, and idle connections are ended (master/evict).
 *
 * While a pool is near that, the master waits for its listening socket too: it
 * is readable when somebody waits in the accept queue. There is no timer but
 * between two turns of an eviction.
 */
#ifndef MASTER_PRESSURE_H
#define MASTER_PRESSURE_H

#include <poll.h>
#include <stdint.h>

#include "master/master.h"

/*
 * After pool_look, with what that saw. Returns when it wants to be called
 * again, or CLOCK_NEVER.
 */
int64_t pressure_turn(struct master *master, struct pool *pool,
    const struct pool_view *view, int64_t now);

/*
 * Fills fds for ppoll(2), at most one for each pool, with the listening sockets
 * that pressure_turn waits for. Returns their number.
 */
nfds_t pressure_prepare(struct master *master, struct pollfd *fds);

/* Notes which of them ppoll has found readable. */
void pressure_serve(struct master *master, const struct pollfd *fds);

#endif
