/*
 * client echo: many connections in one poll loop, each sending its own
 * sequence of bytes in random chunks, and comparing what comes back.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

struct echo {
	int fd;
	uint64_t sent;
	uint64_t received;
	uint64_t random; /* for the sizes of chunks */
	uint64_t seed;   /* for the bytes */
	bool shut;
	enum end end;
};

struct run {
	const struct options *o;
	struct echo *echoes;
	struct pollfd *polls;
	bool reading; /* false with -l, until stdin has ended */
	bool told;    /* "ready" was printed */
	unsigned ends[END_COUNT];
	unsigned complete; /* got back all that they sent */
	uint64_t received;
};

/* Any byte of the sequence can be made again from its place: splitmix64. */
static unsigned char
byte_at(uint64_t seed, uint64_t place)
{
	uint64_t x = seed + (place / 8 + 1) * UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	x ^= x >> 31;
	return (unsigned char)(x >> (place % 8 * 8));
}

static size_t
next_chunk(const struct run *run, struct echo *e)
{
	uint64_t size;

	e->random = e->random * UINT64_C(6364136223846793005) + 1;
	size = (e->random >> 33) % run->o->chunk + 1;
	if (run->o->bytes != 0 && size > run->o->bytes - e->sent)
		size = run->o->bytes - e->sent;
	return (size_t)size;
}

static bool
sent_all(const struct run *run, const struct echo *e)
{
	return run->o->bytes != 0 && e->sent == run->o->bytes;
}

static void
finish(struct run *run, struct echo *e, enum end end)
{
	/* With -r the end is ours: linger 0 makes close send RST. */
	struct linger reset = { 1, 0 };

	if (run->o->abort)
		setsockopt(e->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	e->end = end;
	run->ends[end]++;
	run->complete += e->received == e->sent &&
	    (run->o->bytes == 0 || e->sent == run->o->bytes);
	run->received += e->received;
	close(e->fd);
	e->fd = -1;
}

static void
on_writable(struct run *run, struct echo *e)
{
	static unsigned char buffer[1 << 20];
	size_t size = next_chunk(run, e);
	ssize_t n;

	for (size_t i = 0; i < size; i++)
		buffer[i] = byte_at(e->seed, e->sent + i);
	n = send(e->fd, buffer, size, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN)
		finish(run, e, END_RST);
	else if (n > 0)
		e->sent += (uint64_t)n;
	if (e->end != END_OPEN || !sent_all(run, e))
		return;
	if (run->o->abort)
		finish(run, e, END_RST);
	else if (run->o->half_close)
		e->shut = shutdown(e->fd, SHUT_WR) == 0;
}

static void
on_readable(struct run *run, struct echo *e)
{
	static unsigned char buffer[1 << 16];
	ssize_t n = recv(e->fd, buffer, sizeof(buffer), 0);

	if (n < 0 && errno != EAGAIN)
		finish(run, e, END_RST);
	if (n == 0)
		finish(run, e, look_behind_fin(e->fd));
	for (ssize_t i = 0; i < n; i++)
		if (e->received >= e->sent ||
		    buffer[i] != byte_at(e->seed, e->received++)) {
			finish(run, e, END_MISMATCH);
			return;
		}
}

/* Tells the test that all are connected and, with -b, have sent. */
static void
tell_ready(struct run *run)
{
	for (unsigned i = 0; i < run->o->connections; i++) {
		const struct echo *e = &run->echoes[i];

		if (e->end == END_OPEN &&
		    (e->sent == 0 || (run->o->late && !sent_all(run, e))))
			return;
	}
	printf("ready\n");
	fflush(stdout);
	run->told = true;
}

static unsigned
prepare_polls(struct run *run)
{
	unsigned n = run->o->connections, open = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct echo *e = &run->echoes[i];

		run->polls[i].fd = e->fd;
		run->polls[i].events = 0;
		if (run->reading)
			run->polls[i].events |= POLLIN;
		if (!e->shut && !sent_all(run, e))
			run->polls[i].events |= POLLOUT;
		open += e->end == END_OPEN;
	}
	run->polls[n].fd = run->reading ? -1 : STDIN_FILENO;
	run->polls[n].events = POLLIN;
	return open;
}

static void
turn(struct run *run, int64_t end)
{
	unsigned n = run->o->connections;
	int64_t left = end - now_ms();

	if (poll(run->polls, n + 1, left > 0 ? (int)left : 0) < 0)
		err(2, "poll");
	for (unsigned i = 0; i < n; i++) {
		struct echo *e = &run->echoes[i];
		short got = run->polls[i].revents;

		if (got & POLLOUT)
			on_writable(run, e);
		if (e->end == END_OPEN && run->reading &&
		    (got & (POLLIN | POLLERR | POLLHUP)))
			on_readable(run, e);
	}
	/* One byte or the end of stdin: now read. */
	if (run->polls[n].revents != 0)
		run->reading = true;
	if (!run->told)
		tell_ready(run);
}

int
run_echo(const struct options *o)
{
	struct run run = { .o = o, .reading = !o->late };
	int64_t end = now_ms() + o->limit_ms;

	run.echoes = calloc(o->connections, sizeof(*run.echoes));
	run.polls = calloc(o->connections + 1, sizeof(*run.polls));
	if (run.echoes == NULL || run.polls == NULL)
		err(2, "memory");
	for (unsigned i = 0; i < o->connections; i++) {
		run.echoes[i].seed = o->seed + i;
		run.echoes[i].random = o->seed * 31 + i;
		run.echoes[i].fd = start_connect(o);
	}
	while (prepare_polls(&run) > 0 && now_ms() < end)
		turn(&run, end);
	for (unsigned i = 0; i < o->connections; i++)
		if (run.echoes[i].end == END_OPEN)
			finish(&run, &run.echoes[i], END_TIMEOUT);
	printf("fin=%u rst=%u timeout=%u mismatch=%u complete=%u bytes=%llu\n",
	    run.ends[END_FIN], run.ends[END_RST], run.ends[END_TIMEOUT],
	    run.ends[END_MISMATCH], run.complete,
	    (unsigned long long)run.received);
	free(run.echoes);
	free(run.polls);
	if (o->half_close && run.complete != o->connections)
		return 1;
	return run.ends[END_FIN] == o->connections ? 0 : 1;
}
