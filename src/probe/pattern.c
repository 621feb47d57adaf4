#include "probe/pattern.h"

#include <string.h>

#define PRIME 65521 /* the largest below PATTERN_CHUNK */

static unsigned char table[PRIME + PATTERN_CHUNK];
static size_t period = PRIME;
static size_t line; /* or 0 */

/* Each eight of them are a number of splitmix64. */
static void
make_table(void)
{
	uint64_t x = 0;

	for (size_t i = 0; i < period; i++) {
		if (i % 8 == 0) {
			x = (i / 8 + 1) * UINT64_C(0x9e3779b97f4a7c15);
			x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
			x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
			x ^= x >> 31;
		}
		table[i] = (unsigned char)(x >> (i % 8 * 8));
		if (line != 0 && table[i] == '\n')
			table[i] = ' ';
		if (line != 0 && i % line == line - 1)
			table[i] = '\n';
	}
	for (size_t i = period; i < sizeof(table); i++)
		table[i] = table[i - period];
}

void
pattern_set_lines(size_t length)
{
	line = length;
	period = PRIME - PRIME % length;
	make_table();
}

const unsigned char *
pattern_at(uint64_t place)
{
	static bool made;

	if (!made && line == 0)
		make_table();
	made = true;
	return table + place % period;
}

bool
pattern_matches(const unsigned char *bytes, uint64_t place, size_t size)
{
	size_t n;

	for (; size > 0; size -= n, bytes += n, place += n) {
		n = size < PATTERN_CHUNK ? size : PATTERN_CHUNK;
		if (memcmp(bytes, pattern_at(place), n) != 0)
			return false;
	}
	return true;
}
