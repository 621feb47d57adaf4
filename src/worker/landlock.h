/*
 * landlock: no file, no bind, no connect and no signal to another, from within
 * and without a right, see landlock(7).
 */
#ifndef WORKER_LANDLOCK_H
#define WORKER_LANDLOCK_H

#include <stddef.h>

/* What the kernel can deny; made once, for all workers. */
struct landlock {
	int version; /* of the kernel's interface; 0: it has none */
	int ruleset; /* a descriptor, or -1 */
};

/*
 * Makes a rule set that allows nothing of what this kernel can deny. A kernel
 * or a container without Landlock is no failure. Returns 0, or -1 with errno.
 */
int landlock_prepare(struct landlock *landlock);

/* Writes "Landlock version 6: no file, ..." or that there is none. */
char *
landlock_describe(const struct landlock *landlock, char *text, size_t size);

/*
 * The calling process has nothing of it any more, for ever; needs
 * no_new_privs. Returns 0, or -1 with errno of landlock_restrict_self(2).
 */
int landlock_enter(const struct landlock *landlock);

#endif
