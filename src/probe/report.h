/*
 * report: says what was seen, for people or, a JSON object a line, for
 * programs.
 */
#ifndef PROBE_REPORT_H
#define PROBE_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "probe/dial.h"
#include "probe/stats.h"
#include "probe/verdict.h"

struct idle_answer;

struct report {
	FILE *out;
	bool json;        /* -j */
	bool quiet;       /* -q: the summary alone */
	const char *mode; /* as the command line has it, and so the host */
	const char *host;
	uint16_t port;
	int64_t began_us;
	uint64_t asked; /* round trips begun */
	struct stats trips;
	const struct idle_answer *idle; /* what idle has found, or NULL */
};

/* The pointers stay the caller's; the time starts here. */
void report_init(struct report *report, FILE *out, const char *mode,
    const char *host, uint16_t port);

/* An address that could not be connected to, and its own verdict. */
void report_attempt(struct report *report, const struct dial_attempt *attempt,
    enum verdict verdict);

/* The handshake is over; addresses as addr_format writes them. */
void report_connected(
    struct report *report, const char *local, const char *remote, int64_t us);

/* Round trip number seq: until its first byte was back, and its last one. */
void report_trip(struct report *report, uint64_t seq, uint64_t bytes,
    int64_t first_us, int64_t us);

/* What a server had to say, of any bytes; times as in report_trip. */
void report_line(struct report *report, const char *text, size_t length,
    int64_t first_us, int64_t us);

/* The peer's FIN, so long after ours, or after our last byte. */
void report_fin(struct report *report, int64_t us);

/*
 * The first line of a summary, or the first fields of its JSON object, which
 * stays open.
 */
void report_head(
    const struct report *report, enum verdict verdict, const char *cause);

/*
 * The verdict, how far facts say that it came, and the times. cause is what
 * else is known of a failure, as text, or NULL.
 */
void report_summary(struct report *report, enum verdict verdict,
    const struct verdict_facts *facts, const char *cause);

#endif
