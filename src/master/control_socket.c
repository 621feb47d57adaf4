#include "master/control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define QUEUE 64 /* clients that wait while CONTROL_CLIENTS are served */
#define LOCK_TRIES 50
#define LOCK_PAUSE_MS 20

static enum control_socket_result __attribute__((format(printf, 3, 4)))
say(enum control_socket_result result, char why[CONTROL_SOCKET_WHY_SIZE],
    const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why, CONTROL_SOCKET_WHY_SIZE, format, ap);
	va_end(ap);
	return result;
}

static enum control_socket_result
fail(char why[CONTROL_SOCKET_WHY_SIZE], const char *what, int error)
{
	const char *remedy = "name another path";

	if (error == ENOENT)
		remedy = "make its directory, or name another path";
	else if (error == EACCES || error == EPERM)
		remedy = "start as root, or name another path";
	return say(CONTROL_SOCKET_FAILED, why, "%s: %s (%s, or none)", what,
	    strerror(error), remedy);
}

/* "/" for a path that is directly in it. */
static void
directory_of(const char *path, char directory[sizeof(struct sockaddr_un)])
{
	size_t length = (size_t)(strrchr(path, '/') - path);

	if (length == 0)
		length = 1;
	memcpy(directory, path, length);
	directory[length] = '\0';
}

void
control_socket_make_directory(const char *path)
{
	char directory[sizeof(struct sockaddr_un)];
	mode_t before = umask(022);

	directory_of(path, directory);
	(void)!mkdir(directory, 0755);
	umask(before);
}

/*
 * Between a look at what is there and the bind nobody else shall do the same:
 * of two daemons that start at once the second would remove the socket of the
 * first. Everybody who can read the directory could keep us waiting, so we go
 * on without the lock after a second. Returns -1 where there is none.
 */
static int
lock_directory(const char *path)
{
	const struct timespec pause = { 0, LOCK_PAUSE_MS * 1000000L };
	char directory[sizeof(struct sockaddr_un)];
	int fd;

	directory_of(path, directory);
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
			break;
		nanosleep(&pause, NULL);
	}
	return fd;
}

/* Takes what is at the path away, where that is a socket of the dead. */
static enum control_socket_result
make_way(const struct control_socket *socket, int fd,
    char why[CONTROL_SOCKET_WHY_SIZE])
{
	const char *path = socket->at.sun_path;
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? CONTROL_SOCKET_OPEN :
					 fail(why, "stat", errno);
	/* connect(2) says ECONNREFUSED of any other file as well. */
	if (!S_ISSOCK(st.st_mode))
		return say(CONTROL_SOCKET_FAILED, why,
		    "is something else than a socket, and is left alone "
		    "(name another path, or none)");
	/* EAGAIN: it lives, and its queue is full. */
	if (connect(fd, (const struct sockaddr *)&socket->at,
		sizeof(socket->at)) == 0 ||
	    errno == EAGAIN)
		return say(CONTROL_SOCKET_TAKEN, why,
		    "already running: another daemon answers there (stop it, "
		    "or name another path, or none)");
	if (errno != ECONNREFUSED)
		return fail(why, "a socket is there already", errno);
	if (unlink(path) < 0)
		return fail(why, "unlink of a dead daemon's socket", errno);
	return CONTROL_SOCKET_OPEN;
}

/* chmod(2) after bind would leave it open to others for a moment. */
static int
bind_private(const struct control_socket *socket)
{
	mode_t before = umask(0177);
	int result = bind(socket->fd, (const struct sockaddr *)&socket->at,
		sizeof(socket->at)),
	    saved = errno;

	umask(before);
	errno = saved;
	return result;
}

static enum control_socket_result
bind_and_listen(
    struct control_socket *socket, char why[CONTROL_SOCKET_WHY_SIZE])
{
	struct stat st;
	int saved;

	if (bind_private(socket) < 0)
		return fail(why, "bind", errno);
	if (lstat(socket->at.sun_path, &st) < 0 ||
	    listen(socket->fd, QUEUE) < 0) {
		saved = errno;
		unlink(socket->at.sun_path);
		return fail(why, "listen", saved);
	}
	socket->device = st.st_dev;
	socket->inode = st.st_ino;
	return CONTROL_SOCKET_OPEN;
}

static int
new_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

enum control_socket_result
control_socket_open(struct control_socket *socket, const char *path,
    char why[CONTROL_SOCKET_WHY_SIZE])
{
	enum control_socket_result result;
	int lock, probe;

	memset(socket, 0, sizeof(*socket));
	socket->at.sun_family = AF_UNIX;
	strlcpy(socket->at.sun_path, path, sizeof(socket->at.sun_path));
	probe = new_socket();
	socket->fd = new_socket();
	lock = lock_directory(path);
	if (probe < 0 || socket->fd < 0)
		result = fail(why, "socket", errno);
	else
		result = make_way(socket, probe, why);
	if (result == CONTROL_SOCKET_OPEN)
		result = bind_and_listen(socket, why);
	if (lock >= 0)
		close(lock);
	if (probe >= 0)
		close(probe);
	if (result != CONTROL_SOCKET_OPEN && socket->fd >= 0) {
		close(socket->fd);
		socket->fd = -1;
	}
	return result;
}

void
control_socket_close(struct control_socket *socket)
{
	struct stat st;

	if (socket->fd < 0)
		return;
	/*
	 * Before the close: while it answers nobody replaces it. One that
	 * cannot be removed refuses, and the next daemon takes it away.
	 */
	if (lstat(socket->at.sun_path, &st) == 0 &&
	    st.st_dev == socket->device && st.st_ino == socket->inode)
		(void)!unlink(socket->at.sun_path);
	close(socket->fd);
	socket->fd = -1;
}
