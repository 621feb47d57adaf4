/*
 * metrics: the status as Prometheus reads it, see preforkctl(8).
 */
#ifndef COMMON_METRICS_H
#define COMMON_METRICS_H

#include "common/status.h"

/* For metrics_format, in bytes, with a terminating zero. */
size_t metrics_size(uint32_t count);

/*
 * Writes every metric with its HELP and TYPE, in the text format 0.0.4 of
 * Prometheus, and "# EOF" as its last line, to text of metrics_size(count)
 * bytes. Rows of the same service and address, as there are while one ends and
 * another one has begun, are added up: the first one of them has the sum then,
 * and the others are gone. Returns text.
 */
char *metrics_format(const struct status_head *head, struct status_row *rows,
    uint32_t count, char *text);

#endif
