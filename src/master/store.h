/*
 * store: listening sockets that outlive this process, and their queues with
 * them, because the service manager keeps a copy: FDSTORE=1 of sd_notify(3),
 * and FileDescriptorStoreMax= of systemd.service(5). The next start is passed
 * them, as sd_listen_fds(3) says.
 *
 * Nothing is stored unless FDSTORE in the environment says how many may be:
 * who stores what is not kept would leave clients in a queue that nobody takes.
 */
#ifndef MASTER_STORE_H
#define MASTER_STORE_H

#include <stdint.h>

#include "master/listener.h"
#include "master/notify.h"
#include "master/pools.h"

/* All zero: nothing is stored. */
struct store {
	unsigned max;  /* how many sockets */
	bool is_short; /* that they are too few has been said */
};

/* Reads FDSTORE, and takes it out of the environment. */
void store_open(struct store *store);

/*
 * The socket of an earlier instance that is bound to this address, as
 * activation_socket has it, or -1. It is the caller's from then on.
 */
int store_take(const char *address);

/*
 * The address is in use: closes what is stored and in its way, for another
 * address of the same port. Returns true where there was anything.
 */
bool store_make_way(const char *address);

/* What no listen line has taken is closed, and stored no longer. */
void store_close_rest(struct notify *notify);

/*
 * Stores sockets of ours that are not yet, which is before READY=1 and after
 * each reload. now is of clock_ms; returns when it wants to be called again,
 * or CLOCK_NEVER.
 */
int64_t store_turn(struct store *store, struct notify *notify,
    const struct pool_list *pools, int64_t now);

/* That of a listen line which goes is stored no longer. */
void store_forget(struct notify *notify, const struct listener *listener);

#endif
