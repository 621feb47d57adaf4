/*
 * format: a short cut for what each service block begins with: the default of
 * "format" is tried with 84 dates, and takes most of an input's time.
 */
#ifndef FUZZ_FORMAT_H
#define FUZZ_FORMAT_H

#include <string.h>

#include "common/clock.h"

size_t __real_clock_strftime(char *text, size_t size, const char *format,
    const struct tm *tm, int64_t when);
size_t __wrap_clock_strftime(char *text, size_t size, const char *format,
    const struct tm *tm, int64_t when);

size_t
__wrap_clock_strftime(char *text, size_t size, const char *format,
    const struct tm *tm, int64_t when)
{
	if (strcmp(format, "%a %b %e %H:%M:%S %Y") != 0)
		return __real_clock_strftime(text, size, format, tm, when);
	text[0] = '\0';
	return 1;
}

#endif
