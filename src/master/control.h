/*
 * control: the clients of the control socket, without ever waiting for one.
 *
 * A client sends one line, and is sent "ok" or "error" and a text, then end of
 * file. What a line means is the caller's: this knows no command. The master's
 * loop polls CONTROL_FDS descriptors for it; in one turn each client costs at
 * most one read and one write, and none of them blocks.
 */
#ifndef MASTER_CONTROL_H
#define MASTER_CONTROL_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CONTROL_CLIENTS 8 /* at once; more wait in the listen queue */
#define CONTROL_FDS (1 + CONTROL_CLIENTS)
#define CONTROL_REQUEST_MAX 256 /* bytes, without the LF */
#define CONTROL_ASK_MS 2000     /* from accept to the end of the line */
#define CONTROL_READ_MS 5000    /* without progress, while it reads */
#define CONTROL_SEND_BUFFER 16384

/* What a client may be left waiting for. */
enum control_what {
	CONTROL_RELOAD_NEXT, /* the one that begins next, not one in progress */
	CONTROL_RELOAD,
	CONTROL_UPGRADE_NEXT,
	CONTROL_UPGRADE,
	CONTROL_STOP
};

struct control;
struct control_client;

/*
 * Called with a request: text without its line end, which may be changed, of
 * printable characters (others have become '?'). Calls control_reply or
 * control_wait.
 */
typedef void
control_fn(struct control_client *client, char *request, void *context);

/*
 * Serves clients of listen_fd (-1: none), which stays the caller's. Returns
 * NULL with errno. It is in unshared memory.
 */
struct control *control_new(int listen_fd);

/* Ends every client; one that waits is told that we stop. */
void control_free(struct control *control);

/* True for a peer that is answered: root, and the user that we are. */
bool control_may_ask(uid_t peer, uid_t own);

/*
 * Takes fd, a connected socket that does not block: as a client, or, where
 * control_may_ask says no or there are too many, with an error and closed.
 */
void control_admit(struct control *control, int fd, int64_t now);

/*
 * Fills fds for ppoll(2), as many as there are to wait for: it refuses more
 * than RLIMIT_NOFILE, be they -1 or not. Returns their number, and makes *wake
 * earlier where control_serve wants to be called without an event.
 */
nfds_t control_prepare(struct control *control, struct pollfd fds[CONTROL_FDS],
    int64_t now, int64_t *wake);

/* Does what ppoll has found, and ends clients that were too slow. */
void
control_serve(struct control *control, const struct pollfd fds[CONTROL_FDS],
    int64_t now, control_fn *run, void *context);

/*
 * Answers with "ok" or "error" and text, to which a newline is added where it
 * ends without, and closes when that is sent. text is copied.
 */
void control_reply(struct control_client *client, bool ok, const char *text);

/*
 * Answers a request with "ok", text and a copy of the descriptor passed, which
 * goes with the first byte, see SCM_RIGHTS in unix(7). It closes that.
 */
void control_reply_passing(
    struct control_client *client, int passed, const char *text);

/* Leaves it waiting, without a deadline, for control_outcome. */
void control_wait(struct control_client *client, enum control_what what);

/* Those that waited for the one wait for the other from now on. */
void control_change(
    struct control *control, enum control_what from, enum control_what to);

/*
 * Writes the descriptors of those that wait for it to fds; returns how many.
 * They stay open here.
 */
unsigned control_waiting(const struct control *control, enum control_what what,
    int fds[CONTROL_CLIENTS]);

/* Takes fd, of a client that waits already: another binary had admitted it. */
void control_adopt(struct control *control, int fd, enum control_what what);

/*
 * True while a client has not said all of its line, or not read all of its
 * answer: it would lose that in an exec. Those that wait do not count.
 */
bool control_owes(const struct control *control);

/* Answers all that wait for it. */
void control_outcome(
    struct control *control, enum control_what what, bool ok, const char *text);

/* "uid 0, pid 4242", for the log. Good until the next call. */
const char *control_who(const struct control_client *client);

#endif
