/*
 * addr: socket addresses as text.
 */
#ifndef COMMON_ADDR_H
#define COMMON_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
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

/*
 * The 16 bytes of an IPv6 address, an IPv4 address mapped into one; zero for
 * another family. Returns the port, in host byte order.
 */
uint16_t addr_bytes(const struct sockaddr *addr, uint8_t bytes[16]);

/* True for a mapped IPv4 address. */
bool addr_is_mapped(const uint8_t bytes[16]);

/*
 * Whose it is: the same for all ports of an IPv4 address, mapped or not, and
 * for all addresses of an IPv6 /64, which is the least that a network is given
 * (RFC 4291, 2.5.4). Not 0, but for :: itself.
 */
uint64_t addr_source(const uint8_t bytes[16]);

#endif
