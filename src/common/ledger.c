#include "common/ledger.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const names[ENDING_COUNT] = { [ENDING_SERVED] = "served",
	[ENDING_PEER_CLOSED] = "peer-closed",
	[ENDING_RESET] = "reset",
	[ENDING_DEAD_PEER] = "dead-peer",
	[ENDING_STALLED] = "stalled",
	[ENDING_UNREACHABLE] = "unreachable",
	[ENDING_IDLE] = "idle",
	[ENDING_LINGERED] = "lingered",
	[ENDING_STOPPED] = "stopped",
	[ENDING_FAILED] = "failed",
	[ENDING_REFUSED] = "refused",
	[ENDING_EVICTED] = "evicted" };

const char *
ending_name(enum ending ending)
{
	return names[ending];
}

#define NUMBER_SIZE 32

/* A number with that many decimals, counted in units of 10^-decimals. */
static const char *
number(char text[NUMBER_SIZE], int64_t value, int decimals)
{
	int64_t unit = 1;

	for (int i = 0; i < decimals; i++)
		unit *= 10;
	if (value == LEDGER_UNKNOWN)
		snprintf(text, NUMBER_SIZE, "-");
	else if (decimals == 0)
		snprintf(text, NUMBER_SIZE, "%" PRId64, value);
	else
		snprintf(text, NUMBER_SIZE, "%" PRId64 ".%0*" PRId64,
		    value / unit, decimals, value % unit);
	return text;
}

char *
ledger_format(const struct ledger_entry *e, char *line, size_t size)
{
	char in[NUMBER_SIZE], out[NUMBER_SIZE], unacked[NUMBER_SIZE];
	char seconds[NUMBER_SIZE], wait[NUMBER_SIZE], rtt[NUMBER_SIZE];
	char retrans[NUMBER_SIZE];

	snprintf(line, size,
	    "service=%s peer=%s local=%s ending=%s in=%s "
	    "out=%s unacked=%s seconds=%s wait=%s rtt=%s retrans=%s pid=%d",
	    e->service, e->peer, e->local, ending_name(e->ending),
	    number(in, e->in, 0), number(out, e->out, 0),
	    number(unacked, e->unacked, 0), number(seconds, e->milliseconds, 3),
	    number(wait, e->wait_ms, 3), number(rtt, e->rtt_us, 6),
	    number(retrans, e->retrans, 0), (int)e->pid);
	return line;
}
