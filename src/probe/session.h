/*
 * session: one connection of a probe, and what happens on it.
 */
#ifndef PROBE_SESSION_H
#define PROBE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/load_plan.h"
#include "probe/report.h"
#include "probe/resolve.h"
#include "probe/verdict.h"

struct session_options {
	const char *host;
	uint16_t port;
	int family;                           /* AF_UNSPEC for both */
	const struct resolve_address *source; /* to connect from, or NULL */
	int64_t timeout_ms;
	uint64_t count;       /* of round trips */
	int64_t interval_ms;  /* from the start of one to that of the next */
	size_t size;          /* bytes of each */
	size_t parallel;      /* connections at the same time */
	int64_t max_ms;       /* the longest that one is idle */
	int64_t precision_ms; /* of the limit that is looked for */
	struct load_plan load;
};

struct session {
	const struct session_options *options;
	struct report *report;
	int fd;
	int64_t deadline;     /* of clock_ms */
	int64_t renewed;      /* when it was set */
	int64_t asked_us;     /* of clock_us: our first byte or FIN; 0: none */
	uint64_t sent;        /* bytes */
	uint64_t received;    /* bytes */
	bool shut;            /* our FIN is sent */
	bool fin;             /* the peer's has come */
	int64_t last_us;      /* of clock_us: its last byte, our FIN, or SYN */
	int64_t fin_us;       /* from then until its FIN */
	int64_t retrans;      /* of the handshake */
	int64_t handshake_us; /* that session_open waited for */
	const char *cause;    /* what the summary says besides, or NULL */
	struct verdict_facts facts;
};

/* What a call has come to; what has failed is in facts, and it is over. */
enum session_result {
	SESSION_BYTES,
	SESSION_NOTHING, /* not now: wait */
	SESSION_FIN,
	SESSION_FAILED
};

/*
 * Finds the addresses and connects, all within the timeout, and reports it.
 * False when it failed; facts say how. The pointers stay the caller's.
 */
bool session_open(struct session *session,
    const struct session_options *options, struct report *report);

/*
 * Begins to connect to this one address, from source unless that is NULL, and
 * waits for nothing: for one of many sessions. False when it failed at once.
 */
bool session_begin(struct session *session,
    const struct session_options *options, struct report *report,
    const struct resolve_address *to, const struct resolve_address *source);

/* From now on there is the whole timeout again. */
void session_renew(struct session *session);

/*
 * Waits until one of events (of poll(2)), an error or a FIN is there. False at
 * the deadline, which facts note, and at an error.
 */
bool session_wait(struct session *session, short events);

/*
 * The same until a time of clock_ms, which may come, as may an interrupt: facts
 * note nothing.
 */
bool session_wait_until(struct session *session, short events, int64_t until);

/* Receives up to size bytes, without waiting; *n is how many they were. */
enum session_result
session_recv(struct session *session, void *buffer, size_t size, size_t *n);

/* Sends up to size bytes, without waiting; *n is how many they were. */
enum session_result session_send(
    struct session *session, const void *buffer, size_t size, size_t *n);

/* The peer's FIN has come, and more was to come before it. */
bool session_closed_early(struct session *session);

/* What came is not what should have come. */
bool session_differs(struct session *session);

/* Sends our FIN, once: see shutdown(2). */
void session_shut(struct session *session);

/*
 * After all was said: our FIN, and the peer's awaited until the deadline. What
 * comes before it is one byte too many, unless any are allowed.
 */
void session_end(struct session *session, bool allowed);

/* Asks the kernel what facts want to know, closes, and decides. */
enum verdict session_close(struct session *session);

#endif
