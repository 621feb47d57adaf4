#include "connection/io.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "common/clock.h"

#define LOOK_MS 500        /* between two looks for progress, at most */
#define DISCARD_ROUNDS 512 /* of 16 KiB: more than a receive buffer holds */

void
io_init(struct io *io, int fd, const struct io_limits *limits,
    struct slot_traffic *traffic, const volatile sig_atomic_t *stopping)
{
	memset(io, 0, sizeof(*io));
	io->fd = fd;
	io->limits = limits;
	io->traffic = traffic;
	io->stopping = stopping;
}

static int
limit_receiving(int fd, int64_t ms)
{
	struct timeval tv = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

/*
 * One SO_RCVTIMEO for the connection, and recv may block: echo is a ping-pong,
 * where a poll before each recv would be a second system call for each byte.
 * It cannot be inherited from the listener, where it would time accept out.
 */
static int
set_idle_limit(struct io *io)
{
	/* 0 too: a listener that somebody gave a timeout hands that on. */
	io->timed = true;
	return limit_receiving(io->fd, io->limits->idle_ms);
}

static ssize_t
give_up(struct io *io, enum cause cause, int error)
{
	io->facts.cause = cause;
	io->facts.error = error;
	return -1;
}

/* Bytes have moved: it is not idle, and an order of before is void. */
static void
note_moved(struct io *io, int64_t now)
{
	atomic_store_explicit(
	    &io->traffic->moved_ms, now, memory_order_relaxed);
}

/*
 * An order may be late: for the connection before, or given when this one was
 * idle and has been busy since.
 */
static bool
is_evicted(const struct io *io)
{
	const struct io_limits *limits = io->limits;

	return limits->evicted != NULL && *limits->evicted != 0 &&
	    *limits->evicted ==
	    slot_number(limits->connections, io->traffic->moved_ms);
}

/*
 * After a signal the kernel would count the whole idle-timeout again: what is
 * left of it is set for the one recv that follows. False when nothing is.
 */
static bool
has_time_left(struct io *io, int64_t deadline)
{
	int left = clock_left(deadline, clock_ms());

	if (left > 0 && limit_receiving(io->fd, left) == 0)
		io->timed = false;
	return left != 0;
}

/* Once the daemon stops. */
static ssize_t
recv_stopping(struct io *io, void *buffer, size_t size)
{
	int64_t *waited = io->limits->first_waited, begin = clock_ms();
	int64_t left = IO_FIRST_SUM_MS - *waited;
	bool waits = !io->heard && left > 0 &&
	    limit_receiving(io->fd, left < IO_FIRST_MS ? left : IO_FIRST_MS) ==
		0;
	ssize_t n = recv(io->fd, buffer, size, waits ? 0 : MSG_DONTWAIT);
	int error = errno;

	if (waits)
		*waited += clock_ms() - begin;
	errno = error;
	return n;
}

/* What it came to an end for when nothing was there to receive. */
static ssize_t
give_up_waiting(struct io *io, bool stopping, bool evicted)
{
	return give_up(io,
	    stopping    ? CAUSE_STOPPED :
		evicted ? CAUSE_EVICTED :
			  CAUSE_IDLE,
	    0);
}

ssize_t
io_recv(struct io *io, void *buffer, size_t size)
{
	int64_t idle = io->limits->idle_ms, now = clock_ms();
	int64_t deadline = idle == 0 ? CLOCK_NEVER : now + idle;
	bool stopping, evicted;
	int flags = 0;
	ssize_t n;

	if (io->heard)
		note_moved(io, now);
	if (!io->timed && set_idle_limit(io) < 0)
		return give_up(io, CAUSE_NONE, errno);
	for (;;) {
		/*
		 * A signal that arrives between this look and recv is slept
		 * over here; the master signals again until we have left.
		 */
		stopping = *io->stopping != 0;
		evicted = is_evicted(io);
		n = stopping ?
		    recv_stopping(io, buffer, size) :
		    recv(io->fd, buffer, size, evicted ? MSG_DONTWAIT : flags);
		if (n > 0) {
			slot_count(&io->traffic->in, (uint64_t)n);
			io->heard = true;
			return n;
		}
		if (n == 0) {
			io->facts.fin_received = true;
			return 0;
		}
		if (errno == EINTR) {
			/*
			 * We may not have run until long after the deadline
			 * (SIGSTOP): what has come meanwhile is in time.
			 */
			if (!*io->stopping && !has_time_left(io, deadline))
				flags = MSG_DONTWAIT;
			continue;
		}
		if (errno == EAGAIN)
			return give_up_waiting(io, stopping, evicted);
		return give_up(io, CAUSE_NONE, errno);
	}
}

enum swallowed { OVER, NOTHING, SOME };

/* Receives once, and throws it away. */
static enum swallowed
swallow(struct io *io, int flags)
{
	char bytes[16384];
	ssize_t n = recv(io->fd, bytes, sizeof(bytes), flags);

	if (n > 0) {
		slot_count(&io->traffic->in, (uint64_t)n);
		return SOME;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return NOTHING;
	if (n == 0)
		io->facts.fin_received = true;
	else
		give_up(io, io->facts.cause, errno);
	return OVER;
}

/*
 * What is there. Bounded, so that a peer that floods us does not outlive a
 * deadline. False when the connection is over.
 */
static bool
take_away(struct io *io)
{
	enum swallowed last = SOME;

	for (int i = 0; i < DISCARD_ROUNDS && last == SOME; i++)
		last = swallow(io, MSG_DONTWAIT);
	return last != OVER;
}

static bool
discard(struct io *io)
{
	if (!take_away(io))
		return false;
	if (*io->stopping)
		give_up(io, CAUSE_STOPPED, 0);
	return !*io->stopping;
}

bool
io_discard(struct io *io)
{
	io->discards = true;
	note_moved(io, clock_ms()); /* what was to be said is on its way */
	return discard(io);
}

static int
unacknowledged(int fd)
{
	int bytes;

	/* Without an answer there is no progress, and the wait stays bounded.
	 */
	return ioctl(fd, SIOCOUTQ, &bytes) < 0 ? 0 : bytes;
}

/*
 * Waits for room in the send buffer. The kernel calls a socket writable again
 * when a third of its buffer is free, so a slow reader may take long to get
 * there. A look at what is unacknowledged now and then tells it from one that
 * has stopped; as often as that, send-timeout may be late.
 *
 * A service that discards goes on with it: the peer may want to say all before
 * it reads, and its FIN is an end to whatever is still to be said.
 */
static int
wait_writable(struct io *io)
{
	struct pollfd p = { .fd = io->fd,
		.events = io->discards ? POLLIN | POLLOUT : POLLOUT };
	int64_t limit = io->limits->send_ms, now = clock_ms();
	int64_t deadline = limit == 0 ? CLOCK_NEVER : now + limit;
	int look = limit / 4 < LOOK_MS ? (int)(limit / 4) + 1 : LOOK_MS;
	int before = unacknowledged(io->fd), left, wait, n;

	note_moved(io, now); /* or it would not be full */
	for (;;) {
		wait = clock_left(deadline, now);
		n = poll(&p, 1, wait < look ? wait : look);
		if (n < 0 && errno != EINTR)
			return (int)give_up(io, CAUSE_NONE, errno);
		if (io->discards && !discard(io))
			return -1;
		if (n > 0 && p.revents != POLLIN)
			return 0; /* an error shows in the next send */
		now = clock_ms();
		left = unacknowledged(io->fd);
		if (left < before) {
			note_moved(io, now);
			deadline = limit == 0 ? CLOCK_NEVER : now + limit;
		} else if (now >= deadline) { /* never for CLOCK_NEVER */
			return (int)give_up(io, CAUSE_STALLED, 0);
		} else if (is_evicted(io)) {
			return (int)give_up(io, CAUSE_EVICTED, 0);
		}
		before = left;
	}
}

static int
send_all(struct io *io, const void *buffer, size_t size, int flags)
{
	const char *from = buffer;
	ssize_t n;

	while (size > 0) {
		n = send(
		    io->fd, from, size, MSG_DONTWAIT | MSG_NOSIGNAL | flags);
		if (n > 0) {
			slot_count(&io->traffic->out, (uint64_t)n);
			from += n;
			size -= (size_t)n;
		} else if (errno == EAGAIN) {
			if (wait_writable(io) < 0)
				return -1;
		} else if (errno != EINTR) {
			return (int)give_up(io, CAUSE_NONE, errno);
		}
	}
	return 0;
}

int
io_send(struct io *io, const void *buffer, size_t size)
{
	return send_all(io, buffer, size, 0);
}

int
io_send_last(struct io *io, const void *buffer, size_t size)
{
	return send_all(io, buffer, size, MSG_MORE);
}

/*
 * While the daemon stops, clients that wait in the queue must not be kept from
 * being served by others that do not answer our FIN: neither by many of them,
 * nor by one whose wait had begun before.
 */
static int64_t
not_beyond_stop(const struct io *io, int64_t deadline)
{
	int64_t *seen = io->limits->stop_seen, until;

	if (!*io->stopping)
		return deadline;
	if (*seen == 0)
		*seen = clock_ms();
	until = *seen + io->limits->stop_linger_ms;
	return until < deadline ? until : deadline;
}

/* A recv that waits for so long costs less than a poll before it. */
void
io_drain(struct io *io, int64_t deadline)
{
	bool evicted = false;
	int64_t now = clock_ms();
	int left;

	note_moved(io, now); /* our FIN, at the least */
	for (;; now = clock_ms()) {
		left = clock_left(not_beyond_stop(io, deadline), now);
		evicted = is_evicted(io);
		if (left <= 0 || evicted)
			break;
		if (limit_receiving(io->fd, left) < 0) {
			give_up(io, io->facts.cause, errno);
			return;
		}
		/* EINTR is fine: the loop looks at the clock again. */
		if (swallow(io, 0) == OVER)
			return;
	}
	if (take_away(io) && evicted)
		give_up(io, CAUSE_EVICTED, 0);
}
