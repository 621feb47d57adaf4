/*
 * histogram: how often which time was seen, in fixed space. Pure: no system
 * call.
 */
#ifndef PROBE_HISTOGRAM_H
#define PROBE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

/*
 * Each power of two has this many buckets: below it a time is exact, and above
 * it off by less than one in so many.
 */
#define HISTOGRAM_STEPS 64
#define HISTOGRAM_POWERS 35 /* up to 2^40 microseconds: twelve days */

/* All zero is empty. Microseconds. */
struct histogram {
	uint64_t count;
	int64_t max; /* exact */
	uint64_t buckets[HISTOGRAM_STEPS * HISTOGRAM_POWERS];
};

/* One time more; below 0 it is 0, and above the last bucket it is there. */
void histogram_add(struct histogram *histogram, int64_t us);

/*
 * The time that so many of a thousand, 1 to 1000, have not exceeded (the
 * nearest rank): the largest one of its bucket, and never more than max. 0 for
 * an empty histogram.
 */
int64_t histogram_at(const struct histogram *histogram, unsigned of_thousand);

#endif
