/*
 * admit: whether a client that was accepted is served, by the rules and the
 * limits of its service.
 */
#ifndef WORKER_ADMIT_H
#define WORKER_ADMIT_H

#include <stdbool.h>

#include "worker/worker.h"

/* False where everybody is admitted, and nobody needs to be looked at. */
bool admit_asks(const struct conf_service *settings);

/*
 * True when the connection that is open in the worker's slot is to be served.
 * Otherwise the log has the reason, once a minute for each source.
 */
bool admit(const struct worker *worker);

#endif
