#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE 2048 /* below PIPE_BUF, so a pipe takes it whole */

/* How a line is written to a descriptor without ever waiting for a reader. */
enum sink {
	SINK_PLAIN,  /* write(2): a regular file, or our own
			non-blocking open of a pipe or a terminal */
	SINK_POLLED, /* look with poll(2) first: shared with others */
	SINK_SOCKET  /* send(2) with MSG_DONTWAIT */
};

static struct {
	enum log_target target;
	int level;
	const _Atomic uint32_t *followed; /* instead of level; NULL: none */
	enum sink sink;                   /* of stderr */
	int stderr_fd; /* STDERR_FILENO or our own open of it */
	int syslog_fd; /* -1: not connected */
	bool journal;  /* stderr is systemd's journal */
	bool copy;     /* syslog lines go to stderr too */
	bool worker;
	enum log_health health;
	uint64_t lost;
	FILE *tee; /* warnings and errors go there too, or NULL */
} out = { .target = LOG_TO_STDERR,
	.level = LOG_INFO,
	.sink = SINK_POLLED,
	.stderr_fd = STDERR_FILENO,
	.syslog_fd = -1 };

static const struct {
	const char *name;
	int level;
} levels[] = { { "error", LOG_ERR }, { "warning", LOG_WARNING },
	{ "notice", LOG_NOTICE }, { "info", LOG_INFO },
	{ "debug", LOG_DEBUG } };

const char *
log_level_name(int level)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (levels[i].level == level)
			return levels[i].name;
	return NULL;
}

int
log_level_parse(const char *name)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcmp(levels[i].name, name) == 0)
			return levels[i].level;
	return -1;
}

/*
 * stderr may be shared with a shell or a supervisor, so O_NONBLOCK must not
 * be set on it: the flag belongs to the open file description. A pipe and a
 * terminal can be opened once more through /proc, with a description of our
 * own. A regular file must not be: a second offset would overwrite lines.
 */
static void
stderr_open(void)
{
	struct stat st;
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	int fd;

	if (fstat(STDERR_FILENO, &st) < 0)
		return;
	snprintf(own, sizeof(own), "%" PRIuMAX ":%" PRIuMAX,
	    (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	out.journal = stream != NULL && strcmp(stream, own) == 0;
	if (S_ISREG(st.st_mode)) {
		out.sink = SINK_PLAIN;
	} else if (S_ISSOCK(st.st_mode)) {
		out.sink = SINK_SOCKET;
	} else {
		fd = open("/proc/self/fd/2",
		    O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd >= 0) {
			out.stderr_fd = fd;
			out.sink = SINK_PLAIN;
		}
	}
}

static int
syslog_connect(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX,
		.sun_path = "/dev/log" };
	int fd, saved;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

void
log_open(enum log_target target, int level)
{
	out.level = level;
	/*
	 * A reader that went away and a file at RLIMIT_FSIZE are errors of
	 * write, not our end.
	 */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		fatal("signals of a log that cannot be written");
	stderr_open();
	if (target == LOG_TO_SYSLOG) {
		out.syslog_fd = syslog_connect();
		if (out.syslog_fd < 0)
			log_warn(
			    "no syslog at /dev/log, log lines are lost "
			    "until a syslogd runs; or use -F or -d for stderr");
	}
	out.target = target;
}

/* Back to the inherited stderr, which other processes share. */
static void
forget_own_stderr(void)
{
	if (out.stderr_fd == STDERR_FILENO)
		return;
	close(out.stderr_fd);
	out.stderr_fd = STDERR_FILENO;
	out.sink = SINK_POLLED;
}

void
log_copy_to_stderr(bool yes)
{
	out.copy = yes;
	if (!yes && out.target == LOG_TO_SYSLOG)
		forget_own_stderr();
}

int
log_descriptor(void)
{
	if (out.target == LOG_TO_SYSLOG)
		return out.syslog_fd;
	return out.stderr_fd == STDERR_FILENO ? -1 : out.stderr_fd;
}

enum log_health
log_health(void)
{
	return out.health;
}

void
log_reopen(void)
{
	if (out.target != LOG_TO_SYSLOG)
		return;
	if (out.syslog_fd >= 0)
		close(out.syslog_fd);
	out.syslog_fd = syslog_connect();
}

void
log_enter_worker(void)
{
	out.worker = true;
	out.tee = NULL;
	out.lost = 0; /* those of the master are counted there */
	if (out.target == LOG_TO_SYSLOG)
		forget_own_stderr();
}

void
log_release_stderr(void)
{
	if (out.target != LOG_TO_SYSLOG)
		return;
	out.copy = false;
	if (dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
		fatal("dup2 to stderr");
}

void
log_tee(FILE *to)
{
	out.tee = to;
}

uint64_t
log_lost(void)
{
	return out.lost;
}

void
log_set_level(int level)
{
	out.level = level;
}

void
log_follow_level(const _Atomic uint32_t *level)
{
	out.followed = level;
}

/* Another worker may have written anything to what is followed. */
int
log_level(void)
{
	if (out.followed != NULL)
		return (int)atomic_load_explicit(
		    out.followed, memory_order_relaxed);
	return out.level;
}

bool
log_wants(int level)
{
	return level <= log_level();
}

static bool
write_stderr(const char *line, size_t len)
{
	struct pollfd p = { .fd = out.stderr_fd, .events = POLLOUT };

	if (out.sink == SINK_SOCKET)
		return send(out.stderr_fd, line, len,
			   MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len;
	if (out.sink == SINK_POLLED &&
	    (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT)))
		return false;
	return write(out.stderr_fd, line, len) == (ssize_t)len;
}

/*
 * The master opens a dead socket again at once. A worker may be in a chroot
 * and cannot: it says so through log_health and leaves for a successor.
 */
static bool
write_syslog(const char *line, size_t len)
{
	if (out.syslog_fd >= 0 &&
	    send(out.syslog_fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return true;
	if (out.syslog_fd >= 0 &&
	    (errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE))
		return false;
	if (out.worker) {
		out.health = out.syslog_fd >= 0 ? LOG_DEAD : LOG_MUTE;
		return false;
	}
	if (out.syslog_fd >= 0)
		close(out.syslog_fd);
	out.syslog_fd = syslog_connect();
	return out.syslog_fd >= 0 &&
	    send(out.syslog_fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

/*
 * RFC 3164 wants English month names whatever the locale. localtime_r does
 * not look at /etc/localtime again after tzset(3), which main calls.
 */
static void
timestamp(char *to, size_t size, bool syslog_style)
{
	static const char month[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm) == NULL) {
		*to = '\0';
	} else if (syslog_style) {
		snprintf(to, size, "%.3s %2d %02d:%02d:%02d",
		    month + 3 * tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min,
		    tm.tm_sec);
	} else {
		snprintf(to, size, "%04d-%02d-%02d %02d:%02d:%02d",
		    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		    tm.tm_min, tm.tm_sec);
	}
}

/* The line as its target wants it; returns its length, at most size - 1. */
static size_t
compose(char *line, size_t size, bool for_syslog, int level, const char *text)
{
	char when[64];
	int n;

	if (!for_syslog && out.journal) {
		n = snprintf(line, size, "<%d>%s\n", level, text);
	} else {
		timestamp(when, sizeof(when), for_syslog);
		if (for_syslog)
			n = snprintf(line, size, "<%d>%s preforkd[%d]: %s",
			    LOG_DAEMON | level, when, (int)getpid(), text);
		else
			n = snprintf(line, size, "%s preforkd[%d]: %s: %s\n",
			    when, (int)getpid(), log_level_name(level), text);
	}
	if (n < 0)
		return 0;
	if ((size_t)n < size)
		return (size_t)n;
	if (!for_syslog)
		line[size - 2] = '\n';
	return size - 1;
}

static void
emit(int level, const char *text)
{
	char line[LINE_SIZE + 128];
	bool written = true;
	size_t len;

	if (out.target == LOG_TO_SYSLOG) {
		len = compose(line, sizeof(line), true, level, text);
		written = write_syslog(line, len);
	}
	if (out.target == LOG_TO_STDERR || out.copy) {
		len = compose(line, sizeof(line), false, level, text);
		written = write_stderr(line, len) && written;
	}
	if (!written)
		out.lost++;
}

static bool
is_gathered(int level)
{
	return out.tee != NULL && level <= LOG_WARNING;
}

static void __attribute__((format(printf, 3, 0)))
vlog(int level, int error, const char *format, va_list ap)
{
	int saved = errno;
	char text[LINE_SIZE];
	size_t used;

	if (log_wants(level) || is_gathered(level)) {
		vsnprintf(text, sizeof(text), format, ap);
		used = strlen(text);
		if (error != 0 && used < sizeof(text))
			snprintf(text + used, sizeof(text) - used, ": %s",
			    strerror(error));
		if (is_gathered(level))
			fprintf(out.tee, "%s\n", text);
		if (log_wants(level))
			emit(level, text);
	}
	errno = saved;
}

#define LOG_FUNCTION(name, level, error)                                       \
	void name(const char *format, ...)                                     \
	{                                                                      \
		va_list ap;                                                    \
                                                                               \
		va_start(ap, format);                                          \
		vlog(level, error, format, ap);                                \
		va_end(ap);                                                    \
	}

LOG_FUNCTION(log_errorx, LOG_ERR, 0)
LOG_FUNCTION(log_warn, LOG_WARNING, errno)
LOG_FUNCTION(log_warnx, LOG_WARNING, 0)
LOG_FUNCTION(log_notice, LOG_NOTICE, 0)
LOG_FUNCTION(log_info, LOG_INFO, 0)
LOG_FUNCTION(log_debug, LOG_DEBUG, 0)

/* A worker must not run the master's atexit handlers, so it never exits. */
static _Noreturn void
leave(void)
{
	if (out.worker)
		_exit(1);
	exit(1);
}

void
fatal(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vlog(LOG_ERR, errno, format, ap);
	va_end(ap);
	leave();
}

void
fatalx(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vlog(LOG_ERR, 0, format, ap);
	va_end(ap);
	leave();
}
