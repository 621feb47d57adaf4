/*
 * source_table: a bucket for each source, in memory of a fixed size that all
 * processes share.
 *
 * Sources go into sets of SOURCE_WAYS by a hash with a random key, so that
 * nobody can choose whose set he is in. A bucket has the whole name of its
 * source: nobody pays for another one. Where a set has no room, the source that
 * owes least is forgotten, or the new one is not let in, as the caller wants.
 *
 * Nobody waits: a word is changed by compare-and-exchange, a few times at most,
 * and a process that is killed at any instant leaves nothing behind but a
 * bucket that nobody finds.
 */
#ifndef COMMON_SOURCE_TABLE_H
#define COMMON_SOURCE_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/bucket.h"

#define SOURCE_WAYS 8

struct source_bucket {
	_Atomic uint64_t source;
	/* when it is full, in BUCKET_TIME_BITS, and above it a part of the
	   source's hash: the two words are of the same source, or it is one
	   that is just being replaced */
	_Atomic uint64_t state;
};

struct source_set {
	struct source_bucket ways[SOURCE_WAYS];
} __attribute__((aligned(64)));

struct source_table {
	struct source_set *sets; /* shared with all children from now on */
	uint32_t set_count;
	uint64_t key[2];
};

/* What becomes of a source that finds no room. */
enum source_full {
	SOURCE_FORGET, /* the one that owes least is forgotten: always in */
	SOURCE_KEEP    /* nobody is forgotten who owes: false */
};

/* Returns 0, or -1 with errno, see mmap(2) and getrandom(2). */
int source_table_create(struct source_table *table, uint32_t sets);

void source_table_destroy(struct source_table *table);

/* A number for a name, as of a service, that nobody can guess. */
uint64_t source_table_salt(const struct source_table *table, const char *name);

/*
 * Takes a token of that source at now, of clock_us. False where it has none.
 * Where many processes do this for one source at once, one of them may give
 * up, and has a token: then a limit is missed, but nobody is wronged.
 */
bool source_table_take(const struct source_table *table, uint64_t source,
    const struct bucket_rate *rate, uint64_t now, enum source_full full);

#endif
