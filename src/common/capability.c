#include "common/capability.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WORDS _LINUX_CAPABILITY_U32S_3

struct sets {
	uint64_t effective;
	uint64_t permitted;
	uint64_t inheritable;
};

/* The kernel has each set in two halves, and its own order of them. */
static int
get_sets(struct sets *sets)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[WORDS];

	if (syscall(SYS_capget, &header, data) < 0)
		return -1;
	memset(sets, 0, sizeof(*sets));
	for (int i = WORDS - 1; i >= 0; i--) {
		sets->effective = sets->effective << 32 | data[i].effective;
		sets->permitted = sets->permitted << 32 | data[i].permitted;
		sets->inheritable =
		    sets->inheritable << 32 | data[i].inheritable;
	}
	return 0;
}

static int
set_sets(const struct sets *sets)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[WORDS];

	for (int i = 0; i < WORDS; i++) {
		data[i].effective = (uint32_t)(sets->effective >> 32 * i);
		data[i].permitted = (uint32_t)(sets->permitted >> 32 * i);
		data[i].inheritable = (uint32_t)(sets->inheritable >> 32 * i);
	}
	return (int)syscall(SYS_capset, &header, data);
}

/*
 * Which capabilities an exec could ever give back. EINVAL is past the last
 * that this kernel knows.
 */
static int
empty_bounding_set(void)
{
	for (unsigned long cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap) < 0)
			return errno == EINVAL ? 0 : -1;
	return 0;
}

int
capability_limit(uint64_t keep)
{
	struct sets sets;
	bool has_any;

	if (get_sets(&sets) < 0)
		return -1;
	has_any = (sets.effective | sets.permitted | sets.inheritable) != 0;
	sets.inheritable = sets.permitted & keep;
	/* An empty bounding set would let nothing in among the inheritable. */
	if ((sets.effective & CAPABILITY_BIT(CAP_SETPCAP)) &&
	    (set_sets(&sets) < 0 || empty_bounding_set() < 0))
		return -1;
	/* EINVAL: a kernel without ambient sets has none to clear. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 &&
	    errno != EINVAL)
		return -1;
	/* Without, a filter need not know the call. */
	if (!has_any)
		return 0;
	sets.permitted &= keep;
	sets.effective = sets.permitted;
	return set_sets(&sets);
}

int
capability_hand_on(bool yes)
{
	struct sets sets;

	if (!yes)
		return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (get_sets(&sets) < 0)
		return -1;
	for (unsigned long cap = 0; cap < 64; cap++)
		if ((sets.permitted & CAPABILITY_BIT(cap)) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return -1;
	return 0;
}

int
capability_effective(uint64_t *set)
{
	struct sets sets;

	if (get_sets(&sets) < 0)
		return -1;
	*set = sets.effective;
	return 0;
}
