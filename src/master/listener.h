/*
 * listener: a listening socket, from a listen line to its accept queue.
 */
#ifndef MASTER_LISTENER_H
#define MASTER_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/conf.h"
#include "common/fdref.h"

struct listener {
	struct fdref *ref;               /* owns the descriptor */
	struct fdref_holder *configured; /* the configuration's hold */
	char address[ADDR_STRLEN];       /* "*:7", or what it is bound to */
};

/* True for an address that is open already. */
typedef bool listener_known_fn(void *context, const char *address);

/*
 * Opens the sockets of a listen line: one for "*" (both families where the
 * machine has IPv6), otherwise one for each address of the name. Binds,
 * listens with the service's backlog, and sets what connections inherit.
 * An address that known(context, address) says is open already is only named:
 * its ref is NULL. known may be NULL. Returns their number with a new array in
 * *listeners, the caller's to free; or -1 after it logged what failed and the
 * remedy, with nothing left open.
 */
int listener_open(const struct conf_service *service,
    const struct conf_listen *listen, listener_known_fn *known, void *context,
    struct listener **listeners);

/*
 * One that another master has opened, at that address. Returns 0, or -1 with
 * errno, and fd stays the caller's.
 */
int listener_adopt(struct listener *listener, int fd, const char *address);

/*
 * Sets anew what the kernel can change of one that is open: the backlog, and
 * what connections will inherit. Failures are logged.
 */
void listener_adjust(
    const struct listener *listener, const struct conf_service *service);

/*
 * Warns when the kernel holds a shorter accept queue than was asked for, as
 * the listener's TCP_INFO tells, and names what cut it.
 */
void listener_check_backlog(const struct listener *listener, int64_t backlog);

/*
 * Before a stop: nothing new is let into the queue, and accept no longer
 * blocks in any process. Failures are logged.
 */
void listener_stop(const struct listener *listener);

/*
 * Drops the configuration's hold; the last holder's drop closes it. Nothing
 * for one that is only named.
 */
void listener_release(struct listener *listener);

#endif
