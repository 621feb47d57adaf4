/*
 * finish: ends a connection with FIN, never with a RST of ours that could
 * destroy what the peer has not read yet.
 */
#ifndef CONNECTION_FINISH_H
#define CONNECTION_FINISH_H

#include "connection/io.h"

/*
 * Sends our FIN (shutdown(2)) and waits for the peer's for at most
 * linger-timeout, discarding what still comes: RFC 9293, 3.6, and RFC 1122,
 * 4.2.2.13, which has an end closed with unread input answer with RST. For
 * one that is evicted it does not wait, and only takes what has come. The
 * socket stays open for a last look; the caller closes it. Returns the
 * connection's ending.
 */
enum ending finish(struct io *io);

/*
 * The end of a connection that we refuse or evict, as cause says: FIN, what has
 * come is read away, within bounds, and nothing is waited for. What comes after
 * close(2) is answered with RST.
 */
enum ending finish_at_once(struct io *io, enum cause cause);

#endif
