/*
 * staff: as many workers as a pool's policy asks for, and what they are told.
 */
#ifndef MASTER_STAFF_H
#define MASTER_STAFF_H

#include <stdbool.h>
#include <stdint.h>

#include "master/master.h"

/* Sends a signal to all workers of a pool. Failures are logged. */
void
staff_signal(struct master *master, const struct pool *pool, int signal_number);

/*
 * Workers of the one kind, fresh or not, stay, and are fresh no longer; the
 * others are told to leave after their connection.
 */
void staff_replace(struct master *master, struct pool *pool, bool fresh);

/* Forks what the pool's policy asks for now. Failures are logged. */
void staff_fill(struct master *master, struct pool *pool, int64_t now);

/* Tells workers to leave, as many as the policy asks for now. */
void staff_retire(struct master *master, struct pool *pool);

/* Says so, where the pool has the workers that it had lacked. */
void staff_note_mended(struct pool *pool);

#endif
