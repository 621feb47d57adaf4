#include "common/clock.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t
clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
clock_ms(void)
{
	return clock_us() / 1000;
}

int
clock_left(int64_t deadline, int64_t now)
{
	if (deadline == CLOCK_NEVER)
		return -1;
	if (deadline <= now)
		return 0;
	return deadline - now > INT_MAX ? INT_MAX : (int)(deadline - now);
}

/* Copies format with each %s as digits; what does not fit is cut. */
static void
expand_epoch(char to[CLOCK_FORMAT_SIZE], const char *format, int64_t when)
{
	char *const end = to + CLOCK_FORMAT_SIZE - 1;

	while (*format != '\0' && to < end) {
		if (format[0] == '%' && format[1] == 's') {
			to += snprintf(
			    to, (size_t)(end - to) + 1, "%" PRId64, when);
			format += 2;
			continue;
		}
		if (format[0] == '%' && format[1] != '\0' && to + 1 < end)
			*to++ = *format++;
		*to++ = *format++;
	}
	*(to < end ? to : end) = '\0';
}

size_t
clock_strftime(char *text, size_t size, const char *format, const struct tm *tm,
    int64_t when)
{
	char expanded[CLOCK_FORMAT_SIZE];

	if (strstr(format, "%s") != NULL) {
		expand_epoch(expanded, format, when);
		format = expanded;
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	return strftime(text, size, format, tm);
#pragma GCC diagnostic pop
}

void
clock_set_zone(void)
{
	/* Without memory the zone is read again and again, but is right. */
	if (getenv("TZ") == NULL)
		(void)setenv("TZ", ":/etc/localtime", 1);
	tzset();
}
