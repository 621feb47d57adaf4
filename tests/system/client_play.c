/*
 * client play: one connection that does what its steps say, one after the
 * other. Each step that is done is a line with the time, for the test to wait
 * for and to reckon with.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define FULL_MS 300 /* a buffer that takes nothing for so long is full */
#define LINE 74     /* of chargen, with CR LF */

struct play {
	const struct options *o;
	int fd;
	int from; /* source port, or 0 */
	int room; /* SO_RCVBUF, or 0 */
	int64_t end;
	uint64_t received;
};

/* As date(1) tells it, so that a script can subtract. */
static int64_t
wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool
wait_ms(const struct play *p, short events, int64_t ms)
{
	struct pollfd poll_fd = { .fd = p->fd, .events = events };
	int64_t left = p->end - now_ms();

	if (left <= 0)
		errx(1, "out of time");
	return poll(&poll_fd, 1, (int)(ms < left ? ms : left)) == 1;
}

static const char *
play_connect(struct play *p)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)p->from) };
	int on = 1, error = 0;
	socklen_t length = sizeof(error);

	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	to.sin_port = htons((uint16_t)atoi(p->o->port));
	if (p->fd < 0 || inet_pton(AF_INET, p->o->host, &to.sin_addr) != 1)
		err(2, "socket");
	if (p->room != 0)
		setsockopt(
		    p->fd, SOL_SOCKET, SO_RCVBUF, &p->room, sizeof(p->room));
	setsockopt(p->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(p->fd, (struct sockaddr *)&from, sizeof(from)) < 0)
		err(2, "bind to port %d", p->from);
	if (connect(p->fd, (struct sockaddr *)&to, sizeof(to)) < 0 &&
	    errno != EINPROGRESS)
		return strerror(errno);
	if (!wait_ms(p, POLLOUT, INT32_MAX))
		return "timeout";
	getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	return error == 0 ? "done" : strerror(error);
}

/* number bytes, or with UINT64_MAX what the buffers hold. */
static const char *
play_send(struct play *p, uint64_t number)
{
	static char bytes[1 << 16];
	size_t size;
	ssize_t n;

	memset(bytes, 'x', sizeof(bytes));
	while (number > 0) {
		size = number < sizeof(bytes) ? (size_t)number : sizeof(bytes);
		n = send(p->fd, bytes, size, MSG_NOSIGNAL);
		if (n > 0)
			number -= number == UINT64_MAX ? 0 : (uint64_t)n;
		else if (errno != EAGAIN)
			return strerror(errno);
		else if (!wait_ms(p, POLLOUT, FULL_MS) && number == UINT64_MAX)
			break;
	}
	return "done";
}

/* Reads up to number bytes, into buffer where there is one. */
static const char *
play_get(struct play *p, uint64_t number, unsigned char *buffer)
{
	static unsigned char bytes[1 << 16];
	uint64_t got = 0;
	size_t size;
	ssize_t n;

	while (got < number) {
		size = number - got < sizeof(bytes) ? (size_t)(number - got) :
						      sizeof(bytes);
		n = recv(p->fd, buffer ? buffer + got : bytes, size, 0);
		if (n == 0)
			return look_behind_fin(p->fd) == END_FIN ? "fin" :
								   "rst";
		if (n > 0) {
			got += (uint64_t)n;
			p->received += (uint64_t)n;
		} else if (errno == ECONNRESET || errno == EPIPE) {
			return "rst";
		} else if (errno != EAGAIN) {
			return strerror(errno);
		} else {
			wait_ms(p, POLLIN, INT32_MAX);
		}
	}
	return "done";
}

static int
chargen_at(uint64_t place)
{
	uint64_t line = place / LINE, column = place % LINE;

	if (column >= LINE - 2)
		return column == LINE - 2 ? '\r' : '\n';
	return (int)(' ' + (line + column) % 95);
}

/* Reads number bytes of chargen, RFC 864; with -f it talks as well. */
static const char *
play_chargen(struct play *p, uint64_t number)
{
	static const char noise[4096] = "noise";
	unsigned char lines[LINE * 50];
	const char *done;
	size_t size;

	for (uint64_t i = 0; i < number; i += size) {
		size = number - i < sizeof(lines) ? (size_t)(number - i) :
						    sizeof(lines);
		done = play_get(p, size, lines);
		if (strcmp(done, "done") != 0)
			return done;
		for (size_t j = 0; j < size; j++)
			if (lines[j] != chargen_at(i + j))
				return "mismatch";
		if (p->o->first &&
		    send(p->fd, noise, sizeof(noise), MSG_NOSIGNAL) < 0 &&
		    errno != EAGAIN)
			return strerror(errno);
	}
	return "done";
}

/* Four bytes of time as a number. */
static const char *
play_number(struct play *p)
{
	static char text[16];
	unsigned char b[4];
	const char *done = play_get(p, sizeof(b), b);

	snprintf(
	    text, sizeof(text), "0x%02x%02x%02x%02x", b[0], b[1], b[2], b[3]);
	return strcmp(done, "done") == 0 ? text : done;
}

/* Sends back what comes, number bytes in all. */
static const char *
play_echo(struct play *p, uint64_t number)
{
	unsigned char b[4096];
	const char *done;
	size_t size, sent;
	ssize_t n;

	for (; number > 0; number -= size) {
		size = number < sizeof(b) ? (size_t)number : sizeof(b);
		done = play_get(p, size, b);
		if (strcmp(done, "done") != 0)
			return done;
		for (sent = 0; sent<size; sent += n> 0 ? (size_t)n : 0) {
			n = send(p->fd, b + sent, size - sent, MSG_NOSIGNAL);
			if (n < 0 && errno != EAGAIN)
				return strerror(errno);
			if (n < 0)
				wait_ms(p, POLLOUT, INT32_MAX);
		}
	}
	return "done";
}

/* Waits until the test has made the file $GO.value. */
static const char *
play_go(const struct play *p, uint64_t value)
{
	const char *prefix = getenv("GO");
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s.%llu", prefix == NULL ? "" : prefix,
	    (unsigned long long)value);
	while (access(path, F_OK) != 0) {
		if (now_ms() >= p->end)
			errx(1, "out of time");
		poll(NULL, 0, 5);
	}
	return "done";
}

static const char *
play_close(struct play *p, bool reset)
{
	struct linger linger = { reset, 0 };

	if (reset)
		setsockopt(
		    p->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(p->fd);
	p->fd = -1;
	return "done";
}

/* What a step has come to: "done", or how the connection ended in it. */
static const char *
play_step(struct play *p, const char *step, uint64_t value)
{
#define IS(name)                                                               \
	(strcspn(step, "=") == strlen(name) &&                                 \
	    strncmp(step, name, strlen(name)) == 0)
	if (IS("from"))
		p->from = (int)value;
	else if (IS("room"))
		p->room = (int)value;
	else if (IS("connect"))
		return play_connect(p);
	else if (IS("send"))
		return play_send(p, value);
	else if (IS("fill"))
		return play_send(p, UINT64_MAX);
	else if (IS("get"))
		return play_get(p, value, NULL);
	else if (IS("end"))
		return play_get(p, UINT64_MAX, NULL);
	else if (IS("chargen"))
		return play_chargen(p, value);
	else if (IS("echo"))
		return play_echo(p, value);
	else if (IS("number"))
		return play_number(p);
	else if (IS("wait"))
		poll(NULL, 0, (int)value);
	else if (IS("go"))
		return play_go(p, value);
	else if (IS("fin"))
		return shutdown(p->fd, SHUT_WR) == 0 ? "done" : "lost";
	else if (IS("rst") || IS("close"))
		return play_close(p, IS("rst"));
	else
		errx(2, "%s: no such step", step);
	return "done";
#undef IS
}

static void
play(struct play *p, char **steps)
{
	const char *value, *done;

	for (; *steps != NULL; steps++) {
		value = strchr(*steps, '=');
		done = play_step(p, *steps,
		    value == NULL ? 0 : strtoull(value + 1, NULL, 10));
		printf("%lld %s %s %llu\n", (long long)wall_ms(), *steps, done,
		    (unsigned long long)p->received);
		fflush(stdout);
	}
}

int
run_play(const struct options *o, char **steps)
{
	struct play p = { .o = o, .fd = -1, .end = now_ms() + o->limit_ms };

	play(&p, steps);
	return 0;
}

void
play_on(const struct options *o, int fd, char **steps)
{
	struct play p = { .o = o, .fd = fd, .end = now_ms() + o->limit_ms };

	play(&p, steps);
	if (p.fd >= 0)
		close(p.fd);
}

/* Copies lines, with the time of each in front. */
int
run_stamp(void)
{
	char line[4096];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		printf("%lld %s", (long long)wall_ms(), line);
		fflush(stdout);
	}
	return 0;
}
