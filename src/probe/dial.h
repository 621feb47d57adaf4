/*
 * dial: connects to the first of several addresses that answers.
 */
#ifndef PROBE_DIAL_H
#define PROBE_DIAL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "probe/resolve.h"

/* RFC 8305, 5: how long one address is waited for before the next is tried. */
#define DIAL_DELAY_MS 250

enum dial_state {
	DIAL_WAITING, /* not begun */
	DIAL_TRYING,
	DIAL_FAILED,
	DIAL_CONNECTED,
	DIAL_LEFT /* another one was first */
};

/* One address. */
struct dial_attempt {
	struct resolve_address to;
	enum dial_state state;
	int fd;                        /* -1, unless it is DIAL_TRYING */
	int64_t began_us;              /* of clock_us */
	int64_t took_us;               /* until connected or failed */
	int error;                     /* errno, or 0 at the deadline */
	bool prohibited;               /* see verdict_prohibits */
	char sender[INET6_ADDRSTRLEN]; /* of an ICMP error, or "" */
};

struct dial {
	size_t count;
	struct dial_attempt attempts[RESOLVE_MAX];
	const struct resolve_address *source; /* to bind to, or NULL */
	size_t winner; /* the attempt that is connected */
};

/*
 * Sets the list in the order in which it will be tried: the families in turn,
 * the first one first, and within each the order of before (RFC 8305, 4).
 */
void dial_order(struct resolve_list *list);

/* A dial of these addresses, in this order; source stays the caller's. */
void dial_init(struct dial *dial, const struct resolve_list *list,
    const struct resolve_address *source);

/*
 * Connects, and gives up at deadline (of clock_ms), one for all of them: each
 * has a non-blocking socket of its own, the next is begun when one has failed
 * or DIAL_DELAY_MS have passed, and the first that is connected ends the others
 * (RFC 8305, 5). Returns its descriptor, which is the caller's and does not
 * block, or -1: the attempts say why.
 */
int dial(struct dial *dial, int64_t deadline);

/*
 * A socket to connect to an address with, from source unless that is NULL; it
 * does not block. Returns -1 with errno set where there is none.
 */
int dial_open(
    const struct resolve_address *to, const struct resolve_address *source);

/*
 * Begins to connect. Returns 0 when that is done, EINPROGRESS while it is under
 * way, or else the error.
 */
int dial_begin(int fd, const struct resolve_address *to);

/* Whether a connection is to its own port, where nobody listens. */
bool dial_is_ourselves(int fd);

/*
 * Whether this machine has the address. Returns 0, or -1 with errno set.
 */
int dial_check_source(const struct resolve_address *source);

#endif
