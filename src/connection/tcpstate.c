#include "connection/tcpstate.h"

/* The kernel's struct tcp_info; the one of netinet/tcp.h is shorter. */
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/ledger.h"

static int
read_info(int fd, struct tcp_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len);
}

void
tcpstate_read(int fd, bool fin_sent, struct tcpstate *state)
{
	struct tcp_info info;
	int queued;

	state->idle_ms = state->rtt_us = LEDGER_UNKNOWN;
	state->retrans = state->unacked = LEDGER_UNKNOWN;
	if (read_info(fd, &info) < 0)
		return;
	state->idle_ms = info.tcpi_last_data_sent;
	state->rtt_us = info.tcpi_rtt;
	state->retrans = info.tcpi_total_retrans;
	if (ioctl(fd, SIOCOUTQ, &queued) < 0)
		return;
	/*
	 * A FIN takes the last place in the sequence, but it is no byte of
	 * ours. The state does not tell: it is CLOSE after an error.
	 */
	if (queued > 0 && fin_sent)
		queued--;
	state->unacked = queued;
}

int64_t
tcpstate_wait(int fd)
{
	struct tcp_info info;

	if (read_info(fd, &info) < 0)
		return LEDGER_UNKNOWN;
	return info.tcpi_last_data_sent;
}

void
tcpstate_silence(int fd, int64_t *ms, int64_t *probes)
{
	struct tcp_info info;

	*ms = *probes = LEDGER_UNKNOWN;
	if (read_info(fd, &info) < 0)
		return;
	*ms = info.tcpi_last_ack_recv;
	*probes = info.tcpi_probes;
}

int64_t
tcpstate_acked(int fd)
{
	struct tcp_info info;

	if (read_info(fd, &info) < 0)
		return LEDGER_UNKNOWN;
	return (int64_t)info.tcpi_bytes_acked;
}

int64_t
tcpstate_segments_in(int fd)
{
	struct tcp_info info;

	if (read_info(fd, &info) < 0)
		return LEDGER_UNKNOWN;
	return info.tcpi_segs_in;
}

int
tcpstate_queue(int fd, uint32_t *length, uint32_t *limit)
{
	struct tcp_info info;

	/* In the state LISTEN these two fields are the accept queue. */
	if (read_info(fd, &info) < 0)
		return -1;
	*length = info.tcpi_unacked;
	*limit = info.tcpi_sacked;
	return 0;
}

int
tcpstate_drops(int fd, uint32_t *drops)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t length = sizeof(info);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &length) < 0)
		return -1;
	*drops = info[SK_MEMINFO_DROPS];
	return 0;
}
