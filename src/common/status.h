/*
 * status: what a running daemon says of itself.
 */
#ifndef COMMON_STATUS_H
#define COMMON_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/scoreboard.h"

/*
 * Of max, the queue, backlog, overflows and the daemon's log_lost, where there
 * is no master to ask: "-" in the table, null in JSON.
 */
#define STATUS_UNKNOWN UINT32_MAX

/* A listening socket and its pool, collected at one moment. */
struct status_row {
	const char *service;
	const char *address;
	const char *state;   /* "serving", "degraded", "stopping"; or NULL */
	const char *holders; /* as fdref_describe writes them; or NULL */
	unsigned busy;
	unsigned idle;  /* in accept */
	unsigned other; /* starting, or paused */
	unsigned workers;
	unsigned max;
	uint32_t queue_length;
	uint32_t queue_limit;
	int64_t backlog;        /* that was asked for */
	uint64_t overflows;     /* as tcpstate_drops counts them */
	uint64_t new_overflows; /* since the last look */
	const char *raise;      /* as shortage_name says it, or NULL */
	uint64_t wait_ms;       /* in the queue, of all connections */
	uint64_t longest_wait_ms;
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

/* In the queue, in milliseconds; 0 without a connection. */
uint64_t status_mean_wait(const struct status_row *row);

#define STATUS_LINE_SIZE 2048
#define STATUS_FIELD_SIZE 512 /* of all endings, or of holders */

/* Writes one logfmt line to line (size bytes) and returns line. */
char *status_format(const struct status_row *row, char *line, size_t size);

/* For status_table, in bytes, with a terminating zero. */
size_t status_table_size(uint32_t count);

/*
 * Writes a line of titles and one a row, in columns that are as wide as their
 * widest field; no field has a space in it. What the table has, the line of
 * status_format has under the same name, but half-open: that is for
 * control/half_open to fill in. Returns text, of status_table_size(count)
 * bytes.
 */
char *status_table(const struct status_row *rows, uint32_t count, char *text);

/* The daemon itself. */
struct status_head {
	const char *version; /* or NULL: unknown */
	int pid;
	bool running;
	const char *log_level; /* or NULL */
	uint64_t log_lost;     /* lines of the master's */
	int64_t started_at;    /* seconds since the Epoch */
	int64_t uptime_ms;     /* or less than 0: unknown */
};

/* For status_json, in bytes, with a terminating zero. */
size_t status_json_size(uint32_t count);

/*
 * Writes the object that preforkctl(8) describes, a listener a line, to text
 * of status_json_size(count) bytes. Returns text.
 */
char *status_json(const struct status_head *head, const struct status_row *rows,
    uint32_t count, char *text);

#endif
