#include "common/prefix.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/addr.h"

#define MAPPED_BITS 96 /* in front of the IPv4 address */
#define ALL_BITS 128

static int __attribute__((format(printf, 2, 3)))
wrong(char why[PREFIX_WHY_SIZE], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, PREFIX_WHY_SIZE, format, args);
	va_end(args);
	return -1;
}

/* The address without its length, *dotted where it is written as IPv4. */
static int
parse_address(const char *text, uint8_t bytes[16], bool *dotted,
    char why[PREFIX_WHY_SIZE])
{
	static const char form[] = "any, an IPv4 or IPv6 address, or one with "
				   "/bits, as in 192.0.2.0/24";
	struct in_addr in;

	*dotted = inet_pton(AF_INET, text, &in) == 1;
	if (*dotted) {
		memset(bytes, 0, 10);
		memset(bytes + 10, 0xff, 2);
		memcpy(bytes + 12, &in, 4);
		return 0;
	}
	if (inet_pton(AF_INET6, text, bytes) == 1)
		return 0;
	if (strchr(text, '%') != NULL)
		return wrong(why,
		    "takes no scope: write it without the part from %% on");
	if (text[0] == '[')
		return wrong(why, "takes no brackets and no port");
	return wrong(why, "must be %s", form);
}

/* Digits alone, of up to most; -1 otherwise. */
static int
parse_bits(const char *text, int most)
{
	int bits = 0;

	if (*text == '\0')
		return -1;
	for (; *text != '\0'; text++) {
		if (!isdigit((unsigned char)*text))
			return -1;
		bits = bits * 10 + (*text - '0');
		if (bits > most)
			return -1;
	}
	return bits;
}

/* Clears what is beyond the length; true where something was. */
static bool
cut(struct prefix *prefix)
{
	bool had = false;

	for (unsigned i = prefix->bits; i < ALL_BITS; i++) {
		uint8_t bit = (uint8_t)(0x80 >> i % 8);

		had = had || (prefix->bytes[i / 8] & bit);
		prefix->bytes[i / 8] &= (uint8_t)~bit;
	}
	return had;
}

int
prefix_parse(const char *text, struct prefix *prefix, char why[PREFIX_WHY_SIZE])
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN + 1], right[PREFIX_STRLEN];
	size_t length = slash == NULL ? strlen(text) : (size_t)(slash - text);
	int bits, most;
	bool dotted;

	memset(prefix, 0, sizeof(*prefix));
	prefix->any = strcmp(text, "any") == 0;
	if (prefix->any)
		return 0;
	/* One that is cut is too long to be an address. */
	snprintf(address, sizeof(address), "%.*s", (int)length, text);
	if (parse_address(address, prefix->bytes, &dotted, why) < 0)
		return -1;
	most = dotted ? ALL_BITS - MAPPED_BITS : ALL_BITS;
	bits = slash == NULL ? most : parse_bits(slash + 1, most);
	if (bits < 0)
		return wrong(why, "the length must be 0 to %d, as in %s/%d",
		    most, address, most);
	prefix->bits = (uint8_t)(dotted ? bits + MAPPED_BITS : bits);
	prefix->ipv4 =
	    addr_is_mapped(prefix->bytes) && prefix->bits >= MAPPED_BITS;
	if (cut(prefix))
		return wrong(why,
		    "has bits set beyond its length %d: write %s, or %s/%d",
		    bits, prefix_format(prefix, right, sizeof(right)), address,
		    most);
	return 0;
}

bool
prefix_has(const struct prefix *prefix, const uint8_t bytes[16])
{
	unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;

	if (prefix->any)
		return true;
	if (prefix->ipv4 != addr_is_mapped(bytes))
		return false;
	return memcmp(prefix->bytes, bytes, whole) == 0 &&
	    (rest == 0 ||
		(prefix->bytes[whole] ^ bytes[whole]) >> (8 - rest) == 0);
}

char *
prefix_format(const struct prefix *prefix, char *text, size_t size)
{
	char address[INET6_ADDRSTRLEN];
	int bits = prefix->bits;

	if (prefix->any) {
		snprintf(text, size, "any");
		return text;
	}
	if (prefix->ipv4) {
		inet_ntop(
		    AF_INET, prefix->bytes + 12, address, sizeof(address));
		bits -= MAPPED_BITS;
	} else {
		inet_ntop(AF_INET6, prefix->bytes, address, sizeof(address));
	}
	snprintf(text, size, "%s/%d", address, bits);
	return text;
}
