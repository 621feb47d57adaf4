/*
 * daytime: RFC 867. One line with the date and the time, then FIN. What the
 * client sends is thrown away, which finish() does.
 */
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "services/service.h"

#define ZONE_ROOM 64

size_t
daytime_format(
    char *line, size_t size, const char *format, bool utc, int64_t when)
{
	time_t t = (time_t)when;
	size_t n = 0;
	struct tm tm;

	if ((utc ? gmtime_r(&t, &tm) : localtime_r(&t, &tm)) != NULL)
		n = clock_strftime(line, size - 2, format, &tm, when);
	memcpy(line + n, "\r\n", 2);
	return n + 2;
}

/*
 * The line is good for its second, whoever asks: settings are the same for
 * all connections of a worker.
 */
void
daytime_serve(struct io *io, const struct conf_service *settings)
{
	/* The names of zones differ in length, and conf cannot know them. */
	static char line[CONF_DAYTIME_MAX + ZONE_ROOM + 2];
	static size_t length;
	static time_t when;
	time_t now = time(NULL);

	if (length == 0 || now != when) {
		when = now;
		length = daytime_format(line, sizeof(line), settings->format,
		    settings->utc != 0, now);
	}
	io->facts.replied = io_send_last(io, line, length) == 0;
}
