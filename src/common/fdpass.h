/*
 * fdpass: a descriptor that goes with bytes over a UNIX socket, see
 * SCM_RIGHTS in unix(7).
 */
#ifndef COMMON_FDPASS_H
#define COMMON_FDPASS_H

#include <stddef.h>
#include <sys/types.h>

/*
 * As send(2) with these flags; with the first byte goes a copy of the
 * descriptor passed, or none for -1.
 */
ssize_t
fdpass_send(int fd, const void *data, size_t size, int passed, int flags);

/*
 * As recv(2). A descriptor that came, close-on-exec, is in *passed, which has
 * to be -1 before: then it is the caller's to close. One more, or any where
 * passed is NULL, is closed.
 */
ssize_t fdpass_receive(int fd, void *data, size_t size, int *passed);

#endif
