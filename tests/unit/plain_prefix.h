/*
 * plain_prefix: prefixes and addresses by chance, and who is in which, as it
 * would be told on paper.
 */
#ifndef UNIT_PLAIN_PREFIX_H
#define UNIT_PLAIN_PREFIX_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"

/* The reference: one bit after the other, of addresses as they were made. */
struct plain {
	int family;
	uint8_t bytes[16]; /* 4 of them, or 16 */
	unsigned bits;
};

static inline bool
bit_of(const uint8_t *bytes, unsigned n)
{
	return bytes[n / 8] >> (7 - n % 8) & 1;
}

static inline bool
plain_has(const struct plain *prefix, const struct plain *address)
{
	if (prefix->family != address->family)
		return false;
	for (unsigned n = 0; n < prefix->bits; n++)
		if (bit_of(prefix->bytes, n) != bit_of(address->bytes, n))
			return false;
	return true;
}

/* Few different bytes, so that prefixes and addresses meet. */
static inline struct plain
any_address(void)
{
	struct plain a = { .family = rand() % 2 ? AF_INET : AF_INET6 };
	unsigned length = a.family == AF_INET ? 4 : 16;
	unsigned same = (unsigned)rand() % (length + 1);

	for (unsigned i = 0; i < length; i++)
		a.bytes[i] = i < same ? (uint8_t)(i * 37) : (uint8_t)rand();
	if (same < length && rand() % 2)
		a.bytes[same] = (uint8_t)(same * 37 ^ 1 << rand() % 8);
	a.bits = 8 * length;
	return a;
}

static inline struct plain
any_prefix(void)
{
	struct plain p = any_address();

	p.bits = (unsigned)rand() % (p.bits + 1);
	for (unsigned n = p.bits; n < 128; n++)
		p.bytes[n / 8] &= (uint8_t) ~(0x80 >> n % 8);
	return p;
}

/* As text; an IPv4 one in one of its two forms. */
static inline void
plain_text(const struct plain *plain, char *text, size_t size)
{
	char address[INET6_ADDRSTRLEN];
	bool mapped = plain->family == AF_INET && rand() % 2;

	inet_ntop(plain->family, plain->bytes, address, sizeof(address));
	snprintf(text, size, "%s%s/%u", mapped ? "::ffff:" : "", address,
	    plain->bits + (mapped ? 96 : 0));
}

/* As accept gives it: an IPv4 one as such, or as a dual-stack socket does. */
static inline void
as_bytes(const struct plain *plain, uint8_t bytes[16])
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	bool mapped = plain->family == AF_INET && rand() % 2;

	memcpy(&in.sin_addr, plain->bytes, 4);
	memcpy(&in6.sin6_addr, plain->bytes, 16);
	if (mapped) {
		memset(&in6.sin6_addr, 0, 10);
		memset(in6.sin6_addr.s6_addr + 10, 0xff, 2);
		memcpy(in6.sin6_addr.s6_addr + 12, plain->bytes, 4);
	}
	if (plain->family == AF_INET && !mapped)
		addr_bytes((struct sockaddr *)&in, bytes);
	else
		addr_bytes((struct sockaddr *)&in6, bytes);
}

#endif
