/*
 * master: the one process that binds, forks, reaps and stops, and never
 * touches a client's byte.
 */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/conf.h"
#include "common/privilege.h"
#include "common/scoreboard.h"
#include "master/child.h"
#include "master/listener.h"
#include "master/notify.h"
#include "master/pool.h"
#include "services/service.h"

/* A listening socket and its workers. */
struct pool {
	struct listener listener;
	const struct service *service;
	const struct conf_service *settings;
	uint32_t row; /* in the scoreboard */
	struct pool_state state;
	uint64_t forks;         /* ever */
	int64_t full_warned_ms; /* 0: never */
	bool fork_warned;       /* until it has the workers that it wants */
	bool degraded_said;     /* the same */
};

/* A stop in progress, see master/stop.h. */
struct stop {
	bool begun;
	bool killed;
	unsigned rounds; /* of stop_serve_queues */
	int64_t begun_at;
	int64_t deadline; /* stop-timeout is over */
	int64_t again;    /* when to repeat TERM */
	int64_t step;     /* ms, doubled each time */
};

struct master {
	struct conf *conf;
	const struct privilege *privilege; /* of workers */
	struct sandbox *sandbox;           /* the same, see worker/sandbox.h */
	struct scoreboard board;
	struct pool *pools; /* unshared */
	uint32_t pool_count;
	struct child_table children;
	int wake_fd;        /* eventfd(2): workers write, the loop polls */
	int pidfile_fd;     /* -1: none */
	int ready_fd;       /* of background_start, or -1 */
	int64_t deaf_until; /* wake_fd is not looked at before */
	bool is_up;         /* every pool was up once */
	bool start_failed;
	struct stop stop;
	struct notify notify;
};

/*
 * Runs the daemon with that configuration, which stays the caller's as
 * privilege does, until it is stopped: opens every listener, goes into the
 * background where asked, forks the workers, and serves. Returns the exit
 * status of preforkd(8): 0 stopped as asked, 1 failed.
 */
int master_run(
    struct conf *conf, const struct privilege *privilege, bool background);

/*
 * For -nv: writes the limits of the kernel that will change this
 * configuration, and what workers run as and in, as comment lines. Returns 0,
 * or -1 after it logged why that cannot be told.
 */
int master_print(
    const struct conf *conf, const struct privilege *privilege, FILE *to);

#endif
