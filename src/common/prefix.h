/*
 * prefix: the addresses that an allow or a deny line speaks of. Pure.
 *
 * IPv4 and IPv6 are two worlds: an IPv4-mapped IPv6 address (RFC 4291,
 * 2.5.5.2) is the IPv4 address, whoever writes it, so that ::/0 is all of IPv6
 * and no IPv4 client, be it one of a dual-stack socket.
 */
#ifndef COMMON_PREFIX_H
#define COMMON_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for an IPv6 address, "/128" and the terminating zero. */
#define PREFIX_STRLEN 52
#define PREFIX_WHY_SIZE 160

struct prefix {
	bool any;          /* every address of both */
	bool ipv4;         /* bytes is a mapped address, bits is 96 or more */
	uint8_t bytes[16]; /* zero beyond bits */
	uint8_t bits;
};

/*
 * Parses "any", an address, or ADDRESS/BITS. Returns 0, or -1 with what is
 * wrong and what to write in why (PREFIX_WHY_SIZE): bits that are set beyond
 * the length are an error, for one of the two is a mistake.
 */
int prefix_parse(
    const char *text, struct prefix *prefix, char why[PREFIX_WHY_SIZE]);

/*
 * True where an address is in it: 16 bytes as addr_bytes writes them, IPv4
 * mapped.
 */
bool prefix_has(const struct prefix *prefix, const uint8_t bytes[16]);

/*
 * Writes "any", "192.0.2.0/24" or "2001:db8::/32" to text (PREFIX_STRLEN is
 * enough); returns text. A mapped one is written as IPv4.
 */
char *prefix_format(const struct prefix *prefix, char *text, size_t size);

#endif
