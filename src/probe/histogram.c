#include "probe/histogram.h"

#define BUCKETS (HISTOGRAM_STEPS * HISTOGRAM_POWERS)

/* How often a time is halved until it is below two rounds of steps. */
static unsigned
halvings(uint64_t us)
{
	unsigned n = 0;

	for (; us >= (uint64_t)2 * HISTOGRAM_STEPS; us >>= 1)
		n++;
	return n;
}

static size_t
bucket_of(uint64_t us)
{
	unsigned n = halvings(us);
	size_t bucket = (size_t)n * HISTOGRAM_STEPS + (size_t)(us >> n);

	return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

/* The largest time that bucket_of puts there. */
static int64_t
largest(size_t bucket)
{
	size_t n = bucket < (size_t)2 * HISTOGRAM_STEPS ?
	    0 :
	    bucket / HISTOGRAM_STEPS - 1;

	return (int64_t)(((uint64_t)(bucket - n * HISTOGRAM_STEPS) + 1) << n) -
	    1;
}

void
histogram_add(struct histogram *histogram, int64_t us)
{
	if (us < 0)
		us = 0;
	histogram->buckets[bucket_of((uint64_t)us)]++;
	histogram->count++;
	if (us > histogram->max)
		histogram->max = us;
}

int64_t
histogram_at(const struct histogram *histogram, unsigned of_thousand)
{
	uint64_t whole = histogram->count / 1000 * of_thousand;
	uint64_t rest = histogram->count % 1000 * of_thousand;
	uint64_t rank = whole + (rest + 999) / 1000, seen = 0;

	/* In the last bucket there is anything, up to max. */
	for (size_t i = 0; i + 1 < BUCKETS && rank > 0; i++) {
		seen += histogram->buckets[i];
		if (seen >= rank)
			return largest(i) < histogram->max ? largest(i) :
							     histogram->max;
	}
	return histogram->max;
}
