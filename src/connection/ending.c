#include "connection/ending.h"

#include <errno.h>

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
	case ETIMEDOUT:
		return ENDING_DEAD_PEER;
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
	if (facts->cause == CAUSE_STALLED)
		return ENDING_STALLED;
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
