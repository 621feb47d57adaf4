/*
 * time: RFC 868. The seconds since 1900 as four bytes, then FIN. What the
 * client sends is thrown away, which finish() does.
 */
#include <time.h>

#include "services/service.h"

/* From 1900-01-01 to 1970-01-01, both 00:00 UTC: RFC 868. */
#define SECONDS_TO_EPOCH INT64_C(2208988800)

void
time_format(unsigned char reply[TIME_LENGTH], int64_t when)
{
	uint32_t seconds = (uint32_t)(when + SECONDS_TO_EPOCH);

	for (int i = 0; i < TIME_LENGTH; i++)
		reply[i] = (unsigned char)(seconds >> (24 - 8 * i));
}

void
time_serve(struct io *io, const struct conf_service *settings)
{
	unsigned char reply[TIME_LENGTH];

	(void)settings;
	time_format(reply, time(NULL));
	io->facts.replied = io_send_last(io, reply, sizeof(reply)) == 0;
}
