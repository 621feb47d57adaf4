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
#include "common/source_table.h"
#include "master/child.h"
#include "master/control.h"
#include "master/control_socket.h"
#include "master/notify.h"
#include "master/pools.h"
#include "master/reload.h"
#include "master/store.h"
#include "master/upgrade.h"
#include "master/watchdog.h"

/* Where the configuration comes from, at the start and at each reload. */
struct master_source {
	/*
	 * Reads it: the caller's to free, or NULL with what is wrong as lines
	 * on errors, and the exit status for it in *status.
	 */
	struct conf *(*read)(void *context, FILE *errors, int *status);
	void *context;
	struct upgrade_program program; /* for upgrades */
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
	const struct master_source *source;
	struct conf *conf;
	struct privilege privilege; /* of workers */
	struct sandbox *sandbox;    /* the same, see worker/sandbox.h */
	struct scoreboard board;
	struct source_table rates; /* of clients, for rate-per-source */
	struct source_table said;  /* who was refused, for the log */
	struct pool_list pools;
	struct child_table children;
	char *pid_file;     /* "none", or the one that is locked */
	char *board_file;   /* "none", or the one that the board is in */
	int wake_fd;        /* eventfd(2): workers write, the loop polls */
	int pidfile_fd;     /* -1: none */
	int ready_fd;       /* of background_start, or -1 */
	int64_t deaf_until; /* wake_fd is not looked at before */
	struct pollfd *fds; /* of the loop, unshared */
	uint64_t log_lost_before; /* upgrades, the last one too */
	bool is_up;               /* every pool was up once */
	bool start_failed;
	struct stop stop;
	struct reload reload;
	struct upgrade upgrade;
	struct notify notify;
	struct control_socket control_socket;
	struct control *control; /* its clients; also where there is none */
	struct watchdog watchdog;
	struct store store;
};

/*
 * Runs the daemon with that configuration, which it frees, until it is
 * stopped: opens every listener, goes into the background where asked, forks
 * the workers, and serves; or goes on with a state, not NULL, that the binary
 * before this one has left, and frees it. source is for reloads and upgrades.
 * Returns the exit status of preforkd(8): 0 stopped as asked, 1 failed.
 */
int master_run(struct conf *conf, const struct privilege *privilege,
    const struct master_source *source, bool background, struct state *state);

/* The highest level that is logged from now on, by workers as well. */
void master_set_log_level(struct master *master, int level);

/* What ps(1) shows: the services and where. */
void master_set_title(const struct master *master);

/*
 * For -nv: writes the limits of the kernel that will change this
 * configuration, and what workers run as and in, as comment lines. Returns 0,
 * or -1 after it logged why that cannot be told.
 */
int master_print(
    const struct conf *conf, const struct privilege *privilege, FILE *to);

#endif
