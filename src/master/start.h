/*
 * start: everything between the options and the loop.
 */
#ifndef MASTER_START_H
#define MASTER_START_H

#include <stdbool.h>

#include "master/master.h"

/*
 * Locks the PID file, opens every listener, goes into the background where
 * asked, creates the scoreboard and writes the PID file, in this order: what
 * can fail on an administrator's account fails while stderr is theirs. Does
 * not return after a failure: it is logged, and the exit status is 1.
 */
void start(struct master *master, bool background);

#endif
