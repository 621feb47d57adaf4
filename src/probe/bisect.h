/*
 * bisect: which idle times to try next, to find the limit above which a
 * connection is forgotten. Pure: no system call, no clock.
 */
#ifndef PROBE_BISECT_H
#define PROBE_BISECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BISECT_PARALLEL_MAX 64

/*
 * What is known. A connection that is lost once may have had bad luck with the
 * network: that is a suspicion, and believed when a later round has lost one
 * after the same time, or less.
 */
struct bisect {
	int64_t max_ms;          /* nothing longer is tried */
	int64_t precision_ms;    /* how near the two bounds shall come */
	size_t parallel;         /* connections at the same time */
	unsigned int rounds;     /* learned from */
	unsigned int rounds_max; /* then it is given up */
	int64_t alive_ms;        /* the lower bound: this was survived */
	int64_t suspect_ms;      /* this was not, once; 0: none */
	int64_t dead_ms;         /* the upper bound: believed; 0: none yet */
};

/* What has become of one connection. */
struct bisect_result {
	int64_t idle_ms; /* how long it really was */
	bool alive;
};

/* Times are 1 ms or more, parallel is 1 to BISECT_PARALLEL_MAX. */
void bisect_init(struct bisect *bisect, int64_t max_ms, int64_t precision_ms,
    size_t parallel);

/*
 * The idle times of the next round, ascending, parallel of them at most.
 * Returns how many: 0 when all is known, or rounds_max have not been enough.
 */
size_t
bisect_plan(const struct bisect *bisect, int64_t idle_ms[BISECT_PARALLEL_MAX]);

/*
 * Takes what a round has shown, in any order; those of its connections that
 * were not waited for are left out.
 */
void bisect_learn(
    struct bisect *bisect, const struct bisect_result *results, size_t count);

/* Whether the limit is between alive_ms and dead_ms, as near as was asked. */
bool bisect_has_found(const struct bisect *bisect);

/* Whether there is none: max_ms was survived. */
bool bisect_has_none(const struct bisect *bisect);

/*
 * How many rounds it takes at most, when no result is wrong. With wrong ones,
 * rounds_max is the end, which is more than twice as many.
 */
unsigned int
bisect_rounds(int64_t max_ms, int64_t precision_ms, size_t parallel);

/*
 * The keepalive, in whole seconds, for connections that are forgotten after
 * alive_ms, or later: a first probe in the middle, and so often after it that
 * two can be lost; the kernel's timers are up to an eighth late. False where
 * not one of a second would be in time.
 */
bool
bisect_advice(int64_t alive_ms, unsigned int *idle_s, unsigned int *interval_s);

#endif
