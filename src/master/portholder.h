/*
 * portholder: finds out who listens on a port that we cannot have.
 */
#ifndef MASTER_PORTHOLDER_H
#define MASTER_PORTHOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes "pid 4242 (nc)" to text when a listening TCP socket on that port
 * and its process can be seen in /proc (see proc(5)); only root sees the
 * descriptors of other users. Returns false where nothing was found.
 */
bool portholder_find(uint16_t port, char *text, size_t size);

#endif
