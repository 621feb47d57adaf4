/*
 * echo: RFC 862, for modes that echo in their own way.
 */
#ifndef PROBE_ECHO_H
#define PROBE_ECHO_H

#include "probe/session.h"

/*
 * Messages of so many bytes are whole lines from now on, where that can be: a
 * server may wait for LF (Apache's mod_echo does).
 */
void echo_in_lines(size_t size);

/*
 * Sends what there is room for, up to the place end of all that is sent on
 * this connection. Never waits.
 */
enum session_result echo_give(struct session *session, uint64_t end);

/*
 * Receives, and compares with what was sent: SESSION_FAILED for other bytes,
 * bytes too many and a FIN as well. Never waits.
 */
enum session_result echo_take(struct session *session);

/*
 * Sends as many bytes as the options say, waits for all of them and reports
 * it. False when it failed.
 */
bool echo_round_trip(struct session *session, uint64_t seq);

#endif
