#include "master/pidlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES 10

/* The pid in the file; 0 where it is empty, -1 where it holds something else.
 */
static pid_t
read_pid(int fd)
{
	const char *bad;
	char text[32];
	ssize_t n;
	pid_t pid;

	n = pread(fd, text, sizeof(text) - 1, 0);
	if (n == 0)
		return 0;
	if (n < 0)
		return -1;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	pid = (pid_t)strtonum(text, 1, INT32_MAX, &bad);
	return bad == NULL ? pid : -1;
}

/* The holder may have removed the file between our open and our lock. */
static int
is_at_path(int fd, const char *path)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && stat(path, &named) == 0 &&
	    opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

int
pidlock_take(const char *path, pid_t *holder)
{
	int fd, saved;

	*holder = 0;
	for (int i = 0; i < TRIES; i++) {
		fd =
		    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
		if (fd < 0)
			return -1;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			saved = errno;
			*holder = read_pid(fd);
			if (*holder < 0)
				*holder = 0;
			close(fd);
			errno = saved;
			return -1;
		}
		/* Somebody's file, and -p a slip of the finger for -f. */
		if (read_pid(fd) < 0) {
			close(fd);
			errno = EEXIST;
			return -1;
		}
		if (is_at_path(fd, path))
			return fd;
		close(fd);
	}
	errno = EAGAIN;
	return -1;
}

int
pidlock_write(int fd, const char *path)
{
	char text[32];
	int n, saved;

	n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) == n)
		return 0;
	saved = errno;
	pidlock_release(fd, path);
	errno = saved;
	return -1;
}

void
pidlock_release(int fd, const char *path)
{
	/*
	 * Under the lock, and only what is ours: somebody may have removed
	 * the file, and a successor have made its own.
	 */
	if (is_at_path(fd, path) && unlink(path) < 0)
		/* Not our directory: better empty than a pid of nobody. */
		(void)!ftruncate(fd, 0);
	close(fd);
}
