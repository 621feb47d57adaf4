/*
 * report: what the master says of itself, in the log and to preforkctl(8).
 */
#ifndef MASTER_REPORT_H
#define MASTER_REPORT_H

#include <stddef.h>

#include "master/master.h"

/* A line for the master and one for each listening socket, level notice. */
void report_log(struct master *master);

/* What report_text writes. */
enum report {
	REPORT_TABLE, /* a line of the master, and a table with the same
			 figures as the log has */
	REPORT_JSON,
	REPORT_METRICS
};

/* How many bytes report_text needs. */
size_t report_size(const struct master *master, enum report report);

/*
 * Writes it to text of report_size bytes. Table and JSON are a look: what has
 * overflowed is new in the first one alone, and once in the log. Returns 0, or
 * -1 with errno where memory is short.
 */
int report_text(struct master *master, enum report report, char *text);

#endif
