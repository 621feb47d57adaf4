/*
 * client daytime: asks the time, one connection after the other; with -f it
 * sends something first, as a browser or a scanner would.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

static bool
wait_for(int fd, short events, int64_t end)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left = end - now_ms();

	return left > 0 && poll(&p, 1, (int)left) == 1;
}

static enum end
ask(const struct options *o, int64_t end, char *line, size_t size)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	int fd = start_connect(o);
	enum end result = END_TIMEOUT;
	size_t got = 0;
	ssize_t n;

	if (wait_for(fd, POLLOUT, end) && o->first &&
	    send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
		result = END_RST;
	while (result == END_TIMEOUT && wait_for(fd, POLLIN, end)) {
		n = recv(fd, line + got, size - 1 - got, 0);
		if (n > 0)
			got += (size_t)n;
		else if (n == 0)
			result = look_behind_fin(fd);
		else if (errno != EAGAIN)
			result = END_RST;
	}
	line[got] = '\0';
	close(fd);
	return result;
}

/* RFC 867, as we send it: one line that ends in CR LF. */
static bool
is_one_line(const char *line)
{
	size_t length = strlen(line);

	return length > 2 && strcspn(line, "\r\n") == length - 2 &&
	    strcmp(line + length - 2, "\r\n") == 0;
}

int
run_daytime(const struct options *o)
{
	int64_t end = now_ms() + o->limit_ms;
	unsigned ends[END_COUNT] = { 0 }, lines = 0;
	char line[1024];

	for (unsigned i = 0; i < o->connections; i++) {
		ends[ask(o, end, line, sizeof(line))]++;
		lines += is_one_line(line);
	}
	printf("fin=%u rst=%u timeout=%u lines=%u\n", ends[END_FIN],
	    ends[END_RST], ends[END_TIMEOUT], lines);
	return ends[END_FIN] == o->connections && lines == o->connections ? 0 :
									    1;
}
