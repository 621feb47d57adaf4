/*
 * clock: the time that every wait is bounded by, and time as text.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define CLOCK_NEVER INT64_MAX

/*
 * Milliseconds of CLOCK_MONOTONIC, which a step of the wall clock does not
 * move. See clock_gettime(2); it cannot fail for this clock.
 */
int64_t clock_ms(void);

/* The same in microseconds. */
int64_t clock_us(void);

/*
 * What poll(2) takes to wait until deadline (of clock_ms): -1 for
 * CLOCK_NEVER, 0 when it has passed, and never more than INT_MAX.
 */
int clock_left(int64_t deadline, int64_t now);

/* What clock_strftime takes, with a terminating zero. */
#define CLOCK_FORMAT_SIZE 512

/*
 * strftime(3) with a format that is known only at run time, as that of the
 * daytime service: the compiler cannot check it, and conf has. %s is written
 * from when, of which tm is the broken-down time: strftime would ask mktime(3),
 * which may open files, and in a sandbox there are none.
 */
size_t clock_strftime(char *text, size_t size, const char *format,
    const struct tm *tm, int64_t when);

/*
 * Reads the time zone, once and for good: before a chroot, and before there
 * are workers. Without TZ the C library would look for /etc/localtime again
 * whenever it is asked for a local time.
 */
void clock_set_zone(void);

#endif
