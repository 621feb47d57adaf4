/*
 * addr: socket addresses as text.
 */
#ifndef COMMON_ADDR_H
#define COMMON_ADDR_H

#include <stddef.h>
#include <sys/socket.h>

/* Room for "[ipv6%scope]:port" and its terminating zero. */
#define ADDR_STRLEN 72

/*
 * Writes 192.0.2.7:51514 or [2001:db8::1]:51514 to text (size bytes, at least
 * ADDR_STRLEN) and returns text. An IPv4-mapped IPv6 address (RFC 4291,
 * 2.5.5.2), as a dual-stack socket reports an IPv4 peer, prints as IPv4.
 * Another family prints as "-".
 */
char *addr_format(const struct sockaddr *addr, char *text, size_t size);

#endif
