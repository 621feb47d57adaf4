/*
 * half_open: handshakes that are not complete yet, which the master does not
 * count: it would be held up while the kernel looks through all connections.
 */
#ifndef CONTROL_HALF_OPEN_H
#define CONTROL_HALF_OPEN_H

#include <stdio.h>

/*
 * Prints a status, the table or JSON, as the master has written it, with how
 * many connections of each listening socket are in SYN-RECV. That is asked of
 * sock_diag(7), and stays "-" or null for a socket that is not in our network
 * namespace, or that we cannot tell to be the master's: /proc/PID/fd has to say
 * so, see proc(5).
 */
void half_open_print(const char *status, FILE *to);

#endif
