/*
 * pattern: the bytes that echo is asked for, and whether it is those that came.
 */
#ifndef PROBE_PATTERN_H
#define PROBE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATTERN_CHUNK 65536     /* bytes that can be had at once */
#define PATTERN_LINE_MOST 65521 /* see pattern_set_lines */

/*
 * The bytes from this place on, PATTERN_CHUNK of them. They come again after a
 * prime number of places, near 65536: a piece that comes twice, late, or of
 * another place by a buffer's size is noticed.
 */
const unsigned char *pattern_at(uint64_t place);

/*
 * From now on they are lines of this length, 1 to PATTERN_LINE_MOST, each with
 * LF at its end and nowhere else: for servers that wait for it. They come again
 * after a number of lines.
 */
void pattern_set_lines(size_t length);

/* Whether these are the size bytes from this place on, of any size. */
bool pattern_matches(const unsigned char *bytes, uint64_t place, size_t size);

#endif
