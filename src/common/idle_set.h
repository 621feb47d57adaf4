/*
 * idle_set: which workers of a pool are in accept, a bit a slot, in memory
 * that all processes share.
 *
 * A counter would be wrong for ever after a worker was killed between what it
 * did and what it counted. A bit belongs to its worker, and to the master once
 * that was reaped. All functions may run in several processes at once.
 */
#ifndef COMMON_IDLE_SET_H
#define COMMON_IDLE_SET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IDLE_SET_BITS 64 /* of a word */

typedef _Atomic uint64_t idle_word;

/* How many words a set for so many slots has. */
size_t idle_set_words(uint32_t slots);

void idle_set_add(idle_word *set, uint32_t slot);

void idle_set_remove(idle_word *set, uint32_t slot);

bool idle_set_has(const idle_word *set, uint32_t slot);

/* How many are in the set; stops counting when it has found enough. */
uint32_t idle_set_count(const idle_word *set, uint32_t slots, uint32_t enough);

#endif
