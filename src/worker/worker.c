#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "connection/finish.h"
#include "connection/tcpstate.h"
#include "worker/admit.h"
#include "worker/hygiene.h"

#define PAUSE_MS 200 /* after accept ran out of something */
#define WARN_PERIOD_MS 60000
#define MUTE_LIFE_MS 10000 /* of a worker without a syslog socket */
#define AT_ONCE_MS 1       /* accept did not sleep: somebody waited */

static void
log_connection(const struct worker *worker, const struct io *io,
    const struct sockaddr *peer, enum ending ending, int64_t wait_ms)
{
	const struct slot *slot = worker->slot;
	char peer_text[ADDR_STRLEN], local_text[ADDR_STRLEN];
	char line[LEDGER_LINE_SIZE];
	struct sockaddr_storage local = { 0 };
	socklen_t length = sizeof(local);
	struct tcpstate state;

	tcpstate_read(io->fd, io->fin_sent, &state);
	getsockname(io->fd, (struct sockaddr *)&local, &length);
	log_info("%s",
	    ledger_format(
		&(struct ledger_entry){ .service = worker->service->known.name,
		    .peer = addr_format(peer, peer_text, sizeof(peer_text)),
		    .local = addr_format((struct sockaddr *)&local, local_text,
			sizeof(local_text)),
		    .ending = ending,
		    .in = (int64_t)(slot->traffic.in - slot->in_before),
		    .out = (int64_t)(slot->traffic.out - slot->out_before),
		    .unacked = state.unacked,
		    .milliseconds = clock_ms() - slot->accepted_ms,
		    .wait_ms = wait_ms,
		    .rtt_us = state.rtt_us,
		    .retrans = state.retrans,
		    .pid = getpid() },
		line, sizeof(line)));
}

/*
 * Counts how long it had waited in the queue. One that found a worker in accept
 * has not, and does not cost a system call; that of the log line is had anyway.
 */
static int64_t
note_wait(const struct worker *worker, int fd, bool at_once, bool logged)
{
	struct tcpstate state = { .idle_ms = LEDGER_UNKNOWN };

	if (logged)
		tcpstate_read(fd, false, &state);
	else if (at_once)
		state.idle_ms = tcpstate_wait(fd);
	if (state.idle_ms > 0)
		slot_waited(worker->slot, (uint64_t)state.idle_ms);
	return state.idle_ms;
}

/* Serves one that was admitted, to its end. */
static enum ending
attend(const struct worker *worker, struct io *io)
{
	enum ending ending;

	worker->service->serve(io, worker->settings);
	slot_set_state(worker->slot, SLOT_CLOSING, clock_ms());
	ending = finish(io);
	if (ending == ENDING_FAILED)
		log_warnx("%s: connection failed: %s", worker->address,
		    strerror(io->facts.error));
	slot_end(worker->slot, ending);
	return ending;
}

/* One connection, from accept to close. */
static void
serve(const struct worker *worker, int fd, const struct sockaddr *peer)
{
	static int64_t stop_seen, first_waited;
	struct io_limits limits = { .idle_ms = worker->settings->idle_timeout,
		.send_ms = worker->settings->send_timeout,
		.user_ms = worker->settings->user_timeout,
		.linger_ms = worker->settings->linger_timeout,
		.stop_linger_ms = worker->stop_linger_ms,
		.stop_seen = &stop_seen,
		.first_waited = &first_waited,
		.evicted = &worker_evicted };
	bool logged = worker->log_connections && log_wants(LOG_INFO);
	int64_t now = clock_ms(), wait_ms;
	bool at_once = now - worker->slot->since_ms <= AT_ONCE_MS;
	bool refused;
	enum ending ending;
	struct io io;

	slot_open(worker->slot, peer, now);
	limits.connections = worker->slot->connections;
	refused = admit_asks(worker->settings) && !admit(worker);
	/* At once: its next connection is not to be refused for this one. */
	if (refused)
		slot_end(worker->slot, ENDING_REFUSED);
	wait_ms = note_wait(worker, fd, at_once, logged);
	io_init(&io, fd, &limits, &worker->slot->traffic, &worker_stopping);
	if (refused)
		ending = finish_at_once(&io, CAUSE_REFUSED);
	else
		ending = attend(worker, &io);
	if (logged)
		log_connection(worker, &io, peer, ending, wait_ms);
	close(fd); /* Linux frees the descriptor whatever it returns */
}

/*
 * Out of descriptors or memory: the connection stays in the queue, and the
 * listener stays open. Trying again at once would be a busy loop.
 */
static void
pause_accepting(const struct worker *worker, int error)
{
	int64_t now = clock_ms();

	/* It stays in the idle set: another worker could accept no better. */
	slot_set_state(worker->slot, SLOT_PAUSED, now);
	if (scoreboard_may_warn(worker->row, now, WARN_PERIOD_MS))
		log_warnx("%s: accept: %s; connections wait in the queue "
			  "until it is better (see %s)",
		    worker->address, strerror(error),
		    error == EMFILE     ? "RLIMIT_NOFILE" :
			error == ENFILE ? "fs.file-max" :
					  "free memory");
	/* A signal ends the pause early, and the caller looks at its flag. */
	poll(NULL, 0, PAUSE_MS);
	slot_set_state(worker->slot, SLOT_IDLE, clock_ms());
}

/*
 * The queue is known to be empty: the master has set O_NONBLOCK before it
 * sent TERM. A TERM that came from somebody else left it blocking.
 */
static bool
may_leave(const struct worker *worker)
{
	int flags;

	if (worker_retiring)
		return true;
	if (!worker_stopping)
		return false;
	flags = fcntl(worker->listen_fd, F_GETFL);
	return flags < 0 || !(flags & O_NONBLOCK);
}

static bool
connection_waits(const struct worker *worker)
{
	struct pollfd p = { .fd = worker->listen_fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/*
 * EAGAIN means that the master has set O_NONBLOCK, and the queue is empty; or
 * that another worker, which is not itself any more, has set a timeout on the
 * socket that we share, so as to make us leave.
 */
static bool
queue_was_emptied(const struct worker *worker)
{
	static const struct timeval never = { 0, 0 };
	int flags = fcntl(worker->listen_fd, F_GETFL);

	if (flags < 0 || (flags & O_NONBLOCK))
		return true;
	return setsockopt(worker->listen_fd, SOL_SOCKET, SO_RCVTIMEO, &never,
		   sizeof(never)) < 0;
}

/* What accept(2) can fail with; true while the loop shall go on. */
static bool
survive(const struct worker *worker, int error)
{
	switch (error) {
	case EINTR:
	case ECONNABORTED:
	/* Errors of the new connection, which accept(2) hands on. */
	case EPERM:
	case EPROTO:
	case ENOPROTOOPT:
	case EOPNOTSUPP:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENONET:
		return true;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		if (worker_stopping && !connection_waits(worker))
			return false;
		pause_accepting(worker, error);
		return true;
	case EAGAIN:
		return !queue_was_emptied(worker);
	case EINVAL: /* the master has shut it down, with an empty queue */
		return false;
	default:
		if (worker_retiring) /* EBADF: our handler closed it */
			return false;
		log_errorx("%s: accept: %s", worker->address, strerror(error));
		_exit(WORKER_FAILED);
	}
}

static void
copy_log_losses(const struct worker *worker)
{
	if (log_lost() > 0)
		atomic_store_explicit(
		    &worker->slot->log_lost, log_lost(), memory_order_relaxed);
}

/*
 * syslogd was restarted, or was not there when this worker was forked: then
 * it may be by now. Not too often, or its absence would cost a fork for each
 * connection.
 */
static bool
log_needs_successor(int64_t started)
{
	switch (log_health()) {
	case LOG_DEAD:
		return true;
	case LOG_MUTE:
		return clock_ms() - started >= MUTE_LIFE_MS;
	case LOG_HEALTHY:
		break;
	}
	return false;
}

static void
wake_master(const struct worker *worker)
{
	static const uint64_t one = 1;

	/* It takes 2^64 - 2 of these, and one that is full wakes it as well. */
	if (write(worker->wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_warn("wake-up of the master");
}

/*
 * It is in accept. The master has left word when it wants to hear that too
 * many are: the first one takes the word away, so there is one wake-up.
 */
static void
enter_idle(const struct worker *worker)
{
	uint32_t most = (uint32_t)worker->settings->max_spare_workers;

	/*
	 * In this order: the master counts a worker as starting or as idle. One
	 * that is neither, for it was kept from the processor just here, is
	 * missed, and after POOL_WATCH_MS there is another one in its place.
	 */
	idle_set_add(worker->idle, worker->slot_index);
	slot_set_state(worker->slot, SLOT_IDLE, clock_ms());
	if (atomic_load(&worker->row->want_excess) != 0 &&
	    idle_set_count(worker->idle, worker->slot_count, most + 1) > most &&
	    atomic_exchange(&worker->row->want_excess, 0) != 0)
		wake_master(worker);
}

/* It has taken a connection: the same for too few that are left. */
static void
leave_idle(const struct worker *worker)
{
	uint32_t enough = (uint32_t)worker->settings->min_spare_workers;

	idle_set_remove(worker->idle, worker->slot_index);
	if (atomic_load(&worker->row->want_short) != 0 &&
	    idle_set_count(worker->idle, worker->slot_count, enough) < enough &&
	    atomic_exchange(&worker->row->want_short, 0) != 0)
		wake_master(worker);
}

/* Nobody makes us fork with connections that we refuse. */
static bool
has_served_enough(const struct worker *worker)
{
	return worker->most_connections != 0 &&
	    worker->slot->connections - worker->slot->endings[ENDING_REFUSED] >=
	    worker->most_connections;
}

static void
accept_loop(const struct worker *worker)
{
	int64_t started = clock_ms();
	struct sockaddr_storage peer;
	socklen_t length;
	int fd;

	while (!may_leave(worker)) {
		length = sizeof(peer);
		fd = accept4(worker->listen_fd, (struct sockaddr *)&peer,
		    &length, SOCK_CLOEXEC);
		if (fd < 0) {
			if (!survive(worker, errno))
				break;
			copy_log_losses(worker);
			continue;
		}
		leave_idle(worker);
		serve(worker, fd, (struct sockaddr *)&peer);
		copy_log_losses(worker);
		atomic_fetch_add_explicit(
		    &worker->row->returned, 1, memory_order_relaxed);
		/* Nobody is forked as a successor while the daemon stops. */
		if (!worker_stopping && log_needs_successor(started))
			_exit(WORKER_LOG_DIED);
		if (worker_retiring ||
		    (!worker_stopping && has_served_enough(worker)))
			break;
		enter_idle(worker);
	}
}

void
worker_run(const struct worker *worker)
{
	atomic_store(&worker->slot->pid, getpid());
	atomic_store(&worker->slot->service, worker->service_number);
	hygiene(worker);
	sandbox_close(worker->sandbox, worker->slot);
	enter_idle(worker);
	if (atomic_exchange(&worker->row->want_ready, 0) != 0)
		wake_master(worker);
	accept_loop(worker);
	_exit(WORKER_DONE);
}
