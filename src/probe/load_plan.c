#include "probe/load_plan.h"

#include <string.h>

#include "probe/pattern.h"

static const struct {
	const char *name;
	uint16_t port;
	bool stays;
	size_t size; /* of a message, unless another is named */
} works[LOAD_WORKS] = {
	[LOAD_ECHO] = { "echo", 7, false, 64 },
	[LOAD_DAYTIME] = { "daytime", 13, false, 0 },
	[LOAD_ROUND_TRIP] = { "round-trip", 7, true, 64 },
	[LOAD_BULK] = { "bulk", 7, true, 65536 },
	[LOAD_HOLD] = { "hold", 7, true, 1 },
};

const char *
load_work_name(enum load_work work)
{
	return works[work].name;
}

bool
load_work_find(enum load_work *work, const char *name)
{
	for (size_t i = 0; i < LOAD_WORKS; i++)
		if (strcmp(works[i].name, name) == 0) {
			*work = (enum load_work)i;
			return true;
		}
	return false;
}

uint16_t
load_work_port(enum load_work work)
{
	return works[work].port;
}

bool
load_work_stays(enum load_work work)
{
	return works[work].stays;
}

/* Of options that this work makes nothing of. */
static const char *
has_too_much(const struct load_plan *plan)
{
	if (plan->work == LOAD_DAYTIME && plan->size != 0)
		return "-s: daytime sends nothing; leave it out";
	if (plan->work == LOAD_DAYTIME && plan->lines)
		return "--lines: daytime sends nothing; leave it out";
	if (plan->work == LOAD_HOLD && plan->size != 0)
		return "-s: hold sends single bytes; leave it out";
	if (plan->work == LOAD_HOLD && plan->count != 0)
		return "-c: hold opens as many as -p says, once; leave it out";
	return NULL;
}

const char *
load_plan_complete(struct load_plan *plan)
{
	const char *wrong = has_too_much(plan);

	if (wrong != NULL)
		return wrong;
	if (plan->work == LOAD_HOLD && plan->time_ms == 0)
		return "hold has no end; say for how long, with --seconds";
	if (plan->count == 0 && plan->time_ms == 0)
		return "it has no end; give it one with --seconds or -c";
	if (plan->time_ms == 0)
		plan->time_ms = INT64_C(1000) * LOAD_SECONDS_MOST;
	if (plan->parallel == 0)
		plan->parallel = 1;
	if (plan->count != 0 && plan->parallel > plan->count)
		plan->parallel = (size_t)plan->count;
	if (plan->size == 0)
		plan->size = works[plan->work].size;
	if (plan->lines && plan->size > PATTERN_LINE_MOST)
		return "--lines: a line has 65521 bytes at most; give fewer with -s";
	return NULL;
}
