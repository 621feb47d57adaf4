/*
 * signals: the master's handlers, and what they have noted.
 *
 * All signals are blocked except while the master waits in ppoll(2), so a
 * handler never interrupts anything else, and no signal falls between a look
 * at a flag and the wait.
 */
#ifndef MASTER_SIGNALS_H
#define MASTER_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* Blocks all signals and sets the handlers. */
void signals_init(void);

/* Undoes it, for a process that is to end at the first signal. */
void signals_restore(void);

/* The mask to wait with: nothing is blocked. */
const sigset_t *signals_wait_mask(void);

/* Each takes what was noted since the last call; that clears it. */
bool signals_take_stop(void); /* TERM, INT or QUIT */
bool signals_take_hup(void);
bool signals_take_usr1(void);
bool signals_take_usr2(void);

/*
 * The next child that was reaped: true with its pid and its status of
 * waitpid(2), false when there is none left. Until then no child is lost:
 * the handler stops reaping when its table is full, and this goes on.
 */
bool signals_next_reaped(pid_t *pid, int *status);

#endif
