/*
 * tcp_pair: two ends of a real TCP connection over loopback, with an io on
 * the server's, for the tests of connection/.
 */
#ifndef UNIT_TCP_PAIR_H
#define UNIT_TCP_PAIR_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "connection/io.h"

static int server = -1, client = -1;
static int64_t stop_seen, first_waited;
static struct io_limits limits = { .stop_seen = &stop_seen,
	.first_waited = &first_waited };
static struct slot_traffic traffic;
static volatile sig_atomic_t stopping;
static struct io io;

static inline void
must(bool good)
{
	if (!good)
		abort();
}

/*
 * The server's send buffer and the client's receive buffer have so many
 * bytes; 0 leaves both alone.
 */
static inline void
tcp_pair_sized(int send_buffer, int receive_buffer)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(in);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int segment = 1400;

	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(listener >= 0 && client >= 0);
	if (send_buffer != 0) {
		/*
		 * Loopback's segments of 64 KiB would make a slow reader's
		 * window open in leaps that no network has.
		 */
		must(setsockopt(client, IPPROTO_TCP, TCP_MAXSEG, &segment,
			 sizeof(segment)) == 0);
		must(setsockopt(client, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
			 sizeof(receive_buffer)) == 0);
		must(setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &send_buffer,
			 sizeof(send_buffer)) == 0);
	}
	must(bind(listener, (struct sockaddr *)&in, sizeof(in)) == 0);
	must(listen(listener, 1) == 0);
	must(getsockname(listener, (struct sockaddr *)&in, &size) == 0);
	must(connect(client, (struct sockaddr *)&in, sizeof(in)) == 0);
	server = accept(listener, NULL, NULL);
	must(server >= 0);
	close(listener);
	io_init(&io, server, &limits, &traffic, &stopping);
}

static inline void
tcp_pair_make(void)
{
	/* A hang ends by these, and not by the case's timeout. */
	limits.idle_ms = limits.send_ms = limits.linger_ms = 20000;
	limits.stop_linger_ms = 20000;
	tcp_pair_sized(0, 0);
}

static inline void
tcp_pair_close(void)
{
	close(server);
	close(client);
}

static inline void
client_sends(const char *text)
{
	ssize_t length = (ssize_t)strlen(text);

	must(send(client, text, (size_t)length, MSG_NOSIGNAL) == length);
}

/* Waits until the server's end has that many bytes, or a FIN or an error. */
static inline void
server_has(size_t bytes)
{
	static char buffer[65536];

	must(recv(server, buffer, bytes, MSG_PEEK | MSG_WAITALL) >= -1);
}

/* Closes an end with a RST. */
static inline void
end_resets(int *fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	must(setsockopt(*fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0);
	close(*fd);
	*fd = -1;
}

static inline void
client_resets(void)
{
	end_resets(&client);
}

/* The exit status of a process that must end by itself. */
static inline int
status_of(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline void
end_process(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

#endif
