#include "master/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "connection/options.h"
#include "connection/tcpstate.h"
#include "master/passed.h"
#include "master/portholder.h"
#include "master/store.h"

/* One address of a listen line on its way to a listener. */
struct binding {
	const struct conf_service *service;
	const struct conf_listen *listen;
	const struct sockaddr *addr;
	socklen_t length;
	bool both_families;
	listener_known_fn *known;
	void *context;
};

char *
listener_name(const struct conf_service *service,
    const struct conf_listen *listen, char *text, size_t size)
{
	if (listen->file != NULL)
		snprintf(text, size, "%s:%u: listen %s", listen->file,
		    listen->line, listen->text);
	else
		snprintf(text, size, "%s@%s", service->name, listen->text);
	return text;
}

static void
complain_in_use(const struct binding *b, const char *name)
{
	char holder[64];
	pid_t pid = portholder_find(b->addr, holder, sizeof(holder));

	if (pid == getpid())
		log_errorx("%s: address already in use: another listen of "
			   "this configuration, or of the one in force, has "
			   "port %u (*:%u takes every address; a restart can "
			   "change one for the other, a reload cannot)",
		    name, b->listen->port, b->listen->port);
	else if (pid != 0)
		log_errorx("%s: address already in use: pid %d (%s) listens "
			   "on port %u; stop it, or use another port",
		    name, (int)pid, holder, b->listen->port);
	else
		log_errorx("%s: address already in use: another process "
			   "listens on port %u (root can see which: ss -ltnp)",
		    name, b->listen->port);
}

/* What went wrong with a socket, and what to do about it. */
static void
complain(const struct binding *b, const char *what, int error)
{
	char name[512];

	listener_name(b->service, b->listen, name, sizeof(name));
	switch (error) {
	case EADDRINUSE:
		complain_in_use(b, name);
		break;
	case EACCES:
		log_errorx(
		    "%s: permission denied: port %u needs "
		    "CAP_NET_BIND_SERVICE; start as root, or use a port of "
		    "1024 or higher",
		    name, b->listen->port);
		break;
	case EADDRNOTAVAIL:
		log_errorx("%s: no interface of this machine has this "
			   "address",
		    name);
		break;
	case EINVAL:
		log_errorx("%s: %s: %s; a link-local address needs its "
			   "interface, as in [fe80::1%%eth0]:7",
		    name, what, strerror(error));
		break;
	default:
		log_errorx("%s: %s: %s", name, what, strerror(error));
		break;
	}
}

/*
 * SO_REUSEADDR lets a restart bind while old connections are in TIME_WAIT; on
 * Linux it does not let two listeners share a port (socket(7)).
 */
static const char *
set_up(int fd, const struct binding *b, const char *address)
{
	const int on = 1;
	int v6only = !b->both_families;
	const char *what;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return "SO_REUSEADDR";
	if (b->addr->sa_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)) <
		0)
		return "IPV6_V6ONLY";
	what = options_inherit(fd, b->service);
	if (what != NULL)
		return what;
	if (bind(fd, b->addr, b->length) < 0 &&
	    (errno != EADDRINUSE || !store_make_way(address) ||
		bind(fd, b->addr, b->length) < 0))
		return "bind";
	if (listen(fd, (int)b->service->backlog) < 0)
		return "listen";
	return NULL;
}

/* What getsockname(2) will say, in the words of activation_socket. */
static const char *
bound_to(const struct binding *b, const struct listener *listener,
    char address[ADDR_STRLEN])
{
	/* "*" without IPv6 is "0.0.0.0". */
	if (b->both_families && b->addr->sa_family == AF_INET6)
		strlcpy(address, listener->address, ADDR_STRLEN);
	else
		addr_format(b->addr, address, ADDR_STRLEN);
	return address;
}

static const char *
hold(int fd, struct listener *listener)
{
	listener->ref =
	    fdref_new(fd, FDREF_CONFIGURATION, 0, &listener->configured);
	return listener->ref == NULL ? "memory" : NULL;
}

/* Returns NULL, or the step that failed, with errno; nothing is said yet. */
static const char *
open_binding(const struct binding *b, struct listener *listener)
{
	char address[ADDR_STRLEN];
	const char *what;
	int fd, saved;

	if (b->both_families)
		snprintf(listener->address, sizeof(listener->address), "*:%u",
		    b->listen->port);
	else
		addr_format(
		    b->addr, listener->address, sizeof(listener->address));
	if (b->known != NULL && b->known(b->context, listener->address))
		return NULL;
	fd = store_take(bound_to(b, listener, address));
	if (fd >= 0) {
		what = listener_adopt(fd, b->service, listener);
	} else {
		fd = socket(b->addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			return "socket";
		what = set_up(fd, b, address);
		if (what == NULL)
			what = hold(fd, listener);
	}
	if (what != NULL) {
		saved = errno;
		close(fd);
		errno = saved;
	}
	return what;
}

/* One socket for both families; a machine without IPv6 gets IPv4 alone. */
static int
open_wildcard(struct binding b, struct listener *listener)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(b.listen->port),
		.sin6_addr = IN6ADDR_ANY_INIT };
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(b.listen->port) };
	const char *what;

	b.addr = (struct sockaddr *)&in6;
	b.length = sizeof(in6);
	b.both_families = true;
	what = open_binding(&b, listener);

	if (what != NULL && errno == EAFNOSUPPORT) {
		b.addr = (struct sockaddr *)&in;
		b.length = sizeof(in);
		what = open_binding(&b, listener);
	}
	if (what != NULL)
		complain(&b, what, errno);
	return what == NULL ? 1 : -1;
}

/*
 * A name like localhost may have an IPv6 address where IPv6 is turned off:
 * an address that is not there is passed over, if another one is.
 */
static int
open_addresses(
    struct binding b, const struct addrinfo *first, struct listener *listeners)
{
	const struct addrinfo *ai;
	char text[ADDR_STRLEN];
	const char *what;
	int count = 0;

	for (ai = first; ai != NULL; ai = ai->ai_next) {
		b.addr = ai->ai_addr;
		b.length = ai->ai_addrlen;
		what = open_binding(&b, &listeners[count]);
		if (what == NULL) {
			count++;
			continue;
		}
		if ((errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT) &&
		    (count > 0 || ai->ai_next != NULL)) {
			log_warnx("listen %s: %s is not an address of this "
				  "machine: passed over",
			    b.listen->text,
			    addr_format(ai->ai_addr, text, sizeof(text)));
			continue;
		}
		complain(&b, what, errno);
		while (count > 0)
			listener_release(&listeners[--count]);
		return -1;
	}
	return count;
}

static struct addrinfo *
resolve(const struct conf_service *service, const struct conf_listen *listen)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char port[8], name[512];
	int error;

	snprintf(port, sizeof(port), "%u", listen->port);
	error = getaddrinfo(listen->host, port, &hints, &found);
	if (error != 0)
		log_errorx("%s: cannot find the address of \"%s\": %s",
		    listener_name(service, listen, name, sizeof(name)),
		    listen->host,
		    error == EAI_SYSTEM ? strerror(errno) :
					  gai_strerror(error));
	return error != 0 ? NULL : found;
}

int
listener_open(const struct conf_service *service,
    const struct conf_listen *listen, listener_known_fn *known, void *context,
    struct listener **listeners)
{
	const struct binding b = { .service = service,
		.listen = listen,
		.known = known,
		.context = context };
	struct addrinfo *found = NULL, *ai;
	bool wildcard = strcmp(listen->host, "*") == 0;
	size_t room = 1;
	int count;

	if (listen->systemd)
		return passed_open(service, listen, known, context, listeners);
	if (!wildcard) {
		found = resolve(service, listen);
		if (found == NULL)
			return -1;
		for (ai = found->ai_next; ai != NULL; ai = ai->ai_next)
			room++;
	}
	*listeners = calloc(room, sizeof(**listeners));
	if (*listeners == NULL) {
		log_warn("listen %s", listen->text);
		count = -1;
	} else if (wildcard) {
		count = open_wildcard(b, *listeners);
	} else {
		count = open_addresses(b, found, *listeners);
	}
	if (found != NULL)
		freeaddrinfo(found);
	if (count < 0)
		free(*listeners);
	return count;
}

int
listener_inherit(struct listener *listener, int fd, const char *address)
{
	strlcpy(listener->address, address, sizeof(listener->address));
	listener->ref =
	    fdref_new(fd, FDREF_CONFIGURATION, 0, &listener->configured);
	return listener->ref == NULL ? -1 : 0;
}

int
listener_set_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

const char *
listener_adopt(
    int fd, const struct conf_service *service, struct listener *listener)
{
	const char *what;

	if (listener_set_blocking(fd) < 0)
		return "O_NONBLOCK";
	what = options_inherit(fd, service);
	if (what != NULL)
		return what;
	if (listen(fd, (int)service->backlog) < 0)
		return "listen";
	what = hold(fd, listener);
	if (what == NULL)
		fdref_hold_by_systemd(listener->ref);
	return what;
}

void
listener_adjust(
    const struct listener *listener, const struct conf_service *service)
{
	int fd = fdref_fd(listener->ref);
	const char *what = options_inherit(fd, service);

	if (what != NULL)
		log_warn("%s: %s stays as it was", listener->address, what);
	/* listen(2) again sets the limit, and leaves the queue alone. */
	if (listen(fd, (int)service->backlog) < 0)
		log_warn("%s: backlog %" PRId64, listener->address,
		    service->backlog);
	listener_check_backlog(listener, service->backlog);
}

void
listener_check_backlog(const struct listener *listener, int64_t backlog)
{
	uint32_t length, limit;

	if (tcpstate_queue(fdref_fd(listener->ref), &length, &limit) < 0)
		log_warn("%s: TCP_INFO", listener->address);
	else if ((int64_t)limit < backlog)
		log_warnx(
		    "%s: backlog %" PRId64 " was cut to %" PRIu32 " by "
		    "net.core.somaxconn; raise it with sysctl(8), or lower "
		    "the backlog",
		    listener->address, backlog, limit);
}

void
listener_stop(const struct listener *listener)
{
	int fd = fdref_fd(listener->ref), flags;

	/* O_NONBLOCK belongs to the open file, which all workers share. */
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		log_warn("%s: O_NONBLOCK", listener->address);
	/*
	 * listen(2) again sets the limit; 0 still admits one connection. Those
	 * who come while systemd holds it wait for the next instance.
	 */
	if (!fdref_is_with_systemd(listener->ref) && listen(fd, 0) < 0)
		log_warn("%s: listen", listener->address);
}

void
listener_release(struct listener *listener)
{
	if (listener->ref == NULL)
		return;
	/* What we set on the open file would stay with systemd. */
	if (fdref_is_with_systemd(listener->ref))
		listener_set_blocking(fdref_fd(listener->ref));
	fdref_drop_by_systemd(listener->ref);
	fdref_drop(listener->ref, listener->configured);
	listener->ref = NULL;
	listener->configured = NULL;
}
