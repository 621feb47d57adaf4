/*
 * filter: the system calls that a worker may make, see seccomp(2).
 *
 * Compiled once, in the master, with libseccomp; handing it to the kernel is
 * all that a worker does on its way into accept. A call that is not on the
 * list is trapped: SIGSYS, with its number.
 */
#ifndef WORKER_FILTER_H
#define WORKER_FILTER_H

#include <linux/filter.h>
#include <stddef.h>

struct filter {
	struct sock_fprog program; /* filter NULL: the kernel has no seccomp */
	unsigned calls;            /* how many are allowed */
};

/*
 * Compiles the list. A kernel without seccomp is no failure. Returns 0, or -1
 * with errno.
 */
int filter_compile(struct filter *filter);

/* Frees what filter_compile allocated. */
void filter_free(struct filter *filter);

/*
 * The calling process has these calls only, for ever; needs no_new_privs.
 * Returns 0, or -1 with errno of seccomp(2).
 */
int filter_enter(const struct filter *filter);

/* Writes "openat (257)" for a number of this machine; returns text. */
char *filter_name_call(unsigned number, char *text, size_t size);

#endif
