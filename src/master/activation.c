#include "master/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

#define FIRST_FD 3        /* SD_LISTEN_FDS_START */
#define NO_NAME "unknown" /* what sd_listen_fds_with_names(3) says as well */

static struct activation_socket *sockets;
static int socket_count;

static int
option(int fd, int name)
{
	socklen_t length;
	int value = -1;

	length = sizeof(value);
	if (getsockopt(fd, SOL_SOCKET, name, &value, &length) < 0)
		return -1;
	return value;
}

/* NULL for a TCP socket that listens; otherwise what it is, and the remedy. */
static const char *
find_wrong(int fd)
{
	int family = option(fd, SO_DOMAIN);

	if (fcntl(fd, F_GETFD) < 0)
		return "is not open; LISTEN_FDS counts more than was passed";
	if (family < 0)
		return "is no socket; its unit needs ListenStream=";
	if (option(fd, SO_TYPE) != SOCK_STREAM)
		return "is no stream socket; its unit needs ListenStream=";
	if ((family != AF_INET && family != AF_INET6) ||
	    option(fd, SO_PROTOCOL) != IPPROTO_TCP)
		return "is no TCP socket; its unit needs ListenStream= with a "
		       "port";
	if (option(fd, SO_ACCEPTCONN) != 1)
		return "does not listen; its unit needs Accept=no";
	return NULL;
}

/* As a listen line that binds it would be called. */
static void
name_address(struct activation_socket *socket)
{
	static const struct in6_addr any = IN6ADDR_ANY_INIT;
	struct sockaddr_storage addr = { 0 };
	socklen_t length = sizeof(addr), size;
	struct sockaddr_in6 in6;
	int v6only = 1;

	getsockname(socket->fd, (struct sockaddr *)&addr, &length);
	addr_format(
	    (struct sockaddr *)&addr, socket->address, sizeof(socket->address));
	if (addr.ss_family != AF_INET6)
		return;
	memcpy(&in6, &addr, sizeof(in6));
	size = sizeof(v6only);
	if (memcmp(&in6.sin6_addr, &any, sizeof(any)) == 0 &&
	    getsockopt(socket->fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &size) ==
		0 &&
	    !v6only)
		snprintf(socket->address, sizeof(socket->address), "*:%u",
		    ntohs(in6.sin6_port));
}

/* names is a list with colons between, or NULL, and is taken to pieces. */
static int
fill_table(char *names, int count)
{
	struct activation_socket *socket;
	const char *name;

	sockets = calloc((size_t)count, sizeof(*sockets));
	if (sockets == NULL)
		return -1;
	for (int i = 0; i < count; i++) {
		socket = &sockets[i];
		name = names == NULL ? NULL : strsep(&names, ":");
		/* No listen line could have the empty name. */
		socket->name =
		    strdup(name == NULL || *name == '\0' ? NO_NAME : name);
		if (socket->name == NULL)
			return -1;
		socket->stored = strncmp(socket->name, ACTIVATION_STORED,
				     strlen(ACTIVATION_STORED)) == 0;
		socket->fd = FIRST_FD + i;
		socket->wrong = find_wrong(socket->fd);
		if (socket->wrong == NULL)
			name_address(socket);
		if (fcntl(socket->fd, F_SETFD, FD_CLOEXEC) < 0 &&
		    errno != EBADF)
			return -1;
	}
	socket_count = count;
	return 0;
}

/* The number in that variable, or -1. */
static int
number_of(const char *name, int most)
{
	const char *text = getenv(name), *bad;
	int number;

	if (text == NULL)
		return -1;
	number = (int)strtonum(text, 0, most, &bad);
	if (bad == NULL)
		return number;
	log_warnx("%s=%s: must be a number, 0 to %d; no socket of systemd is "
		  "taken",
	    name, text, most);
	return -1;
}

int
activation_take(void)
{
	int pid = number_of("LISTEN_PID", INT_MAX), count = 0;
	char *names = getenv("LISTEN_FDNAMES");

	/* Those of another process are none of our business. */
	if (pid == getpid())
		count = number_of("LISTEN_FDS",
		    sysconf(_SC_OPEN_MAX) > INT_MAX ?
			INT_MAX - FIRST_FD :
			(int)sysconf(_SC_OPEN_MAX) - FIRST_FD);
	if (count > 0 && fill_table(names, count) < 0)
		fatal("not started: the sockets that systemd passed");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return count > 0 ? count : 0;
}

int
activation_inherit(const char *name, const char *address, int fd)
{
	struct activation_socket *more, *socket;

	more =
	    reallocarray(sockets, (size_t)socket_count + 1, sizeof(*sockets));
	if (more == NULL)
		return -1;
	sockets = more;
	socket = &sockets[socket_count];
	*socket = (struct activation_socket){
		.name = strdup(name), .fd = fd, .taken = true
	};
	if (socket->name == NULL)
		return -1;
	strlcpy(socket->address, address, sizeof(socket->address));
	socket_count++;
	return 0;
}

const char *
activation_name(const char *address)
{
	for (int i = 0; i < socket_count; i++)
		if (sockets[i].taken && !sockets[i].stored &&
		    strcmp(sockets[i].address, address) == 0)
			return sockets[i].name;
	return NULL;
}

static bool
is_named(const struct conf *conf, const char *name)
{
	const struct conf_service *service;
	const struct conf_listen *listen;

	TAILQ_FOREACH(service, &conf->services, entry)
		TAILQ_FOREACH(listen, &service->listens, entry)
			if (listen->systemd && strcmp(listen->host, name) == 0)
				return true;
	return false;
}

void
activation_claim(const struct conf *conf)
{
	for (int i = 0; i < socket_count; i++)
		sockets[i].claimed = is_named(conf, sockets[i].name);
}

struct activation_socket *
activation_next(const char *name, struct activation_socket *after)
{
	struct activation_socket *socket;

	for (int i = after == NULL ? 0 : (int)(after - sockets) + 1;
	     i < socket_count; i++) {
		socket = &sockets[i];
		if (socket->stored)
			continue;
		if (*name == '\0' ? !socket->claimed :
				    strcmp(socket->name, name) == 0)
			return socket;
	}
	return NULL;
}

struct activation_socket *
activation_next_stored(struct activation_socket *after)
{
	for (int i = after == NULL ? 0 : (int)(after - sockets) + 1;
	     i < socket_count; i++)
		if (sockets[i].stored && !sockets[i].taken)
			return &sockets[i];
	return NULL;
}

bool
activation_is_second(const struct activation_socket *socket)
{
	for (int i = 0; i < socket_count; i++)
		if (&sockets[i] != socket && sockets[i].taken &&
		    strcmp(sockets[i].address, socket->address) == 0)
			return true;
	return false;
}

void
activation_close_rest(void)
{
	for (int i = 0; i < socket_count; i++) {
		struct activation_socket *socket = &sockets[i];

		if (socket->taken || socket->stored)
			continue;
		log_warnx("systemd passed a socket of the name %s (%s) that no "
			  "listen line names: closed; serve it by \"listen "
			  "systemd:%s\", or take it out of the unit",
		    socket->name,
		    socket->wrong == NULL ? socket->address : socket->wrong,
		    socket->name);
		close(socket->fd);
		socket->taken = true;
	}
}
