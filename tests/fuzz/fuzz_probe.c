/*
 * probe/session, the modes echo, daytime and connect, and what is said of them:
 * a far end that answers whatever the input wants, whenever it wants it.
 *
 * Two bytes say what is asked for; then come steps, most of them one character,
 * of which some take the byte after it. The far end takes the next ones, up to
 * a '.', whenever the probe waits. The connection is simulated: no real
 * descriptor is touched, and time passes where the input says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/ledger.h"
#include "fuzz/fuzz.h"
#include "fuzz/json.h"
#include "probe/mode.h"
#include "probe/pattern.h"

#define FD 1000
#define ROOM 65536 /* in each direction */
#define TIMEOUT_MS 2000
#define INTERVAL_MS 300
#define STEP_MS 100
#define LINE 64

static struct fuzz_input input;
static int64_t now;
static unsigned char asked[ROOM], answer[ROOM];
static size_t asked_size, echoed; /* sent by the probe, and of that sent back */
static size_t answer_size, taken; /* sent by the far end, and received */
static size_t window;             /* what send takes yet */
static int64_t receive_ms;        /* SO_RCVTIMEO; 0: none */
static int far_error;             /* errno once all is taken, or 0 */
static bool far_fin, shut, closed, fin_seen, error_seen;
static bool honest; /* the far end has sent back what it got, no more */

int64_t __wrap_clock_ms(void);
int64_t __wrap_clock_us(void);
void __real_pattern_set_lines(size_t length);
void __wrap_pattern_set_lines(size_t length);
bool __wrap_session_open(struct session *session,
    const struct session_options *options, struct report *report);
ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_shutdown(int fd, int how);
int __wrap_setsockopt(
    int fd, int level, int name, const void *value, socklen_t length);
int
__wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *length);
int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_close(int fd);

int64_t
__wrap_clock_ms(void)
{
	return now;
}

int64_t
__wrap_clock_us(void)
{
	return now * 1000;
}

/* It takes a millisecond: once, whatever the length. */
void
__wrap_pattern_set_lines(size_t length)
{
	static bool is_set;

	FUZZ_CHECK(length > 0);
	if (!is_set)
		__real_pattern_set_lines(LINE);
	is_set = true;
}

static void
say(const void *bytes, size_t length)
{
	if (length > ROOM - answer_size)
		length = ROOM - answer_size;
	if (far_fin || far_error != 0)
		return;
	memcpy(answer + answer_size, bytes, length);
	answer_size += length;
}

static void
echo(size_t length, unsigned char change)
{
	unsigned char piece[ROOM];
	size_t before = answer_size;

	if (length > asked_size - echoed)
		length = asked_size - echoed;
	if (length == 0)
		return;
	memcpy(piece, asked + echoed, length);
	piece[length - 1] ^= change;
	say(piece, length);
	echoed += answer_size - before;
	honest = honest && (change == 0 || answer_size == before);
}

static void
literally(void)
{
	size_t length, before = answer_size;
	const uint8_t *text = fuzz_until(&input, '"', &length);

	say(text, length);
	honest = honest && answer_size == before;
}

static void
fail(uint8_t how)
{
	static const int errors[] = { ECONNRESET, ETIMEDOUT, EHOSTUNREACH,
		ENETUNREACH, EPIPE, EACCES };

	if (far_error == 0 && !far_fin)
		far_error = errors[how % 6];
}

/* What the far end does next. */
static void
play(void)
{
	uint8_t step = 0;

	while (input.left > 0 && step != '.') {
		step = fuzz_byte(&input);
		switch (step) {
		case '"':
			literally();
			break;
		case 'e':
			echo(fuzz_byte(&input), 0);
			break;
		case 'E':
			echo(ROOM, 0);
			break;
		case 'x':
			echo(1, fuzz_byte(&input));
			break;
		case 'f':
			far_fin = far_fin || far_error == 0;
			break;
		case 'r':
			fail(fuzz_byte(&input));
			break;
		case 't':
			now += STEP_MS * (int64_t)fuzz_byte(&input);
			break;
		case 'w':
			window = fuzz_byte(&input);
			break;
		}
	}
}

static bool
is_readable(void)
{
	return taken < answer_size || far_fin || far_error != 0;
}

/* Something happens within that time, or it passes. */
static bool
wait_for(bool reading, bool writing, int64_t ms)
{
	int64_t until = now + ms;

	FUZZ_CHECK(ms >= 0 && ms <= TIMEOUT_MS + INTERVAL_MS);
	while (!(reading && is_readable()) && !(writing && window > 0)) {
		if (input.left == 0 || now >= until) {
			now = now < until ? until : now;
			return false;
		}
		play();
	}
	return true;
}

ssize_t
__wrap_recv(int fd, void *buffer, size_t size, int flags)
{
	size_t n = answer_size - taken;

	FUZZ_CHECK(fd == FD && size > 0);
	if ((flags & MSG_DONTWAIT) == 0) {
		FUZZ_CHECK(receive_ms > 0); /* no wait without a bound */
		wait_for(true, false, receive_ms);
		n = answer_size - taken;
	}
	if (n > size)
		n = size;
	memcpy(buffer, answer + taken, n);
	taken += n;
	if (n > 0)
		return (ssize_t)n;
	if (far_error != 0) {
		errno = far_error;
		error_seen = true;
		return -1;
	}
	errno = EAGAIN;
	fin_seen = far_fin;
	return far_fin ? 0 : -1;
}

ssize_t
__wrap_send(int fd, const void *bytes, size_t size, int flags)
{
	FUZZ_CHECK(fd == FD && !shut && size > 0);
	FUZZ_CHECK(flags == (MSG_DONTWAIT | MSG_NOSIGNAL));
	if (far_error != 0) {
		errno = far_error;
		error_seen = true;
		return -1;
	}
	if (size > window)
		size = window;
	if (size > ROOM - asked_size)
		size = ROOM - asked_size;
	if (size == 0) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(asked + asked_size, bytes, size);
	asked_size += size;
	window -= size;
	return (ssize_t)size;
}

int
__wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	FUZZ_CHECK(count == 1 && fds->fd == FD);
	/* A window that is closed is open again some time. */
	if (!wait_for((fds->events & POLLIN) != 0, (fds->events & POLLOUT) != 0,
		timeout)) {
		window = ROOM;
		return 0;
	}
	fds->revents = (short)(fds->events & (POLLIN | POLLOUT));
	return 1;
}

int
__wrap_shutdown(int fd, int how)
{
	FUZZ_CHECK(fd == FD && how == SHUT_WR);
	shut = true;
	if (far_error == 0)
		return 0;
	errno = ENOTCONN;
	return -1;
}

int
__wrap_setsockopt(
    int fd, int level, int name, const void *value, socklen_t length)
{
	struct timeval tv;

	FUZZ_CHECK(fd == FD && level == SOL_SOCKET && name == SO_RCVTIMEO);
	FUZZ_CHECK(length == sizeof(tv));
	memcpy(&tv, value, sizeof(tv));
	FUZZ_CHECK(tv.tv_usec >= 0 && tv.tv_usec < 1000000);
	receive_ms = (int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000;
	return 0;
}

/* No kernel is there that knew more of it. */
int
__wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
	(void)level;
	FUZZ_CHECK(fd == FD);
	if (name == SO_ERROR && *length == sizeof(int)) {
		memset(value, 0, sizeof(int));
		return 0;
	}
	errno = ENOPROTOOPT;
	return -1;
}

int
__wrap_fcntl(int fd, int command, ...)
{
	va_list args;
	int value;

	va_start(args, command);
	value = va_arg(args, int);
	va_end(args);
	return fd == FD ? 0 : __real_fcntl(fd, command, value);
}

int
__wrap_close(int fd)
{
	FUZZ_CHECK(fd == FD && !closed);
	closed = true;
	return 0;
}

/* The handshake is over. */
bool
__wrap_session_open(
    struct session *s, const struct session_options *o, struct report *report)
{
	memset(s, 0, sizeof(*s));
	s->options = o;
	s->report = report;
	s->fd = FD;
	s->facts.stage = STAGE_TALK;
	session_renew(s);
	s->last_us = clock_us();
	report_connected(report, "127.0.0.1:1", "127.0.0.1:7", 1000);
	return true;
}

/* Whatever the far end has sent: text for a terminal, or JSON, and its end. */
static void
check_text(const struct report *r, const char *text, size_t size)
{
	FUZZ_CHECK(strlen(text) == size);
	if (r->json) {
		FUZZ_CHECK(json_is_lines(text));
		FUZZ_CHECK(strstr(text, "{\"event\":\"summary\"") != NULL);
		return;
	}
	for (const char *p = text; *p != '\0'; p++)
		FUZZ_CHECK(*p == '\n' || (*p >= ' ' && *p <= '~'));
}

/* The word is one that what has happened bears out. */
static void
check_verdict(enum verdict verdict, const char *mode, size_t total)
{
	bool is_echo = strcmp(mode, "echo") == 0;
	bool failed = error_seen;

	FUZZ_CHECK(closed && verdict < VERDICT_COUNT);
	switch (verdict) {
	case VERDICT_OK:
		FUZZ_CHECK(fin_seen && !failed && taken == answer_size);
		/* What was said without an echo may be the right bytes. */
		FUZZ_CHECK(!is_echo || taken == total);
		FUZZ_CHECK(!is_echo || memcmp(answer, asked, total) == 0);
		FUZZ_CHECK(strcmp(mode, "daytime") != 0 || taken > 0);
		break;
	case VERDICT_MISMATCH:
		FUZZ_CHECK(strcmp(mode, "connect") != 0);
		FUZZ_CHECK(!is_echo || !honest);
		FUZZ_CHECK(taken > 0);
		break;
	case VERDICT_CLOSED_EARLY:
		/* Or a RST after it, which send learns of as EPIPE. */
		FUZZ_CHECK(fin_seen || far_error == EPIPE);
		FUZZ_CHECK(is_echo ? taken < total : !fin_seen || taken == 0);
		break;
	case VERDICT_STALLED:
	case VERDICT_TIMED_OUT:
	case VERDICT_HALF_ESTABLISHED:
		FUZZ_CHECK(!fin_seen);
		break;
	case VERDICT_RESET:
	case VERDICT_HOST_UNREACHABLE:
	case VERDICT_NET_UNREACHABLE:
	case VERDICT_PROHIBITED:
	case VERDICT_FAILED:
		FUZZ_CHECK(failed || far_error != 0);
		break;
	default:
		FUZZ_CHECK(false); /* a word for what was before */
	}
}

static void
reset(const uint8_t *data, size_t size)
{
	input = (struct fuzz_input){ data, size };
	now = 1000000;
	asked_size = echoed = answer_size = taken = 0;
	window = ROOM;
	receive_ms = 0;
	far_error = 0;
	far_fin = shut = closed = fin_seen = error_seen = false;
	honest = true;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_keep_stderr();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "echo", "daytime", "connect" };
	struct session_options options = { .host = "far",
		.port = 7,
		.timeout_ms = TIMEOUT_MS,
		.interval_ms = INTERVAL_MS };
	struct report report;
	const char *name;
	char *text;
	size_t length;
	uint8_t how;
	FILE *out = open_memstream(&text, &length);

	FUZZ_CHECK(out != NULL);
	reset(data, size);
	how = fuzz_byte(&input);
	name = names[how % 3];
	options.count = 1 + how / 3 % 4;
	options.size = 1 + (size_t)fuzz_byte(&input) * 17;
	report_init(&report, out, name, options.host, options.port);
	report.json = how / 12 % 2 != 0;
	report.quiet = how / 24 % 4 == 0;
	check_verdict(mode_run(mode_find(name), &options, &report), name,
	    (size_t)options.count * options.size);
	FUZZ_CHECK(fclose(out) == 0);
	check_text(&report, text, length);
	/* Each round trip, and the end, has its time, and the far end its. */
	FUZZ_CHECK(asked_size <= options.count * options.size);
	free(text);
	return 0;
}
