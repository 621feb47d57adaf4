/*
 * portholder: finds out who listens on a port that we cannot have.
 */
#ifndef MASTER_PORTHOLDER_H
#define MASTER_PORTHOLDER_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/*
 * The pid of a process with a listening TCP socket that is in the way of addr
 * (the same port on the same or on every address), where it can be seen in
 * /proc (see proc(5)): only root sees the descriptors of other users. Its name
 * goes to name (size bytes). Of a daemon and its workers it is the daemon's.
 * Returns 0 where none was found.
 */
pid_t portholder_find(const struct sockaddr *addr, char *name, size_t size);

#endif
