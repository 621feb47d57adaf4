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
	CAUSE_STOPPED  /* the daemon is stopping */
};

/* What happened on a connection. */
struct ending_facts {
	enum cause cause;
	int error;         /* errno of the call that failed, or 0 */
	bool fin_received; /* the peer's FIN was read */
	bool replied;      /* the service sent all that it had to say and
			      ended the connection itself, as daytime */
};

/*
 * The one word for these facts. An error tells more than how we had come to
 * the end, except that a stalled peer stays stalled.
 */
enum ending ending_decide(const struct ending_facts *facts);

#endif
