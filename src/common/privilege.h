/*
 * privilege: from root to the account that workers run as.
 */
#ifndef COMMON_PRIVILEGE_H
#define COMMON_PRIVILEGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "common/conf.h"

#define PRIVILEGE_TEXT_SIZE 1024
#define PRIVILEGE_BAD (-1)    /* the configuration */
#define PRIVILEGE_FAILED (-2) /* the look-up, this time */

/* What workers become. The strings stay the configuration's. */
struct privilege {
	bool changes; /* we are root: the rest is done */
	const char *user;
	const char *group;
	const char *chroot; /* NULL: none */
	uid_t uid;
	gid_t gid;
};

/*
 * Where we are not root, or root of a user namespace that may not change
 * groups (user_namespaces(7)), changes is false, and nothing else is looked
 * at. Otherwise looks user, group and chroot of the configuration up. A default
 * that this machine lacks is replaced in it (user nobody, that user's group, no
 * chroot), for the daemon is also run from a tree that was never installed. One
 * that was asked for and is missing is a line "FILE:LINE: ..." on errors, all
 * of them in one run. Returns 0, PRIVILEGE_BAD or PRIVILEGE_FAILED.
 */
int
privilege_find(struct privilege *privilege, struct conf *conf, FILE *errors);

/* One sentence for the log and for -nv; returns text. */
char *
privilege_describe(const struct privilege *privilege, char *text, size_t size);

/*
 * The worker: chroot, groups, group and user, then no capability is left. The
 * bounding set it has from privilege_limit_master, empty; the new user could
 * not change it. Does nothing but the last where we do not change. Does not
 * return after a failure: it is logged. See setresuid(2), setgroups(2),
 * chroot(2).
 */
void privilege_drop(const struct privilege *privilege);

/*
 * The master: keeps what it takes to bind, to start workers and to signal
 * them. Called once, after the listeners are bound and before the first fork,
 * for it empties the bounding set as well. Returns 0, or -1 with errno.
 */
int privilege_limit_master(const struct privilege *privilege);

#endif
