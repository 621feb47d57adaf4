/*
 * client rate: -n new connections a second for -t seconds, each with -b bytes
 * there and back, and FIN at the end; whatever else happens is counted. A
 * connection that is not over in LIFE_MS is lost. TERM ends it earlier.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

#define MOST_OPEN 4096
#define MOST_BYTES 65536
#define LIFE_MS 10000

struct talk {
	int fd;
	size_t sent;
	size_t received;
	int64_t begun_at;
};

struct rate {
	const struct options *o;
	struct talk talks[MOST_OPEN];
	struct pollfd polls[MOST_OPEN];
	unsigned open;
	uint64_t started;
	uint64_t refused;
	uint64_t ends[END_COUNT];
	uint64_t whole;
	int64_t slowest_ms;
	unsigned char bytes[MOST_BYTES];
};

static void
begin(struct rate *rate, int64_t now)
{
	struct talk *talk;

	if (rate->open == MOST_OPEN)
		errx(2, "more than %d connections are open", MOST_OPEN);
	talk = &rate->talks[rate->open++];
	memset(talk, 0, sizeof(*talk));
	talk->fd = start_connect(rate->o);
	talk->begun_at = now;
	rate->started++;
}

/* The last one takes its place. */
static void
end(struct rate *rate, unsigned i, enum end how)
{
	struct talk *talk = &rate->talks[i];
	int64_t took = now_ms() - talk->begun_at;

	close(talk->fd);
	rate->ends[how]++;
	rate->whole += how == END_FIN && talk->received == rate->o->bytes;
	if (took > rate->slowest_ms)
		rate->slowest_ms = took;
	*talk = rate->talks[--rate->open];
	rate->polls[i] = rate->polls[rate->open];
}

static bool
send_some(struct rate *rate, struct talk *talk)
{
	size_t size = rate->o->bytes - talk->sent;
	ssize_t n =
	    send(talk->fd, rate->bytes + talk->sent, size, MSG_NOSIGNAL);

	if (n < 0 && errno == ECONNREFUSED)
		rate->refused++;
	if (n < 0)
		return errno == EAGAIN;
	talk->sent += (size_t)n;
	return talk->sent < rate->o->bytes || shutdown(talk->fd, SHUT_WR) == 0;
}

static enum end
receive_some(const struct rate *rate, struct talk *talk)
{
	unsigned char got[MOST_BYTES];
	ssize_t n = recv(talk->fd, got, sizeof(got), 0);

	if (n < 0)
		return errno == EAGAIN ? END_OPEN : END_RST;
	if (n == 0)
		return look_behind_fin(talk->fd);
	if ((size_t)n > talk->sent - talk->received ||
	    memcmp(got, rate->bytes + talk->received, (size_t)n) != 0)
		return END_MISMATCH;
	talk->received += (size_t)n;
	return END_OPEN;
}

static enum end
advance(struct rate *rate, struct talk *talk, short events, int64_t now)
{
	if ((events & (POLLOUT | POLLERR)) && talk->sent < rate->o->bytes &&
	    !send_some(rate, talk))
		return END_RST;
	if (events & (POLLIN | POLLERR | POLLHUP))
		return receive_some(rate, talk);
	return now - talk->begun_at > LIFE_MS ? END_TIMEOUT : END_OPEN;
}

static void
turn(struct rate *rate, int wait_ms)
{
	enum end how;
	int64_t now;

	for (unsigned i = 0; i < rate->open; i++) {
		const struct talk *talk = &rate->talks[i];

		rate->polls[i].fd = talk->fd;
		rate->polls[i].events =
		    talk->sent < rate->o->bytes ? POLLIN | POLLOUT : POLLIN;
		rate->polls[i].revents = 0;
	}
	if (poll(rate->polls, rate->open, wait_ms) < 0 && errno != EINTR)
		err(2, "poll");
	now = now_ms();
	for (unsigned i = rate->open; i-- > 0;) {
		how =
		    advance(rate, &rate->talks[i], rate->polls[i].revents, now);
		if (how != END_OPEN)
			end(rate, i, how);
	}
}

static volatile sig_atomic_t told_to_end;

static void
on_term(int signal_number)
{
	(void)signal_number;
	told_to_end = 1;
}

int
run_rate(const struct options *o)
{
	static struct rate rate;
	int64_t begun_at = now_ms(), last_at = begun_at + o->limit_ms, now;

	signal(SIGTERM, on_term);
	if (o->bytes == 0 || o->bytes > MOST_BYTES)
		errx(2, "-b has to be 1 to %d", MOST_BYTES);
	rate.o = o;
	for (size_t i = 0; i < o->bytes; i++)
		rate.bytes[i] = (unsigned char)(i * 31 + i / 256 + o->seed);
	while ((now = now_ms()) < last_at || rate.open > 0) {
		if (told_to_end && now < last_at)
			last_at = now;
		while (now < last_at &&
		    rate.started <
			(uint64_t)(now - begun_at) * o->connections / 1000)
			begin(&rate, now);
		turn(&rate, now < last_at ? 1 : 100);
	}
	printf("started=%llu whole=%llu fin=%llu rst=%llu refused=%llu "
	       "timeout=%llu mismatch=%llu slowest=%lldms\n",
	    (unsigned long long)rate.started, (unsigned long long)rate.whole,
	    (unsigned long long)rate.ends[END_FIN],
	    (unsigned long long)rate.ends[END_RST],
	    (unsigned long long)rate.refused,
	    (unsigned long long)rate.ends[END_TIMEOUT],
	    (unsigned long long)rate.ends[END_MISMATCH],
	    (long long)rate.slowest_ms);
	return rate.whole == rate.started && rate.started > 0 ? 0 : 1;
}
