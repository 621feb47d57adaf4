/*
 * control/client: a daemon that answers whatever the input wants, in pieces,
 * slowly, with descriptors, or not to the end.
 *
 * An input is a list of steps. The daemon takes the next ones when the client
 * has connected, up to the first '.', and more whenever the client waits.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fdpass.h"
#include "control/client.h"
#include "fuzz/fuzz.h"

#define LIMIT_MS 2000
#define STEP_MS 100

static struct sockaddr_un at; /* where the daemon is, whatever the path */
static socklen_t at_length;
static struct fuzz_input input;
static int listener, daemon_fd;
static int64_t now;
static size_t answered; /* bytes */
static bool has_zero;   /* among them: text ends there */
static bool send_fails;

int64_t __wrap_clock_ms(void);
int __real_connect(int fd, const struct sockaddr *to, socklen_t size);
int __wrap_connect(int fd, const struct sockaddr *to, socklen_t size);
ssize_t __real_send(int fd, const void *data, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *data, size_t size, int flags);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);

int64_t
__wrap_clock_ms(void)
{
	return now;
}

static void
answer(const void *bytes, size_t length, int passed)
{
	ssize_t n;

	if (daemon_fd < 0 || length == 0)
		return;
	n = fdpass_send(
	    daemon_fd, bytes, length, passed, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0) {
		answered += (size_t)n;
		has_zero |= memchr(bytes, '\0', (size_t)n) != NULL;
	}
}

static void
go_away(void)
{
	if (daemon_fd >= 0)
		close(daemon_fd);
	daemon_fd = -1;
}

/* What the daemon does next. */
static void
play(void)
{
	char bytes[16 * UINT8_MAX];
	const uint8_t *text;
	size_t length;

	while (input.left > 0) {
		switch (fuzz_byte(&input)) {
		case '"':
			text = fuzz_until(&input, '"', &length);
			answer(text, length, -1);
			break;
		case 'p': /* with a descriptor */
			answer("o", 1, listener);
			break;
		case 'f':
			memset(bytes, fuzz_byte(&input), sizeof(bytes));
			answer(bytes, 16 * (size_t)fuzz_byte(&input), -1);
			break;
		case 'l': /* listens to what is asked */
			if (daemon_fd >= 0)
				(void)!recv(daemon_fd, bytes, sizeof(bytes),
				    MSG_DONTWAIT);
			break;
		case 'h':
			if (daemon_fd >= 0)
				shutdown(daemon_fd, SHUT_WR);
			break;
		case 'c':
			go_away();
			break;
		case 'n': /* send(2) says EAGAIN */
			send_fails = true;
			break;
		case 't':
			now += STEP_MS * (int64_t)fuzz_byte(&input);
			break;
		case '.':
			return;
		}
	}
}

int
__wrap_connect(int fd, const struct sockaddr *to, socklen_t size)
{
	int result;

	FUZZ_CHECK(to->sa_family == AF_UNIX && size == sizeof(at));
	result = __real_connect(fd, (struct sockaddr *)&at, at_length);
	if (result == 0) {
		daemon_fd =
		    accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		FUZZ_CHECK(daemon_fd >= 0);
		play();
	}
	return result;
}

ssize_t
__wrap_send(int fd, const void *data, size_t size, int flags)
{
	if (!send_fails)
		return __real_send(fd, data, size, flags);
	send_fails = false;
	errno = EAGAIN;
	return -1;
}

/* The client waits: with a bound, which is over when nothing is to come. */
int
__wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	int64_t until = now + timeout;

	FUZZ_CHECK(count == 1 && timeout >= 0 && timeout <= LIMIT_MS);
	if (input.left > 0)
		play();
	else
		now = until;
	fds[0].revents = fds[0].events;
	return now < until ? 1 : 0;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_keep_stderr();
	listener = fuzz_listen(1, &at, &at_length);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned before = fuzz_open_fds();
	char why[CLIENT_WHY_SIZE] = "";
	struct client_passed passed;
	enum client_result result;
	char *text;

	input = (struct fuzz_input){ data, size };
	now = 1000000;
	daemon_fd = -1;
	send_fails = has_zero = false;
	answered = 0;
	result = client_fetch(
	    "socket", "status", LIMIT_MS, LIMIT_MS, &text, &passed, why);
	FUZZ_CHECK(result != CLIENT_NO_DAEMON);
	FUZZ_CHECK((text == NULL) == (result == CLIENT_FAILED));
	FUZZ_CHECK((*why != '\0') == (result == CLIENT_FAILED));
	FUZZ_CHECK(passed.fd < 0 || result == CLIENT_OK);
	/* Nothing of it is lost. */
	FUZZ_CHECK(text == NULL || has_zero ||
	    strlen(text) + strlen(result == CLIENT_OK ? "ok\n" : "error\n") ==
		answered);
	if (passed.fd >= 0)
		close(passed.fd);
	free(text);
	go_away();
	FUZZ_CHECK(fuzz_open_fds() == before);
	return 0;
}
