/*
 * spawn: forks workers, and takes note of those that end.
 */
#ifndef MASTER_SPAWN_H
#define MASTER_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "master/master.h"

#define SPAWN_TEXT_SIZE 512

/*
 * Prepares what each worker will be locked in with, once for all. Returns it,
 * or NULL with errno; spawn_release takes it back.
 */
struct sandbox *spawn_prepare(void);

void spawn_release(struct sandbox *sandbox);

/* Writes what is in force, in one line; returns text. */
char *
spawn_describe_sandbox(const struct sandbox *sandbox, char *text, size_t size);

/* True where no part of it is missing from this kernel or build. */
bool spawn_sandbox_is_whole(const struct sandbox *sandbox);

/*
 * Forks one worker. Returns 0, or -1 with errno of fork(2), ENOMEM, or ENOSPC
 * when there are as many workers as slots.
 */
int spawn_one(struct master *master, struct pool *pool);

/* The same, with the plan and for the policy of a reload in progress. */
int spawn_fresh(struct master *master, struct pool *pool);

/* Notes which workers have come into accept since the last call. */
void spawn_note_ready(struct master *master);

/* A child was reaped with that status of waitpid(2). */
void
spawn_note_reaped(struct master *master, pid_t pid, int status, int64_t now);

#endif
