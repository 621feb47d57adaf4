#include "probe/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/clock.h"
#include "connection/finish.h"
#include "connection/tcpstate.h"
#include "probe/dial.h"
#include "probe/interrupt.h"

/* The verdict of one address that could not be connected to. */
static enum verdict
verdict_of(const struct dial_attempt *a, struct verdict_facts *facts)
{
	memset(facts, 0, sizeof(*facts));
	facts->stage = STAGE_CONNECT;
	facts->error = a->error;
	facts->prohibited = a->prohibited;
	facts->late = a->error == 0;
	return verdict_decide(facts);
}

/* Of all that failed, the one that tells most is the session's. */
static void
report_failures(struct session *s, const struct dial *dial)
{
	enum verdict best = VERDICT_COUNT, this;
	struct verdict_facts facts;

	for (size_t i = 0; i < dial->count; i++) {
		if (dial->attempts[i].state != DIAL_FAILED)
			continue;
		this = verdict_of(&dial->attempts[i], &facts);
		report_attempt(s->report, &dial->attempts[i], this);
		if (best == VERDICT_COUNT || verdict_tells_more(this, best)) {
			best = this;
			s->facts = facts;
			s->cause =
			    facts.error == 0 ? NULL : strerror(facts.error);
		}
	}
}

static void
report_success(struct session *s, const struct dial *dial)
{
	const struct dial_attempt *a = &dial->attempts[dial->winner];
	struct sockaddr_storage addr = { .ss_family = AF_UNSPEC };
	char local[ADDR_STRLEN], remote[ADDR_STRLEN];
	socklen_t length = sizeof(addr);

	(void)getsockname(s->fd, (struct sockaddr *)&addr, &length);
	addr_format((struct sockaddr *)&addr, local, sizeof(local));
	addr_format(
	    (const struct sockaddr *)&a->to.addr, remote, sizeof(remote));
	report_connected(s->report, local, remote, a->took_us);
}

static int64_t
retransmissions(int fd)
{
	struct tcpstate state;

	tcpstate_read(fd, false, &state);
	return state.retrans == LEDGER_UNKNOWN ? 0 : state.retrans;
}

static void
set_up(
    struct session *s, const struct session_options *o, struct report *report)
{
	memset(s, 0, sizeof(*s));
	s->options = o;
	s->report = report;
	s->fd = -1;
	session_renew(s);
}

bool
session_open(
    struct session *s, const struct session_options *o, struct report *report)
{
	struct resolve_list list;
	static struct dial attempts;
	int result;

	set_up(s, o, report);
	result = resolve(&list, o->host, o->port, o->family, s->deadline);
	if (result != 0) {
		s->cause = resolve_error(result);
		return false;
	}
	dial_order(&list);
	dial_init(&attempts, &list, o->source);
	s->facts.stage = STAGE_CONNECT;
	s->fd = dial(&attempts, s->deadline);
	report_failures(s, &attempts);
	if (s->fd < 0) {
		/* The name may have taken all of the time. */
		s->facts.late = s->facts.error == 0;
		return false;
	}
	memset(&s->facts, 0, sizeof(s->facts));
	s->facts.stage = STAGE_TALK;
	s->cause = NULL;
	s->retrans = retransmissions(s->fd);
	s->last_us = clock_us();
	s->handshake_us = attempts.attempts[attempts.winner].took_us;
	report_success(s, &attempts);
	return true;
}

bool
session_begin(struct session *s, const struct session_options *o,
    struct report *report, const struct resolve_address *to,
    const struct resolve_address *source)
{
	int error;

	set_up(s, o, report);
	s->facts.stage = STAGE_CONNECT;
	s->fd = dial_open(to, source);
	s->last_us = clock_us();
	error = s->fd < 0 ? errno : dial_begin(s->fd, to);
	if (error == 0 || error == EINPROGRESS)
		return true;
	s->facts.error = error;
	return false;
}

void
session_renew(struct session *s)
{
	s->renewed = clock_ms();
	s->deadline = s->renewed + s->options->timeout_ms;
}

static bool
wait_until(struct session *s, short events, int64_t until, bool interruptible)
{
	struct pollfd p = { .fd = s->fd,
		.events = (short)(events | POLLRDHUP) };
	int n;

	for (;;) {
		if (interruptible && interrupt_came())
			return false;
		/* Never negative, which would be for ever. */
		n = poll(&p, 1, clock_left(until, clock_ms()));
		if (n > 0)
			return true; /* recv and send will say what it is */
		if (n == 0 && clock_ms() >= until)
			return false;
		if (n < 0 && errno != EINTR) {
			s->facts.error = errno;
			return false;
		}
	}
}

bool
session_wait_until(struct session *s, short events, int64_t until)
{
	return wait_until(s, events, until, true);
}

bool
session_wait(struct session *s, short events)
{
	if (wait_until(s, events, s->deadline, false))
		return true;
	if (s->facts.error == 0)
		s->facts.late = true;
	return false;
}

static enum session_result
failed(struct session *s)
{
	if (errno == EAGAIN || errno == EINTR)
		return SESSION_NOTHING;
	s->facts.error = errno;
	return SESSION_FAILED;
}

enum session_result
session_recv(struct session *s, void *buffer, size_t size, size_t *n)
{
	ssize_t got = recv(s->fd, buffer, size, MSG_DONTWAIT);

	*n = got > 0 ? (size_t)got : 0;
	s->received += *n;
	if (got < 0)
		return failed(s);
	if (got > 0) {
		s->last_us = clock_us();
		return SESSION_BYTES;
	}
	s->fin = true;
	s->fin_us = clock_us() - s->last_us;
	return SESSION_FIN;
}

enum session_result
session_send(struct session *s, const void *buffer, size_t size, size_t *n)
{
	ssize_t done;

	if (s->asked_us == 0)
		s->asked_us = clock_us();
	done = send(s->fd, buffer, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	*n = done > 0 ? (size_t)done : 0;
	s->sent += *n;
	return done > 0 ? SESSION_BYTES : failed(s);
}

bool
session_closed_early(struct session *s)
{
	s->facts.closed = true;
	return false;
}

bool
session_differs(struct session *s)
{
	s->facts.differs = true;
	return false;
}

void
session_shut(struct session *s)
{
	if (s->shut)
		return;
	/* Before the call: the answer may be there when it returns. */
	s->last_us = clock_us();
	if (s->asked_us == 0)
		s->asked_us = s->last_us;
	/* ENOTCONN: a RST was first, and recv will say so. */
	(void)shutdown(s->fd, SHUT_WR);
	s->shut = true;
}

/* finish() waits in recv: for it the socket is a blocking one. */
static bool
set_blocking(struct session *s)
{
	int flags = fcntl(s->fd, F_GETFL);

	if (flags >= 0 && fcntl(s->fd, F_SETFL, flags & ~O_NONBLOCK) == 0)
		return true;
	s->facts.error = errno;
	return false;
}

/* Our FIN, and the peer's, which has not come yet. */
static void
exchange_fins(struct session *s, bool allowed)
{
	static const volatile sig_atomic_t never = 0;
	struct io_limits limits = { .linger_ms =
					clock_left(s->deadline, clock_ms()) };
	struct slot_traffic traffic = { 0 };
	struct io io;

	session_shut(s);
	io_init(&io, s->fd, &limits, &traffic, &never);
	finish(&io);
	s->fin = io.facts.fin_received;
	s->fin_us = clock_us() - s->last_us;
	s->received += traffic.in;
	s->facts.error = io.facts.error;
	if (traffic.in > 0 && !allowed)
		s->facts.differs = true;
	else if (io.facts.error == 0 && !s->fin)
		s->facts.late = true;
}

void
session_end(struct session *s, bool allowed)
{
	s->facts.stage = STAGE_END;
	if (!s->fin) {
		if (!set_blocking(s))
			return;
		exchange_fins(s, allowed);
	}
	if (s->fin)
		report_fin(s->report, s->fin_us);
	if (s->fin && !s->facts.differs)
		s->facts.stage = STAGE_DONE;
}

/*
 * At the deadline: an ICMP error that was only a hint for the kernel is what we
 * wanted to know, see SO_ERROR in socket(7).
 */
static void
ask_for_hint(struct session *s)
{
	socklen_t length = sizeof(s->facts.error);

	if (s->facts.late && s->facts.error == 0)
		(void)getsockopt(
		    s->fd, SOL_SOCKET, SO_ERROR, &s->facts.error, &length);
}

static void
gather(struct session *s)
{
	struct verdict_facts *f = &s->facts;
	struct tcpstate state;

	ask_for_hint(s);
	tcpstate_read(s->fd, s->shut, &state);
	tcpstate_silence(s->fd, &f->silent_ms, &f->probes);
	f->heard = s->received > 0;
	f->sent = 1 + (int64_t)s->sent + s->shut;
	f->acked = tcpstate_acked(s->fd);
	f->retrans = retransmissions(s->fd) - s->retrans;
	f->rtt_us = state.rtt_us;
	f->asked_us = s->asked_us == 0 ? 0 : clock_us() - s->asked_us;
	f->waited_ms = clock_ms() - s->renewed;
	if (f->error != 0)
		s->cause = strerror(f->error);
}

enum verdict
session_close(struct session *s)
{
	if (s->fd >= 0) {
		if (s->facts.stage != STAGE_DONE)
			gather(s);
		close(s->fd);
		s->fd = -1;
	}
	return verdict_decide(&s->facts);
}
