/*
 * sandbox: what a worker cannot do, even when somebody else commands it.
 */
#ifndef WORKER_SANDBOX_H
#define WORKER_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "common/scoreboard.h"

#define SANDBOX_TEXT_SIZE 512
#define SANDBOX_CALL_SIZE 64

struct sandbox; /* made once by the master, the same for all workers */

/*
 * Master: compiles the filter and makes the Landlock rule set, of what this
 * kernel has. Returns it, or NULL with errno. sandbox_free takes it back.
 */
struct sandbox *sandbox_prepare(void);

void sandbox_free(struct sandbox *sandbox);

/* True where no part of it is missing from this kernel or build. */
bool sandbox_is_whole(const struct sandbox *sandbox);

/* Writes what is in force, in one line; returns text. */
char *sandbox_describe(const struct sandbox *sandbox, char *text, size_t size);

/*
 * Worker, while it still has all that it inherited: no new privileges, and
 * none of what Landlock denies. Fatal when it fails.
 */
void sandbox_begin(const struct sandbox *sandbox);

/*
 * Worker, as its last step before accept: limits (one more descriptor, no
 * process, no core), then the filter. A forbidden call ends the process with
 * SIGSYS and leaves its number, plus one, in slot->failed_syscall. Fatal when
 * it fails.
 */
void sandbox_close(const struct sandbox *sandbox, struct slot *slot);

/* Writes "openat (257)" for what failed_syscall has; returns text. */
char *sandbox_name_call(uint32_t failed_syscall, char *text, size_t size);

#endif
