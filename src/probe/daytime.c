/*
 * daytime: RFC 867. A line comes, and a FIN; we say nothing.
 */
#include <poll.h>
#include <string.h>

#include "common/clock.h"
#include "probe/mode.h"
#include "probe/text.h"

/*
 * A server that says nothing and one that knows of no connection look the same,
 * for we say nothing either. In the middle of the time our FIN, which daytime
 * does not care about, has the far kernel say which it is: it acknowledges that
 * or not.
 */
static bool
wait_for_more(struct session *s)
{
	int64_t middle = s->renewed + (s->deadline - s->renewed) / 2;

	if (!s->shut && s->received == 0) {
		if (session_wait_until(s, POLLIN, middle))
			return true;
		session_shut(s);
	}
	return session_wait(s, POLLIN);
}

bool
daytime_talk(struct session *s)
{
	int64_t before = clock_us(), first = 0;
	enum session_result got;
	char line[DAYTIME_LINE_SIZE];
	size_t length = 0, n;

	s->report->asked++;
	for (;;) {
		got = session_recv(s, line + length, sizeof(line) - length, &n);
		if (got == SESSION_FAILED)
			return false;
		if (got == SESSION_FIN)
			break;
		if (got == SESSION_NOTHING && !wait_for_more(s))
			return false;
		if (length == 0 && n > 0)
			first = s->last_us - before;
		length += n;
		if (length == sizeof(line) || !text_is_text(line, length))
			return session_differs(s);
	}
	if (length == 0)
		return session_closed_early(s);
	/* What ends the line is no part of it. */
	while (length > 0 && strchr("\r\n", line[length - 1]) != NULL)
		length--;
	report_line(s->report, line, length, first, s->last_us - before);
	return true;
}
