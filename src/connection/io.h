/*
 * io: receiving and sending on one TCP connection, each under a deadline.
 */
#ifndef CONNECTION_IO_H
#define CONNECTION_IO_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/scoreboard.h"
#include "connection/ending.h"

/*
 * Once *stopping is set, for each that has not said anything yet, and for all
 * of them together: their first bytes may be on their way.
 */
#define IO_FIRST_MS 200
#define IO_FIRST_SUM_MS 1000

/* Milliseconds; 0 is no limit, except for linger_ms: not to wait at all. */
struct io_limits {
	int64_t idle_ms;   /* idle-timeout */
	int64_t send_ms;   /* send-timeout */
	int64_t user_ms;   /* user-timeout, which the kernel keeps */
	int64_t linger_ms; /* linger-timeout */
	/* Once *stopping is set: for all connections together, from when on (of
	   clock_ms) the first one to see it notes; 0 before. */
	int64_t stop_linger_ms;
	int64_t *stop_seen;
	int64_t *first_waited; /* how much of IO_FIRST_SUM_MS */
	/* The slot_number that is to be evicted, which a signal handler sets,
	   or 0; NULL for never. And what ours is made of. */
	const volatile sig_atomic_t *evicted;
	uint64_t connections;
};

/* A blocking socket, and what has happened on it so far. */
struct io {
	int fd;
	const struct io_limits *limits;
	struct slot_traffic *traffic;          /* counts the bytes, and when */
	const volatile sig_atomic_t *stopping; /* set by a signal handler */
	struct ending_facts facts;
	bool heard;    /* io_recv has had a byte */
	bool timed;    /* SO_RCVTIMEO is idle-timeout */
	bool fin_sent; /* by shutdown(2) */
	bool discards; /* io_discard was called */
};

/*
 * A fresh io for a connected socket; the pointers stay the caller's.
 *
 * All that wait come back when the connection is to be evicted; but one on
 * which bytes have moved meanwhile is not, and the order is void.
 */
void io_init(struct io *io, int fd, const struct io_limits *limits,
    struct slot_traffic *traffic, const volatile sig_atomic_t *stopping);

/*
 * Waits for bytes, for at most idle-timeout, and receives up to size of them
 * (recv(2)). Once *stopping is set it takes what has arrived and does not
 * wait, but a little for first bytes; the same once it is evicted. Returns
 * their number, 0 at the peer's FIN, -1 at the end for another reason;
 * io->facts says which.
 */
ssize_t io_recv(struct io *io, void *buffer, size_t size);

/*
 * Sends all of size bytes (send(2), never SIGPIPE). Waits as long as the peer
 * goes on acknowledging: send-timeout runs anew with all progress. Returns 0,
 * or -1 with io->facts.
 */
int io_send(struct io *io, const void *buffer, size_t size);

/*
 * The same for the last bytes of a connection: the kernel keeps them for the
 * FIN of the shutdown(2) that must follow at once, so that both are one
 * segment (MSG_MORE in send(2)).
 */
int io_send_last(struct io *io, const void *buffer, size_t size);

/*
 * Discards what has arrived, and waits for nothing: for a service that talks
 * and does not listen. True while the connection shall go on; false at the
 * peer's FIN, an error, and once *stopping is set: io->facts says which. From
 * now on io_send does the same while it waits.
 */
bool io_discard(struct io *io);

/*
 * Receives and discards until the peer's FIN, an error, or deadline (of
 * clock_ms), which *stopping may make an earlier one at any time; with a
 * deadline that has passed, or once it is evicted, it only takes what is
 * there. One that is evicted meanwhile has that as its cause.
 */
void io_drain(struct io *io, int64_t deadline);

#endif
