/*
 * ending: decides which word a connection ended with. Pure: no system call.
 */
#ifndef CONNECTION_ENDING_H
#define CONNECTION_ENDING_H

#include <stdbool.h>

#include "common/ledger.h"

/* Why we stopped serving, where neither a FIN nor an error was the reason. */
enum cause {
	CAUSE_NONE,    /* the service finished, or the peer's FIN */
	CAUSE_IDLE,    /* nothing came for idle-timeout */
	CAUSE_STALLED, /* nothing was acknowledged for send-timeout */
	CAUSE_STOPPED, /* the daemon is stopping */
	CAUSE_REFUSED, /* it was not admitted */
	CAUSE_EVICTED  /* its worker was wanted for another client */
};

/* What happened on a connection. */
struct ending_facts {
	enum cause cause;
	int error;         /* errno of the call that failed, or 0 */
	int64_t waited_ms; /* for the peer, before it was given up with
			      CAUSE_STALLED or ETIMEDOUT: send-timeout or
			      user-timeout; 0: the kernel's own limits */
	int64_t silent_ms; /* then: since its kernel was heard last, or
			      LEDGER_UNKNOWN */
	int64_t probes;    /* then: questions after its window, or keepalive's,
			      since its kernel was heard last */
	bool fin_received; /* the peer's FIN was read */
	bool replied;      /* the service sent all that it had to say and
			      ended the connection itself, as daytime */
};

/*
 * The one word for these facts. An error tells more than how we had come to
 * the end, except that a peer that was given up stays so, and that a connection
 * that we refused or evicted is that, whatever its peer did meanwhile.
 */
enum ending ending_decide(const struct ending_facts *facts);

#endif
