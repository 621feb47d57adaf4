/*
 * client: asks a running daemon over its control socket, see preforkctl(8).
 */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CLIENT_NO_LIMIT 0
#define CLIENT_REPLY_MAX ((size_t)64 << 20) /* bytes; more is no status */
#define CLIENT_WHY_SIZE 512

enum client_result {
	CLIENT_OK,      /* done: the text of the reply */
	CLIENT_REFUSED, /* the daemon says why not, in that text */
	CLIENT_FAILED,  /* the daemon could not be asked, or did not answer */
	CLIENT_NO_DAEMON
};

/*
 * Connects to the socket at path, sends request and a newline, and reads the
 * reply to its end. To connect and to send take at most connect_ms; the reply
 * at most reply_ms, or as long as it takes for CLIENT_NO_LIMIT. *text is the
 * caller's to free for CLIENT_OK and CLIENT_REFUSED; otherwise it is NULL, and
 * why says what is wrong, with the remedy.
 */
enum client_result
client_ask(const char *path, const char *request, int64_t connect_ms,
    int64_t reply_ms, char **text, char why[CLIENT_WHY_SIZE]);

/* What comes with an answer besides. */
struct client_passed {
	int fd;     /* the caller's to close, or -1: none came */
	pid_t peer; /* who listens at the socket; 0: not in our /proc */
};

/* The same, and fills *passed; its fd is -1 for all but CLIENT_OK. */
enum client_result client_fetch(const char *path, const char *request,
    int64_t connect_ms, int64_t reply_ms, char **text,
    struct client_passed *passed, char why[CLIENT_WHY_SIZE]);

#endif
