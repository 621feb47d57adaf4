/*
 * chargen: RFC 864. A stream of characters, until the peer ends it. What the
 * client sends is thrown away.
 */
#include "services/service.h"

#define FIRST ' ' /* of the printable characters of ASCII */
#define CHARACTERS 95

_Static_assert(
    CHARGEN_CYCLE == CHARACTERS * (CHARGEN_LINE + 2), "a line each, and CR LF");

void
chargen_fill(char cycle[CHARGEN_CYCLE])
{
	char *to = cycle;

	for (int line = 0; line < CHARACTERS; line++) {
		for (int i = 0; i < CHARGEN_LINE; i++)
			*to++ = (char)(FIRST + (line + i) % CHARACTERS);
		*to++ = '\r';
		*to++ = '\n';
	}
}

void
chargen_serve(struct io *io, const struct conf_service *settings)
{
	static char cycle[CHARGEN_CYCLE];

	(void)settings;
	if (cycle[0] == '\0')
		chargen_fill(cycle);
	while (io_discard(io) && io_send(io, cycle, sizeof(cycle)) == 0)
		continue;
}
