#include "common/bucket.h"

/* Somebody who is interrupted comes with a time that is this old, or less. */
#define LATE_US 1000000

#define TIME_MASK ((UINT64_C(1) << BUCKET_TIME_BITS) - 1)

struct bucket_rate
bucket_rate(int64_t a_second, int64_t burst)
{
	return (struct bucket_rate){ .interval_us = 1000000 / a_second,
		.burst = burst };
}

int64_t
bucket_debt(uint64_t full, uint64_t now, int64_t most)
{
	int64_t ahead = (int64_t)((full - now) & TIME_MASK);

	return ahead <= most ? ahead : 0;
}

bool
bucket_take(uint64_t *full, const struct bucket_rate *rate, uint64_t now)
{
	int64_t most = rate->interval_us * rate->burst + LATE_US;
	int64_t debt = bucket_debt(*full, now, most);

	if (debt > rate->interval_us * (rate->burst - 1))
		return false;
	*full = (now + (uint64_t)(debt + rate->interval_us)) & TIME_MASK;
	return true;
}
