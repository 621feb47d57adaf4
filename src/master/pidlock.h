/*
 * pidlock: says who runs, and keeps a second daemon from starting.
 */
#ifndef MASTER_PIDLOCK_H
#define MASTER_PIDLOCK_H

#include <sys/types.h>

/*
 * Opens path and locks it with flock(2). That lock belongs to the open file,
 * so it lives through fork and exec and ends with the last process that has
 * the descriptor. Returns the descriptor (close-on-exec), or -1 with errno;
 * when another process has the lock errno is EWOULDBLOCK and *holder is the
 * pid in the file, or 0. A file that holds anything but a pid is not touched:
 * errno is EEXIST.
 */
int pidlock_take(const char *path, pid_t *holder);

/*
 * Writes our pid into the locked file. Returns 0, or -1 with errno and the
 * file removed: an empty one would be misread.
 */
int pidlock_write(int fd, const char *path);

/* Removes the file and gives the lock up. */
void pidlock_release(int fd, const char *path);

#endif
