/*
 * worker: one process that serves one listening socket, one connection at a
 * time.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/conf.h"
#include "common/privilege.h"
#include "common/scoreboard.h"
#include "common/source_table.h"
#include "services/service.h"
#include "worker/sandbox.h"

/* Exit statuses of a worker, for the master that reaps it. */
enum worker_exit {
	WORKER_DONE = 0,    /* stopped or retired, as it was told */
	WORKER_FAILED = 1,  /* said why in the log */
	WORKER_LOG_DIED = 3 /* left for a successor with a fresh syslog
			       socket */
};

/* What a worker gets from its master; all of it stays the master's. */
struct worker {
	const struct service *service;
	const struct conf_service *settings;
	const struct privilege *privilege;
	const struct sandbox *sandbox;
	char address[ADDR_STRLEN]; /* of the listening socket, as text */
	int listen_fd;
	int wake_fd; /* an eventfd(2) of the master's */
	pid_t master;
	bool log_connections;
	const _Atomic uint32_t *log_level; /* in force, see log_follow_level */
	int64_t stop_linger_ms; /* for all lingering after a stop, together */
	uint64_t most_connections; /* it leaves after; 0: no limit */
	struct slot *slot;
	struct pool_row *row;
	idle_word *idle;     /* its pool's, see common/idle_set.h */
	uint32_t slot_count; /* of that set */
	uint32_t slot_index; /* in it */
	/* for admission, see worker/admit.h */
	const struct scoreboard *board;
	const struct source_table *rates; /* a bucket a source and service */
	const struct source_table *said;  /* a line a minute and source */
	uint64_t salt;                    /* of its service, in rates */
	uint16_t service_number;          /* for the slot */
};

/*
 * Runs in the child right after fork(2), with all signals blocked, until the
 * worker is stopped or retired. Never returns.
 */
void worker_run(const struct worker *worker) __attribute__((noreturn));

#endif
