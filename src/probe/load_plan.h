/*
 * load_plan: what a load is to be, and that it has an end. Pure: no system
 * call.
 */
#ifndef PROBE_LOAD_PLAN_H
#define PROBE_LOAD_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_PARALLEL_MOST 50000
#define LOAD_SECONDS_MOST 3600 /* of every load */

/* preforkprobe(1), LOAD, says what each of them does. */
enum load_work {
	LOAD_ECHO,
	LOAD_DAYTIME,
	LOAD_ROUND_TRIP,
	LOAD_BULK,
	LOAD_HOLD,
	LOAD_WORKS
};

/* 0 is what the command line has not named, until load_plan_complete. */
struct load_plan {
	enum load_work work;
	uint64_t count;  /* connections, or messages where these stay; 0: any */
	int64_t time_ms; /* from the start to the last that may begin */
	size_t parallel; /* connections at once */
	size_t size;     /* bytes of a message */
	bool lines;      /* it is a line, with LF at its end */
};

/* "echo", "daytime", "round-trip", "bulk", "hold". */
const char *load_work_name(enum load_work work);

/* Sets *work to that of this name; false where there is none. */
bool load_work_find(enum load_work *work, const char *name);

/* The port of its service. */
uint16_t load_work_port(enum load_work work);

/* Whether its connections stay open, and pass one message after another. */
bool load_work_stays(enum load_work work);

/*
 * Puts defaults in. Returns NULL, or what is wrong with the plan and what to do
 * about it: one that has no end, or names what its work does not know of.
 */
const char *load_plan_complete(struct load_plan *plan);

#endif
