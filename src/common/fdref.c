#include "common/fdref.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/unshared.h"

struct fdref {
	int fd;
	size_t count;
	TAILQ_HEAD(, fdref_holder) holders;
	struct fdref_holder first;
	struct fdref_holder systemd;
	bool is_with_systemd;
};

struct fdref *
fdref_new(int fd, enum fdref_kind kind, pid_t pid, struct fdref_holder **first)
{
	struct fdref *ref;

	ref = unshared_alloc(1, sizeof(*ref));
	if (ref == NULL)
		return NULL;
	ref->fd = fd;
	TAILQ_INIT(&ref->holders);
	*first = &ref->first;
	fdref_hold(ref, *first, kind, pid);
	return ref;
}

void
fdref_hold(struct fdref *ref, struct fdref_holder *holder, enum fdref_kind kind,
    pid_t pid)
{
	holder->kind = kind;
	holder->pid = pid;
	TAILQ_INSERT_TAIL(&ref->holders, holder, entry);
	ref->count++;
}

void
fdref_hold_by_systemd(struct fdref *ref)
{
	if (ref->is_with_systemd)
		return;
	fdref_hold(ref, &ref->systemd, FDREF_SYSTEMD, 0);
	ref->is_with_systemd = true;
}

void
fdref_drop_by_systemd(struct fdref *ref)
{
	if (!ref->is_with_systemd)
		return;
	ref->is_with_systemd = false;
	fdref_drop(ref, &ref->systemd);
}

bool
fdref_is_with_systemd(const struct fdref *ref)
{
	return ref->is_with_systemd;
}

void
fdref_name(struct fdref_holder *holder, pid_t pid)
{
	holder->pid = pid;
}

size_t
fdref_drop(struct fdref *ref, struct fdref_holder *holder)
{
	size_t left = --ref->count;

	TAILQ_REMOVE(&ref->holders, holder, entry);
	if (left == 0) {
		/* Linux frees the descriptor whatever close(2) returns. */
		close(ref->fd);
		unshared_free(ref, 1, sizeof(*ref));
	}
	return left;
}

int
fdref_fd(const struct fdref *ref)
{
	return ref->fd;
}

size_t
fdref_count(const struct fdref *ref)
{
	return ref->count;
}

char *
fdref_describe(const struct fdref *ref, char *text, size_t size)
{
	static const char more[] = ",...";
	const struct fdref_holder *holder;
	size_t used = 0, needed;
	char name[24];
	int n;

	text[0] = '\0';
	TAILQ_FOREACH(holder, &ref->holders, entry) {
		if (holder->kind == FDREF_WORKER)
			n = snprintf(
			    name, sizeof(name), "%d", (int)holder->pid);
		else
			n = snprintf(name, sizeof(name), "%s",
			    holder->kind == FDREF_SYSTEMD ? "systemd" :
							    "configuration");
		needed = used + (used > 0) + (size_t)n;
		if (TAILQ_NEXT(holder, entry) != NULL)
			needed += sizeof(more) - 1;
		if (needed >= size) {
			if (used > 0 && used + sizeof(more) <= size)
				memcpy(text + used, more, sizeof(more));
			break;
		}
		used += (size_t)snprintf(text + used, size - used, "%s%s",
		    used == 0 ? "" : ",", name);
	}
	return text;
}
