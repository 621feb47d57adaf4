/*
 * state: what one master hands to the next that it executes in its place.
 *
 * Lines of text in a sealed memfd: what cannot be read from the configuration
 * or from the scoreboard. Descriptors are numbers that stay open over the
 * exec, see execve(2).
 */
#ifndef MASTER_STATE_H
#define MASTER_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "common/addr.h"
#include "master/control.h"
#include "master/control_socket.h"

/* Another one is refused: the next master would misread what it gets. */
#define STATE_VERSION 2
#define STATE_WHY_SIZE 160
#define STATE_NAME_MAX 256 /* of systemd's FileDescriptorName= */

struct state_pool {
	uint32_t row;
	int fd;
	bool removed;
	bool closed;
	bool planned; /* for whoever reads it: some listen line has it */
	uint64_t forks;
	char service[16];
	char address[ADDR_STRLEN];
	bool stored; /* systemd keeps a copy */
	char
	    passed[STATE_NAME_MAX]; /* by which name systemd passed it, or "" */
};

struct state_child {
	pid_t pid;
	uint32_t slot;
	uint32_t row;
	bool ready;
	bool leaving;
	int64_t started_ms;
};

struct state {
	int board_fd;
	uint32_t rows; /* 0: not read yet */
	uint32_t slots;
	uint32_t used;
	bool by_default;   /* the configuration in force names no service */
	uint64_t log_lost; /* log lines of the masters before */
	int wake_fd;
	int pidfile_fd;   /* -1: none */
	char *pid_file;   /* its path, or "none" */
	char *board_file; /* the same, of the scoreboard */
	struct control_socket control;
	struct state_waiter { /* clients that asked, and wait */
		int fd;
		enum control_what what;
	} waiters[CONTROL_CLIENTS];
	unsigned waiter_count;
	struct state_pool *pools;
	uint32_t pool_count;
	struct state_child *children;
	uint32_t child_count;
};

struct master;

/* Writes what this master has. Errors are those of the stream. */
void state_write(const struct master *master, FILE *to);

/*
 * Reads it. Returns 0, or -1 with what is wrong in why and nothing left to
 * free. Whatever is read, rows, slots and descriptors are within bounds, and
 * no slot and no row is there twice.
 */
int state_read(struct state *state, FILE *from, char why[STATE_WHY_SIZE]);

/* Frees it; the descriptors stay open. */
void state_free(struct state *state);

/* Calls back for each descriptor in it. */
void state_each_fd(
    const struct state *state, void (*callback)(int fd, void *), void *context);

#endif
