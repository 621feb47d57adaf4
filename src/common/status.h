/*
 * status: what a running daemon says of itself.
 */
#ifndef COMMON_STATUS_H
#define COMMON_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include "common/scoreboard.h"

/*
 * Of max, the queue and overflows, where there is no master to ask: prints as
 * "-".
 */
#define STATUS_UNKNOWN UINT32_MAX

/* A listening socket and its pool, collected at one moment. */
struct status_row {
	const char *service;
	const char *address;
	const char *state;   /* "serving", "degraded", "stopping" */
	const char *holders; /* as fdref_describe writes them */
	unsigned busy;
	unsigned idle;  /* in accept */
	unsigned other; /* starting, or paused */
	unsigned workers;
	unsigned max;
	uint32_t queue_length;
	uint32_t queue_limit;
	uint32_t overflows; /* as tcpstate_drops counts them */
	uint64_t connections;
	uint64_t in;
	uint64_t out;
	uint64_t log_lost;
	uint64_t endings[ENDING_COUNT];
};

/*
 * Adds up the row's own counters, of reaped workers, and those of the slots
 * that belong to it. Fills the workers and counters of *row.
 */
void status_count(
    const struct scoreboard *board, uint32_t index, struct status_row *row);

#define STATUS_LINE_SIZE 2048
#define STATUS_FIELD_SIZE 512 /* of all endings, or of holders */

/* Writes one logfmt line to line (size bytes) and returns line. */
char *status_format(const struct status_row *row, char *line, size_t size);

/* For status_table, in bytes, with a terminating zero. */
size_t status_table_size(uint32_t count);

/*
 * Writes a line of titles and one a row, in columns that are as wide as their
 * widest field; no field has a space in it. Returns text, of
 * status_table_size(count) bytes.
 */
char *status_table(const struct status_row *rows, uint32_t count, char *text);

#endif
