/*
 * portholder: finds out who listens on a port that we cannot have.
 */
#ifndef MASTER_PORTHOLDER_H
#define MASTER_PORTHOLDER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The pid of a process with a listening TCP socket on that port, where it can
 * be seen in /proc (see proc(5)): only root sees the descriptors of other
 * users. Its name goes to name (size bytes). Returns 0 where none was found.
 */
pid_t portholder_find(uint16_t port, char *name, size_t size);

#endif
