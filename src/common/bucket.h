/*
 * bucket: so many a second, and so many at once. Pure.
 *
 * A bucket of tokens that is one time: when it will be full again. Each token
 * that is taken moves it by the time that one token takes to come back, and
 * none is there while it is too far ahead. So there is nothing to refill, and
 * a bucket that nobody has touched for long is the same as a new one.
 *
 * Times are microseconds of a monotonic clock in BUCKET_TIME_BITS, and may wrap
 * around: a time that is further ahead than a bucket can be is long past.
 */
#ifndef COMMON_BUCKET_H
#define COMMON_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#define BUCKET_TIME_BITS 48 /* nine years */

struct bucket_rate {
	int64_t interval_us; /* from one token to the next, at least 1 */
	int64_t burst;       /* tokens of a full bucket, at least 1 */
};

/* So many a second, 1 to 1000000: whole microseconds, so up to 1% more. */
struct bucket_rate bucket_rate(int64_t a_second, int64_t burst);

/*
 * How long a bucket that is full at that time still needs, in microseconds; 0
 * where it is full, or further ahead than most.
 */
int64_t bucket_debt(uint64_t full, uint64_t now, int64_t most);

/*
 * Takes a token. True with the new time in *full, or false where there is none,
 * and *full is as it was.
 */
bool bucket_take(uint64_t *full, const struct bucket_rate *rate, uint64_t now);

#endif
