/*
 * stop: how all workers leave, without a connection that is cut or a signal
 * that is slept over.
 */
#ifndef MASTER_STOP_H
#define MASTER_STOP_H

#include <stdint.h>

#include "master/master.h"

/*
 * First call: accept no longer blocks, workers are told to empty the queue
 * and to finish. Second call: they are killed at once; but not within
 * STOP_SAME_MS, for timeout(1) and some supervisors signal a process and then
 * its group.
 */
#define STOP_SAME_MS 100

void stop_request(struct master *master, int64_t now);

/*
 * When all workers have left: a signal to the whole process group, or a crash,
 * may have taken them before the queue was empty. Then a worker is forked to
 * empty it, a few times at most. True when one was.
 */
bool stop_serve_queues(struct master *master, int64_t now);

/*
 * Repeats the order to those that have not left, after 50, 100, 200 ms ...,
 * and kills them when stop-timeout is over. Returns when it wants to be
 * called again.
 */
int64_t stop_turn(struct master *master, int64_t now);

#endif
