/*
 * ledger: the word that each connection ends with, and its log line.
 */
#ifndef COMMON_LEDGER_H
#define COMMON_LEDGER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * How a connection ended; preforkd(8), ENDINGS, says what each word means.
 * The order is part of the scoreboard's layout: add at the end.
 */
enum ending {
	ENDING_SERVED,
	ENDING_PEER_CLOSED,
	ENDING_RESET,
	ENDING_DEAD_PEER,
	ENDING_STALLED,
	ENDING_UNREACHABLE,
	ENDING_IDLE,
	ENDING_LINGERED,
	ENDING_STOPPED,
	ENDING_FAILED,
	ENDING_REFUSED,
	ENDING_EVICTED,
	ENDING_COUNT
};

/* The word, as in logs and counters: "served", "peer-closed", ... */
const char *ending_name(enum ending ending);

#define LEDGER_UNKNOWN INT64_MIN /* prints as "-" */

/* What a line says of one connection. Numbers may be LEDGER_UNKNOWN. */
struct ledger_entry {
	const char *service;
	const char *peer; /* as addr_format writes it */
	const char *local;
	enum ending ending;
	int64_t in;           /* bytes received */
	int64_t out;          /* bytes sent */
	int64_t unacked;      /* bytes sent that the peer never acknowledged */
	int64_t milliseconds; /* from accept to the end */
	int64_t wait_ms;      /* from the handshake's end to accept */
	int64_t rtt_us;       /* smoothed round-trip time */
	int64_t retrans;      /* segments retransmitted */
	pid_t pid;            /* the worker's */
};

#define LEDGER_LINE_SIZE 512

/*
 * Writes the logfmt line of an entry, without a newline, to line (size bytes,
 * LEDGER_LINE_SIZE is enough) and returns line.
 */
char *ledger_format(const struct ledger_entry *entry, char *line, size_t size);

#endif
