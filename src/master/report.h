/*
 * report: what the master says of itself, in the log and to preforkctl(8).
 */
#ifndef MASTER_REPORT_H
#define MASTER_REPORT_H

#include <stddef.h>

#include "master/master.h"

/* A line for the master and one for each listening socket, level notice. */
void report_log(struct master *master);

/* How many bytes report_text needs. */
size_t report_size(const struct master *master);

/*
 * The same as a line and a table, in text of report_size bytes. Returns 0, or
 * -1 with errno where memory is short.
 */
int report_text(struct master *master, char *text);

#endif
