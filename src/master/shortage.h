/*
 * shortage: why a listening socket has turned clients away. Policy only.
 */
#ifndef MASTER_SHORTAGE_H
#define MASTER_SHORTAGE_H

#include <stdbool.h>
#include <stdint.h>

struct shortage_view {
	uint64_t overflows; /* since the last look */
	bool was_full;      /* clients waited since then, while all of
			       max-workers served */
	uint32_t limit;     /* of the accept queue, in force */
	int64_t backlog;    /* that was asked for */
};

/*
 * What to raise so that the next ones find room: "max-workers",
 * "net.core.somaxconn" or "backlog"; or NULL where nobody was turned away. A
 * longer queue is no help to who finds every worker busy, and a longer backlog
 * none where the kernel cuts it.
 */
const char *shortage_name(const struct shortage_view *view);

#endif
