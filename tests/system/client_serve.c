/*
 * client serve: a server that does what its steps say to each client, one after
 * the other: a bad one, for what a client shall say of it.
 */
#include <err.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

static int
start_listening(const struct options *o)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *ai;
	int fd, on = 1;

	if (getaddrinfo(o->host, o->port, &hints, &ai) != 0)
		errx(2, "%s: no address", o->host);
	fd = socket(ai->ai_family, SOCK_STREAM, 0);
	if (fd < 0)
		err(2, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 ||
	    listen(fd, (int)o->chunk) < 0)
		err(2, "%s port %s", o->host, o->port);
	freeaddrinfo(ai);
	return fd;
}

/* Until it is killed. */
int
run_serve(const struct options *o, char **steps)
{
	int listener = start_listening(o), fd;

	printf("listening\n");
	fflush(stdout);
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
		play_on(o, fd, steps);
	err(2, "accept");
}
