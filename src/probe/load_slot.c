/*
 * load_slot: what happens on one connection of a load.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "probe/dial.h"
#include "probe/load.h"
#include "probe/mode.h"
#include "probe/pattern.h"
#include "probe/text.h"

static void
leave(struct load *l, struct slot *slot)
{
	if (slot->state == SLOT_RESTING)
		l->resting--;
	if (slot->state != SLOT_FREE)
		l->live--;
	slot->state = SLOT_FREE;
}

static void
fail(struct load *l, struct slot *slot)
{
	int error = slot->session.facts.error;
	enum verdict verdict = session_close(&slot->session);

	l->tally.verdicts[verdict]++;
	l->tally.failed++;
	l->tally.in_a_row++;
	l->tally.rst += error == ECONNRESET || error == EPIPE;
	leave(l, slot);
}

static void
fail_with(struct load *l, struct slot *slot, int error)
{
	slot->session.facts.error = error;
	fail(l, slot);
}

static bool
watch(struct load *l, struct slot *slot, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = slot };

	if (slot->events == events)
		return true;
	if (epoll_ctl(l->epoll,
		slot->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD,
		slot->session.fd, &e) < 0) {
		fail_with(l, slot, errno);
		return false;
	}
	slot->events = events;
	return true;
}

/* Timed, and counted if the clock runs. */
static void
complete(struct load *l, const struct slot *slot)
{
	int64_t now = clock_us();

	l->tally.completed++;
	l->tally.in_a_row = 0;
	if (now > l->tally.end_us)
		return;
	l->tally.in_time++;
	l->tally.last_us = now;
	histogram_add(&l->tally.latency, now - slot->began_us);
}

static void
rest(struct load *l, struct slot *slot)
{
	slot->state = SLOT_RESTING;
	l->resting++;
}

static void
end(struct load *l, struct slot *slot)
{
	slot->session.facts.stage = STAGE_END;
	session_shut(&slot->session);
	slot->state = SLOT_ENDING;
	(void)watch(l, slot, EPOLLIN | EPOLLRDHUP);
}

/* Sends what it may. Of a bulk the rest waits for what is to be received. */
static void
give(struct load *l, struct slot *slot)
{
	const bool bulk = l->plan->work == LOAD_BULK && !slot->opening;
	struct session *s = &slot->session;
	enum session_result given;
	size_t size, n;

	if (bulk && s->sent == slot->allowed && load_draw(l))
		slot->allowed += l->plan->size;
	while (s->sent < slot->allowed) {
		size = slot->allowed - s->sent < PATTERN_CHUNK ?
		    (size_t)(slot->allowed - s->sent) :
		    PATTERN_CHUNK;
		given = session_send(
		    s, pattern_at(slot->start + s->sent), size, &n);
		if (given == SESSION_FAILED) {
			fail(l, slot);
			return;
		}
		if (given == SESSION_NOTHING || bulk) {
			(void)watch(l, slot, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
			return;
		}
	}
	if (bulk && s->received == slot->allowed)
		end(l, slot);
	else
		(void)watch(l, slot, EPOLLIN | EPOLLRDHUP);
}

/* A message more, on a connection that has none under way. */
static void
ask(struct load *l, struct slot *slot, int64_t now)
{
	slot->state = SLOT_TALKING;
	slot->began_us = now;
	slot->allowed += l->plan->size;
	session_renew(&slot->session);
	give(l, slot);
}

void
slot_go_on(struct load *l, struct slot *slot)
{
	l->resting--;
	slot->state = SLOT_TALKING;
	if (l->plan->work == LOAD_BULK) {
		session_renew(&slot->session);
		give(l, slot);
	} else if (l->plan->work == LOAD_HOLD || load_draw(l)) {
		ask(l, slot, clock_us());
	} else {
		end(l, slot);
	}
}

/* All that was sent has come back. */
static void
answered(struct load *l, struct slot *slot)
{
	if (slot->opening) {
		slot->opening = false;
		if (l->plan->work == LOAD_HOLD)
			histogram_add(
			    &l->tally.latency, clock_us() - slot->began_us);
		rest(l, slot);
		return;
	}
	switch (l->plan->work) {
	case LOAD_ROUND_TRIP:
		complete(l, slot);
		if (load_draw(l))
			ask(l, slot, clock_us());
		else
			end(l, slot);
		break;
	case LOAD_HOLD:
		l->tally.completed++;
		end(l, slot);
		break;
	case LOAD_BULK:
		give(l, slot);
		break;
	default:
		end(l, slot);
	}
}

/* Messages of a bulk are counted when their last byte is back. */
static void
count_bulk(struct load *l, const struct slot *slot, uint64_t before)
{
	uint64_t n =
	    slot->session.received / l->plan->size - before / l->plan->size;

	l->tally.completed += n;
	if (n > 0)
		l->tally.in_a_row = 0;
	if (n > 0 && clock_us() <= l->tally.end_us) {
		l->tally.in_time += n;
		l->tally.last_us = clock_us();
	}
}

static bool
is_wrong(struct load *l, const struct slot *slot, uint64_t before, size_t n)
{
	const struct session *s = &slot->session;

	if (l->plan->work == LOAD_DAYTIME)
		return s->received > DAYTIME_LINE_SIZE ||
		    !text_is_text((const char *)l->buffer, n);
	return s->received > s->sent ||
	    !pattern_matches(l->buffer, slot->start + before, n);
}

static void
take_bytes(struct load *l, struct slot *slot, size_t n)
{
	struct session *s = &slot->session;
	uint64_t before = s->received - n;

	if (is_wrong(l, slot, before, n)) {
		(void)session_differs(s);
		fail(l, slot);
		return;
	}
	if (!slot->opening && s->last_us <= l->tally.end_us)
		l->tally.bytes += n;
	if (l->plan->work == LOAD_BULK && !slot->opening) {
		count_bulk(l, slot, before);
		if (!l->stopping)
			session_renew(s);
	}
	if (l->plan->work != LOAD_DAYTIME && s->received == slot->allowed &&
	    slot->state == SLOT_TALKING)
		answered(l, slot);
}

/* The far end's FIN. A RST may have come behind it. */
static void
take_fin(struct load *l, struct slot *slot, uint32_t events)
{
	struct session *s = &slot->session;
	socklen_t length = sizeof(s->facts.error);
	bool daytime = l->plan->work == LOAD_DAYTIME && s->received > 0;

	if ((events & EPOLLERR) != 0)
		(void)getsockopt(
		    s->fd, SOL_SOCKET, SO_ERROR, &s->facts.error, &length);
	if (s->facts.error == 0 && slot->state != SLOT_ENDING && !daytime)
		(void)session_closed_early(s);
	if (s->facts.error != 0 || s->facts.closed) {
		l->tally.fin += s->facts.error == 0;
		fail(l, slot);
		return;
	}
	l->tally.fin++;
	s->facts.stage = STAGE_DONE;
	if (!load_work_stays(l->plan->work))
		complete(l, slot);
	(void)session_close(s);
	leave(l, slot);
}

/* Receives once, or up to the FIN where there is one. */
static void
take(struct load *l, struct slot *slot, uint32_t events)
{
	size_t n;

	do {
		switch (session_recv(
		    &slot->session, l->buffer, sizeof(l->buffer), &n)) {
		case SESSION_BYTES:
			take_bytes(l, slot, n);
			break;
		case SESSION_FIN:
			take_fin(l, slot, events);
			return;
		case SESSION_FAILED:
			fail(l, slot);
			return;
		case SESSION_NOTHING:
			return;
		}
	} while ((events & EPOLLRDHUP) != 0 && slot->state != SLOT_FREE);
}

/* The handshake is over. False when it was with ourselves. */
static bool
connected(struct load *l, struct slot *slot)
{
	if (slot->state != SLOT_CONNECTING)
		return true;
	slot->state = SLOT_TALKING;
	/* From another address it cannot be. */
	if (l->source_count == 0 && dial_is_ourselves(slot->session.fd)) {
		fail_with(l, slot, ECONNREFUSED);
		return false;
	}
	slot->session.facts.stage = STAGE_TALK;
	return true;
}

void
slot_event(struct load *l, struct slot *slot, uint32_t events)
{
	socklen_t length = sizeof(int);
	int error = 0;

	if ((events & (EPOLLERR | EPOLLHUP)) != 0 && (events & EPOLLIN) == 0) {
		if (getsockopt(slot->session.fd, SOL_SOCKET, SO_ERROR, &error,
			&length) < 0 ||
		    error == 0)
			error = ECONNRESET;
		fail_with(l, slot, error);
		return;
	}
	if (!connected(l, slot))
		return;
	if ((events & EPOLLIN) != 0)
		take(l, slot, events);
	if (slot->state == SLOT_TALKING && (events & EPOLLOUT) != 0)
		give(l, slot);
}

void
slot_late(struct load *l, struct slot *slot)
{
	struct sockaddr_storage peer;
	socklen_t length = sizeof(peer);

	slot->session.facts.late = true;
	/* Of a handshake alone epoll has nothing to say. */
	if (slot->state == SLOT_CONNECTING &&
	    getpeername(slot->session.fd, (struct sockaddr *)&peer, &length) ==
		0)
		slot->session.facts.stage = STAGE_TALK;
	fail(l, slot);
}

static void
talk(struct load *l, struct slot *slot)
{
	slot->opening = load_work_stays(l->plan->work);
	slot->events = 0;
	slot->allowed = l->plan->size;
	l->live++;
	l->tally.connections++;
	/* Mostly the handshake of a near host is over by now. */
	if (l->plan->work == LOAD_DAYTIME)
		(void)watch(l, slot, EPOLLIN | EPOLLRDHUP);
	else
		give(l, slot);
}

void
slot_adopt(struct load *l, struct slot *slot)
{
	slot->began_us = slot->session.last_us - slot->session.handshake_us;
	slot->state = SLOT_TALKING;
	talk(l, slot);
}

void
slot_start(struct load *l, struct slot *slot)
{
	const struct resolve_address *source = l->options->source;

	if (l->source_count > 0)
		source = &l->sources[l->tally.connections % l->source_count];
	if (!session_begin(
		&slot->session, l->options, l->report, &l->to, source)) {
		l->tally.connections++;
		fail(l, slot);
		return;
	}
	slot->began_us = slot->session.last_us;
	slot->state = SLOT_CONNECTING;
	talk(l, slot);
}
