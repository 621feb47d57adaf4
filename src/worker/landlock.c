#include "worker/landlock.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * From linux/landlock.h, whose older versions lack what newer kernels know.
 * The numbers are the same on every machine, as those of all new calls are.
 */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#ifndef SYS_landlock_restrict_self
#define SYS_landlock_restrict_self 446
#endif

#define CREATE_RULESET_VERSION 1U

struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

#define BITS(n) ((UINT64_C(1) << (n)) - 1)

/* Version by version: how much of the above it knows, and which rights. */
static const struct {
	size_t size;
	struct ruleset_attr attr;
} versions[] = {
	{ 8, { BITS(13), 0, 0 } },
	{ 8, { BITS(14), 0, 0 } },              /* 2: rename elsewhere */
	{ 8, { BITS(15), 0, 0 } },              /* 3: truncate */
	{ 16, { BITS(15), BITS(2), 0 } },       /* 4: TCP bind, connect */
	{ 16, { BITS(16), BITS(2), 0 } },       /* 5: ioctl of devices */
	{ 24, { BITS(16), BITS(2), BITS(2) } }, /* 6: abstract, signal */
};

#define VERSIONS ((int)(sizeof(versions) / sizeof(versions[0])))
#define VERSION_NET 4
#define VERSION_SCOPE 6

int
landlock_prepare(struct landlock *landlock)
{
	long version, fd;
	int known;

	landlock->version = 0;
	landlock->ruleset = -1;
	version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
	    CREATE_RULESET_VERSION);
	/* EPERM: a container whose filter does not know these calls. */
	if (version < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ||
			errno == EPERM ?
		    0 :
		    -1;
	known = version < VERSIONS ? (int)version : VERSIONS;
	/* The descriptor is close-on-exec. */
	fd = syscall(SYS_landlock_create_ruleset, &versions[known - 1].attr,
	    versions[known - 1].size, 0U);
	if (fd < 0)
		return -1;
	landlock->version = (int)version;
	landlock->ruleset = (int)fd;
	return 0;
}

char *
landlock_describe(const struct landlock *landlock, char *text, size_t size)
{
	if (landlock->version == 0)
		snprintf(text, size, "no Landlock in this kernel or container");
	else
		snprintf(text, size, "Landlock version %d: no file%s%s",
		    landlock->version,
		    landlock->version >= VERSION_NET ?
			", no TCP bind or connect" :
			"",
		    landlock->version >= VERSION_SCOPE ?
			", no signal to others" :
			"");
	return text;
}

int
landlock_enter(const struct landlock *landlock)
{
	if (landlock->ruleset < 0)
		return 0;
	return (int)syscall(SYS_landlock_restrict_self, landlock->ruleset, 0U);
}
