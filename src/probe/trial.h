/*
 * trial: one connection to an echo server that is left idle, and then asked
 * whether it is still there. Several go on at the same time.
 */
#ifndef PROBE_TRIAL_H
#define PROBE_TRIAL_H

#include "probe/session.h"

enum trial_state {
	TRIAL_IDLE,
	TRIAL_ASKED,
	TRIAL_ALIVE, /* the answer came */
	TRIAL_GONE,  /* none came, or a RST did: the verdict says which */
	TRIAL_ENDED, /* the peer's FIN */
	TRIAL_BROKEN /* no echo server, or an error of ours: see the verdict */
};

struct trial {
	struct session session;
	struct report report; /* the session's: it says nothing more */
	enum trial_state state;
	enum verdict verdict; /* when it is over */
	int64_t due_ms;       /* of clock_ms: when it will be asked */
	int64_t idled_ms;     /* how long it really was idle */
	int64_t segments;     /* that had come before */
	bool kept;            /* others did meanwhile: it was not idle */
};

/*
 * Connects, has one round trip, and is idle from then on for so long. False
 * when that failed: see the verdict. What happens until then is reported; the
 * pointers stay the caller's.
 */
bool trial_open(struct trial *trial, const struct session_options *options,
    const struct report *report, int64_t idle_ms);

/* Has the kernel send keepalive probes (tcp(7)). False: see the verdict. */
bool trial_keep_alive(
    struct trial *trial, unsigned int idle_s, unsigned int interval_s);

/*
 * Looks at what has come, and at the clock: asks when that is due, decides when
 * it is time. Never waits.
 */
void trial_step(struct trial *trial);

/*
 * Waits until one of them has something to do, see trial_step. Returns at once
 * when all are over. There are BISECT_PARALLEL_MAX at most.
 */
void trial_wait(const struct trial *trials, size_t count);

/* Whether there is nothing more to come. */
bool trial_is_over(const struct trial *trial);

/* Closes it, as it is. */
void trial_close(struct trial *trial);

#endif
