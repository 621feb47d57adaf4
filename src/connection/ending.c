#include "connection/ending.h"

#include <errno.h>

/* Below it, one lost answer more or less is most of the time waited. */
#define SHORT_WAIT_MS 2000

/*
 * Whether the peer's kernel had fallen silent, or answers and its program does
 * not read. A closed window is probed after RTO, 2 RTO, 4 RTO and so on (RFC
 * 9293, 3.8.6.1), RTO being 0.2 s and more, so that a kernel that answers each
 * probe was last heard up to half of the time ago: measured, from 2 to 30 s, no
 * more than 0.6 of it. One that is gone was heard before the wait began. The
 * limit lies between the two.
 *
 * But Linux answers no more than once in 0.5 s (tcp_invalid_ratelimit): not the
 * second question, and in a short wait there is no third. So there, a single
 * question without an answer says nothing; after ETIMEDOUT it does, when it was
 * keepalive that asked.
 *
 * Where the kernel's own limits ended it, it had counted probes or
 * retransmissions that nobody answered.
 */
static bool
fell_silent(const struct ending_facts *facts)
{
	if (facts->cause == CAUSE_STALLED && facts->probes == 1 &&
	    facts->waited_ms != 0 && facts->waited_ms < SHORT_WAIT_MS)
		return false;
	return facts->waited_ms == 0 ||
	    (facts->silent_ms != LEDGER_UNKNOWN &&
		facts->silent_ms >= facts->waited_ms - facts->waited_ms / 4);
}

/*
 * What the kernel reports on a TCP socket, see tcp(7) and ip(7). EPIPE is a
 * RST as well: it is what send reports once the RST itself was reported, or
 * when it came after the peer's FIN; we never send after our own.
 */
static enum ending
ending_of_error(int error)
{
	switch (error) {
	case ECONNRESET:
	case EPIPE:
		return ENDING_RESET;
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case ENETDOWN:
	case ENONET:
	case ECONNREFUSED:
	case ENOPROTOOPT:
	case EPROTO:
		return ENDING_UNREACHABLE;
	default:
		return ENDING_FAILED;
	}
}

enum ending
ending_decide(const struct ending_facts *facts)
{
	if (facts->cause == CAUSE_REFUSED)
		return ENDING_REFUSED;
	if (facts->cause == CAUSE_EVICTED)
		return ENDING_EVICTED;
	if (facts->cause == CAUSE_STALLED || facts->error == ETIMEDOUT)
		return fell_silent(facts) ? ENDING_DEAD_PEER : ENDING_STALLED;
	if (facts->error != 0)
		return ending_of_error(facts->error);
	if (!facts->fin_received)
		return ENDING_LINGERED;
	if (facts->cause == CAUSE_IDLE)
		return ENDING_IDLE;
	if (facts->cause == CAUSE_STOPPED)
		return ENDING_STOPPED;
	return facts->replied ? ENDING_SERVED : ENDING_PEER_CLOSED;
}
