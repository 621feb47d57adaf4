/*
 * idle: for how long a connection to an echo server may be idle before a
 * firewall, a NAT or a load balancer forgets it, and which keepalive prevents
 * that.
 */
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "probe/bisect.h"
#include "probe/echo.h"
#include "probe/idle_report.h"
#include "probe/mode.h"
#include "probe/trial.h"

/* The advice is proved for so many times the limit. */
#define PROOF 3

/* A FIN once may be a server that is restarted. */
#define ENDED_ROUNDS 2

struct search {
	struct session_options options;
	char host[NI_MAXHOST]; /* that the first connection has reached */
	struct report *report;
	struct report quiet; /* for all connections but the first */
	struct bisect bisect;
	struct idle_answer answer;
	int64_t deadline; /* of clock_ms, for all of it */
	unsigned int ended_rounds;
	struct trial trials[BISECT_PARALLEL_MAX];
	bool told[BISECT_PARALLEL_MAX];
	size_t count;
	struct trial gone;          /* the last that is, see its state */
	const struct trial *broken; /* what the verdict is of, or NULL */
};

/* A round, of which there will be bisect_rounds at most. */
static int64_t
round_most(const struct search *s, int64_t longest_ms)
{
	return longest_ms + 2 * s->options.timeout_ms;
}

static int64_t
search_most(const struct search *s)
{
	const struct bisect *b = &s->bisect;

	return bisect_rounds(b->max_ms, b->precision_ms, b->parallel) *
	    round_most(s, b->max_ms);
}

/* A name may have several addresses, and the ways there several limits. */
static void
stay_with(struct search *s, int fd)
{
	struct sockaddr_storage peer;
	socklen_t length = sizeof(peer);

	if (getpeername(fd, (struct sockaddr *)&peer, &length) == 0 &&
	    getnameinfo((struct sockaddr *)&peer, length, s->host,
		sizeof(s->host), NULL, 0, NI_NUMERICHOST) == 0)
		s->options.host = s->host;
}

static bool
open_one(struct search *s, struct trial *t, int64_t idle_ms)
{
	bool first = *s->host == '\0';

	if (!trial_open(t, &s->options, first ? s->report : &s->quiet, idle_ms))
		return false;
	if (first)
		stay_with(s, t->session.fd);
	return true;
}

/*
 * The longest first, so that no short one is due before all are there. False
 * when one could not.
 */
static bool
open_all(struct search *s, const int64_t *idle_ms, size_t count)
{
	s->count = count;
	for (size_t i = count; i-- > 0;) {
		s->told[i] = false;
		if (open_one(s, &s->trials[i], idle_ms[i]))
			continue;
		s->broken = &s->trials[i];
		while (++i < count)
			trial_close(&s->trials[i]);
		return false;
	}
	return true;
}

/* Whether those that are not over could not change anything. */
static bool
is_decided(const struct search *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (!trial_is_over(&s->trials[i]))
			return false;
		if (s->trials[i].state == TRIAL_GONE)
			return true;
	}
	return true;
}

static void
step_all(struct search *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct trial *t = &s->trials[i];

		trial_step(t);
		if (t->state == TRIAL_BROKEN)
			s->broken = t;
		if (trial_is_over(t) && !s->told[i]) {
			s->told[i] = true;
			idle_report_trial(s->report, t);
		}
	}
}

/* Until it is decided. False when one of them was broken. */
static bool
run_all(struct search *s)
{
	for (;;) {
		step_all(s);
		if (s->broken != NULL || is_decided(s))
			break;
		trial_wait(s->trials, s->count);
	}
	for (size_t i = 0; i < s->count; i++)
		trial_close(&s->trials[i]);
	return s->broken == NULL;
}

/* What the search does not need, and the answer does. */
static void
note(struct search *s)
{
	struct idle_answer *a = &s->answer;
	int64_t ended = 0, longest = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct trial *t = &s->trials[i];

		if (t->state == TRIAL_GONE) {
			a->how = t->verdict;
			s->gone = *t;
			break;
		}
		if (t->state == TRIAL_ENDED &&
		    (ended == 0 || t->idled_ms < ended))
			ended = t->idled_ms;
		if (t->state == TRIAL_ALIVE) {
			longest = t->idled_ms;
			a->kept = t->kept;
		}
	}
	/* One that was idle for longer says that it is no timeout. */
	if (ended == 0 || longest > ended)
		return;
	if (a->ended_ms == 0 || ended < a->ended_ms)
		a->ended_ms = ended;
	s->ended_rounds++;
}

/* A FIN came through: until then nothing had forgotten the connection. */
static void
learn(struct search *s)
{
	struct bisect_result results[BISECT_PARALLEL_MAX];
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct trial *t = &s->trials[i];

		if (!trial_is_over(t))
			continue;
		results[n].idle_ms = t->idled_ms;
		results[n++].alive = t->state != TRIAL_GONE;
	}
	bisect_learn(&s->bisect, results, n);
	s->answer.alive_ms = s->bisect.alive_ms;
	s->answer.dead_ms = s->bisect.dead_ms;
	note(s);
}

static bool
is_ended(const struct search *s)
{
	return s->ended_rounds >= ENDED_ROUNDS && s->bisect.dead_ms == 0 &&
	    s->bisect.suspect_ms == 0;
}

/* Round after round. False when a connection failed otherwise. */
static bool
look(struct search *s)
{
	int64_t idle_ms[BISECT_PARALLEL_MAX];
	size_t n;

	while (!is_ended(s) && (n = bisect_plan(&s->bisect, idle_ms)) > 0) {
		if (clock_ms() + round_most(s, idle_ms[n - 1]) > s->deadline)
			break;
		idle_report_round(s->report, s->bisect.rounds + 1, idle_ms, n);
		if (!open_all(s, idle_ms, n) || !run_all(s))
			return false;
		learn(s);
	}
	return true;
}

/* Once. A FIN that comes through proves as much as an answer. */
static bool
hold(struct search *s, int64_t hold_ms)
{
	struct idle_answer *a = &s->answer;
	const struct trial *t = &s->trials[0];

	idle_report_hold(s->report, a, hold_ms);
	if (!open_all(s, &hold_ms, 1))
		return false;
	if (!trial_keep_alive(&s->trials[0], a->idle_s, a->interval_s)) {
		s->broken = t;
		return false;
	}
	if (!run_all(s))
		return false;
	a->held_ms = t->idled_ms;
	a->proved = t->state != TRIAL_GONE && t->idled_ms > a->dead_ms;
	return true;
}

/* A connection may be lost by bad luck here as well: it is tried twice. */
static bool
prove(struct search *s)
{
	struct idle_answer *a = &s->answer;
	int64_t hold_ms = PROOF * a->dead_ms;

	a->advised = bisect_advice(a->alive_ms, &a->idle_s, &a->interval_s);
	if (!a->advised)
		return true;
	if (!hold(s, hold_ms))
		return false;
	if (!a->proved && clock_ms() + round_most(s, hold_ms) <= s->deadline)
		return hold(s, hold_ms);
	return true;
}

static enum idle_limit
limit_of(const struct search *s)
{
	if (is_ended(s))
		return IDLE_ENDED;
	if (s->bisect.dead_ms != 0)
		return IDLE_FOUND;
	/* One was lost, and there was no time to ask again. */
	return s->bisect.suspect_ms != 0 ? IDLE_UNKNOWN : IDLE_NONE;
}

/* The verdict of the connection that decided it, if it was no good end. */
static enum verdict
summarize(struct search *s, int64_t began)
{
	static const struct verdict_facts done = { .stage = STAGE_DONE };
	const struct trial *bad = s->broken;
	struct idle_answer *a = &s->answer;

	if (bad == NULL && a->limit == IDLE_UNKNOWN)
		bad = &s->gone;
	a->kept = a->kept && a->limit == IDLE_NONE;
	a->took_ms = clock_ms() - began;
	s->report->idle = a;
	if (bad == NULL) {
		report_summary(s->report, VERDICT_OK, &done, NULL);
		return VERDICT_OK;
	}
	report_summary(
	    s->report, bad->verdict, &bad->session.facts, bad->session.cause);
	return bad->verdict;
}

enum verdict
idle_run(const struct session_options *options, struct report *report)
{
	static struct search s;
	int64_t began = clock_ms(), most;

	echo_in_lines(options->size);
	memset(&s, 0, sizeof(s));
	s.options = *options;
	s.report = report;
	s.quiet = *report;
	s.quiet.quiet = true;
	bisect_init(&s.bisect, options->max_ms, options->precision_ms,
	    options->parallel);
	most = search_most(&s) + round_most(&s, PROOF * options->max_ms);
	idle_report_search(report, &s.bisect, most);
	s.deadline = began + search_most(&s);
	if (look(&s)) {
		s.answer.limit = limit_of(&s);
		s.deadline = began + most;
		if (s.answer.limit == IDLE_FOUND)
			(void)prove(&s);
	}
	return summarize(&s, began);
}
