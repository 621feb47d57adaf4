/*
 * client hostile: many clients that are up to no good, at once and in turn.
 * What each of them makes of its connection is certain, so that the server's
 * counters can be compared.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

#define QUICK_AT_ONCE 100
#define SLOW_AT_ONCE 300
#define AT_ONCE (QUICK_AT_ONCE + SLOW_AT_ONCE)
#define STEPS 10 /* in the life of a slow one */
#define STEP_MS 150
#define LOOK_MS 10
#define PATIENCE_MS 20000 /* with a server that is kept busy by the others */

/* What echo has to call it. */
enum word { PEER_CLOSED, RESET, WORDS };

enum manner {
	GOES,    /* connects and closes */
	RESETS,  /* connects and resets */
	ABRUPT,  /* sends, and resets with the reply unread */
	DRIPS,   /* a byte now and then, and compares; then FIN */
	SIPS,    /* sends all that fits, reads a byte now and then; resets */
	MUTE,    /* says nothing, then closes */
	MANNERS, /* how many */
	FIRST_SLOW = DRIPS
};

static const enum word words[MANNERS] = { PEER_CLOSED, RESET, RESET,
	PEER_CLOSED, RESET, PEER_CLOSED };

struct foe {
	int fd; /* -1: its place is free */
	enum manner manner;
	bool connected;
	unsigned steps;
	int64_t sent_at; /* its last byte, which drips */
	int64_t next_at;
};

struct hostile {
	const struct options *o;
	char **sources; /* addresses to come from, in turn */
	unsigned source_count;
	struct foe foes[AT_ONCE];
	struct pollfd polls[AT_ONCE];
	unsigned begun;
	unsigned open;
	unsigned refused; /* never connected */
	unsigned lost;    /* slow ones whose end was not their own */
	unsigned mismatch;
	unsigned words[WORDS]; /* of those that connected */
};

/* With -k N, one in so many is slow. */
static bool
is_slow(const struct hostile *h, unsigned i)
{
	return h->o->chunk != 0 && i % h->o->chunk == 0;
}

static enum manner
manner_of(const struct hostile *h, unsigned i)
{
	if (is_slow(h, i))
		return FIRST_SLOW + i / h->o->chunk % (MANNERS - FIRST_SLOW);
	return (enum manner)(i % FIRST_SLOW);
}

static struct sockaddr_in
address(const char *text, const char *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };

	sin.sin_port = htons((uint16_t)atoi(port));
	if (inet_pton(AF_INET, text, &sin.sin_addr) != 1)
		errx(2, "%s: no address", text);
	return sin;
}

static void
begin(struct hostile *h, struct foe *foe)
{
	struct sockaddr_in to = address(h->o->host, h->o->port);
	struct sockaddr_in from =
	    address(h->sources[h->begun % h->source_count], "0");
	static const int on = 1, room = 4096;

	*foe = (struct foe){ .manner = manner_of(h, h->begun++) };
	foe->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (foe->fd < 0)
		err(2, "socket");
	/* A port is chosen for the whole connection, so there are enough. */
	setsockopt(
	    foe->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (foe->manner == SIPS)
		setsockopt(foe->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bind(foe->fd, (struct sockaddr *)&from, sizeof(from)) < 0)
		err(2, "bind to %s",
		    h->sources[(h->begun - 1) % h->source_count]);
	if (connect(foe->fd, (struct sockaddr *)&to, sizeof(to)) < 0 &&
	    errno != EINPROGRESS)
		err(2, "connect");
	h->open++;
}

static void
leave(struct hostile *h, struct foe *foe)
{
	struct linger linger = { 1, 0 };

	if (words[foe->manner] == RESET)
		setsockopt(
		    foe->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(foe->fd);
	foe->fd = -1;
	h->open--;
}

/* Fills the buffers of both ends. */
static void
fill(const struct foe *foe)
{
	static const char bytes[65536];

	while (send(foe->fd, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0)
		;
}

static void
on_connected(struct hostile *h, struct foe *foe)
{
	int error = 0;
	socklen_t length = sizeof(error);

	getsockopt(foe->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	if (error != 0) {
		h->refused++;
		leave(h, foe);
		return;
	}
	foe->connected = true;
	h->words[words[foe->manner]]++;
	if (foe->manner == ABRUPT)
		send(foe->fd, "abrupt", 6, MSG_NOSIGNAL);
	if (foe->manner == SIPS)
		fill(foe);
	if (foe->manner < FIRST_SLOW)
		leave(h, foe);
	else
		foe->next_at = now_ms() + STEP_MS;
}

/* Its last byte is still on the way, and there is time. */
static bool
has_to_wait(const struct foe *foe)
{
	char back;

	return foe->manner == DRIPS && foe->steps > 0 &&
	    now_ms() - foe->sent_at < PATIENCE_MS &&
	    recv(foe->fd, &back, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

/* Its last byte must be back; the next one is another. False: it is not. */
static bool
drip(struct hostile *h, struct foe *foe)
{
	char byte = (char)('a' + foe->steps), back;

	foe->sent_at = now_ms();
	if (foe->steps > 0) {
		if (recv(foe->fd, &back, 1, 0) != 1)
			return false;
		h->mismatch += back != byte - 1;
	}
	return foe->steps == STEPS ||
	    send(foe->fd, &byte, 1, MSG_NOSIGNAL) == 1;
}

/* One step of a slow one. */
static void
step(struct hostile *h, struct foe *foe)
{
	char byte;
	bool lost = false;

	if (has_to_wait(foe)) {
		foe->next_at = now_ms() + STEP_MS;
		return;
	}
	if (foe->manner == DRIPS)
		lost = !drip(h, foe);
	else if (foe->manner == SIPS)
		lost = recv(foe->fd, &byte, 1, 0) == 0;
	foe->next_at += STEP_MS;
	h->lost += lost;
	if (lost || foe->steps++ == STEPS)
		leave(h, foe);
}

static void
on_event(struct hostile *h, struct foe *foe, short got)
{
	if (!foe->connected) {
		on_connected(h, foe);
	} else if (got & (POLLERR | POLLHUP)) {
		h->lost++;
		leave(h, foe);
	}
}

/* The first places are for slow ones, the others for quick ones. */
static struct foe *
free_place(struct hostile *h)
{
	bool slow = is_slow(h, h->begun);

	for (unsigned i = slow ? 0 : SLOW_AT_ONCE;
	     i < (slow ? SLOW_AT_ONCE : AT_ONCE); i++)
		if (h->foes[i].fd < 0)
			return &h->foes[i];
	return NULL;
}

static void
turn(struct hostile *h)
{
	struct foe *next;

	while (h->begun < h->o->connections && (next = free_place(h)) != NULL)
		begin(h, next);
	for (unsigned i = 0; i < AT_ONCE; i++) {
		const struct foe *foe = &h->foes[i];

		h->polls[i].fd = foe->fd;
		h->polls[i].events = foe->connected ? 0 : POLLOUT;
	}
	if (poll(h->polls, AT_ONCE, LOOK_MS) < 0)
		err(2, "poll");
	for (unsigned i = 0; i < AT_ONCE; i++) {
		struct foe *foe = &h->foes[i];

		if (foe->fd >= 0 && h->polls[i].revents != 0)
			on_event(h, foe, h->polls[i].revents);
		while (
		    foe->fd >= 0 && foe->connected && now_ms() >= foe->next_at)
			step(h, foe);
	}
}

int
run_hostile(const struct options *o, char **sources)
{
	static struct hostile h;
	int64_t limit = now_ms() + o->limit_ms;

	h.o = o;
	h.sources = sources;
	while (sources[h.source_count] != NULL)
		h.source_count++;
	if (h.source_count == 0)
		errx(2, "hostile: from which addresses?");
	for (unsigned i = 0; i < AT_ONCE; i++)
		h.foes[i].fd = -1;
	do
		turn(&h);
	while ((h.open > 0 || h.begun < o->connections) && now_ms() < limit);
	printf("connected=%u peer-closed=%u reset=%u refused=%u lost=%u "
	       "mismatch=%u\n",
	    h.words[PEER_CLOSED] + h.words[RESET], h.words[PEER_CLOSED],
	    h.words[RESET], h.refused, h.lost, h.mismatch);
	return h.open == 0 && h.begun == o->connections ? 0 : 1;
}
