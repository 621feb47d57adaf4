/*
 * outcome: what a reload or an upgrade came to, for those who asked for it.
 *
 * While one is in progress, warnings and errors of the log are gathered; at
 * the end they are the answer to all that wait on the control socket.
 */
#ifndef MASTER_OUTCOME_H
#define MASTER_OUTCOME_H

#include <stdbool.h>
#include <stdio.h>

#include "master/control.h"

struct outcome {
	FILE *to; /* open_memstream(3), or NULL */
	char *text;
	size_t size;
};

/*
 * It begins: those that wait for the next one, wait for this one. Where memory
 * is short they are told less.
 */
void outcome_begin(struct outcome *outcome, struct control *control,
    enum control_what next, enum control_what what);

/*
 * Why it was refused, in a line for text of that size: that, and the first of
 * what was gathered so far. Returns text.
 */
char *
outcome_why(struct outcome *outcome, const char *why, char *text, size_t size);

/*
 * It is over: answers what was gathered, and last, where it is not NULL.
 * Nothing more is gathered.
 */
void outcome_end(struct outcome *outcome, struct control *control,
    enum control_what what, bool ok, const char *last);

#endif
