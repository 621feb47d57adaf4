/*
 * backoff: how long to wait before a worker that died early is replaced.
 * Policy only: no system call.
 */
#ifndef MASTER_BACKOFF_H
#define MASTER_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#define BACKOFF_FIRST_MS 100
#define BACKOFF_LONGEST_MS 30000
#define BACKOFF_FORGET_MS 60000 /* a quiet minute clears the record */

/* All zero: no failure yet. Times are those of clock_ms. */
struct backoff {
	unsigned failures; /* in a row */
	int64_t until;     /* nothing is tried before */
};

/*
 * Notes a failure. Failures while a delay runs belong to the attempt that it
 * answers: a burst of deaths counts once. True when a new delay has begun.
 */
bool backoff_fail(struct backoff *backoff, int64_t now);

/*
 * Something that was started at that time went well: where that was after the
 * last delay, the record is cleared.
 */
void backoff_succeed(struct backoff *backoff, int64_t started);

/* The delay after that many failures in a row, in milliseconds. */
int64_t backoff_delay(unsigned failures);

#endif
