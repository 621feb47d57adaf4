#include "master/store.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "master/activation.h"

#define AGAIN_MS 500
#define NAME_SIZE (sizeof(ACTIVATION_STORED) + ADDR_STRLEN)

void
store_open(struct store *store)
{
	const char *text = getenv("FDSTORE"), *bad;

	*store = (struct store){ 0 };
	if (text == NULL)
		return;
	store->max = (unsigned)strtonum(text, 0, INT_MAX, &bad);
	if (bad != NULL)
		log_warnx("FDSTORE=%s: must be a number, as "
			  "FileDescriptorStoreMax= of the unit; no socket is "
			  "stored",
		    text);
	unsetenv("FDSTORE");
}

/* One name an address: no address has a slash, and no name a colon. */
static char *
name_of(const char *address, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, ACTIVATION_STORED "%s", address);
	for (char *p = name; *p != '\0'; p++)
		if (*p == ':')
			*p = '/';
	return name;
}

int
store_take(const char *address)
{
	struct activation_socket *socket = NULL;

	while ((socket = activation_next_stored(socket)) != NULL)
		if (socket->wrong == NULL &&
		    strcmp(socket->address, address) == 0) {
			socket->taken = true;
			log_notice("%s: taken over from the instance before, "
				   "with its queue",
			    address);
			return socket->fd;
		}
	return -1;
}

/* Whoever holds it, its port is free from here on. */
static void
end_socket(struct activation_socket *socket)
{
	(void)shutdown(socket->fd, SHUT_RDWR);
	close(socket->fd);
	socket->taken = true;
}

static bool
is_wildcard(const char *address)
{
	return *address == '*' || strncmp(address, "0.0.0.0:", 8) == 0 ||
	    strncmp(address, "[::]:", 5) == 0;
}

/* Two addresses that are not the same. */
static bool
are_in_the_way(const char *a, const char *b)
{
	return strcmp(strrchr(a, ':'), strrchr(b, ':')) == 0 &&
	    (*a == '*' || *b == '*' ||
		((*a == '[') == (*b == '[') &&
		    (is_wildcard(a) || is_wildcard(b))));
}

static void
remove_name(struct notify *notify, const char *name)
{
	char message[NAME_SIZE + 64];

	snprintf(message, sizeof(message), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	/* Where it is not told, it sees that the socket was shut down. */
	if (notify->length > 0)
		notify_send(notify, message, -1);
}

bool
store_make_way(const char *address)
{
	struct activation_socket *socket = NULL;
	bool made = false;

	while ((socket = activation_next_stored(socket)) != NULL)
		if (socket->wrong == NULL &&
		    are_in_the_way(socket->address, address)) {
			log_notice("%s: no longer listened on, for it is in "
				   "the way of %s",
			    socket->address, address);
			/* Its name is for store_close_rest. */
			(void)shutdown(socket->fd, SHUT_RDWR);
			socket->wrong = "is closed";
			made = true;
		}
	return made;
}

void
store_close_rest(struct notify *notify)
{
	struct activation_socket *socket = NULL;

	while ((socket = activation_next_stored(socket)) != NULL) {
		if (socket->wrong == NULL)
			log_notice("%s: no longer in the configuration",
			    socket->address);
		/* By that name, one that is served would go as well. */
		if (!activation_is_second(socket))
			remove_name(notify, socket->name);
		end_socket(socket);
	}
}

static bool
is_stored(const struct pool *pool)
{
	return !pool->listener.passed &&
	    fdref_is_with_systemd(pool->listener.ref);
}

static void
note_short(struct store *store, const struct pool *pool)
{
	if (!store->is_short)
		log_warnx("%s: a restart will not keep this socket: FDSTORE "
			  "is %u; raise it, and FileDescriptorStoreMax= of "
			  "the unit",
		    pool->listener.address, store->max);
	store->is_short = true;
}

int64_t
store_turn(struct store *store, struct notify *notify,
    const struct pool_list *pools, int64_t now)
{
	char name[NAME_SIZE], message[NAME_SIZE + 64];
	enum notify_result result;
	const struct pool *pool;
	unsigned stored = 0;

	if (store->max == 0 || notify->length == 0)
		return CLOCK_NEVER;
	TAILQ_FOREACH(pool, pools, entry)
		stored += is_stored(pool);
	TAILQ_FOREACH(pool, pools, entry) {
		if (pool->removed || pool->listener.passed || is_stored(pool))
			continue;
		if (stored >= store->max) {
			note_short(store, pool);
			break;
		}
		snprintf(message, sizeof(message), "FDSTORE=1\nFDNAME=%s",
		    name_of(pool->listener.address, name));
		result =
		    notify_send(notify, message, fdref_fd(pool->listener.ref));
		if (result == NOTIFY_LATER)
			return now + AGAIN_MS;
		if (result == NOTIFY_FAILED) {
			store->max = 0;
			break;
		}
		fdref_hold_by_systemd(pool->listener.ref);
		stored++;
	}
	return CLOCK_NEVER;
}

void
store_forget(struct notify *notify, const struct listener *listener)
{
	char name[NAME_SIZE];

	if (listener->passed || !fdref_is_with_systemd(listener->ref))
		return;
	remove_name(notify, name_of(listener->address, name));
	fdref_drop_by_systemd(listener->ref);
}
