/*
 * client stream: -n connections of which each sends -b bytes a second for -t
 * seconds, in ten pieces a second, and compares what comes back; then FIN, and
 * all that is left until the far end's.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

#define PIECES 10        /* a second */
#define LAST_MS 20000    /* for what is left in the end */
#define MOST_BYTES 65536 /* of a piece */

struct stream {
	int fd;
	uint64_t sent;
	uint64_t received;
	enum end end;
};

struct run {
	const struct options *o;
	struct stream *streams;
	struct pollfd *polls;
	unsigned ends[END_COUNT];
	unsigned complete;
	uint64_t received;
};

static unsigned char
byte_at(const struct run *run, uint64_t place)
{
	return (unsigned char)((place + run->o->seed) * 167 + place / 256);
}

static void
finish(struct run *run, struct stream *stream, enum end how)
{
	close(stream->fd);
	stream->fd = -1;
	stream->end = how;
	run->ends[how]++;
	run->complete += stream->received == stream->sent;
	run->received += stream->received;
}

/* As much as shall have been sent by now. */
static void
send_until(struct run *run, struct stream *stream, uint64_t place)
{
	unsigned char bytes[MOST_BYTES];
	size_t size = 0;
	ssize_t n;

	while (size < sizeof(bytes) && stream->sent + size < place) {
		bytes[size] = byte_at(run, stream->sent + size);
		size++;
	}
	n = size == 0 ? 0 : send(stream->fd, bytes, size, MSG_NOSIGNAL);
	if (n > 0)
		stream->sent += (uint64_t)n;
	else if (n < 0 && errno != EAGAIN)
		finish(run, stream, END_RST);
}

static void
receive_all(struct run *run, struct stream *stream)
{
	unsigned char bytes[MOST_BYTES];
	ssize_t n;

	while ((n = recv(stream->fd, bytes, sizeof(bytes), 0)) > 0)
		for (ssize_t i = 0; i < n; i++)
			if (stream->received >= stream->sent ||
			    bytes[i] != byte_at(run, stream->received++)) {
				finish(run, stream, END_MISMATCH);
				return;
			}
	if (n == 0)
		finish(run, stream, look_behind_fin(stream->fd));
	else if (errno != EAGAIN)
		finish(run, stream, END_RST);
}

/* Until that moment, or until all are over; returns how many are not. */
static unsigned
receive_until(struct run *run, int64_t until)
{
	unsigned n = run->o->connections, open;
	int64_t left;

	do {
		open = 0;
		for (unsigned i = 0; i < n; i++) {
			run->polls[i].fd = run->streams[i].fd;
			run->polls[i].events = POLLIN;
			open += run->streams[i].end == END_OPEN;
		}
		left = until - now_ms();
		if (open == 0 || left <= 0)
			break;
		if (poll(run->polls, n, (int)left) < 0)
			err(2, "poll");
		for (unsigned i = 0; i < n; i++)
			if (run->polls[i].revents != 0)
				receive_all(run, &run->streams[i]);
	} while (left > 0);
	return open;
}

static void
send_for(struct run *run, int64_t limit_ms)
{
	int64_t piece_ms = 1000 / PIECES, begun_at = now_ms();

	for (int64_t at = piece_ms; at <= limit_ms; at += piece_ms) {
		if (receive_until(run, begun_at + at) == 0)
			return;
		for (unsigned i = 0; i < run->o->connections; i++)
			if (run->streams[i].end == END_OPEN)
				send_until(run, &run->streams[i],
				    run->o->bytes * (uint64_t)at / 1000);
	}
}

int
run_stream(const struct options *o)
{
	struct run run = { .o = o };

	run.streams = calloc(o->connections, sizeof(*run.streams));
	run.polls = calloc(o->connections, sizeof(*run.polls));
	if (run.streams == NULL || run.polls == NULL)
		err(2, "memory");
	for (unsigned i = 0; i < o->connections; i++)
		run.streams[i].fd = start_connect(o);
	send_for(&run, o->limit_ms);
	for (unsigned i = 0; i < o->connections; i++)
		if (run.streams[i].end == END_OPEN)
			shutdown(run.streams[i].fd, SHUT_WR);
	receive_until(&run, now_ms() + LAST_MS);
	for (unsigned i = 0; i < o->connections; i++)
		if (run.streams[i].end == END_OPEN)
			finish(&run, &run.streams[i], END_TIMEOUT);
	printf("fin=%u rst=%u timeout=%u mismatch=%u complete=%u bytes=%llu\n",
	    run.ends[END_FIN], run.ends[END_RST], run.ends[END_TIMEOUT],
	    run.ends[END_MISMATCH], run.complete,
	    (unsigned long long)run.received);
	free(run.streams);
	free(run.polls);
	return run.ends[END_FIN] == o->connections &&
		run.complete == o->connections ?
	    0 :
	    1;
}
