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
	bool passed;                     /* by systemd, whose it stays */
	char address[ADDR_STRLEN];       /* "*:7", or what it is bound to */
};

/* True for an address that is open already. */
typedef bool listener_known_fn(void *context, const char *address);

/* What systemd has passed is not what a listen line wants. */
#define LISTENER_NOT_PASSED (-2)

/*
 * Opens the sockets of a listen line: one for "*" (both families where the
 * machine has IPv6), otherwise one for each address of the name. Binds,
 * listens with the service's backlog, and sets what connections inherit; or
 * takes those that systemd has passed.
 * An address that known(context, address) says is open already is only named:
 * its ref is NULL. known may be NULL. Returns their number with a new array in
 * *listeners, the caller's to free; or -1, or LISTENER_NOT_PASSED, after it
 * logged what failed and the remedy, with nothing left open.
 */
int listener_open(const struct conf_service *service,
    const struct conf_listen *listen, listener_known_fn *known, void *context,
    struct listener **listeners);

/*
 * One that another master has opened, at that address. Returns 0, or -1 with
 * errno, and fd stays the caller's.
 */
int listener_inherit(struct listener *listener, int fd, const char *address);

/*
 * "preforkd.conf:12: listen 127.0.0.1:7", or the argument as it was given, for
 * messages; returns text.
 */
char *listener_name(const struct conf_service *service,
    const struct conf_listen *listen, char *text, size_t size);

/*
 * Takes over a listening socket that systemd holds as well, whatever somebody
 * has left on it: accept blocks, backlog and options are the service's. The
 * address is the caller's to fill in. Returns NULL, or what failed with errno;
 * fd is the caller's then.
 */
const char *listener_adopt(
    int fd, const struct conf_service *service, struct listener *listener);

/* Takes O_NONBLOCK, which all who share the open file see, away again. */
int listener_set_blocking(int fd);

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
 * Before a stop: accept no longer blocks in any process, and nothing new is
 * let into the queue, where systemd does not hold it for who comes after us.
 * Failures are logged.
 */
void listener_stop(const struct listener *listener);

/*
 * Drops the configuration's hold; the last holder's drop closes it. Nothing
 * for one that is only named.
 */
void listener_release(struct listener *listener);

#endif
