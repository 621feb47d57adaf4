/*
 * stats: the least, the mean, the most and the deviation of times.
 */
#ifndef PROBE_STATS_H
#define PROBE_STATS_H

#include <stdint.h>

/* All zero is empty. Microseconds. */
struct stats {
	uint64_t count;
	int64_t min;
	int64_t max;
	double mean;
	double squares; /* sum of the squared differences from the mean */
};

/* One time more. */
void stats_add(struct stats *stats, int64_t us);

/* The standard deviation of all; 0 for less than two. */
double stats_deviation(const struct stats *stats);

#endif
