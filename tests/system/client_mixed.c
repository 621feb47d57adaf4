/*
 * client mixed: many connections of every behaviour, in turn, each from a port
 * of its own, so that what the wire and the log say of it can be found again.
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

#define FIRST_PORT 20000
#define AT_ONCE 150
#define BYTES 100 /* of those who send some */

/* The two ports are those of echo and daytime. */
struct manner {
	const char *name;
	bool daytime;
	size_t bytes; /* sent; SIZE_MAX: without an end */
	enum { AND_FIN, AND_RST, AND_NOTHING, AND_UNREAD, AND_LINGER } then;
};

/* One in so many is of the last ones, which take their time. */
static const struct manner manners[] = {
	{ "half-closing", false, BYTES, AND_FIN },
	{ "daytime", true, 0, AND_NOTHING },
	{ "abrupt", false, BYTES, AND_RST },
	{ "says-nothing", false, 0, AND_FIN },
	{ "daytime-garbage", true, BYTES, AND_NOTHING },
	{ "unread", false, BYTES, AND_UNREAD },
	{ "silent", false, BYTES, AND_NOTHING },
	{ "flood", false, SIZE_MAX, AND_NOTHING },
	{ "lingers", false, BYTES, AND_LINGER },
};

#define MANNERS (sizeof(manners) / sizeof(manners[0]))
#define QUICK (MANNERS - 3)
#define SLOW_EVERY 25
#define LINGER_MS 1500 /* longer than linger-timeout */

struct mixed {
	const struct manner *manner;
	int fd;
	unsigned port;
	size_t sent;
	bool shut;
	int64_t lingers_until; /* 0: it does not */
};

struct mix {
	const struct options *o;
	struct mixed all[AT_ONCE];
	struct pollfd polls[AT_ONCE];
	unsigned begun;
	unsigned open;
};

static const struct manner *
manner_of(unsigned i)
{
	if (i % SLOW_EVERY == 0)
		return &manners[QUICK + i / SLOW_EVERY % 3];
	return &manners[i % QUICK];
}

static void
begin(struct mix *mix, struct mixed *m)
{
	static const int room = 8192;
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct sockaddr_in from = { .sin_family = AF_INET };
	const char *comma = strchr(mix->o->port, ',');
	int on = 1;

	m->manner = manner_of(mix->begun);
	m->port = FIRST_PORT + mix->begun++;
	m->sent = 0;
	m->shut = false;
	m->lingers_until = 0;
	m->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	from.sin_port = htons((uint16_t)m->port);
	to.sin_port = htons((uint16_t)atoi(
	    m->manner->daytime && comma != NULL ? comma + 1 : mix->o->port));
	if (m->fd < 0 || inet_pton(AF_INET, mix->o->host, &to.sin_addr) != 1)
		err(2, "socket");
	setsockopt(m->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (m->manner->bytes == SIZE_MAX)
		setsockopt(m->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bind(m->fd, (struct sockaddr *)&from, sizeof(from)) < 0)
		err(2, "bind to port %u", m->port);
	if (connect(m->fd, (struct sockaddr *)&to, sizeof(to)) < 0 &&
	    errno != EINPROGRESS)
		err(2, "connect");
	mix->open++;
}

static void
end(struct mix *mix, struct mixed *m, bool reset, const char *how)
{
	struct linger linger = { 1, 0 };

	if (reset)
		setsockopt(
		    m->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(m->fd);
	printf("%u %s %s\n", m->port, m->manner->name, how);
	m->fd = -1;
	mix->open--;
}

static void
on_writable(struct mix *mix, struct mixed *m)
{
	static const char bytes[65536];
	size_t left = m->manner->bytes == SIZE_MAX ? sizeof(bytes) :
						     m->manner->bytes - m->sent;
	ssize_t n = 0;

	if (left > 0)
		n = send(m->fd, bytes, left, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN) {
		end(mix, m, false, "lost");
		return;
	}
	m->sent += n > 0 ? (size_t)n : 0;
	if (m->manner->bytes == SIZE_MAX || m->sent < m->manner->bytes)
		return;
	if (m->manner->then == AND_FIN)
		shutdown(m->fd, SHUT_WR);
	m->shut = true;
	if (m->manner->then == AND_RST)
		end(mix, m, true, "aborted");
}

static void
on_readable(struct mix *mix, struct mixed *m)
{
	char bytes[65536];
	ssize_t n;

	if (m->manner->then == AND_UNREAD) {
		end(mix, m, false, "closed");
		return;
	}
	n = recv(m->fd, bytes, sizeof(bytes), 0);
	if (n == 0 && m->manner->then == AND_LINGER)
		m->lingers_until = now_ms() + LINGER_MS;
	else if (n == 0)
		end(mix, m, false, "fin");
	else if (n < 0 && errno != EAGAIN)
		end(mix, m, false, "rst");
}

/* A flood reads nothing, and sees only how it ends. */
static short
events_of(const struct mixed *m)
{
	short events = m->manner->bytes == SIZE_MAX ? 0 : POLLIN;

	return m->shut ? events : events | POLLOUT;
}

static void
turn(struct mix *mix)
{
	for (unsigned i = 0; i < AT_ONCE; i++) {
		struct mixed *m = &mix->all[i];

		if (m->fd < 0 && mix->begun < mix->o->connections)
			begin(mix, m);
		if (m->lingers_until != 0 && now_ms() >= m->lingers_until) {
			send(m->fd, "x", 1, MSG_NOSIGNAL);
			end(mix, m, false, "lingered");
			m->lingers_until = 0;
		}
		mix->polls[i].fd = m->lingers_until != 0 ? -1 : m->fd;
		mix->polls[i].events = m->fd < 0 ? 0 : events_of(m);
	}
	if (poll(mix->polls, AT_ONCE, 100) < 0)
		err(2, "poll");
	for (unsigned i = 0; i < AT_ONCE; i++) {
		struct mixed *m = &mix->all[i];
		short got = mix->polls[i].revents;

		if (m->fd >= 0 && (got & POLLOUT))
			on_writable(mix, m);
		if (m->fd >= 0 && (got & (POLLIN | POLLERR | POLLHUP)))
			on_readable(mix, m);
	}
}

int
run_mixed(const struct options *o)
{
	struct mix mix = { .o = o };
	int64_t limit = now_ms() + o->limit_ms;

	for (unsigned i = 0; i < AT_ONCE; i++)
		mix.all[i].fd = -1;
	do
		turn(&mix);
	while (
	    (mix.open > 0 || mix.begun < o->connections) && now_ms() < limit);
	return mix.open == 0 ? 0 : 1;
}
