#include "probe/stats.h"

#include <math.h>

/*
 * Welford's way: the difference of two large sums would lose what is small, for
 * many long times that differ little.
 */
void
stats_add(struct stats *stats, int64_t us)
{
	double before = (double)us - stats->mean;

	if (stats->count == 0 || us < stats->min)
		stats->min = us;
	if (stats->count == 0 || us > stats->max)
		stats->max = us;
	stats->count++;
	stats->mean += before / (double)stats->count;
	stats->squares += before * ((double)us - stats->mean);
}

double
stats_deviation(const struct stats *stats)
{
	if (stats->count < 2)
		return 0;
	return sqrt(stats->squares / (double)stats->count);
}
