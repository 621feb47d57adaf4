/*
 * capability: what is left of root's power, see capabilities(7).
 *
 * A set is a word with the bit CAPABILITY_BIT(CAP_...) for each. The calls are
 * made as the kernel has them, so that no library is needed for two of them.
 */
#ifndef COMMON_CAPABILITY_H
#define COMMON_CAPABILITY_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>

#define CAPABILITY_BIT(cap) (UINT64_C(1) << (cap))

/*
 * Leaves this process those of keep that it has, permitted, effective and
 * inheritable, and nothing else: no ambient capability, and an empty bounding
 * set where it may change that (CAP_SETPCAP). There is no way back.
 * Returns 0, or -1 with errno of capset(2) or prctl(2).
 */
int capability_limit(uint64_t keep);

/*
 * What capability_limit has left, the program that is executed next has as
 * well, as ambient capabilities (capabilities(7)); or nothing is handed on any
 * more. Returns 0, or -1 with errno.
 */
int capability_hand_on(bool yes);

/* Reads the effective set of this process. Returns 0, or -1 with errno. */
int capability_effective(uint64_t *set);

#endif
