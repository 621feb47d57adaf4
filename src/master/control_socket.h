/*
 * control_socket: the listening UNIX socket at a path, and who has it.
 */
#ifndef MASTER_CONTROL_SOCKET_H
#define MASTER_CONTROL_SOCKET_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>

struct control_socket {
	int fd; /* listening, non-blocking, close-on-exec; -1: none */
	struct sockaddr_un at;
	/* what we made there: the path may be somebody else's by now */
	dev_t device;
	ino_t inode;
};

#define CONTROL_SOCKET_WHY_SIZE 256

enum control_socket_result {
	CONTROL_SOCKET_OPEN,
	CONTROL_SOCKET_TAKEN, /* a living daemon answers there */
	CONTROL_SOCKET_FAILED
};

/*
 * Listens at path, which is shorter than sun_path (unix(7)): nobody but our own
 * user can connect, from the first moment on. A socket that a dead daemon left
 * there is replaced; another file is left alone. Where it is not
 * CONTROL_SOCKET_OPEN, socket->fd is -1, and what is wrong, with the remedy, is
 * in why.
 */
enum control_socket_result control_socket_open(struct control_socket *socket,
    const char *path, char why[CONTROL_SOCKET_WHY_SIZE]);

/*
 * Makes the directory of path (mode 0755), where it is missing and its own
 * parent is there. A failure is left for control_socket_open to find.
 */
void control_socket_make_directory(const char *path);

/* Closes it, and removes it from its path if it is still ours. */
void control_socket_close(struct control_socket *socket);

#endif
