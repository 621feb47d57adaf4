#include "probe/verdict.h"

#include <errno.h>

#include "connection/ending.h"

#define SYN 1 /* its place in the sequence */

/* RFC 792 and RFC 1812; RFC 4443. */
enum { UNREACHABLE = 3, NET_PROHIBITED = 9, HOST_PROHIBITED, FILTERED = 13 };
enum { V6_UNREACHABLE = 1, V6_PROHIBITED = 1, V6_POLICY = 5, V6_REJECTED };

static const struct {
	const char *name;
	int rank; /* see verdict_tells_more */
	const char *hint;
} table[VERDICT_COUNT] = {
	[VERDICT_OK] = { "ok", 9, "" },
	[VERDICT_REFUSED] = { "refused", 8,
	    "Nothing listens there: look at whether the service runs, and on which address and port (ss -ltn); or a firewall rejects with RST." },
	[VERDICT_TIMED_OUT] = { "timed-out", 4,
	    "Nothing came back, as when a firewall drops or the host is down: look with tcpdump, on both ends, at what leaves and what arrives." },
	[VERDICT_HOST_UNREACHABLE] = { "host-unreachable", 5,
	    "The last router, or this machine, found no way to the host: look at whether it is up and answers in its own network (ip neigh)." },
	[VERDICT_NET_UNREACHABLE] = { "net-unreachable", 3,
	    "There is no route to its network: look at the routes (ip route get ADDRESS) here, or on the router that said so." },
	[VERDICT_PROHIBITED] = { "prohibited", 6,
	    "A rule forbids it, and says so: look at the firewall that answered, or at this machine's own rules (nft list ruleset, ip route, ip rule)." },
	[VERDICT_RESET] = { "reset", 7,
	    "The far end broke the connection off with RST: look at the server's log, and for a box in between that forgets connections." },
	[VERDICT_HALF_ESTABLISHED] = { "half-established", 7,
	    "The handshake was done for us alone, the server never took the connection: look at its accept queue (ss -ltn, nstat -az TcpExtListenOverflows), and for a proxy or firewall that answers in its place." },
	[VERDICT_STALLED] = { "stalled", 7,
	    "The far kernel acknowledges, and its program does not answer: look at whether it hangs, is stopped, or has no free worker; if it is only slow, give it more time with -t." },
	[VERDICT_CLOSED_EARLY] = { "closed-early", 7,
	    "The server sent FIN before its answer was complete: look at its log, and at limits or access rules that this address may meet." },
	[VERDICT_MISMATCH] = { "mismatch", 7,
	    "What came is not what this service sends: look at whether the port is the right one, and for a proxy that changes or adds bytes." },
	[VERDICT_UNRESOLVED] = { "unresolved", 2,
	    "The name has no address here: look at its spelling, and at what the resolver says (getent ahosts NAME, /etc/resolv.conf)." },
	[VERDICT_FAILED] = { "failed", 1,
	    "This machine could not try: look at the error, and at its limits (ulimit -n)." },
};

const char *
verdict_name(enum verdict verdict)
{
	return table[verdict].name;
}

const char *
verdict_hint(enum verdict verdict)
{
	return table[verdict].hint;
}

bool
verdict_tells_more(enum verdict first, enum verdict second)
{
	return table[first].rank > table[second].rank;
}

bool
verdict_prohibits(bool v6, uint8_t type, uint8_t code)
{
	if (v6)
		return type == V6_UNREACHABLE &&
		    (code == V6_PROHIBITED || code == V6_POLICY ||
			code == V6_REJECTED);
	return type == UNREACHABLE &&
	    (code == NET_PROHIBITED || code == HOST_PROHIBITED ||
		code == FILTERED);
}

static bool
has_asked(const struct verdict_facts *f)
{
	return f->sent > SYN;
}

/* For a connection that it has, a kernel acknowledges at once what comes. */
static bool
was_never_taken(const struct verdict_facts *f)
{
	return has_asked(f) && !f->heard && f->acked >= 0 && f->acked <= SYN;
}

/*
 * Where a RST answers the first thing that we say, the far kernel has no such
 * connection; one that is sooner than an answer can be was on its way before.
 */
static enum verdict
of_reset(const struct verdict_facts *f)
{
	if (was_never_taken(f) && f->asked_us >= f->rtt_us)
		return VERDICT_HALF_ESTABLISHED;
	return VERDICT_RESET;
}

/* Nothing came, or not all: how far did what we have sent get? */
static enum verdict
of_silence(const struct verdict_facts *f)
{
	struct ending_facts gone = { .cause = CAUSE_STALLED,
		.waited_ms = f->waited_ms,
		.silent_ms = f->silent_ms,
		.probes = f->probes };

	if (f->stage == STAGE_CONNECT)
		return VERDICT_TIMED_OUT;
	if (was_never_taken(f))
		return f->retrans > 0 ? VERDICT_HALF_ESTABLISHED :
					VERDICT_TIMED_OUT;
	if (!has_asked(f) || f->acked >= f->sent)
		return VERDICT_STALLED;
	/* Some of it is not acknowledged: the line is broken, or the window
	 * closed. */
	return ending_decide(&gone) == ENDING_DEAD_PEER ? VERDICT_TIMED_OUT :
							  VERDICT_STALLED;
}

/* See connect(2), tcp(7) and ip(7). */
static enum verdict
of_error(const struct verdict_facts *f)
{
	switch (f->error) {
	case ECONNREFUSED:
		return VERDICT_REFUSED;
	case ETIMEDOUT:
		return of_silence(f);
	case EHOSTUNREACH:
	case EHOSTDOWN:
	case ENONET:
	case ENOPROTOOPT:
	case EPROTO:
		return VERDICT_HOST_UNREACHABLE;
	case ENETUNREACH:
	case ENETDOWN:
		return VERDICT_NET_UNREACHABLE;
	case EINVAL: /* from connect(2): a blackhole route, see ip-route(8) */
		return f->stage == STAGE_CONNECT ? VERDICT_NET_UNREACHABLE :
						   VERDICT_FAILED;
	case EACCES:
	case EPERM:
		return VERDICT_PROHIBITED;
	case ECONNRESET:
	case ECONNABORTED:
		return of_reset(f);
	case EPIPE: /* a RST that came after the peer's FIN */
		return f->stage == STAGE_TALK ? VERDICT_CLOSED_EARLY :
						VERDICT_RESET;
	default:
		return VERDICT_FAILED;
	}
}

enum verdict
verdict_decide(const struct verdict_facts *facts)
{
	if (facts->stage == STAGE_DONE)
		return VERDICT_OK;
	if (facts->stage == STAGE_RESOLVE)
		return VERDICT_UNRESOLVED;
	if (facts->differs)
		return VERDICT_MISMATCH;
	if (facts->closed)
		return VERDICT_CLOSED_EARLY;
	if (facts->prohibited)
		return VERDICT_PROHIBITED;
	if (facts->error != 0)
		return of_error(facts);
	return facts->late ? of_silence(facts) : VERDICT_FAILED;
}
