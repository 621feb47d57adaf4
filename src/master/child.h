/*
 * child: the table of workers that the master has forked and not reaped.
 */
#ifndef MASTER_CHILD_H
#define MASTER_CHILD_H

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "common/fdref.h"
#include "common/scoreboard.h"

struct pool;

struct child {
	RB_ENTRY(child) by_pid;
	TAILQ_ENTRY(child) among_starting; /* while !ready */
	pid_t pid;                         /* 0: nobody has the slot */
	struct pool *pool;
	struct slot *slot;
	struct fdref_holder holder; /* of the pool's listener */
	int64_t started_ms;
	bool ready;   /* has come into accept */
	bool leaving; /* was told to retire */
	bool fresh;   /* of a reload that is in progress */
};

RB_HEAD(child_tree, child);
TAILQ_HEAD(child_list, child);

/* A place a slot of the scoreboard, in unshared memory. */
struct child_table {
	struct child *places;
	uint32_t size;
	struct child_tree all;
	struct child_list starting;
};

/* A table of that size. Returns 0, or -1 with errno. */
int child_table_init(struct child_table *table, uint32_t size);

void child_table_free(struct child_table *table);

/* Adds a child, which is one of places, as one that starts. */
void child_add(struct child_table *table, struct child *child);

/* Takes it out again. */
void child_remove(struct child_table *table, struct child *child);

/* It has come into accept. */
void child_set_ready(struct child_table *table, struct child *child);

/* The child of that pid, or NULL. */
struct child *child_find(struct child_table *table, pid_t pid);

/* Sends a signal to every child. */
void child_signal_all(struct child_table *table, int signal_number);

bool child_table_is_empty(const struct child_table *table);

#endif
