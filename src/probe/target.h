/*
 * target: what the command line names: a host and a port, and seconds.
 */
#ifndef PROBE_TARGET_H
#define PROBE_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#define TARGET_HOST_SIZE 256 /* a name of the DNS has at most 253 */

struct target {
	char host[TARGET_HOST_SIZE];
	uint16_t port; /* 0: none was named */
};

/*
 * Reads host, host:port, [v6], [v6]:port, or an IPv6 address without a port
 * (RFC 3986, 3.2.2). Returns NULL, or what is wrong with the text.
 */
const char *target_parse(struct target *target, const char *text);

/*
 * Reads seconds, with a fraction or without, as milliseconds; what is finer is
 * rounded up. False where it is no such number, or not from least to most.
 */
bool target_seconds(
    int64_t *ms, const char *text, int64_t least_ms, int64_t most_ms);

#endif
