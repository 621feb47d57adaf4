/*
 * conf_format: what a format of strftime(3) may be.
 */
#include <ctype.h>
#include <string.h>

#include "common/clock.h"
#include "common/conf_table.h"

/* The last second of a year, in which each number has all of its digits. */
static size_t
format_late(char *line, size_t size, const char *format, int month, int weekday)
{
	struct tm tm = { .tm_sec = 59,
		.tm_min = 59,
		.tm_hour = 23,
		.tm_mday = 28,
		.tm_mon = month,
		.tm_year = 126,
		.tm_wday = weekday,
		.tm_yday = 364 };

	/* The last second that a four-digit year has: eleven digits. */
	return clock_strftime(line, size, format, &tm, 253402300799);
}

/*
 * %s alone is written by us; with flags or a width strftime would do it. So it
 * would after "%5%": where that ends, libraries and clock_strftime differ.
 */
static bool
has_odd_epoch(const char *format)
{
	for (; *format != '\0'; format++) {
		if (*format != '%')
			continue;
		size_t n = strspn(format + 1, "_-0^#+123456789EO");

		if (n > 0 && (format[1 + n] == 's' || format[1 + n] == '%'))
			return true;
		format += n + (format[1 + n] != '\0');
	}
	return false;
}

int
conf_check_format(const char *text, char why[CONF_WHY_SIZE])
{
	char line[CONF_DAYTIME_MAX];

	for (const char *p = text; *p != '\0'; p++)
		if (!isprint((unsigned char)*p))
			return conf_wrong(why, "must be printable ASCII");
	if (strlen(text) >= CLOCK_FORMAT_SIZE)
		return conf_wrong(
		    why, "must be shorter than %d bytes", CLOCK_FORMAT_SIZE);
	if (has_odd_epoch(text))
		return conf_wrong(
		    why, "must have %%s and %%%% without flags or a width");
	for (int i = 0; i < 12 * 7; i++) {
		if (format_late(line, sizeof(line), text, i / 7, i % 7) == 0)
			return conf_wrong(
			    why, "must give 1 to %zu bytes", sizeof(line) - 1);
		if (conf_has_control(line))
			return conf_wrong(
			    why, "must give one line: no %%n, no %%t");
	}
	return 0;
}
