/*
 * verdict: decides which word a probe ends with. Pure: no system call.
 */
#ifndef PROBE_VERDICT_H
#define PROBE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

/* preforkprobe(1), VERDICTS, says what each word means. */
enum verdict {
	VERDICT_OK,
	VERDICT_REFUSED,
	VERDICT_TIMED_OUT,
	VERDICT_HOST_UNREACHABLE,
	VERDICT_NET_UNREACHABLE,
	VERDICT_PROHIBITED,
	VERDICT_RESET,
	VERDICT_HALF_ESTABLISHED,
	VERDICT_STALLED,
	VERDICT_CLOSED_EARLY,
	VERDICT_MISMATCH,
	VERDICT_UNRESOLVED,
	VERDICT_FAILED, /* an error of ours: of the far end nothing is known */
	VERDICT_COUNT
};

/* How far a probe has come. */
enum verdict_stage {
	STAGE_RESOLVE, /* the name */
	STAGE_CONNECT, /* the handshake */
	STAGE_TALK,    /* the service */
	STAGE_END,     /* our FIN, and the peer's */
	STAGE_DONE
};

/*
 * What has happened, up to the moment when it ended. From acked on it is of a
 * connection, and means nothing before STAGE_TALK. A number may be
 * LEDGER_UNKNOWN.
 */
struct verdict_facts {
	enum verdict_stage stage;
	int error;        /* errno of the call that failed, or 0 */
	bool prohibited;  /* ICMP: a rule forbids it, see verdict_prohibits */
	bool late;        /* the deadline has passed */
	bool differs;     /* what came is not what should have come */
	bool closed;      /* the peer's FIN, and something was to come before */
	bool heard;       /* some byte of the peer came */
	int64_t sent;     /* our SYN is 1, each byte 1, our FIN 1 */
	int64_t acked;    /* of these; see tcpstate_acked */
	int64_t retrans;  /* segments sent again since the handshake */
	int64_t rtt_us;   /* smoothed */
	int64_t asked_us; /* since our first byte or FIN */
	int64_t waited_ms; /* for what did not come */
	int64_t silent_ms; /* since an acknowledgement came */
	int64_t probes;    /* of the window, since then */
};

/* The one word for these facts. */
enum verdict verdict_decide(const struct verdict_facts *facts);

/*
 * Whether an ICMP message of this type and code (RFC 792, RFC 1812, 5.2.7.1;
 * v6: RFC 4443, 3.1) says that a rule forbids the way. For IPv4, errno is the
 * same as for a host that cannot be reached.
 */
bool verdict_prohibits(bool v6, uint8_t type, uint8_t code);

/*
 * Of two addresses that failed, whether what came of the first tells more: an
 * answer of the host more than one of a router, and that more than none.
 */
bool verdict_tells_more(enum verdict first, enum verdict second);

/* "ok", "refused", "timed-out", ... */
const char *verdict_name(enum verdict verdict);

/* One sentence on what it means and what to look at next; "" for ok. */
const char *verdict_hint(enum verdict verdict);

#endif
