#include "master/start.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/log.h"
#include "master/activation.h"
#include "master/background.h"
#include "master/board_file.h"
#include "master/limits.h"
#include "master/pidlock.h"
#include "master/spawn.h"

#define ROWS_A_LISTEN 4 /* a name may have several addresses */
#define SPARE_ROWS 64
#define EXIT_NOT_PASSED 2 /* as for what is wrong with the configuration */
#define SPARE_SLOTS 16384
#define PLACE_SIZE 512 /* "FILE:LINE: control" */

static void
lock_pidfile(struct master *master)
{
	const char *path = master->conf->pid_file;
	pid_t holder;

	master->pid_file = strdup(path);
	master->board_file = strdup(master->conf->scoreboard);
	if (master->pid_file == NULL || master->board_file == NULL)
		fatal("not started");
	if (strcmp(path, "none") == 0)
		return;
	master->pidfile_fd = pidlock_take(path, &holder);
	if (master->pidfile_fd >= 0)
		return;
	if (errno == EEXIST)
		fatalx("pid-file %s: holds something else than a pid, and is "
		       "left alone; name another with -p",
		    path);
	if (errno == EACCES || errno == EPERM)
		fatal("pid-file %s (start as root, or name another with -p, "
		      "or \"pid-file none\")",
		    path);
	if (errno != EWOULDBLOCK)
		fatal("pid-file %s (name another with -p, or \"pid-file "
		      "none\")",
		    path);
	if (holder > 0)
		fatalx("already running with pid %d, which holds pid-file %s",
		    (int)holder, path);
	fatalx("already running: another process holds pid-file %s", path);
}

/*
 * A start that fails leaves no PID file, for an empty one would be misread, and
 * no socket.
 */
static void
release_names(struct master *master)
{
	int saved = errno;

	control_socket_close(&master->control_socket);
	if (master->board.header != NULL)
		board_file_remove(master->board.fd, master->board_file);
	if (master->pidfile_fd >= 0)
		pidlock_release(master->pidfile_fd, master->pid_file);
	errno = saved;
}

/*
 * The default path may be out of reach for whoever is not root. What was asked
 * for must be there, and so must a place that nobody else has.
 */
static void
open_control(struct master *master)
{
	const char *path = master->conf->control;
	bool given = conf_is_set(master->conf, "control");
	char place[PLACE_SIZE], why[CONTROL_SOCKET_WHY_SIZE];
	enum control_socket_result result;

	if (strcmp(path, "none") == 0)
		return;
	if (!given && geteuid() == 0)
		control_socket_make_directory(path);
	result = control_socket_open(&master->control_socket, path, why);
	if (result == CONTROL_SOCKET_OPEN)
		return;
	conf_place(master->conf, "control", place, sizeof(place));
	if (given || result == CONTROL_SOCKET_TAKEN) {
		release_names(master);
		fatalx("not started: %s %s: %s", place, path, why);
	}
	log_warnx("%s %s: %s; serving without it: preforkctl(8) will not reach "
		  "this daemon",
	    place, path, why);
}

static void
make_control(struct master *master)
{
	master->control = control_new(master->control_socket.fd);
	if (master->control == NULL) {
		release_names(master);
		fatal("not started: no memory for the control socket");
	}
}

/* In a file, or in memory; why is empty for what is wrong with memory. */
static int
make_board(struct master *master, uint32_t rows, uint32_t slots,
    char why[BOARD_FILE_WHY_SIZE])
{
	if (strcmp(master->board_file, "none") != 0)
		return board_file_create(
		    &master->board, master->board_file, rows, slots, why);
	return scoreboard_create(&master->board, rows, slots);
}

static int
make_room(struct master *master, uint32_t rows, uint64_t slots,
    char why[BOARD_FILE_WHY_SIZE])
{
	*why = '\0';
	if (slots > UINT32_MAX) {
		errno = ENOMEM;
		return -1;
	}
	if (make_board(master, rows, (uint32_t)slots, why) < 0)
		return -1;
	if (child_table_init(&master->children, (uint32_t)slots) == 0)
		return 0;
	*why = '\0';
	board_file_remove(master->board.fd, master->board_file);
	scoreboard_destroy(&master->board);
	errno = ENOMEM;
	return -1;
}

/*
 * With room for what a reload may ask for later, where that can be had. It
 * costs addresses alone, or room in a file system: a page of memory is there
 * once it is written to.
 */
static void
create_scoreboard(struct master *master)
{
	const struct conf_service *service;
	const struct conf_listen *listen;
	uint64_t workers = 0;
	uint32_t listens = 0, rows;
	char place[PLACE_SIZE], why[BOARD_FILE_WHY_SIZE];

	TAILQ_FOREACH(service, &master->conf->services, entry)
		TAILQ_FOREACH(listen, &service->listens, entry) {
			listens++;
			workers += (uint64_t)service->max_workers;
		}
	rows = listens * ROWS_A_LISTEN + SPARE_ROWS;
	if (make_room(master, rows, workers * 2 + SPARE_SLOTS, why) == 0 ||
	    (errno != EBUSY && errno != EEXIST &&
		make_room(master, rows, workers + listens, why) == 0))
		return;
	release_names(master);
	if (*why != '\0')
		fatalx("not started: %s %s: %s",
		    conf_place(
			master->conf, "scoreboard", place, sizeof(place)),
		    master->board_file, why);
	/* Its memory is a file to the kernel: limits of files count. */
	fatal("not started: no memory for the scoreboard of %" PRIu64
	      " workers (%s)",
	    workers,
	    errno == EFBIG ? "raise RLIMIT_FSIZE" : "lower max-workers");
}

static int
open_listen(struct master *master, const struct conf_service *service,
    const struct conf_listen *listen)
{
	const struct pool_plan plan = { service_find(service->name), service };
	struct listener *listeners;
	int count, added = 0;

	count = listener_open(service, listen, NULL, NULL, &listeners);
	if (count < 0)
		return count;
	while (added < count &&
	    pools_add(&master->pools, &master->board, &listeners[added],
		&plan) != NULL) {
		listener_check_backlog(&listeners[added], service->backlog);
		added++;
	}
	if (added < count)
		log_warn("listen %s: no room for it", listen->text);
	free(listeners);
	return added < count ? -1 : 0;
}

/* Every listener that cannot be opened is named before we give up. */
static void
open_listeners(struct master *master)
{
	const struct conf_service *service;
	const struct conf_listen *listen;
	int result, status = 0;

	activation_claim(master->conf);
	TAILQ_FOREACH(service, &master->conf->services, entry)
		TAILQ_FOREACH(listen, &service->listens, entry) {
			result = open_listen(master, service, listen);
			/* Another start would be passed the same sockets. */
			if (result == LISTENER_NOT_PASSED)
				status = EXIT_NOT_PASSED;
			else if (result < 0 && status == 0)
				status = 1;
		}
	if (status != 0) {
		release_names(master);
		log_errorx(
		    "not started: not every address could be listened on");
		exit(status);
	}
	activation_close_rest();
	store_close_rest(&master->notify);
	pools_bound_slots(&master->pools, &master->board);
}

/* What the manual promises: room for 8192 sources, and 1024 lines a minute. */
static void
create_source_tables(struct master *master)
{
	if (source_table_create(&master->rates, 8192 / SOURCE_WAYS) == 0 &&
	    source_table_create(&master->said, 1024 / SOURCE_WAYS) == 0)
		return;
	release_names(master);
	fatal("not started: no memory for what is known of clients (free some, "
	      "160 KiB will do)");
}

/* Said once here, and not by each worker. */
static void
prepare_workers(struct master *master)
{
	char text[PRIVILEGE_TEXT_SIZE];

	create_source_tables(master);
	master->sandbox = spawn_prepare();
	if (master->sandbox == NULL) {
		release_names(master);
		fatal("not started: the sandbox of workers cannot be made "
		      "(free memory, or raise RLIMIT_NOFILE)");
	}
	if (master->privilege.changes && master->privilege.uid == 0)
		log_warnx("workers run as root (uid 0), with nothing but the "
			  "sandbox between a client and this machine; name "
			  "another user");
	log_notice(
	    "%s", privilege_describe(&master->privilege, text, sizeof(text)));
	spawn_describe_sandbox(master->sandbox, text, sizeof(text));
	if (spawn_sandbox_is_whole(master->sandbox))
		log_notice("%s", text);
	else
		log_warnx("%s", text);
}

static void
write_pidfile(struct master *master)
{
	if (master->pidfile_fd < 0)
		return;
	if (pidlock_write(master->pidfile_fd, master->conf->pid_file) < 0) {
		master->pidfile_fd = -1; /* that has removed it */
		release_names(master);
		fatal("pid-file %s cannot be written (make room for it, name "
		      "another with -p, or \"pid-file none\")",
		    master->conf->pid_file);
	}
}

/* Nothing after this needs more than a fork. */
static void
limit_master(struct master *master)
{
	if (privilege_limit_master(&master->privilege) == 0)
		return;
	release_names(master);
	fatal("not started: capabilities cannot be given up (does a "
	      "container forbid capset(2) or prctl(2)?)");
}

void
start(struct master *master, bool background)
{
	if (background) {
		master->ready_fd = background_start();
		if (master->ready_fd < 0)
			fatal("not started: no process for the background");
	}
	master->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (master->wake_fd < 0)
		fatal("eventfd");
	/* First the PID file: it names who runs, a port only that one does. */
	lock_pidfile(master);
	open_control(master);
	make_control(master);
	/* Before the sockets, for which descriptors may be too few. */
	limits_warn(master->conf);
	create_scoreboard(master);
	master_set_log_level(master, (int)master->conf->log_level);
	open_listeners(master);
	prepare_workers(master);
	write_pidfile(master);
	limit_master(master);
}

void
start_workers(struct master *master)
{
	prepare_workers(master);
	limit_master(master);
}
