#include "master/master.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/unshared.h"
#include "connection/tcpstate.h"
#include "master/background.h"
#include "master/board_file.h"
#include "master/command.h"
#include "master/drain.h"
#include "master/limits.h"
#include "master/pidlock.h"
#include "master/pressure.h"
#include "master/report.h"
#include "master/signals.h"
#include "master/spawn.h"
#include "master/staff.h"
#include "master/start.h"
#include "master/stop.h"

#define WAKE_PERIOD_MS 2
#define TITLE_SIZE 256

/* The first workers are in accept: whoever started us may go on. */
static void
note_up(struct master *master)
{
	const struct pool *pool;

	TAILQ_FOREACH(pool, &master->pools, entry)
		if (!pool_is_up(&pool->state))
			return;
	master->is_up = true;
	TAILQ_FOREACH(pool, &master->pools, entry)
		log_notice("serving %s on %s with %u workers",
		    pool->plan.service->known.name, pool->listener.address,
		    pool->state.alive);
	if (master->ready_fd >= 0)
		background_ready(master->ready_fd);
	master->ready_fd = -1;
}

static void
handle_signals(struct master *master, int64_t now)
{
	if (signals_take_stop())
		stop_request(master, now);
	if (signals_take_usr1())
		report_log(master);
	if (signals_take_hup())
		reload_request(master);
	if (signals_take_usr2())
		upgrade_request(master);
}

/*
 * Workers can write to all of the set: there are no more of them in accept
 * than we have seen come there.
 */
static unsigned
count_idle(const struct master *master, const struct pool *pool)
{
	unsigned most = pool->state.alive - pool->state.starting;
	uint32_t idle =
	    idle_set_count(scoreboard_idle(&master->board, pool->row),
		master->board.used, most);

	return idle < most ? idle : most;
}

static struct pool_view
view_of(const struct master *master, const struct pool *pool)
{
	struct pool_view view = { .idle = count_idle(master, pool),
		.returned = master->board.rows[pool->row].returned };
	uint32_t length, limit;

	/* While a worker is in accept nobody waits for long. */
	if (view.idle == 0 &&
	    tcpstate_queue(fdref_fd(pool->listener.ref), &length, &limit) == 0)
		view.queue = length;
	return view;
}

/*
 * Leaves word for the workers, when they shall wake us. One that took a
 * connection before it could see that word has not: so we look once more.
 * Returns true where that look shows that it is time already.
 */
static bool
leave_word(struct master *master, struct pool *pool)
{
	struct pool_row *row = &master->board.rows[pool->row];
	const struct pool_limits *limits = &pool->state.limits;
	unsigned idle;

	atomic_store(&row->want_short, pool_wants_short(&pool->state));
	atomic_store(&row->want_excess, pool_wants_excess(&pool->state));
	idle = count_idle(master, pool);
	return (pool_wants_short(&pool->state) &&
		   idle + pool->state.starting < limits->min_spare) ||
	    (pool_wants_excess(&pool->state) && idle > limits->max_spare);
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Forks and retires what the policy says. Returns when to wake up. */
static int64_t
manage(struct master *master, struct pool *pool, int64_t now)
{
	struct pool_view view = view_of(master, pool);
	int64_t wake;

	pool->idle = view.idle;
	pool_look(&pool->state, &view, now);
	wake = pressure_turn(master, pool, &view, now);
	staff_retire(master, pool);
	staff_fill(master, pool, now);
	staff_note_mended(pool);
	/* The next turn, and not here: signals are for between two turns. */
	return leave_word(master, pool) ?
	    now :
	    earlier(wake, pool_wake_at(&pool->state, now));
}

/* One turn: what has happened, then what is to do. Returns when to wake up. */
static int64_t
turn(struct master *master)
{
	int64_t now = clock_ms(), wake;
	struct pool *pool;
	int status;
	pid_t pid;

	wake = watchdog_turn(&master->watchdog, &master->notify, now);
	spawn_note_ready(master);
	while (signals_next_reaped(&pid, &status))
		spawn_note_reaped(master, pid, status, now);
	handle_signals(master, now);
	if (master->start_failed && !master->stop.begun) {
		log_errorx("not started: a worker could not be started");
		stop_request(master, now);
	}
	if (master->stop.begun)
		return earlier(wake, stop_turn(master, now));
	TAILQ_FOREACH(pool, &master->pools, entry)
		if (!pool->removed)
			wake = earlier(wake, manage(master, pool, now));
	if (!master->is_up)
		note_up(master);
	if (!master->is_up)
		return wake;
	/* First what ends: a reload may wait for it, and nothing else wakes it.
	 */
	wake = earlier(wake, drain_turn(master, now));
	wake = earlier(wake, upgrade_turn(master, now));
	wake = earlier(wake, reload_turn(master, now));
	wake = earlier(wake,
	    store_turn(&master->store, &master->notify, &master->pools, now));
	if (master->reload.active) /* READY=1 would say that it is over */
		return wake;
	return earlier(
	    wake, notify_serving(&master->notify, &master->pools, now));
}

/* Afterwards fds tell what there is, whether or not a signal came first. */
static void
wait_on(struct pollfd *fds, nfds_t n, int64_t until)
{
	int left = clock_left(until, clock_ms());
	struct timespec ts = { left / 1000, left % 1000 * 1000000L };

	if (ppoll(fds, n, left < 0 ? NULL : &ts, signals_wait_mask()) >= 0)
		return;
	/*
	 * Signals are blocked here. Without this look a client of the control
	 * socket would be late who was not: we may have been stopped (SIGSTOP).
	 */
	if (errno != EINTR || poll(fds, n, 0) < 0)
		fatal("ppoll");
}

static void
wait_for_event(struct master *master, int64_t until)
{
	int64_t now = clock_ms();
	bool deaf = now < master->deaf_until;
	struct pollfd *fds = master->fds, *asked, *waiting;
	uint64_t count;
	nfds_t n;

	if (deaf)
		until = earlier(until, master->deaf_until);
	fds[0] = (struct pollfd){ .fd = deaf ? -1 : master->wake_fd,
		.events = POLLIN };
	waiting = fds + 1;
	asked = waiting + pressure_prepare(master, waiting);
	n = (nfds_t)(asked - fds) +
	    control_prepare(master->control, asked, now, &until);
	wait_on(fds, n, until);
	now = clock_ms();
	pressure_serve(master, waiting);
	control_serve(master->control, asked, now, command_run, master);
	if (!(fds[0].revents & POLLIN))
		return;
	/* Emptied before it is acted on, so that no wake-up is lost. */
	if (read(master->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		fatal("wake-up descriptor");
	/* A worker that was taken over may write without an end. */
	master->deaf_until = now + WAKE_PERIOD_MS;
}

static bool
is_over(struct master *master)
{
	const struct stop *stop = &master->stop;

	if (!stop->begun || !child_table_is_empty(&master->children))
		return false;
	/* Whoever starts next would find the ports taken. */
	if (upgrade_is_dying(master) && !stop->killed &&
	    clock_ms() < stop->deadline)
		return false;
	return !stop_serve_queues(master, clock_ms());
}

static void
loop(struct master *master)
{
	/* No pool is without a row. */
	const size_t most = 1 + CONTROL_FDS + master->board.row_count;
	int64_t until;

	master->fds = unshared_alloc(most, sizeof(*master->fds));
	if (master->fds == NULL)
		fatal("memory for the descriptors of the loop");
	until = turn(master);
	while (!is_over(master)) {
		wait_for_event(master, until);
		until = turn(master);
	}
	unshared_free(master->fds, most, sizeof(*master->fds));
}

void
master_set_log_level(struct master *master, int level)
{
	log_set_level(level);
	atomic_store(&master->board.header->log_level, (uint32_t)level);
}

/* "master echo *:7, daytime *:13", for ps(1). */
void
master_set_title(const struct master *master)
{
	char title[TITLE_SIZE] = "";
	const struct pool *pool;

	TAILQ_FOREACH(pool, &master->pools, entry) {
		if (pool->removed)
			continue;
		strlcat(title, title[0] == '\0' ? "" : ", ", sizeof(title));
		strlcat(title, pool->plan.service->known.name, sizeof(title));
		strlcat(title, " ", sizeof(title));
		strlcat(title, pool->listener.address, sizeof(title));
	}
	setproctitle("master %s", title);
}

static void
clean_up(struct master *master)
{
	struct pool *pool;

	while ((pool = TAILQ_FIRST(&master->pools)) != NULL)
		pools_remove(&master->pools, &master->board, pool);
	child_table_free(&master->children);
	/* Nothing is left in it. */
	board_file_remove(master->board.fd, master->board_file);
	scoreboard_destroy(&master->board);
	source_table_destroy(&master->rates);
	source_table_destroy(&master->said);
	spawn_release(master->sandbox);
	control_socket_close(&master->control_socket);
	if (master->pidfile_fd >= 0)
		pidlock_release(master->pidfile_fd, master->pid_file);
	free(master->pid_file);
	free(master->board_file);
	close(master->wake_fd);
	conf_free(master->conf);
}

/* The last act: whoever asked for the stop may start another one now. */
static void
answer_stop(struct master *master)
{
	control_outcome(master->control, CONTROL_STOP, true,
	    master->stop.killed ?
		"stopped; workers that still served were killed" :
		"stopped");
	control_free(master->control);
}

int
master_print(
    const struct conf *conf, const struct privilege *privilege, FILE *to)
{
	char account[PRIVILEGE_TEXT_SIZE], locked[SPAWN_TEXT_SIZE];
	struct sandbox *sandbox = spawn_prepare();

	limits_print(conf, to);
	fprintf(to, "\n# Workers:\n# %s\n",
	    privilege_describe(privilege, account, sizeof(account)));
	if (sandbox == NULL) {
		log_warn("sandbox of workers");
		return -1;
	}
	fprintf(to, "# %s\n",
	    spawn_describe_sandbox(sandbox, locked, sizeof(locked)));
	spawn_release(sandbox);
	return 0;
}

int
master_run(struct conf *conf, const struct privilege *privilege,
    const struct master_source *source, bool background, struct state *state)
{
	struct master master = { .source = source,
		.conf = conf,
		.privilege = *privilege,
		.pidfile_fd = -1,
		.control_socket = { .fd = -1 },
		.ready_fd = -1 };

	TAILQ_INIT(&master.pools);
	reload_init(&master.reload);
	/* From here on a signal waits until the loop can act on it. */
	signals_init();
	notify_open(&master.notify);
	watchdog_open(&master.watchdog);
	store_open(&master.store);
	if (state == NULL)
		start(&master, background);
	else
		upgrade_adopt(&master, state);
	master_set_title(&master);
	loop(&master);
	clean_up(&master);
	log_notice("stopped");
	answer_stop(&master);
	return master.start_failed ? 1 : 0;
}
