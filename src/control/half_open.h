/*
 * half_open: handshakes that are not complete yet, which the master does not
 * count: it would be held up while the kernel looks through all connections.
 */
#ifndef CONTROL_HALF_OPEN_H
#define CONTROL_HALF_OPEN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "common/addr.h"

/* A listening socket in our network namespace. */
struct half_open_socket {
	struct in6_addr address; /* IPv4 is mapped */
	uint16_t port;           /* network byte order */
	uint32_t inode;
	unsigned half_open;
	bool masters;
	char text[ADDR_STRLEN];
};

struct half_open {
	struct half_open_socket *sockets;
	size_t count;
};

/*
 * Asks sock_diag(7) how many connections of each listening socket are in
 * SYN-RECV, for half_open_free. Nothing is known of a socket that is not in our
 * network namespace, or that we cannot tell to be that process's: /proc/PID/fd
 * has to say so, see proc(5); nor of any where an answer was not whole, or for
 * a process that is 0.
 */
void half_open_look(struct half_open *half_open, pid_t master);

/*
 * How many are half open at an address (length bytes), as the master writes it:
 * "*:7" is one for both families. -1: not known.
 */
int64_t half_open_at(
    const struct half_open *half_open, const char *address, size_t length);

void half_open_free(struct half_open *half_open);

/*
 * Prints a status, the table or JSON, as the master has written it, with these
 * numbers; "-" and null stay where one is not known.
 */
void half_open_print(
    const struct half_open *half_open, const char *status, FILE *to);

/*
 * Prints the metrics as the master has written them, and one more before the
 * end, of all sockets whose number is known.
 */
void half_open_print_metrics(
    const struct half_open *half_open, const char *metrics, FILE *to);

#endif
