/*
 * sock_diag: asks the kernel for TCP connections, see sock_diag(7).
 */
#ifndef CONTROL_SOCK_DIAG_H
#define CONTROL_SOCK_DIAG_H

#include <stddef.h>
#include <stdint.h>

#include "control/netlink.h"
#include "control/sock_table.h"

#define SOCK_DIAG_WHY_SIZE NETLINK_WHY_SIZE
#define SOCK_DIAG_PORTS_MAX 1024

/*
 * Asks the kernel for all connections, of this network namespace, whose local
 * port is one of those, with one request for IPv4 and one for IPv6. Returns 0
 * with a table, for sock_table_free; or -1 with what is wrong in why.
 */
int sock_diag(struct sock_table *table, const uint16_t *ports, size_t count,
    char why[SOCK_DIAG_WHY_SIZE]);

#endif
