/*
 * idle_report: what idle does and what it has found, for people or, a JSON
 * object a line, for programs.
 */
#ifndef PROBE_IDLE_REPORT_H
#define PROBE_IDLE_REPORT_H

#include "probe/bisect.h"
#include "probe/report.h"
#include "probe/trial.h"

enum idle_limit {
	IDLE_UNKNOWN, /* it ended before */
	IDLE_FOUND,   /* something forgets idle connections */
	IDLE_NONE,    /* nothing does, for as long as was tried */
	IDLE_ENDED    /* the far end ends them, with FIN */
};

struct idle_answer {
	enum idle_limit limit;
	int64_t alive_ms;        /* this long it was still there; 0: unknown */
	int64_t dead_ms;         /* this long it was gone; 0: unknown */
	int64_t ended_ms;        /* this long, and the FIN came; 0: none did */
	enum verdict how;        /* how it was gone */
	bool kept;               /* the far end spoke in between */
	bool advised;            /* the next three are known */
	unsigned int idle_s;     /* keepalive-idle */
	unsigned int interval_s; /* keepalive-interval */
	int64_t held_ms;         /* with these; 0: was not tried */
	bool proved;             /* ... and then it was there */
	int64_t took_ms;
};

/* What is looked for, and how long that takes at most. */
void idle_report_search(
    const struct report *report, const struct bisect *search, int64_t most_ms);

/* A round begins; idle times are ascending. */
void idle_report_round(const struct report *report, unsigned int round,
    const int64_t *idle_ms, size_t count);

/* One connection is over. */
void idle_report_trial(const struct report *report, const struct trial *trial);

/* The proof begins, of a connection that will be held for so long. */
void idle_report_hold(const struct report *report,
    const struct idle_answer *answer, int64_t hold_ms);

/* The summary's: fields of its object, or lines after its first. */
void idle_report_json(FILE *out, const struct idle_answer *answer);
void idle_report_text(FILE *out, const struct idle_answer *answer);

#endif
