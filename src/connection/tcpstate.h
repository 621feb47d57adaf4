/*
 * tcpstate: what the kernel knows of a TCP connection or listener.
 */
#ifndef CONNECTION_TCPSTATE_H
#define CONNECTION_TCPSTATE_H

#include <stdbool.h>
#include <stdint.h>

/* Of a connection. */
struct tcpstate {
	int64_t idle_ms; /* since the last data or handshake segment
			    was sent; right after accept: how long the
			    connection waited in the accept queue */
	int64_t rtt_us;  /* smoothed */
	int64_t retrans; /* segments, in all */
	int64_t unacked; /* bytes sent and not acknowledged */
};

/*
 * Fills *state from TCP_INFO (tcp(7)) and SIOCOUTQ, which counts our FIN as a
 * byte once it is sent. What cannot be had is LEDGER_UNKNOWN, so this never
 * fails.
 */
void tcpstate_read(int fd, bool fin_sent, struct tcpstate *state);

/*
 * Right after accept: for how many milliseconds the connection had waited in
 * the accept queue, as idle_ms above and with one system call; or
 * LEDGER_UNKNOWN.
 */
int64_t tcpstate_wait(int fd);

/*
 * Sets *ms to the milliseconds since the last segment with an acknowledgement
 * came from the peer, and *probes to the number of window or keepalive probes
 * sent since then; or both to LEDGER_UNKNOWN. Good after the connection has
 * ended as well.
 */
void tcpstate_silence(int fd, int64_t *ms, int64_t *probes);

/*
 * How far into the sequence of what we have sent the peer has acknowledged
 * (RFC 4898, tcpEStatsAppHCThruOctetsAcked): our SYN is 1, each byte 1, our FIN
 * 1; or LEDGER_UNKNOWN. Good after the connection has ended as well.
 */
int64_t tcpstate_acked(int fd);

/*
 * How many segments have come, of any kind: keepalive probes as well, which
 * nothing else shows; or LEDGER_UNKNOWN.
 */
int64_t tcpstate_segments_in(int fd);

/*
 * The accept queue of a listening socket: how many connections wait, and the
 * limit, which is the backlog that is really in force. Returns 0, or -1 with
 * errno set.
 */
int tcpstate_queue(int fd, uint32_t *length, uint32_t *limit);

/*
 * How many segments a listening socket has dropped, since it is there: SYNs
 * and last acknowledgements of a handshake that met a full queue, and few
 * others. SO_MEMINFO, see socket(7) and sk_drops in the kernel. Returns 0, or
 * -1 with errno set.
 */
int tcpstate_drops(int fd, uint32_t *drops);

#endif
