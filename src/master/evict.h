/*
 * evict: whose connections are ended when others wait and every worker serves.
 * Policy only; master/pressure does what it says.
 *
 * It takes from the source with the most connections the one that is idle for
 * the longest time, and so on, one for each client that waits. Whom the queue
 * brings instead is not known: often more of the same source, which stands
 * before all others there. So a turn takes from the heaviest sources alone,
 * until they are as light as the next: no other one pays for what they may
 * have in the queue. As one that waits there is idle already, the queue goes by
 * as fast as workers accept, whoever fills it.
 */
#ifndef MASTER_EVICT_H
#define MASTER_EVICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A connection is left alone for so long after it could have moved bytes: in a
 * dialogue around the world a round trip passes between two of them, and a
 * client that opens thousands at once needs time to speak on each. It runs from
 * the handshake, not from accept, so all that wait share it, and a client that
 * stands behind all of them has it but once to wait for: half of a second is
 * left to go through them. One that has had our FIN is left the time to answer;
 * that runs anew for each, and so ten times for a client behind ten times
 * max-workers.
 */
#define EVICT_GRACE_MS 500
#define EVICT_CLOSING_MS 50

/* Between two turns: time to close, and to accept. */
#define EVICT_PERIOD_MS 10

struct evict_connection {
	uint64_t source;    /* see addr_source */
	int64_t idle_since; /* clock_ms; not below 0, and not after now */
	bool closing;       /* our FIN is sent */
	uint32_t worker;    /* the caller's, as number is */
	int number;
	/* evict_choose's own */
	bool ripe;
	size_t level;
};

struct evict_choice {
	size_t victims;  /* so many, the first ones */
	size_t heaviest; /* connections of the source that has the most */
	uint32_t worker; /* one of them */
	int64_t look_at; /* when to choose again */
};

/*
 * Sorts the connections of all workers of a pool (count of them, not 0) so that
 * those to end for waiting clients are the first ones.
 */
struct evict_choice evict_choose(struct evict_connection *connections,
    size_t count, size_t waiting, int64_t now);

#endif
