#include "master/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "master/master.h"

/* What must always have room at the end. */
#define ENDING_SIZE sizeof(", ...")

void
notify_open(struct notify *notify)
{
	const char *name = getenv("NOTIFY_SOCKET");
	size_t length;

	memset(notify, 0, sizeof(*notify));
	if (name == NULL)
		return;
	length = strlen(name);
	if (length < 2 || (name[0] != '/' && name[0] != '@')) {
		log_warnx("NOTIFY_SOCKET %s: neither an absolute path nor "
			  "\"@\" and a name; the service manager is told "
			  "nothing",
		    name);
	} else if (length > sizeof(notify->to.sun_path)) {
		log_warnx("NOTIFY_SOCKET %s: longer than the %zu bytes of a "
			  "socket's name; the service manager is told nothing",
		    name, sizeof(notify->to.sun_path));
	} else {
		notify->to.sun_family = AF_UNIX;
		memcpy(notify->to.sun_path, name, length);
		if (name[0] == '@')
			notify->to.sun_path[0] = '\0';
		notify->length =
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			length);
	}
	unsetenv("NOTIFY_SOCKET");
}

/* Adds a pool to the list; false, with text as it was, where it is full. */
static bool
add_pool(
    const struct pool *pool, bool degraded, bool first, char *text, size_t size)
{
	size_t used = strlen(text), room = size - used;
	int n;

	if (degraded)
		n = snprintf(text + used, room, "%s%s %s %u of %u workers",
		    first ? "" : ", ", pool->plan.service->known.name,
		    pool->listener.address, pool->state.alive,
		    pool->state.wanted);
	else
		n = snprintf(text + used, room, "%s%s %s", first ? "" : ", ",
		    pool->plan.service->known.name, pool->listener.address);
	if (n >= 0 && (size_t)n < room)
		return true;
	text[used] = '\0';
	return false;
}

char *
notify_format(const struct pool_list *pools, char *text, size_t size)
{
	bool degraded = false, first = true, fits = true;
	const struct pool *pool;

	TAILQ_FOREACH(pool, pools, entry)
		degraded = degraded ||
		    (!pool->removed && pool_is_degraded(&pool->state));
	strlcpy(text, degraded ? "degraded: " : "serving ", size);
	TAILQ_FOREACH(pool, pools, entry) {
		if (pool->removed ||
		    (degraded && !pool_is_degraded(&pool->state)))
			continue;
		fits = fits &&
		    add_pool(pool, degraded, first, text, size - ENDING_SIZE);
		first = false;
	}
	if (!fits)
		strlcat(text, ", ...", size);
	return text;
}

/* What manage() saw of the pools in this turn. */
static void
format_counts(const struct pool_list *pools, char counts[NOTIFY_COUNTS_SIZE])
{
	unsigned workers = 0, idle = 0;
	const struct pool *pool;

	TAILQ_FOREACH(pool, pools, entry) {
		workers += pool->state.alive + pool->state.leaving -
		    pool->state.starting;
		idle += pool->removed ? 0 : pool->idle;
	}
	/* Of those that were seen idle some may have been reaped since. */
	if (idle > workers)
		idle = workers;
	snprintf(counts, NOTIFY_COUNTS_SIZE, "; %u busy, %u idle",
	    workers - idle, idle);
}

/* A message that a descriptor goes with, see cmsg(3). */
static ssize_t
send_with(int fd, const struct notify *notify, const char *message, int passed)
{
	struct iovec text = { (char *)(uintptr_t)message, strlen(message) };
	struct sockaddr_un to = notify->to;
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	const struct msghdr m = { .msg_name = &to,
		.msg_namelen = notify->length,
		.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &passed, sizeof(passed));
	return sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/*
 * A socket for each message: none is kept that a worker would have to close,
 * and a manager that was executed anew is found again.
 */
static int
send_message(const struct notify *notify, const char *message, int passed)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), saved;
	ssize_t n;

	if (fd < 0)
		return -1;
	if (passed >= 0)
		n = send_with(fd, notify, message, passed);
	else
		n = sendto(fd, message, strlen(message),
		    MSG_DONTWAIT | MSG_NOSIGNAL,
		    (const struct sockaddr *)&notify->to, notify->length);
	saved = errno;
	close(fd);
	errno = saved;
	return n < 0 ? -1 : 0;
}

static bool
will_pass(int error)
{
	return error == EAGAIN || error == ENOBUFS || error == ENOMEM ||
	    error == EMFILE || error == ENFILE;
}

static void
log_failure(struct notify *notify)
{
	bool is_abstract = notify->to.sun_path[0] == '\0';
	int length = (int)(notify->length -
	    offsetof(struct sockaddr_un, sun_path) - is_abstract);

	if (!notify->failed)
		log_warn("NOTIFY_SOCKET %s%.*s: the service manager cannot be "
			 "told, and may end what it takes for hung; unset it, "
			 "or use Type=exec",
		    is_abstract ? "@" : "", length,
		    notify->to.sun_path + is_abstract);
	notify->failed = true;
}

enum notify_result
notify_send(struct notify *notify, const char *message, int passed)
{
	if (send_message(notify, message, passed) == 0)
		return NOTIFY_SENT;
	if (will_pass(errno))
		return NOTIFY_LATER;
	log_failure(notify);
	return NOTIFY_FAILED;
}

/* What is worth a message; counts alone are not worth trying again. */
enum news { NO_NEWS, NEWS_OF_COUNTS, NEWS };

static enum news
news_of(const struct notify *notify, const char *status, const char *counts,
    int64_t now)
{
	if (!notify->ready || strcmp(status, notify->said) != 0)
		return NEWS;
	return strcmp(counts, notify->counts) == 0 ||
		now < notify->counts_again ?
	    NO_NEWS :
	    NEWS_OF_COUNTS;
}

/* False where it has to be tried again, at notify->full.until. */
static bool
say_reloading(struct notify *notify, int64_t now)
{
	char message[128];

	snprintf(message, sizeof(message),
	    "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\nSTATUS=reloading",
	    notify->reloading_us);
	if (notify_send(notify, message, -1) == NOTIFY_LATER) {
		backoff_fail(&notify->full, now);
		return false;
	}
	notify->reloading_us = 0;
	return true;
}

int64_t
notify_serving(
    struct notify *notify, const struct pool_list *pools, int64_t now)
{
	char message[NOTIFY_STATUS_SIZE + NOTIFY_COUNTS_SIZE +
	    NOTIFY_REFUSED_SIZE + 64] = "";
	char status[NOTIFY_STATUS_SIZE], counts[NOTIFY_COUNTS_SIZE];
	enum news news;
	size_t used;

	if (notify->length == 0)
		return CLOCK_NEVER;
	notify_format(pools, status, sizeof(status));
	format_counts(pools, counts);
	news = news_of(notify, status, counts, now);
	if (news == NO_NEWS)
		return CLOCK_NEVER;
	if (now < notify->full.until)
		return news == NEWS ? notify->full.until : CLOCK_NEVER;
	if (notify->reloading_us != 0 && !say_reloading(notify, now))
		return notify->full.until;
	if (!notify->ready)
		snprintf(message, sizeof(message), "READY=1\nMAINPID=%d\n",
		    (int)getpid());
	used = strlen(message);
	snprintf(message + used, sizeof(message) - used, "STATUS=%s%s%s",
	    status, counts, notify->refused);
	if (send_message(notify, message, -1) < 0) {
		if (will_pass(errno)) {
			backoff_fail(&notify->full, now);
			return news == NEWS ? notify->full.until : CLOCK_NEVER;
		}
		log_failure(notify);
	}
	notify->ready = true;
	strlcpy(notify->said, status, sizeof(notify->said));
	strlcpy(notify->counts, counts, sizeof(notify->counts));
	notify->counts_again = now + NOTIFY_COUNTS_MS;
	return CLOCK_NEVER;
}

void
notify_refused(struct notify *notify, const char *what, const char *why)
{
	snprintf(notify->refused, sizeof(notify->refused), "; %s refused: %s",
	    what, why);
	notify->said[0] = '\0'; /* so that this is news */
}

/* Of what follows, READY=1 tells that it is over. */
void
notify_reloading(struct notify *notify, int64_t now)
{
	if (notify->length == 0)
		return;
	/* In ms it would be before the signal that the manager has sent. */
	notify->reloading_us = clock_us();
	notify->ready = false;
	notify->refused[0] = '\0';
	say_reloading(notify, now);
}

void
notify_stopping(struct notify *notify, int64_t stop_timeout_ms)
{
	char message[128];

	if (notify->length == 0 || notify->stopping)
		return;
	snprintf(message, sizeof(message),
	    "STOPPING=1\nSTATUS=stopping\nEXTEND_TIMEOUT_USEC=%" PRId64,
	    (stop_timeout_ms + NOTIFY_STOP_MARGIN_MS) * 1000);
	if (send_message(notify, message, -1) < 0) {
		if (will_pass(errno))
			return;
		log_failure(notify);
	}
	notify->stopping = true;
}
