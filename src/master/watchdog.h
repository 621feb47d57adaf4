/*
 * watchdog: tells the service manager that the master's loop turns, see
 * sd_watchdog_enabled(3). Without WATCHDOG_USEC nothing is told, and nobody is
 * woken for it.
 */
#ifndef MASTER_WATCHDOG_H
#define MASTER_WATCHDOG_H

#include <stdint.h>

#include "master/notify.h"

/* All zero: nobody asks. */
struct watchdog {
	int64_t period; /* ms between two messages; 0: none are wanted */
	int64_t next;
};

/*
 * Reads WATCHDOG_USEC and, where it is there, WATCHDOG_PID, which must be ours,
 * and takes both out of the environment. A number that is none is logged.
 */
void watchdog_open(struct watchdog *watchdog);

/*
 * Says so where it is time, which is at half of what the manager waits. Called
 * in each turn of the loop, and from nowhere else: a loop that hangs shall be
 * missed. now is of clock_ms; returns when it wants to be called again, or
 * CLOCK_NEVER.
 */
int64_t
watchdog_turn(struct watchdog *watchdog, struct notify *notify, int64_t now);

#endif
