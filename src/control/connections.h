/*
 * connections: what workers are busy with: the scoreboard's part of it, and the
 * kernel's.
 */
#ifndef CONTROL_CONNECTIONS_H
#define CONTROL_CONNECTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "common/scoreboard.h"
#include "control/sock_table.h"

struct connection {
	pid_t pid;
	char service[sizeof(((struct pool_row *)0)->service) + 1]; /* or "-" */
	char listen[ADDR_STRLEN + 1];                              /* or "-" */
	uint16_t local_port; /* 0: unknown */
	int64_t age_ms;
	uint64_t in;
	uint64_t out;
	bool has_peer; /* else the worker was killed as it wrote it */
	uint8_t peer[16];
	uint16_t peer_port;
	char peer_text[ADDR_STRLEN];
	struct sock tcp;
	bool has_tcp; /* else nothing is known of that */
};

struct connections {
	struct connection *list; /* the oldest first */
	size_t count;
};

/* The port at the end of an address of addr_format or of a listener, or 0. */
uint16_t connections_port(const char *address);

/*
 * Collects the slots of a scoreboard that a view maps; now is of clock_ms.
 * Returns 0 with a list, for connections_free, or -1 without memory.
 */
int connections_collect(struct connections *connections,
    const struct scoreboard *board, int64_t now);

/*
 * The last moment that is noted in it: how long ago that is nobody knows, once
 * its daemon is gone.
 */
int64_t connections_last_ms(const struct scoreboard *board);

/* The ports that they came to, each once: to ports (most of them); how many. */
size_t connections_ports(
    const struct connections *connections, uint16_t *ports, size_t most);

/* True when that process has a socket of that inode. */
typedef bool connections_owns(pid_t pid, uint32_t inode, void *context);

/*
 * Finds each one in the table. With doubt, or where several there have the
 * same peer and port, owns decides, which costs more. Returns how many were
 * found.
 */
size_t connections_join(struct connections *connections,
    const struct sock_table *table, bool doubt, connections_owns *owns,
    void *context);

/* A table: titles, and a line for each, without blanks in a field. */
void connections_print(const struct connections *connections, FILE *to);

/* An array of JSON (RFC 8259): an object for each, see preforkctl(8). */
void connections_print_json(const struct connections *connections, FILE *to);

void connections_free(struct connections *connections);

#endif
