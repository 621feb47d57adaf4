#include "connection/finish.h"

#include <errno.h>
#include <sys/socket.h>

#include "common/clock.h"

enum ending
finish(struct io *io)
{
	bool broken = io->facts.error != 0 || io->facts.cause == CAUSE_STALLED;

	/* After the peer's FIN close alone sends ours: nothing is unread. */
	if (!broken && !io->facts.fin_received) {
		/* ENOTCONN: a RST came first, and the drain will report it. */
		if (shutdown(io->fd, SHUT_WR) < 0 && errno != ENOTCONN)
			io->facts.error = errno;
		else
			io_drain(io, clock_ms() + io->limits->linger_ms);
	}
	return ending_decide(&io->facts);
}
