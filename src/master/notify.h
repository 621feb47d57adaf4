/*
 * notify: what the service manager is told, by the protocol of sd_notify(3):
 * datagrams of NAME=value lines to the socket that NOTIFY_SOCKET names.
 * Without that variable nothing is sent.
 */
#ifndef MASTER_NOTIFY_H
#define MASTER_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "master/backoff.h"

struct pool_list;

/* Room for a status text, which is cut at a pool's end where it is longer. */
#define NOTIFY_STATUS_SIZE 512

/* Room for "; 4294967295 busy, 4294967295 idle". */
#define NOTIFY_COUNTS_SIZE 48

/* Room for why a reload was refused, which is cut where it is longer. */
#define NOTIFY_REFUSED_SIZE 256

/* Between two messages that have nothing new but counts. */
#define NOTIFY_COUNTS_MS 1000

/* Added to stop-timeout: the time that the last workers need to be reaped. */
#define NOTIFY_STOP_MARGIN_MS 5000

/* All zero: there is nobody to tell. */
struct notify {
	struct sockaddr_un to;
	socklen_t length;     /* of to; 0: nobody */
	bool ready;           /* READY=1 was sent */
	int64_t reloading_us; /* RELOADING=1 was not sent yet; 0: it was */
	bool stopping;        /* STOPPING=1 was sent */
	bool failed;          /* a failure was logged */
	struct backoff full;
	char said[NOTIFY_STATUS_SIZE]; /* the last STATUS, without counts */
	char counts[NOTIFY_COUNTS_SIZE];
	int64_t counts_again;              /* not said before */
	char refused[NOTIFY_REFUSED_SIZE]; /* "; reload refused: ...", or "" */
};

/*
 * Reads NOTIFY_SOCKET, an absolute path or "@" and an abstract name, see
 * unix(7), and takes it out of the environment: a worker has nothing to say.
 * Another value is logged once, and nobody will be told.
 */
void notify_open(struct notify *notify);

/*
 * The status of the pools in words, for text of that size (at least 160
 * bytes): "serving echo *:7, daytime *:13", or, while any pool is degraded,
 * "degraded: echo *:7 3 of 4 workers", which names those that are. What does
 * not fit ends as ", ...". Returns text.
 */
char *notify_format(const struct pool_list *pools, char *text, size_t size);

/*
 * All pools are up: says so the first time, with READY=1 and our pid, and
 * after that only what has changed. How many workers are busy follows, "; 3
 * busy, 8 idle"; that alone is said at most once a second, and no wake-up is
 * worth it: it is as old as the last turn of the master's loop. Never waits.
 * now is of clock_ms; returns when it wants to be called again, because the
 * manager's queue is full or something else is short for the moment, or
 * CLOCK_NEVER. Other failures are logged once, and that message is not sent
 * again.
 */
int64_t notify_serving(
    struct notify *notify, const struct pool_list *pools, int64_t now);

enum notify_result {
	NOTIFY_SENT,
	NOTIFY_LATER, /* its queue is full, or the like: try again */
	NOTIFY_FAILED /* and that was logged, the first time */
};

/*
 * Any other message, with a descriptor that the manager gets a copy of, or
 * without where it is -1. Never waits. There must be somebody to tell.
 */
enum notify_result
notify_send(struct notify *notify, const char *message, int passed);

/*
 * A reload begins: says so, with the time that it began at (Type=notify-reload
 * in systemd.service(5) wants it); the next notify_serving says READY=1, and
 * before that this, where it could not be sent.
 */
void notify_reloading(struct notify *notify, int64_t now);

/*
 * A reload or an upgrade, which what names, was refused, for this reason: the
 * status ends with it from now on, until the next reload begins.
 */
void notify_refused(struct notify *notify, const char *what, const char *why);

/*
 * The stop has begun and may take so long: the manager shall not kill us
 * before that. Called again and again while the stop lasts, for a message that
 * could not be sent at first.
 */
void notify_stopping(struct notify *notify, int64_t stop_timeout_ms);

#endif
