/*
 * caps: the capability sets of this process, as proc(5) has them: not by the
 * calls that common/capability makes.
 */
#ifndef UNIT_CAPS_H
#define UNIT_CAPS_H

#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In the order of /proc/self/status. */
enum caps_set {
	CAPS_INHERITABLE,
	CAPS_PERMITTED,
	CAPS_EFFECTIVE,
	CAPS_BOUNDING,
	CAPS_AMBIENT,
	CAPS_SETS
};

/* Opened early, this can be read in a chroot as well. */
static inline int
caps_open(void)
{
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		abort();
	return fd;
}

static inline uint64_t
caps_read(int fd, int set)
{
	static const char *const names[] = {
		"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"
	};
	char text[8192], *at;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, names[set]);
	if (at == NULL)
		abort();
	return strtoull(at + strlen(names[set]), NULL, 16);
}

static inline uint64_t
caps_of(int set)
{
	int fd = caps_open();
	uint64_t caps = caps_read(fd, set);

	close(fd);
	return caps;
}

static inline void
caps_set(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2] = { { (uint32_t)effective,
						      (uint32_t)permitted,
						      (uint32_t)inheritable },
		{ (uint32_t)(effective >> 32), (uint32_t)(permitted >> 32),
		    (uint32_t)(inheritable >> 32) } };

	if (syscall(SYS_capset, &header, data) < 0)
		abort();
}

#endif
