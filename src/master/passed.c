#include "master/passed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "master/activation.h"

/* A listen line of systemd's on its way to listeners. */
struct passing {
	const struct conf_service *service;
	const struct conf_listen *listen;
	listener_known_fn *known;
	void *context;
	char line[512]; /* for messages */
};

static bool
is_known(const struct passing *p, const struct activation_socket *socket)
{
	return p->known != NULL && p->known(p->context, socket->address);
}

static int
adopt(const struct passing *p, struct activation_socket *socket,
    struct listener *listener)
{
	const char *what;

	if (activation_is_second(socket) || is_known(p, socket)) {
		log_errorx("%s: systemd passed two sockets of the address %s; "
			   "take one out of the units",
		    p->line, socket->address);
		return LISTENER_NOT_PASSED;
	}
	what = listener_adopt(socket->fd, p->service, listener);
	if (what != NULL) {
		log_errorx("%s: %s: %s", p->line, what, strerror(errno));
		return -1;
	}
	listener->passed = true;
	socket->taken = true;
	return 0;
}

static int
open_one(const struct passing *p, struct activation_socket *socket,
    struct listener *listener)
{
	if (socket->wrong != NULL) {
		log_errorx("%s: descriptor %d, which systemd passed as %s, %s",
		    p->line, socket->fd, socket->name, socket->wrong);
		return LISTENER_NOT_PASSED;
	}
	strlcpy(listener->address, socket->address, sizeof(listener->address));
	if (!socket->taken)
		return adopt(p, socket, listener);
	if (is_known(p, socket))
		return 0;
	log_errorx("%s: this process has closed what systemd passed as %s, "
		   "for no listen line named it; restart the service",
	    p->line, socket->name);
	return LISTENER_NOT_PASSED;
}

static void
complain_of_none(const struct passing *p)
{
	const char *name = p->listen->host;

	if (*name == '\0')
		log_errorx("%s: systemd passed no socket but those that other "
			   "listen lines name; start a .socket unit for this "
			   "service, or listen on an address",
		    p->line);
	else
		log_errorx("%s: systemd passed no socket of the name %s; start "
			   "a .socket unit for this service with "
			   "FileDescriptorName=%s, or listen on an address",
		    p->line, name, name);
}

int
passed_open(const struct conf_service *service,
    const struct conf_listen *listen, listener_known_fn *known, void *context,
    struct listener **listeners)
{
	struct passing p = { service, listen, known, context, "" };
	struct activation_socket *socket = NULL;
	int count = 0, result = 0;

	listener_name(service, listen, p.line, sizeof(p.line));
	while ((socket = activation_next(listen->host, socket)) != NULL)
		count++;
	if (count == 0) {
		complain_of_none(&p);
		return LISTENER_NOT_PASSED;
	}
	*listeners = calloc((size_t)count, sizeof(**listeners));
	if (*listeners == NULL) {
		log_warn("%s", p.line);
		return -1;
	}
	for (int i = 0; i < count && result == 0; i++) {
		socket = activation_next(listen->host, socket);
		result = open_one(&p, socket, &(*listeners)[i]);
	}
	if (result == 0)
		return count;
	while (count > 0)
		listener_release(&(*listeners)[--count]);
	free(*listeners);
	return result;
}
