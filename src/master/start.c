#include "master/start.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "common/log.h"
#include "common/unshared.h"
#include "master/background.h"
#include "master/limits.h"
#include "master/pidlock.h"
#include "master/spawn.h"

static void
lock_pidfile(struct master *master)
{
	const char *path = master->conf->pid_file;
	pid_t holder;

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

/* A start that fails leaves no PID file: an empty one would be misread. */
static void
release_pidfile(struct master *master)
{
	int saved = errno;

	if (master->pidfile_fd >= 0)
		pidlock_release(master->pidfile_fd, master->conf->pid_file);
	errno = saved;
}

static void
add_pools(struct master *master, const struct conf_service *service,
    const struct listener *listeners, uint32_t count)
{
	struct pool *pools;

	pools = reallocarray(
	    master->pools, master->pool_count + count, sizeof(*pools));
	if (pools == NULL)
		fatal("memory for the listeners");
	master->pools = pools;
	for (uint32_t i = 0; i < count; i++) {
		struct pool *pool = &pools[master->pool_count];

		memset(pool, 0, sizeof(*pool));
		pool->listener = listeners[i];
		pool->service = service_find(service->name);
		pool->settings = service;
		pool->row = master->pool_count++;
		pool_init(&pool->state,
		    &(struct pool_limits){
			.start = (unsigned)service->start_workers,
			.min_spare = (unsigned)service->min_spare_workers,
			.max_spare = (unsigned)service->max_spare_workers,
			.max = (unsigned)service->max_workers });
		listener_check_backlog(&pool->listener, service->backlog);
	}
}

/* Every listener that cannot be opened is named before we give up. */
static void
open_listeners(struct master *master)
{
	const struct conf_service *service;
	const struct conf_listen *listen;
	struct listener *listeners;
	bool failed = false;
	int count;

	TAILQ_FOREACH(service, &master->conf->services, entry)
		TAILQ_FOREACH(listen, &service->listens, entry) {
			count = listener_open(service, listen, &listeners);
			if (count < 0) {
				failed = true;
				continue;
			}
			add_pools(master, service, listeners, (uint32_t)count);
			free(listeners);
		}
	if (failed) {
		release_pidfile(master);
		fatalx("not started: not every address could be listened on");
	}
}

/* Their states change with every fork: not for the memory that forks share. */
static void
unshare_pools(struct master *master)
{
	struct pool *pools = unshared_alloc(master->pool_count, sizeof(*pools));

	if (pools == NULL) {
		release_pidfile(master);
		fatal("not started: no memory for the listeners (free memory, "
		      "or name fewer listen lines)");
	}
	memcpy(pools, master->pools, master->pool_count * sizeof(*pools));
	free(master->pools);
	master->pools = pools;
}

static void
create_scoreboard(struct master *master)
{
	uint32_t slots = 0;

	for (uint32_t i = 0; i < master->pool_count; i++)
		slots += master->pools[i].state.limits.max;
	if (scoreboard_create(&master->board, master->pool_count, slots) < 0 ||
	    child_table_init(&master->children, slots) < 0) {
		release_pidfile(master);
		/* Its memory is a file to the kernel: limits of files count. */
		fatal("not started: no memory for the scoreboard of %" PRIu32
		      " workers (%s)",
		    slots,
		    errno == EFBIG ? "raise RLIMIT_FSIZE" :
				     "lower max-workers");
	}
	for (uint32_t i = 0; i < master->pool_count; i++) {
		const struct pool *pool = &master->pools[i];
		struct pool_row *row = &master->board.rows[pool->row];

		strlcpy(row->service, pool->service->known.name,
		    sizeof(row->service));
		strlcpy(
		    row->address, pool->listener.address, sizeof(row->address));
	}
}

/* Said once here, and not by each worker. */
static void
prepare_workers(struct master *master)
{
	char text[PRIVILEGE_TEXT_SIZE];

	master->sandbox = spawn_prepare();
	if (master->sandbox == NULL) {
		release_pidfile(master);
		fatal("not started: the sandbox of workers cannot be made "
		      "(free memory, or raise RLIMIT_NOFILE)");
	}
	if (master->privilege->changes && master->privilege->uid == 0)
		log_warnx("workers run as root (uid 0), with nothing but the "
			  "sandbox between a client and this machine; name "
			  "another user");
	log_notice(
	    "%s", privilege_describe(master->privilege, text, sizeof(text)));
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
	if (pidlock_write(master->pidfile_fd, master->conf->pid_file) < 0)
		fatal("pid-file %s cannot be written (make room for it, name "
		      "another with -p, or \"pid-file none\")",
		    master->conf->pid_file);
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
	/* Before the sockets, for which descriptors may be too few. */
	limits_warn(master->conf);
	open_listeners(master);
	unshare_pools(master);
	create_scoreboard(master);
	prepare_workers(master);
	write_pidfile(master);
	/* Nothing after this needs more than a fork. */
	if (privilege_limit_master(master->privilege) < 0) {
		release_pidfile(master);
		fatal("not started: capabilities cannot be given up (does a "
		      "container forbid capset(2) or prctl(2)?)");
	}
}
