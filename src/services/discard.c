/*
 * discard: RFC 863. What comes is thrown away, until the peer's FIN.
 */
#include "services/service.h"

static char buffer[65536];

void
discard_serve(struct io *io, const struct conf_service *settings)
{
	(void)settings;
	while (io_recv(io, buffer, sizeof(buffer)) > 0)
		continue;
}
