#include "master/control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fdpass.h"
#include "common/log.h"
#include "common/unshared.h"

#define ACCEPT_PAUSE_MS 1000 /* after accept ran out of something */
#define WARN_PERIOD_MS 60000

enum state { FREE, ASKING, WAITING, REPLYING };

struct control_client {
	enum state state;
	int fd;
	int polled;        /* its place in the fds of control_prepare, or -1 */
	struct ucred peer; /* when it connected */
	int64_t deadline;  /* CLOCK_NEVER while it waits */
	enum control_what what;                /* it waits for */
	char request[CONTROL_REQUEST_MAX + 2]; /* its LF, or a zero */
	size_t asked;
	char *reply; /* unshared */
	size_t reply_size;
	size_t sent;
	int passed; /* goes with the reply's first byte, or -1 */
};

struct control {
	int listen_fd;
	int polled;        /* as that of a client */
	int64_t accept_at; /* not before */
	int64_t warned_at; /* 0: never */
	struct control_client clients[CONTROL_CLIENTS];
};

struct control *
control_new(int listen_fd)
{
	struct control *control = unshared_alloc(1, sizeof(*control));

	if (control != NULL)
		control->listen_fd = listen_fd;
	return control;
}

static void
end(struct control_client *client)
{
	char rest[CONTROL_REQUEST_MAX];

	/*
	 * What the peer has said beyond its line: with that unread, close
	 * would be a reset to it, see unix(7). Once is enough for all who do
	 * not flood us.
	 */
	(void)!recv(client->fd, rest, sizeof(rest), MSG_DONTWAIT);
	close(client->fd); /* Linux frees the descriptor whatever it returns */
	if (client->passed >= 0)
		close(client->passed);
	unshared_free(client->reply, client->reply_size, 1);
	memset(client, 0, sizeof(*client));
}

static void
send_reply(struct control_client *client, int64_t now)
{
	ssize_t n = fdpass_send(client->fd, client->reply + client->sent,
	    client->reply_size - client->sent,
	    client->sent == 0 ? client->passed : -1,
	    MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		client->sent += (size_t)n;
		client->deadline = now + CONTROL_READ_MS;
	}
	/* An error is a peer that has gone: nobody is left to be told. */
	if (n < 0 || client->sent == client->reply_size)
		end(client);
}

void
control_reply(struct control_client *client, bool ok, const char *text)
{
	const char *head = ok ? "ok\n" : "error\n";
	size_t length = strlen(text);
	bool ended = length == 0 || text[length - 1] == '\n';
	int64_t now = clock_ms();

	if (client->state != ASKING && client->state != WAITING)
		return; /* it has its answer */
	client->reply_size = strlen(head) + length + !ended;
	client->reply = unshared_alloc(client->reply_size, 1);
	if (client->reply == NULL) {
		/* End of file without "ok": that is an error to the peer. */
		log_warn("control: memory for a reply of %zu bytes",
		    client->reply_size);
		client->reply_size = 0;
		end(client);
		return;
	}
	memcpy(client->reply, head, strlen(head));
	memcpy(client->reply + strlen(head), text, length);
	if (!ended)
		client->reply[client->reply_size - 1] = '\n';
	client->state = REPLYING;
	client->deadline = now + CONTROL_READ_MS;
	send_reply(client, now);
}

void
control_reply_passing(
    struct control_client *client, int passed, const char *text)
{
	client->passed = passed;
	control_reply(client, true, text);
}

void
control_wait(struct control_client *client, enum control_what what)
{
	client->state = WAITING;
	client->what = what;
	client->deadline = CLOCK_NEVER;
}

void
control_change(
    struct control *control, enum control_what from, enum control_what to)
{
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *client = &control->clients[i];

		if (client->state == WAITING && client->what == from)
			client->what = to;
	}
}

unsigned
control_waiting(const struct control *control, enum control_what what,
    int fds[CONTROL_CLIENTS])
{
	unsigned count = 0;

	for (int i = 0; i < CONTROL_CLIENTS; i++)
		if (control->clients[i].state == WAITING &&
		    control->clients[i].what == what)
			fds[count++] = control->clients[i].fd;
	return count;
}

bool
control_owes(const struct control *control)
{
	for (int i = 0; i < CONTROL_CLIENTS; i++)
		if (control->clients[i].state == ASKING ||
		    control->clients[i].state == REPLYING)
			return true;
	return false;
}

void
control_outcome(
    struct control *control, enum control_what what, bool ok, const char *text)
{
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *client = &control->clients[i];

		if (client->state == WAITING && client->what == what)
			control_reply(client, ok, text);
	}
}

const char *
control_who(const struct control_client *client)
{
	static char text[64];

	snprintf(text, sizeof(text), "uid %u, pid %d",
	    (unsigned)client->peer.uid, (int)client->peer.pid);
	return text;
}

void
control_free(struct control *control)
{
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *client = &control->clients[i];

		if (client->state == WAITING)
			control_reply(client, false,
			    "the daemon has stopped before that was done");
		if (client->state != FREE)
			end(client);
	}
	unshared_free(control, 1, sizeof(*control));
}

bool
control_may_ask(uid_t peer, uid_t own)
{
	return peer == 0 || peer == own;
}

/* For those who have no place: a line that fits, or they see end of file. */
static void
turn_away(int fd, const char *text)
{
	(void)!send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static struct control_client *
free_place(struct control *control)
{
	for (int i = 0; i < CONTROL_CLIENTS; i++)
		if (control->clients[i].state == FREE)
			return &control->clients[i];
	return NULL;
}

void
control_adopt(struct control *control, int fd, enum control_what what)
{
	struct control_client *client = free_place(control);
	socklen_t length = sizeof(client->peer);

	if (client == NULL) { /* no more than there are places were handed on */
		close(fd);
		return;
	}
	memset(client, 0, sizeof(*client));
	client->fd = fd;
	client->polled = client->passed = -1;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &client->peer, &length) < 0)
		log_debug("control: a client of before is of no known user");
	control_wait(client, what);
}

void
control_admit(struct control *control, int fd, int64_t now)
{
	struct control_client *client = free_place(control);
	const int buffer = CONTROL_SEND_BUFFER;
	struct ucred peer;
	socklen_t length = sizeof(peer);

	/* SO_PEERCRED: of the moment of connect(2), whatever the mode was. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 ||
	    !control_may_ask(peer.uid, geteuid())) {
		turn_away(fd,
		    "error\nnot permitted: only root, and the user that the "
		    "daemon was started as, may ask\n");
		return;
	}
	if (client == NULL) {
		turn_away(fd, "error\ntoo many clients; try again\n");
		return;
	}
	/*
	 * What a client does not read stays with us, where it has a deadline;
	 * a kernel that keeps more does no harm.
	 */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	client->state = ASKING;
	client->fd = fd;
	client->polled = client->passed = -1;
	client->peer = peer;
	client->deadline = now + CONTROL_ASK_MS;
}

static void
wake_by(int64_t *wake, int64_t at)
{
	if (at < *wake)
		*wake = at;
}

/* POLLHUP is told in any case: a client that waits may wait no more. */
static short
events_of(const struct control_client *client)
{
	return client->state == ASKING ? POLLIN :
	    client->state == REPLYING  ? POLLOUT :
					 0;
}

nfds_t
control_prepare(struct control *control, struct pollfd fds[CONTROL_FDS],
    int64_t now, int64_t *wake)
{
	bool room = free_place(control) != NULL;
	int count = 0;

	control->polled = -1;
	if (control->listen_fd >= 0 && room && now >= control->accept_at) {
		control->polled = count;
		fds[count++] = (struct pollfd){ .fd = control->listen_fd,
			.events = POLLIN };
	} else if (control->listen_fd >= 0 && room) {
		wake_by(wake, control->accept_at);
	}
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *client = &control->clients[i];

		client->polled = -1;
		if (client->state == FREE)
			continue;
		client->polled = count;
		fds[count++] = (struct pollfd){ .fd = client->fd,
			.events = events_of(client) };
		wake_by(wake, client->deadline);
	}
	return (nfds_t)count;
}

/* The line is whole: it is run, and answered whatever becomes of it. */
static void
run_request(struct control_client *client, control_fn *run, void *context)
{
	char *request = client->request;

	request[strcspn(request, "\r\n")] = '\0';
	for (char *p = request; *p != '\0'; p++)
		if (*p != '\t' && (*p < ' ' || *p > '~'))
			*p = '?';
	run(client, request, context);
	if (client->state == ASKING)
		control_reply(client, false, "there is no answer to this");
}

static void
read_request(struct control_client *client, control_fn *run, void *context)
{
	/* One place is kept for the zero. */
	size_t room = sizeof(client->request) - 1 - client->asked;
	char *to = client->request + client->asked;
	ssize_t n = recv(client->fd, to, room, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0 || (n == 0 && client->asked == 0)) {
		end(client); /* gone, or never had a question */
		return;
	}
	/* A zero is no end of a line. */
	for (ssize_t i = 0; i < n; i++)
		if (to[i] == '\0')
			to[i] = '?';
	client->asked += (size_t)n;
	client->request[client->asked] = '\0';
	if (n == 0 || strchr(to, '\n') != NULL)
		run_request(client, run, context);
	else if (client->asked > CONTROL_REQUEST_MAX)
		control_reply(client, false,
		    "the request is longer than 256 bytes: send one command");
}

static void
serve_client(struct control_client *client, short revents, int64_t now,
    control_fn *run, void *context)
{
	if (revents != 0 && client->state == ASKING)
		read_request(client, run, context);
	else if (revents != 0 && client->state == REPLYING)
		send_reply(client, now);
	else if (revents != 0)
		end(client); /* it waits no more */
	if (client->state == FREE || now < client->deadline)
		return;
	if (client->state == ASKING)
		control_reply(
		    client, false, "no line has come within 2 seconds");
	else
		end(client);
}

/* The client stays in the queue; to try again at once would be a busy loop. */
static void
pause_accepting(struct control *control, int error, int64_t now)
{
	control->accept_at = now + ACCEPT_PAUSE_MS;
	if (control->warned_at != 0 &&
	    now - control->warned_at < WARN_PERIOD_MS)
		return;
	control->warned_at = now;
	log_warnx("control: accept: %s; preforkctl(8) waits until it is "
		  "better (see %s)",
	    strerror(error),
	    error == EMFILE     ? "RLIMIT_NOFILE" :
		error == ENFILE ? "fs.file-max" :
				  "free memory");
}

static void
accept_client(struct control *control, int64_t now)
{
	int fd = accept4(
	    control->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		control_admit(control, fd, now);
	else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		pause_accepting(control, errno, now);
}

void
control_serve(struct control *control, const struct pollfd fds[CONTROL_FDS],
    int64_t now, control_fn *run, void *context)
{
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *client = &control->clients[i];

		if (client->state != FREE && client->polled >= 0)
			serve_client(client, fds[client->polled].revents, now,
			    run, context);
	}
	/* One a turn, and after them: it has not been polled. */
	if (control->polled >= 0 && fds[control->polled].revents != 0)
		accept_client(control, now);
}
