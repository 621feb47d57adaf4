/*
 * proc: what /proc tells of another process, see proc(5).
 */
#ifndef CONTROL_PROC_H
#define CONTROL_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum proc_network {
	PROC_NETWORK_OURS,
	PROC_NETWORK_OTHER,
	PROC_NETWORK_UNKNOWN /* we may not see it, or it is not there */
};

/* In which network namespace (network_namespaces(7)) that process is. */
enum proc_network proc_network(pid_t pid);

/* True when one of its descriptors is the socket of that inode. */
bool proc_has_socket(pid_t pid, uint32_t inode);

#endif
