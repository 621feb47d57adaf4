#include "connection/finish.h"

#include <errno.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "connection/tcpstate.h"

/* What tells a peer that is gone from one that does not read. */
static void
ask_how_silent(struct io *io)
{
	struct ending_facts *facts = &io->facts;

	if (facts->cause != CAUSE_STALLED && facts->error != ETIMEDOUT)
		return;
	facts->waited_ms = facts->cause == CAUSE_STALLED ? io->limits->send_ms :
							   io->limits->user_ms;
	tcpstate_silence(io->fd, &facts->silent_ms, &facts->probes);
}

enum ending
finish(struct io *io)
{
	bool broken = io->facts.error != 0 || io->facts.cause == CAUSE_STALLED;

	if (io->facts.cause == CAUSE_EVICTED)
		return finish_at_once(io, CAUSE_EVICTED);
	/* After the peer's FIN close alone sends ours: nothing is unread. */
	if (!broken && !io->facts.fin_received) {
		/* ENOTCONN: a RST came first, and the drain will report it. */
		io->fin_sent = shutdown(io->fd, SHUT_WR) == 0;
		if (!io->fin_sent && errno != ENOTCONN)
			io->facts.error = errno;
		else
			io_drain(io, clock_ms() + io->limits->linger_ms);
	}
	ask_how_silent(io);
	return ending_decide(&io->facts);
}

enum ending
finish_at_once(struct io *io, enum cause cause)
{
	io->facts.cause = cause;
	/* ENOTCONN: a RST came first. */
	io->fin_sent = shutdown(io->fd, SHUT_WR) == 0;
	io_drain(io, 0);
	return ending_decide(&io->facts);
}
