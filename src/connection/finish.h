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
 * 4.2.2.13, which has an end closed with unread input answer with RST. The
 * socket stays open for a last look; the caller closes it. Returns the
 * connection's ending.
 */
enum ending finish(struct io *io);

#endif
