/*
 * upgrade: another binary takes this process over, with its pid, sockets and
 * workers.
 *
 * First a trial: a child executes the new binary, which reads the
 * configuration and the state as if it were to serve, opens what would be new,
 * and says whether it could. Only then this process executes it. What comes
 * after is a reload: new workers of the new binary take the place of the old.
 */
#ifndef MASTER_UPGRADE_H
#define MASTER_UPGRADE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "common/conf.h"
#include "common/privilege.h"
#include "master/outcome.h"
#include "master/state.h"

struct master;

/* In the environment of the new binary: the descriptor of the state. */
#define UPGRADE_STATE "PREFORKD_STATE"
/* The same with this: only a trial. Its last word on stdout when it could. */
#define UPGRADE_TRIAL "PREFORKD_TRIAL"
#define UPGRADE_YES "preforkd-state is accepted\n"
#define UPGRADE_LIMIT_MS 10000 /* for the trial */

/* How this process was started, and would be again. */
struct upgrade_program {
	const char *path;       /* absolute */
	char *const *arguments; /* with a NULL at the end */
	char *const *environment;
};

/* One in progress, or none. */
struct upgrade {
	bool wanted; /* since the last one began */
	pid_t trial; /* 0: none */
	pid_t dying; /* a trial that a stop has killed, until it is reaped */
	struct stat tried;
	bool ended; /* it was reaped, with this status */
	int status;
	bool killed;
	int64_t deadline;
	int said; /* what it says on stdout and stderr */
	struct outcome outcome;
};

/* Asks for one; one that is in progress is finished first. */
void upgrade_request(struct master *master);

/*
 * Begins one that was asked for, or ends a trial; does not return where the
 * new binary takes over. Called in each turn but while the daemon stops;
 * returns when it wants to be called again, or CLOCK_NEVER.
 */
int64_t upgrade_turn(struct master *master, int64_t now);

/* True where that child was the trial. */
bool upgrade_note_reaped(struct master *master, pid_t pid, int status);

/* Gives a trial up, for the daemon stops. */
void upgrade_abort(struct master *master);

/* True while a trial runs, or is the next to begin: nothing else may. */
bool upgrade_is_active(const struct master *master);

/* True while a trial that a stop has given up still holds what we have. */
bool upgrade_is_dying(const struct master *master);

/*
 * The new binary, at its very start: the state that it was handed, in *state,
 * and whether it is a trial. Returns 1, 0 when there is none, or -1 after it
 * said on stderr what is wrong.
 */
int upgrade_take(struct state *state, bool *trial);

/*
 * The trial: could this binary serve with that state and configuration?
 * Returns its exit status.
 */
int upgrade_try(struct conf *conf, struct state *state);

/*
 * Otherwise: this is the master now, in place of start(). Frees the state.
 * Does not return after a failure.
 */
void upgrade_adopt(struct master *master, struct state *state);

#endif
