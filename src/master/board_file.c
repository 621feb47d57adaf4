#include "master/board_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/scoreboard_view.h"

#define MODE 0600
#define MAGIC_SIZE 8
#define BLOCK_SIZE 4096

#define TAKEN                                                                  \
	"already running: another daemon has this scoreboard (stop it, or "    \
	"name another file, or none)"

static int __attribute__((format(printf, 3, 4)))
fail(int error, char why[BOARD_FILE_WHY_SIZE], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, BOARD_FILE_WHY_SIZE, format, args);
	va_end(args);
	errno = error;
	return -1;
}

static int
fail_at(const char *what, char why[BOARD_FILE_WHY_SIZE])
{
	int error = errno;
	const char *remedy = "name another file";

	if (error == ENOENT || error == ENOTDIR)
		remedy = "make its directory, or name another file";
	else if (error == EACCES || error == EPERM)
		remedy = "start as root, or name another file";
	else if (error == ELOOP)
		remedy = "it is a symbolic link: name what it leads to";
	return fail(
	    error, why, "%s: %s (%s, or none)", what, strerror(error), remedy);
}

static bool
is_at_path(int fd, const char *path)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 &&
	    opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

static bool
is_zero(int fd, off_t size)
{
	static const char zeroes[BLOCK_SIZE];
	char block[BLOCK_SIZE];
	ssize_t n = 1;

	for (off_t at = 0; at < size; at += n) {
		n = pread(fd, block, sizeof(block), at);
		if (n <= 0 || memcmp(block, zeroes, (size_t)n) != 0)
			return false;
	}
	return true;
}

/*
 * One that fill had not finished when its daemon was killed, or when the
 * machine lost its power: of a size and a mode that it has then, with nothing
 * in it that could be missed.
 */
static bool
is_unfinished(int fd, const struct stat *st, size_t size)
{
	if (st->st_size == 0)
		return true;
	if ((st->st_mode & ALLPERMS) != MODE ||
	    (st->st_size != MAGIC_SIZE && st->st_size != (off_t)size))
		return false;
	return is_zero(fd, st->st_size);
}

/*
 * What a daemon of ours can have left there: its scoreboard, or the beginning
 * of one of so many bytes.
 */
static int
check_old(int fd, size_t size, char why[BOARD_FILE_WHY_SIZE])
{
	struct stat st;
	char magic[MAGIC_SIZE];
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return fail_at("stat", why);
	if (!S_ISREG(st.st_mode))
		return fail(EEXIST, why,
		    "is something else than a file, and is left alone (name "
		    "another file, or none)");
	if (st.st_uid != geteuid())
		return fail(EEXIST, why,
		    "is there and belongs to uid %u, and is left alone (remove "
		    "it, or name another file, or none)",
		    (unsigned)st.st_uid);
	n = pread(fd, magic, sizeof(magic), 0);
	if (n < 0)
		return fail_at("read", why);
	if (!scoreboard_has_magic(magic, (size_t)n) &&
	    !is_unfinished(fd, &st, size))
		return fail(EEXIST, why,
		    "is there and is no scoreboard, and is left alone (remove "
		    "it, or name another file, or none)");
	return 0;
}

/*
 * Takes away what a dead daemon has left. Under its lock, so that of two that
 * start at once one finds it taken, or another file at the path.
 */
static int
make_way(const char *path, size_t size, char why[BOARD_FILE_WHY_SIZE])
{
	/* No wait for the other end of a fifo. */
	int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int result, saved;

	if (fd < 0)
		return errno == ENOENT ? 0 : fail_at("open", why);
	result = check_old(fd, size, why);
	/* flock(2) too: it may be somebody's PID file, and empty yet. */
	if (result == 0 &&
	    (flock(fd, LOCK_EX | LOCK_NB) < 0 || scoreboard_hold(fd) < 0))
		result = errno == EAGAIN ? fail(EBUSY, why, TAKEN) :
					   fail_at("lock", why);
	else if (result == 0 && is_at_path(fd, path) && unlink(path) < 0)
		result = fail_at("unlink of a dead daemon's file", why);
	saved = errno;
	close(fd);
	errno = saved;
	return result;
}

/*
 * All of it, so that no store to the mapping can find the file system full,
 * which would be SIGBUS. The magic comes first: a daemon that is killed in
 * here leaves nothing that the next one would not know. It is on the disk
 * before anything else can be: no loss of power leaves a file with something in
 * it, and without it.
 */
static int
fill(int fd, size_t size, char why[BOARD_FILE_WHY_SIZE])
{
	const uint64_t magic = SCOREBOARD_MAGIC;
	int error = 0;

	if (pwrite(fd, &magic, sizeof(magic), 0) != sizeof(magic))
		error = errno == 0 ? ENOSPC : errno;
	if (error == 0)
		do
			error = posix_fallocate(fd, 0, (off_t)size);
		while (error == EINTR);
	if (error == 0 && fdatasync(fd) < 0)
		error = errno;
	if (error == 0)
		return 0;
	return fail(error, why,
	    "%zu bytes for it: %s (%s, lower max-workers, name another file, "
	    "or none)",
	    size, strerror(error),
	    error == EFBIG ? "raise RLIMIT_FSIZE" : "make room");
}

static int
take(int fd, char why[BOARD_FILE_WHY_SIZE])
{
	/* Whatever the umask has left of it. */
	if (fchmod(fd, MODE) < 0)
		return fail_at("chmod", why);
	if (scoreboard_hold(fd) == 0)
		return 0;
	return errno == EAGAIN ? fail(EBUSY, why, TAKEN) : fail_at("lock", why);
}

int
board_file_create(struct scoreboard *board, const char *path, uint32_t rows,
    uint32_t slots, char why[BOARD_FILE_WHY_SIZE])
{
	size_t size = scoreboard_size(rows, slots);
	int fd, result, saved;

	if (make_way(path, size, why) < 0)
		return -1;
	fd = open(
	    path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE);
	if (fd < 0)
		return errno == EEXIST ? fail(EBUSY, why, TAKEN) :
					 fail_at("open", why);
	result = take(fd, why);
	/* Who was quicker with the lock removes the file and makes another. */
	if (result == 0) {
		result = fill(fd, size, why);
		if (result == 0 &&
		    scoreboard_create_in(board, fd, rows, slots) < 0)
			result = fail_at("mmap", why);
		saved = errno;
		if (result < 0)
			board_file_remove(fd, path);
		errno = saved;
	}
	saved = errno;
	if (result < 0)
		close(fd);
	errno = saved;
	return result;
}

void
board_file_remove(int fd, const char *path)
{
	if (is_at_path(fd, path))
		(void)!unlink(path);
}
