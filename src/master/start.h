/*
 * start: everything between the options and the loop.
 */
#ifndef MASTER_START_H
#define MASTER_START_H

#include <stdbool.h>

#include "master/master.h"

/*
 * Goes into the background where asked, which leaves stderr and the exit status
 * to whoever started us until all of this is done; locks the PID file, opens
 * every listener, creates the scoreboard, prepares what workers will need,
 * writes the PID file and gives capabilities up. Does not return after a
 * failure: it is logged, and the exit status is 1.
 */
void start(struct master *master, bool background);

/* The end of it alone, for a master that has all the rest from another. */
void start_workers(struct master *master);

#endif
