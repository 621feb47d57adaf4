#include "probe/trial.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/ledger.h"
#include "connection/tcpstate.h"
#include "probe/bisect.h"
#include "probe/echo.h"

bool
trial_is_over(const struct trial *t)
{
	return t->state != TRIAL_IDLE && t->state != TRIAL_ASKED;
}

/* Since the last byte came; our kernel acknowledges that a moment later. */
static int64_t
idle_for(const struct trial *t)
{
	return (clock_us() - t->session.last_us) / 1000;
}

/*
 * A proxy may acknowledge for a far end that it has lost, so that "stalled" is
 * as good as silence: that the server answered at all was seen before.
 */
static enum trial_state
state_of(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_CLOSED_EARLY:
		return TRIAL_ENDED;
	case VERDICT_MISMATCH:
	case VERDICT_FAILED:
		return TRIAL_BROKEN;
	default:
		return TRIAL_GONE;
	}
}

static void
fail(struct trial *t)
{
	if (t->state == TRIAL_IDLE)
		t->idled_ms = idle_for(t);
	t->verdict = session_close(&t->session);
	t->state = state_of(t->verdict);
}

bool
trial_open(struct trial *t, const struct session_options *options,
    const struct report *report, int64_t idle_ms)
{
	memset(t, 0, sizeof(*t));
	t->report = *report;
	if (!session_open(&t->session, options, &t->report)) {
		fail(t);
		t->state = TRIAL_BROKEN;
		return false;
	}
	t->report.quiet = true;
	if (!echo_round_trip(&t->session, 1)) {
		fail(t);
		t->state = TRIAL_BROKEN;
		return false;
	}
	t->state = TRIAL_IDLE;
	t->due_ms = t->session.last_us / 1000 + idle_ms;
	t->segments = tcpstate_segments_in(t->session.fd);
	return true;
}

bool
trial_keep_alive(struct trial *t, unsigned int idle_s, unsigned int interval_s)
{
	const struct {
		int level, option, value;
	} options[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, (int)idle_s },
		{ IPPROTO_TCP, TCP_KEEPINTVL, (int)interval_s },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (setsockopt(t->session.fd, options[i].level,
			options[i].option, &options[i].value,
			sizeof(options[i].value)) < 0) {
			t->session.facts.error = errno;
			fail(t);
			t->state = TRIAL_BROKEN;
			return false;
		}
	return true;
}

static void
ask(struct trial *t)
{
	int64_t segments = tcpstate_segments_in(t->session.fd);

	t->idled_ms = idle_for(t);
	t->kept = t->segments != LEDGER_UNKNOWN && segments > t->segments;
	t->state = TRIAL_ASKED;
	session_renew(&t->session);
}

void
trial_step(struct trial *t)
{
	struct session *s = &t->session;
	uint64_t end;

	if (trial_is_over(t))
		return;
	if (echo_take(s) == SESSION_FAILED) {
		fail(t);
		return;
	}
	if (t->state == TRIAL_IDLE && clock_ms() >= t->due_ms)
		ask(t);
	if (t->state == TRIAL_IDLE)
		return;
	end = 2 * s->options->size;
	if (s->sent < end && echo_give(s, end) == SESSION_FAILED) {
		fail(t);
	} else if (s->received == end) {
		t->state = TRIAL_ALIVE;
		session_close(s);
	} else if (clock_ms() >= s->deadline) {
		s->facts.late = true;
		fail(t);
	}
}

void
trial_wait(const struct trial *trials, size_t count)
{
	struct pollfd p[BISECT_PARALLEL_MAX];
	int64_t until = CLOCK_NEVER, next;
	nfds_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (trial_is_over(&trials[i]))
			continue;
		next = trials[i].state == TRIAL_IDLE ?
		    trials[i].due_ms :
		    trials[i].session.deadline;
		until = next < until ? next : until;
		p[n].fd = trials[i].session.fd;
		p[n++].events = POLLIN;
	}
	if (n > 0)
		(void)poll(p, n, clock_left(until, clock_ms()));
}

void
trial_close(struct trial *t)
{
	if (!trial_is_over(t))
		session_close(&t->session);
}
