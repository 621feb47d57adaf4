/*
 * client storm: -n connections that are begun again and again for -t seconds,
 * to the ports in turn. One whose byte comes back was admitted; it is held for
 * a moment. The most that were held at once is what a limit is judged by:
 * never more than it allows, for each of them was ours before it was counted
 * and until after it was not.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

#define MOST 256
#define PORTS 4
#define HOLD_MS 20

enum phase { STARTING, ASKING, HOLDING };

struct storm {
	struct options to[PORTS];
	unsigned ports;
	unsigned connections;
	enum phase phases[MOST];
	struct pollfd polls[MOST];
	int64_t held_until[MOST];
	unsigned held, most;
	unsigned long begun, admitted, refused;
};

static void
begin(struct storm *s, unsigned i)
{
	s->polls[i].fd = start_connect(&s->to[s->begun++ % s->ports]);
	s->polls[i].events = POLLOUT;
	s->polls[i].revents = 0;
	s->phases[i] = STARTING;
}

static void
end(struct storm *s, unsigned i)
{
	if (s->phases[i] == HOLDING)
		s->held--;
	else
		s->refused++;
	close(s->polls[i].fd);
	s->polls[i].fd = -1;
}

static bool
is_over(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN);
}

/*
 * Its worker may have been killed before this one was admitted, and we have not
 * looked since.
 */
static void
end_those_that_are_over(struct storm *s)
{
	for (unsigned i = 0; i < s->connections; i++)
		if (s->polls[i].fd >= 0 && s->phases[i] == HOLDING &&
		    is_over(s->polls[i].fd))
			end(s, i);
}

static void
was_admitted(struct storm *s, unsigned i, int64_t now)
{
	end_those_that_are_over(s);
	s->phases[i] = HOLDING;
	s->held_until[i] = now + rand() % HOLD_MS;
	s->admitted++;
	if (++s->held > s->most)
		s->most = s->held;
}

static void
advance(struct storm *s, unsigned i, int64_t now)
{
	int fd = s->polls[i].fd;
	char byte = 'x';

	if (fd < 0) {
		begin(s, i);
	} else if (s->phases[i] == STARTING) {
		if (send(fd, &byte, 1, MSG_NOSIGNAL) == 1) {
			s->phases[i] = ASKING;
			s->polls[i].events = POLLIN;
		} else if (errno != EAGAIN) {
			end(s, i);
		}
	} else if (s->phases[i] == ASKING) {
		if (recv(fd, &byte, 1, 0) == 1)
			was_admitted(s, i, now);
		else if (errno != EAGAIN || is_over(fd))
			end(s, i);
	} else if (now >= s->held_until[i] || is_over(fd)) {
		end(s, i);
	}
}

/* "7,13": ports in turn, each as if it were -n and the rest alone. */
static void
split_ports(struct storm *s, const struct options *o)
{
	static char ports[64];
	char *rest = ports, *port;

	snprintf(ports, sizeof(ports), "%s", o->port);
	while (s->ports < PORTS && (port = strsep(&rest, ",")) != NULL) {
		s->to[s->ports] = *o;
		s->to[s->ports++].port = port;
	}
}

int
run_storm(const struct options *o)
{
	static struct storm s;
	int64_t until = now_ms() + o->limit_ms, now;

	if (o->connections > MOST)
		errx(2, "-n has to be 1 to %d", MOST);
	s.connections = o->connections;
	split_ports(&s, o);
	for (unsigned i = 0; i < s.connections; i++)
		begin(&s, i);
	while ((now = now_ms()) < until) {
		if (poll(s.polls, s.connections, 5) < 0 && errno != EINTR)
			err(2, "poll");
		for (unsigned i = 0; i < s.connections; i++)
			if (s.polls[i].fd < 0 || s.polls[i].revents != 0 ||
			    s.phases[i] == HOLDING)
				advance(&s, i, now);
	}
	printf("most=%u admitted=%lu refused=%lu\n", s.most, s.admitted,
	    s.refused);
	return s.admitted > 0 ? 0 : 1;
}
