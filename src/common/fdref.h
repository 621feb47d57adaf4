/*
 * fdref: reference counts for a descriptor that several processes share.
 *
 * close(2) lowers the kernel's count, and the kernel does not tell who else
 * holds one. This ledger does: each holder has a name, fork adds one, reaping
 * drops one, and the last drop closes the descriptor and frees the object.
 */
#ifndef COMMON_FDREF_H
#define COMMON_FDREF_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <sys/types.h>

enum fdref_kind {
	FDREF_CONFIGURATION, /* a listen line of the configuration */
	FDREF_WORKER,        /* a worker that inherited it, by its pid */
	FDREF_SYSTEMD        /* systemd: it passed or stores it */
};

struct fdref;

/* Memory of the holder's, for as long as it holds. */
struct fdref_holder {
	TAILQ_ENTRY(fdref_holder) entry;
	enum fdref_kind kind;
	pid_t pid;
};

/*
 * Takes the ownership of fd, with a first holder of that kind (pid 0 where
 * the kind has none), which is stored in *first and goes with the object.
 * It is in unshared memory. Returns NULL with errno, and fd stays the
 * caller's.
 */
struct fdref *
fdref_new(int fd, enum fdref_kind kind, pid_t pid, struct fdref_holder **first);

/* Adds a holder. */
void fdref_hold(struct fdref *ref, struct fdref_holder *holder,
    enum fdref_kind kind, pid_t pid);

/*
 * systemd holds it too, or no longer does. That is no more than the ledger's
 * knowledge, so it keeps nothing open here: who drops the last hold but this
 * one drops it first.
 */
void fdref_hold_by_systemd(struct fdref *ref);
void fdref_drop_by_systemd(struct fdref *ref);
bool fdref_is_with_systemd(const struct fdref *ref);

/* Says whose a holder is, when the pid was not known before fork(2). */
void fdref_name(struct fdref_holder *holder, pid_t pid);

/*
 * Drops a holder. Returns how many are left; when that is 0 the descriptor was
 * closed and ref is gone.
 */
size_t fdref_drop(struct fdref *ref, struct fdref_holder *holder);

/* The descriptor, still owned by ref. */
int fdref_fd(const struct fdref *ref);

/* How many hold it. */
size_t fdref_count(const struct fdref *ref);

/*
 * Writes "configuration,4242,4243" to text, oldest first, cut with ",..."
 * where size bytes are too few. Returns text.
 */
char *fdref_describe(const struct fdref *ref, char *text, size_t size);

#endif
