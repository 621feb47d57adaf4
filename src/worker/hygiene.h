/*
 * hygiene: how a worker sheds what it inherited from its master.
 */
#ifndef WORKER_HYGIENE_H
#define WORKER_HYGIENE_H

#include <signal.h>

#include "worker/worker.h"

/*
 * Set by the handlers of TERM (finish the connection now, empty the queue,
 * leave) and QUIT (leave after the connection, however long it is).
 */
extern volatile sig_atomic_t worker_stopping;
extern volatile sig_atomic_t worker_retiring;

/*
 * The slot_number of the connection that this worker shall evict, or 0: the master has sent URG with it, see sigqueue(3).
 */
extern volatile sig_atomic_t worker_evicted;

/*
 * Resets signals, gives privileges up, ties the worker's life to its master's,
 * begins the sandbox, closes foreign descriptors, names the process, and opens
 * the signal mask, in this order: a later step does not need what an earlier
 * one took. Ends the process where one of these fails.
 */
void hygiene(const struct worker *worker);

#endif
