/*
 * client hold: -n connections from one source address, which say nothing until
 * the far end ends them, for -t seconds or until TERM. With -r each is followed
 * by another at once; with -f they do not look for an end, and answer no FIN.
 *
 * client crowd: -n clients, each from the next source address, a new one every
 * -k milliseconds: a byte there and back, then FIN; and how long that took.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

#define MOST 4096

struct crowd {
	const struct options *o;
	uint32_t source; /* of the first one, host byte order */
	struct pollfd polls[MOST];
	int64_t begun_at[MOST];
	bool sent[MOST];
	unsigned started;
	unsigned ends[END_COUNT];
	unsigned served;
	int64_t took[MOST]; /* of those that were served */
};

static struct crowd crowd;
static volatile sig_atomic_t told_to_end;

static void
on_term(int signal_number)
{
	(void)signal_number;
	told_to_end = 1;
}

static struct sockaddr_in
address_of(const char *text, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port) };

	if (inet_pton(AF_INET, text, &in.sin_addr) != 1)
		errx(2, "%s: no IPv4 address", text);
	return in;
}

static void
begin(unsigned i, uint32_t source)
{
	struct sockaddr_in to = address_of(
	    crowd.o->host, (uint16_t)strtoul(crowd.o->port, NULL, 10));
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(source) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;

	if (fd < 0)
		err(2, "socket");
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0)
		err(2, "bind to %s", inet_ntoa(from.sin_addr));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 &&
	    errno != EINPROGRESS)
		err(1, "connect to %s port %s", crowd.o->host, crowd.o->port);
	crowd.polls[i].fd = fd;
	crowd.polls[i].events = POLLIN;
	crowd.begun_at[i] = now_ms();
}

static void
end(unsigned i, enum end how)
{
	close(crowd.polls[i].fd);
	crowd.polls[i].fd = -1;
	crowd.ends[how]++;
}

static void
prepare(const struct options *o, const char *source)
{
	if (o->connections > MOST)
		errx(2, "-n has to be at most %d", MOST);
	signal(SIGTERM, on_term);
	crowd.o = o;
	crowd.source = ntohl(address_of(source, 0).sin_addr.s_addr);
	for (unsigned i = 0; i < MOST; i++)
		crowd.polls[i].fd = -1;
}

/* The end of one that has said nothing, or END_OPEN. */
static enum end
end_of(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, 0);

	if (n > 0)
		return END_MISMATCH;
	if (n == 0)
		return look_behind_fin(fd);
	return errno == EAGAIN ? END_OPEN : END_RST;
}

int
run_hold(const struct options *o, const char *source)
{
	int64_t last_at = now_ms() + o->limit_ms;
	unsigned again = 0;
	enum end how;

	prepare(o, source);
	for (unsigned i = 0; i < o->connections; i++) {
		begin(i, crowd.source);
		if (o->first)
			crowd.polls[i].events = 0;
	}
	printf("begun=%u\n", o->connections);
	fflush(stdout);
	while (now_ms() < last_at && !told_to_end) {
		poll(crowd.polls, o->connections, 100);
		for (unsigned i = 0; i < o->connections; i++) {
			if (crowd.polls[i].fd < 0 ||
			    crowd.polls[i].revents == 0)
				continue;
			how = end_of(crowd.polls[i].fd);
			if (how == END_OPEN)
				continue;
			end(i, how);
			if (o->abort) {
				begin(i, crowd.source);
				again++;
			}
		}
	}
	printf("fin=%u rst=%u other=%u again=%u\n", crowd.ends[END_FIN],
	    crowd.ends[END_RST], crowd.ends[END_MISMATCH], again);
	return 0;
}

/* One of the crowd: its byte, the same back, and FIN. */
static void
advance(unsigned i)
{
	int fd = crowd.polls[i].fd;
	char byte;
	ssize_t n;

	if (!crowd.sent[i]) {
		crowd.sent[i] = send(fd, "x", 1, MSG_NOSIGNAL) == 1;
		if (!crowd.sent[i])
			end(i, END_RST);
		crowd.polls[i].events = POLLIN;
		return;
	}
	n = recv(fd, &byte, 1, 0);
	if (n == 1) {
		crowd.took[crowd.served++] = now_ms() - crowd.begun_at[i];
		end(i, END_OPEN);
	} else if (n == 0 || errno != EAGAIN) {
		end(i, n == 0 ? look_behind_fin(fd) : END_RST);
	}
}

static int
compare(const void *a, const void *b)
{
	const int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* Of those that were served, or -1. */
static long long
percentile(unsigned percent)
{
	if (crowd.served == 0)
		return -1;
	return crowd.took[(crowd.served - 1) * percent / 100];
}

int
run_crowd(const struct options *o, const char *first_source)
{
	int64_t begun_at = now_ms(), now;
	unsigned over;

	prepare(o, first_source);
	do {
		now = now_ms();
		while (crowd.started < o->connections &&
		    now - begun_at >= (int64_t)crowd.started * o->chunk) {
			begin(crowd.started, crowd.source + crowd.started);
			crowd.polls[crowd.started++].events = POLLOUT;
		}
		poll(crowd.polls, crowd.started, 1);
		for (unsigned i = 0; i < crowd.started; i++)
			if (crowd.polls[i].fd >= 0 &&
			    crowd.polls[i].revents != 0)
				advance(i);
		over = 0;
		for (unsigned i = 0; i < END_COUNT; i++)
			over += crowd.ends[i];
	} while (over < o->connections && now - begun_at < o->limit_ms);
	qsort(crowd.took, crowd.served, sizeof(crowd.took[0]), compare);
	printf("served=%u of=%u fin=%u rst=%u p50=%lld p99=%lld max=%lld\n",
	    crowd.served, o->connections, crowd.ends[END_FIN],
	    crowd.ends[END_RST], percentile(50), percentile(99),
	    percentile(100));
	return crowd.served == o->connections ? 0 : 1;
}
