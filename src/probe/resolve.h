/*
 * resolve: from a name to addresses, under a deadline.
 */
#ifndef PROBE_RESOLVE_H
#define PROBE_RESOLVE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define RESOLVE_MAX 32       /* addresses; more are left out */
#define RESOLVE_LATE (-1000) /* no code of getaddrinfo(3) */

struct resolve_address {
	struct sockaddr_storage addr;
	socklen_t length;
};

struct resolve_list {
	size_t count;
	struct resolve_address all[RESOLVE_MAX];
};

/*
 * The addresses of host, a name or an address, for TCP to port; family is
 * AF_INET, AF_INET6, or AF_UNSPEC for both. They are in the order of
 * getaddrinfo(3), which is that of RFC 6724. It has no deadline of its own, and
 * so a process of ours asks, and is killed at deadline (of clock_ms). Returns
 * 0, or what resolve_error knows.
 */
int resolve(struct resolve_list *list, const char *host, uint16_t port,
    int family, int64_t deadline);

/* What a result other than 0 means, as text. */
const char *resolve_error(int result);

/*
 * An address, and no name, of this machine to connect from. Returns 0, or what
 * resolve_error knows.
 */
int resolve_source(struct resolve_address *source, const char *text);

#endif
