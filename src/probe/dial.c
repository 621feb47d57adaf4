#include "probe/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "probe/verdict.h"

void
dial_order(struct resolve_list *list)
{
	struct resolve_list from = *list;
	bool used[RESOLVE_MAX] = { false };
	int last = AF_UNSPEC;
	size_t next;

	for (size_t i = 0; i < from.count; i++) {
		/* Of the other family, or else just the next one. */
		for (next = 0; next < from.count; next++)
			if (!used[next] &&
			    from.all[next].addr.ss_family != last)
				break;
		if (next == from.count)
			for (next = 0; used[next];)
				next++;
		used[next] = true;
		last = from.all[next].addr.ss_family;
		list->all[i] = from.all[next];
	}
}

void
dial_init(struct dial *dial, const struct resolve_list *list,
    const struct resolve_address *source)
{
	memset(dial, 0, sizeof(*dial));
	dial->count = list->count;
	dial->source = source;
	for (size_t i = 0; i < list->count; i++) {
		dial->attempts[i].to = list->all[i];
		dial->attempts[i].fd = -1;
	}
}

static void
set(int fd, int level, int option, int value)
{
	/* Each makes something better, and none is needed. */
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

/* Errors that ICMP brings come with their sender then, see ip(7). */
static void
ask_for_senders(const struct dial_attempt *a, int fd, int on)
{
	if (a->to.addr.ss_family == AF_INET6)
		set(fd, IPPROTO_IPV6, IPV6_RECVERR, on);
	else
		set(fd, IPPROTO_IP, IP_RECVERR, on);
}

static void
note_sender(struct dial_attempt *a, const struct sock_extended_err *e)
{
	const struct sockaddr *from = SO_EE_OFFENDER(e);
	bool v6 = e->ee_origin == SO_EE_ORIGIN_ICMP6;
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (!v6 && e->ee_origin != SO_EE_ORIGIN_ICMP)
		return;
	a->prohibited = verdict_prohibits(v6, e->ee_type, e->ee_code);
	if (a->error == 0)
		a->error = (int)e->ee_errno;
	if (from->sa_family == AF_INET6) {
		memcpy(&in6, from, sizeof(in6));
		inet_ntop(
		    AF_INET6, &in6.sin6_addr, a->sender, sizeof(a->sender));
	} else if (from->sa_family == AF_INET) {
		memcpy(&in, from, sizeof(in));
		inet_ntop(AF_INET, &in.sin_addr, a->sender, sizeof(a->sender));
	}
}

/*
 * errno cannot tell a firewall that forbids from a host that is away, for IPv4:
 * the ICMP message can. Since Linux 5.8 it is in the error queue for a SYN.
 */
static void
read_icmp(struct dial_attempt *a)
{
	union {
		char bytes[512];
		struct cmsghdr aligned;
	} control;
	char packet[64];
	struct iovec part = { packet, sizeof(packet) };
	struct msghdr m = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	struct sock_extended_err e[3]; /* and room for the sender */

	if (recvmsg(a->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL;
	     c = CMSG_NXTHDR(&m, c)) {
		size_t size = c->cmsg_len - CMSG_LEN(0);

		if ((c->cmsg_level != IPPROTO_IP ||
			c->cmsg_type != IP_RECVERR) &&
		    (c->cmsg_level != IPPROTO_IPV6 ||
			c->cmsg_type != IPV6_RECVERR))
			continue;
		memset(e, 0, sizeof(e));
		memcpy(e, CMSG_DATA(c), size < sizeof(e) ? size : sizeof(e));
		note_sender(a, e);
	}
}

static void
fail(struct dial_attempt *a, int error)
{
	a->error = error;
	if (a->fd >= 0)
		read_icmp(a);
	a->took_us = clock_us() - a->began_us;
	a->state = DIAL_FAILED;
	/* A socket whose connect has failed is in no state to try again. */
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
}

/*
 * From a port of its own range the kernel may choose the very port that we
 * connect to, where nobody listens: both SYNs cross, and we would talk to
 * ourselves (RFC 9293, 3.5).
 */
bool
dial_is_ourselves(int fd)
{
	struct sockaddr_storage local, remote;
	socklen_t llen = sizeof(local), rlen = sizeof(remote);

	memset(&local, 0, sizeof(local));
	memset(&remote, 0, sizeof(remote));
	return getsockname(fd, (struct sockaddr *)&local, &llen) == 0 &&
	    getpeername(fd, (struct sockaddr *)&remote, &rlen) == 0 &&
	    llen == rlen && memcmp(&local, &remote, llen) == 0;
}

static void
succeed(struct dial_attempt *a)
{
	if (dial_is_ourselves(a->fd)) {
		fail(a, ECONNREFUSED);
		return;
	}
	a->took_us = clock_us() - a->began_us;
	a->state = DIAL_CONNECTED;
	/* From now on an ICMP error is a hint (RFC 1122, 4.2.3.9). */
	ask_for_senders(a, a->fd, 0);
}

int
dial_open(
    const struct resolve_address *to, const struct resolve_address *source)
{
	int fd = socket(to->addr.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	int error;

	if (fd < 0)
		return -1;
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (source == NULL)
		return fd;
	set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	if (bind(fd, (const struct sockaddr *)&source->addr, source->length) ==
	    0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int
dial_begin(int fd, const struct resolve_address *to)
{
	if (connect(fd, (const struct sockaddr *)&to->addr, to->length) == 0)
		return 0;
	/* The handshake goes on without us, see connect(2). */
	return errno == EINTR ? EINPROGRESS : errno;
}

static void
begin(struct dial *dial, struct dial_attempt *a)
{
	int error;

	a->began_us = clock_us();
	a->state = DIAL_TRYING;
	a->fd = dial_open(&a->to, dial->source);
	if (a->fd < 0) {
		fail(a, errno);
		return;
	}
	ask_for_senders(a, a->fd, 1);
	error = dial_begin(a->fd, &a->to);
	if (error == 0)
		succeed(a);
	else if (error != EINPROGRESS)
		fail(a, error);
}

static int
socket_error(int fd)
{
	socklen_t length = sizeof(int);
	int error = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		return errno;
	return error;
}

/* poll has something to say of it. */
static void
look(struct dial_attempt *a, short events)
{
	int error = socket_error(a->fd);

	if (error == 0 && (events & (POLLERR | POLLHUP)) == 0) {
		succeed(a);
		return;
	}
	/* An ICMP error may be in its queue alone. */
	fail(a, error);
	if (a->error == 0)
		a->error = ECONNRESET;
}

/* Waits for those that are being tried, at most until then. */
static int
wait_for(struct dial *dial, int64_t until)
{
	struct pollfd p[RESOLVE_MAX];
	int n;

	/* poll passes over a descriptor below zero. */
	for (size_t i = 0; i < dial->count; i++) {
		p[i].fd = dial->attempts[i].fd;
		p[i].events = POLLOUT;
		p[i].revents = 0;
	}
	n = poll(p, dial->count, clock_left(until, clock_ms()));
	if (n < 0)
		return errno == EINTR ? 0 : -1;
	for (size_t i = 0; i < dial->count; i++)
		if (p[i].revents != 0)
			look(&dial->attempts[i], p[i].revents);
	return 0;
}

static size_t
in_state(const struct dial *dial, enum dial_state state, size_t *first)
{
	size_t n = 0;

	for (size_t i = dial->count; i-- > 0;)
		if (dial->attempts[i].state == state) {
			n++;
			*first = i;
		}
	return n;
}

/* None was in time. The kernel may have a hint that it has not acted upon. */
static void
fail_all(struct dial *dial)
{
	for (size_t i = 0; i < dial->count; i++)
		if (dial->attempts[i].state == DIAL_TRYING)
			fail(&dial->attempts[i],
			    socket_error(dial->attempts[i].fd));
}

/* All but the winner, whose descriptor it returns. */
static int
leave_others(struct dial *dial)
{
	int fd = dial->attempts[dial->winner].fd;

	dial->attempts[dial->winner].fd = -1;
	for (size_t i = 0; i < dial->count; i++)
		if (dial->attempts[i].fd >= 0) {
			close(dial->attempts[i].fd);
			dial->attempts[i].fd = -1;
			dial->attempts[i].state = DIAL_LEFT;
		}
	return fd;
}

int
dial(struct dial *dial, int64_t deadline)
{
	int64_t next = clock_ms();
	size_t first = 0, failed = 0, before;

	while (in_state(dial, DIAL_CONNECTED, &first) == 0 &&
	    clock_ms() < deadline) {
		before = failed;
		failed = in_state(dial, DIAL_FAILED, &first);
		if (failed == dial->count)
			break;
		if (in_state(dial, DIAL_WAITING, &first) == 0) {
			next = deadline;
		} else if (failed > before || clock_ms() >= next) {
			begin(dial, &dial->attempts[first]);
			next = clock_ms() + DIAL_DELAY_MS;
			continue;
		}
		if (wait_for(dial, next < deadline ? next : deadline) < 0)
			break;
	}
	if (in_state(dial, DIAL_CONNECTED, &dial->winner) > 0)
		return leave_others(dial);
	fail_all(dial);
	return -1;
}

int
dial_check_source(const struct resolve_address *source)
{
	int fd = socket(source->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int result, error;

	if (fd < 0)
		return -1;
	result =
	    bind(fd, (const struct sockaddr *)&source->addr, source->length);
	error = errno;
	close(fd);
	errno = error;
	return result;
}
