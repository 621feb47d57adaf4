/*
 * echo: RFC 862. What comes is sent back, until the peer's FIN.
 */
#include "services/service.h"

/*
 * 64 KiB hold a whole default window, and keep replies from being cut where
 * a peer's delayed ACK would hold them up. Static, not on the stack: its
 * pages are touched by the worker that needs them, once.
 */
static char buffer[65536];

void
echo_serve(struct io *io, const struct conf_service *settings)
{
	ssize_t n;

	(void)settings;
	while ((n = io_recv(io, buffer, sizeof(buffer))) > 0)
		if (io_send(io, buffer, (size_t)n) < 0)
			return;
}
