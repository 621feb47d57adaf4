#include "probe/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "probe/interrupt.h"
#include "probe/pattern.h"

#define EVENTS 256
#define LOOK_MS 50           /* how often deadlines are looked at */
#define OPENING_MOST 64      /* at once, which the smallest backlogs hold */
#define IN_A_ROW_LEAST 100   /* failures, after which it is of no use */
#define OTHER_DESCRIPTORS 32 /* than those of connections */

bool
load_draw(struct load *l)
{
	if (l->stopping ||
	    (l->plan->count != 0 && l->tally.begun == l->plan->count))
		return false;
	l->tally.begun++;
	return true;
}

/* Where connections do not stay, the next takes the place of each. */
static void
refill(struct load *l, struct slot *slot)
{
	/* Of those that are open at once all may have met the same. */
	if (l->tally.in_a_row >= IN_A_ROW_LEAST + 2 * l->plan->parallel)
		l->stopping = true;
	if (slot->state == SLOT_FREE && !load_work_stays(l->plan->work) &&
	    load_draw(l))
		slot_start(l, slot);
}

static void
look_at_deadlines(struct load *l, int64_t now)
{
	struct slot *slot;

	for (size_t i = 0; i < l->plan->parallel; i++) {
		slot = &l->slots[i];
		if (slot->state != SLOT_FREE && slot->state != SLOT_RESTING &&
		    slot->session.deadline <= now)
			slot_late(l, slot);
		refill(l, slot);
	}
	l->look = now + LOOK_MS;
}

/* Waits for what happens next, until then (of clock_ms) at most. */
static void
turn(struct load *l, int64_t until)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(l->epoll, events, EVENTS,
	    clock_left(until < l->look ? until : l->look, clock_ms()));
	int64_t now;

	for (int i = 0; i < n; i++)
		slot_event(l, events[i].data.ptr, events[i].events);
	/* Now, so that nobody's time is that of another's handshake. */
	for (int i = 0; i < n; i++)
		refill(l, events[i].data.ptr);
	now = clock_ms();
	if (now >= l->look)
		look_at_deadlines(l, now);
}

static size_t
waiting(const struct load *l)
{
	return l->live - l->resting;
}

/*
 * All but the first, a few at a time, until each has had its first message; or
 * those that are begun when somebody does not want to wait for the rest.
 */
static void
open_all(struct load *l)
{
	size_t next = 1;

	while (next < l->plan->parallel || waiting(l) > 0) {
		if (l->stopping || interrupt_came())
			next = l->plan->parallel;
		if (next < l->plan->parallel && waiting(l) < OPENING_MOST)
			slot_start(l, &l->slots[next++]);
		else
			turn(l, CLOCK_NEVER);
	}
	l->tally.opening_us = clock_us() - l->tally.start_us;
}

/* Whoever rests goes on, but no more at a time than so many. */
static void
wake_all(struct load *l, size_t most)
{
	for (size_t i = 0; i < l->plan->parallel; i++) {
		while (waiting(l) >= most)
			turn(l, CLOCK_NEVER);
		if (l->slots[i].state == SLOT_RESTING)
			slot_go_on(l, &l->slots[i]);
	}
}

static void
start_clock(struct load *l, int64_t now_us)
{
	l->tally.start_us = now_us;
	l->tally.end_us = now_us + l->plan->time_ms * 1000;
}

static void
begin(struct load *l)
{
	struct slot *first = &l->slots[0];
	const bool stays = load_work_stays(l->plan->work);

	start_clock(l, first->session.last_us - first->session.handshake_us);
	if (!stays)
		(void)load_draw(l);
	slot_adopt(l, first);
	if (!stays) {
		for (size_t i = 1; i < l->plan->parallel; i++)
			refill(l, &l->slots[i]);
		return;
	}
	open_all(l);
	start_clock(l, clock_us());
	if (l->plan->work == LOAD_HOLD)
		l->tally.begun = l->tally.connections;
	else
		wake_all(l, SIZE_MAX);
}

/* The time is over: what is under way has its timeout to end in. */
static void
stop(struct load *l)
{
	l->stopping = true;
	for (size_t i = 0; i < l->plan->parallel; i++)
		if (l->plan->work == LOAD_BULK &&
		    l->slots[i].state == SLOT_TALKING)
			session_renew(&l->slots[i].session);
	if (l->plan->work == LOAD_HOLD)
		wake_all(l, OPENING_MOST);
}

static bool
is_over(const struct load *l)
{
	if (l->live > 0)
		return false;
	return l->stopping || load_work_stays(l->plan->work) ||
	    l->tally.begun == l->plan->count;
}

static void
run(struct load *l)
{
	bool in_time = true;

	begin(l);
	while (!is_over(l)) {
		if (in_time && interrupt_came())
			l->tally.end_us = clock_us();
		if (in_time && clock_us() >= l->tally.end_us) {
			in_time = false;
			stop(l);
		}
		turn(l, in_time ? l->tally.end_us / 1000 + 1 : CLOCK_NEVER);
	}
	if (in_time)
		l->tally.end_us = l->tally.last_us > l->tally.start_us ?
		    l->tally.last_us :
		    clock_us();
}

static bool
raise_limit(size_t needed, char *why, size_t size)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= needed)
		return true;
	limit.rlim_cur = needed;
	if (limit.rlim_max < needed)
		limit.rlim_max = needed;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return true;
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	snprintf(why, size,
	    "%zu descriptors are needed, and RLIMIT_NOFILE allows for %llu; raise it (ulimit -n) or use less with -p",
	    needed, (unsigned long long)limit.rlim_max);
	return false;
}

/* On loopback ports of one address are soon used up, and it has many. */
static void
choose_sources(struct load *l)
{
	struct sockaddr_in in;

	memcpy(&in, &l->to.addr, sizeof(in));
	if (l->options->source != NULL || in.sin_family != AF_INET ||
	    ntohl(in.sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
		return;
	in.sin_port = 0;
	for (uint32_t i = 0; i < LOAD_SOURCES; i++) {
		in.sin_addr.s_addr = htonl(UINT32_C(0x7f000101) + i);
		memcpy(&l->sources[i].addr, &in, sizeof(in));
		l->sources[i].length = sizeof(in);
	}
	l->source_count = LOAD_SOURCES;
}

static bool
prepare(struct load *l, char *why, size_t size)
{
	if (!raise_limit(l->plan->parallel + OTHER_DESCRIPTORS, why, size))
		return false;
	l->slots = calloc(l->plan->parallel, sizeof(*l->slots));
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->slots != NULL && l->epoll >= 0) {
		/* A connection that has another's bytes shall be noticed. */
		for (size_t i = 0; i < l->plan->parallel; i++)
			l->slots[i].start =
			    i * 997 * (l->plan->lines ? l->plan->size : 1);
		if (l->plan->lines)
			pattern_set_lines(l->plan->size);
		return true;
	}
	snprintf(why, size, "%zu connections: %s", l->plan->parallel,
	    strerror(errno));
	return false;
}

static enum verdict
sum_up(const struct load *l)
{
	enum verdict most = VERDICT_FAILED;

	if (l->tally.failed == 0)
		return VERDICT_OK;
	for (enum verdict v = VERDICT_OK; v < VERDICT_FAILED; v++)
		if (l->tally.verdicts[v] > 0 &&
		    (most == VERDICT_FAILED ||
			l->tally.verdicts[v] > l->tally.verdicts[most]))
			most = v;
	return most;
}

/* The first connection looks for the address. */
static bool
open_first(struct load *l)
{
	struct session *s = &l->slots[0].session;

	if (!session_open(s, l->options, l->report))
		return false;
	l->to.length = sizeof(l->to.addr);
	if (getpeername(s->fd, (struct sockaddr *)&l->to.addr, &l->to.length) ==
	    0)
		return true;
	s->facts.error = errno;
	return false;
}

enum verdict
load_run(const struct session_options *options, struct report *report)
{
	static struct load load;
	struct load *l = &load;
	struct session *first;
	enum verdict verdict = VERDICT_FAILED;
	char why[160];

	memset(l, 0, sizeof(*l));
	l->options = options;
	l->plan = &options->load;
	l->report = report;
	l->epoll = -1;
	if (!prepare(l, why, sizeof(why))) {
		report_summary(report, verdict,
		    &(struct verdict_facts){ .stage = STAGE_RESOLVE }, why);
	} else if (!open_first(l)) {
		first = &l->slots[0].session;
		verdict = session_close(first);
		report_summary(report, verdict, &first->facts, first->cause);
	} else {
		choose_sources(l);
		interrupt_catch();
		run(l);
		verdict = sum_up(l);
		load_report(l, verdict);
	}
	if (l->epoll >= 0)
		close(l->epoll);
	free(l->slots);
	return verdict;
}
