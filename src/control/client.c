#include "control/client.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fdpass.h"

#define AGAIN_MS 50 /* between two tries to enter a full listen queue */
#define FIRST_SIZE 4096

static enum client_result __attribute__((format(printf, 3, 4)))
say(enum client_result result, char why[CLIENT_WHY_SIZE], const char *format,
    ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why, CLIENT_WHY_SIZE, format, ap);
	va_end(ap);
	return result;
}

/* A failed connect(2): no daemon, or one that we may not ask. */
static enum client_result
no_way_in(const char *path, int error, char why[CLIENT_WHY_SIZE])
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED:
		return say(CLIENT_NO_DAEMON, why,
		    "%s: %s: no daemon is there (is preforkd running? -s names "
		    "another socket, the keyword control where it is)",
		    path, strerror(error));
	case EACCES:
	case EPERM:
		return say(CLIENT_FAILED, why,
		    "%s: %s: ask as root, or as the user that the daemon was "
		    "started as",
		    path, strerror(error));
	case EAGAIN:
		return say(CLIENT_FAILED, why,
		    "%s: too many others ask as well; try again", path);
	default:
		return say(CLIENT_FAILED, why, "%s: %s", path, strerror(error));
	}
}

/* A full queue is waited for; connect(2) would without a deadline. */
static enum client_result
enter(int fd, const char *path, int64_t deadline, char why[CLIENT_WHY_SIZE])
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	if (strlcpy(at.sun_path, path, sizeof(at.sun_path)) >=
	    sizeof(at.sun_path))
		return say(CLIENT_FAILED, why,
		    "%s: longer than %zu bytes: no socket can be there", path,
		    sizeof(at.sun_path) - 1);
	while (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || clock_ms() >= deadline)
			return no_way_in(path, errno, why);
		poll(NULL, 0, AGAIN_MS);
	}
	return CLIENT_OK;
}

/* True when there may be something to do; false with errno. */
static int
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&p, 1, clock_left(deadline, clock_ms()));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0;
}

/* A daemon that turns us away has closed, and its reply is there to read. */
static int
send_all(int fd, const char *line, size_t length, int64_t deadline)
{
	size_t sent = 0;
	ssize_t n;

	while (sent < length) {
		n = send(fd, line + sent, length - sent, MSG_NOSIGNAL);
		if (n >= 0) {
			sent += (size_t)n;
			continue;
		}
		if (errno == EPIPE || errno == ECONNRESET)
			return 0;
		if (errno != EINTR &&
		    (errno != EAGAIN || !wait_for(fd, POLLOUT, deadline)))
			return -1;
	}
	return 0;
}

/* All up to end of file, with a terminating zero; NULL with errno. */
static char *
receive_all(int fd, int64_t deadline, int *passed)
{
	size_t size = FIRST_SIZE, used = 0;
	char *text = malloc(size), *larger;
	ssize_t n = 1;

	if (text == NULL)
		return NULL;
	while (n != 0) {
		if (used + 1 == size) {
			errno = EMSGSIZE;
			larger = size < CLIENT_REPLY_MAX ?
			    realloc(text, 2 * size) :
			    NULL;
			if (larger == NULL)
				break;
			text = larger;
			size *= 2;
		}
		n = fdpass_receive(fd, text + used, size - 1 - used, passed);
		/* It had not read all that we said: what came is whole. */
		if (n < 0 && errno == ECONNRESET)
			n = 0;
		if (n >= 0)
			used += (size_t)n;
		else if (errno != EINTR &&
		    (errno != EAGAIN || !wait_for(fd, POLLIN, deadline)))
			break;
	}
	if (n == 0) {
		text[used] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

/* The first line is the verdict, and the rest is for the user. */
static enum client_result
judge(const char *path, char *reply, char **text, char why[CLIENT_WHY_SIZE])
{
	static const struct {
		const char *line;
		enum client_result result;
	} verdicts[] = { { "ok\n", CLIENT_OK }, { "error\n", CLIENT_REFUSED } };

	for (size_t i = 0; i < 2; i++) {
		size_t length = strlen(verdicts[i].line);

		if (strncmp(reply, verdicts[i].line, length) != 0)
			continue;
		memmove(reply, reply + length, strlen(reply + length) + 1);
		*text = reply;
		return verdicts[i].result;
	}
	if (reply[0] == '\0')
		say(CLIENT_FAILED, why,
		    "%s: the daemon closed without an answer (it may have "
		    "ended: see its log)",
		    path);
	else
		say(CLIENT_FAILED, why,
		    "%s: what answers there is no preforkd, or another version "
		    "of it",
		    path);
	free(reply);
	return CLIENT_FAILED;
}

/* Who listens there, as our /proc knows it. */
static void
identify(int fd, struct client_passed *passed)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0)
		passed->peer = peer.pid;
}

static enum client_result
talk(int fd, const char *path, const char *request, int64_t connect_deadline,
    int64_t reply_ms, char **text, struct client_passed *passed,
    char why[CLIENT_WHY_SIZE])
{
	enum client_result result = enter(fd, path, connect_deadline, why);
	int64_t deadline = CLOCK_NEVER;
	char *line, *reply;
	int length;

	if (result != CLIENT_OK)
		return result;
	length = asprintf(&line, "%s\n", request);
	if (length < 0)
		return say(CLIENT_FAILED, why, "out of memory");
	if (send_all(fd, line, (size_t)length, connect_deadline) < 0) {
		free(line);
		return say(CLIENT_FAILED, why, "%s: cannot ask: %s", path,
		    strerror(errno));
	}
	free(line);
	if (reply_ms != CLIENT_NO_LIMIT)
		deadline = clock_ms() + reply_ms;
	if (passed != NULL)
		identify(fd, passed);
	reply = receive_all(fd, deadline, passed == NULL ? NULL : &passed->fd);
	if (reply == NULL)
		return say(CLIENT_FAILED, why,
		    "%s: no answer: %s (the daemon may be stopped, or busy: "
		    "try again)",
		    path, strerror(errno));
	return judge(path, reply, text, why);
}

enum client_result
client_fetch(const char *path, const char *request, int64_t connect_ms,
    int64_t reply_ms, char **text, struct client_passed *passed,
    char why[CLIENT_WHY_SIZE])
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	enum client_result result;

	*text = NULL;
	if (passed != NULL)
		*passed = (struct client_passed){ .fd = -1 };
	if (fd < 0)
		return say(CLIENT_FAILED, why, "socket: %s", strerror(errno));
	result = talk(fd, path, request, clock_ms() + connect_ms, reply_ms,
	    text, passed, why);
	close(fd);
	if (result != CLIENT_OK && passed != NULL && passed->fd >= 0) {
		close(passed->fd);
		passed->fd = -1;
	}
	return result;
}

enum client_result
client_ask(const char *path, const char *request, int64_t connect_ms,
    int64_t reply_ms, char **text, char why[CLIENT_WHY_SIZE])
{
	return client_fetch(
	    path, request, connect_ms, reply_ms, text, NULL, why);
}
