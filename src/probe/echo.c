/*
 * echo: RFC 862. What we send comes back, and every byte of it is looked at.
 */
#include <poll.h>

#include "common/clock.h"
#include "probe/echo.h"
#include "probe/interrupt.h"
#include "probe/mode.h"
#include "probe/pattern.h"

void
echo_in_lines(size_t size)
{
	if (size <= PATTERN_LINE_MOST)
		pattern_set_lines(size);
}

enum session_result
echo_give(struct session *s, uint64_t end)
{
	uint64_t left = end - s->sent;
	size_t size = left < PATTERN_CHUNK ? (size_t)left : PATTERN_CHUNK, n;

	return session_send(s, pattern_at(s->sent), size, &n);
}

enum session_result
echo_take(struct session *s)
{
	unsigned char buffer[PATTERN_CHUNK];
	uint64_t place = s->received;
	enum session_result got;
	size_t n;

	got = session_recv(s, buffer, sizeof(buffer), &n);
	if (got == SESSION_FIN)
		session_closed_early(s);
	if (s->received > s->sent || !pattern_matches(buffer, place, n))
		session_differs(s);
	if (s->facts.closed || s->facts.differs)
		return SESSION_FAILED;
	return got;
}

/*
 * Sends and receives in turn, as there is room: an echo server stops reading
 * where we do not take its answers.
 */
bool
echo_round_trip(struct session *s, uint64_t seq)
{
	uint64_t begin = s->sent, end = begin + s->options->size;
	int64_t before = clock_us(), first = 0;
	enum session_result given = SESSION_NOTHING, taken;

	s->report->asked++;
	for (;;) {
		taken = echo_take(s);
		if (taken == SESSION_FAILED)
			return false;
		if (first == 0 && s->received > begin)
			first = clock_us() - before;
		if (s->received == end)
			break;
		if (s->sent < end) {
			given = echo_give(s, end);
			if (given == SESSION_FAILED)
				return false;
		}
		if (taken == SESSION_BYTES || given == SESSION_BYTES)
			given = SESSION_NOTHING;
		else if (!session_wait(
			     s, s->sent < end ? POLLIN | POLLOUT : POLLIN))
			return false;
	}
	report_trip(
	    s->report, seq, s->options->size, first, clock_us() - before);
	return true;
}

bool
echo_talk(struct session *s)
{
	int64_t next = s->renewed;

	echo_in_lines(s->options->size);
	interrupt_catch();
	for (uint64_t seq = 1; seq <= s->options->count; seq++) {
		if (seq > 1) {
			/* What comes now is not ours, and ends the pause. */
			(void)session_wait_until(s, POLLIN, next);
			if (interrupt_came())
				break;
			session_renew(s);
		}
		next = clock_ms() + s->options->interval_ms;
		if (!echo_round_trip(s, seq))
			return false;
	}
	return true;
}
