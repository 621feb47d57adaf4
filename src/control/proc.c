#include "control/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 64

enum proc_network
proc_network(pid_t pid)
{
	char path[PATH_SIZE];
	struct stat ours, its;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	if (pid <= 0 || stat("/proc/self/ns/net", &ours) < 0 ||
	    stat(path, &its) < 0)
		return PROC_NETWORK_UNKNOWN;
	return ours.st_dev == its.st_dev && ours.st_ino == its.st_ino ?
	    PROC_NETWORK_OURS :
	    PROC_NETWORK_OTHER;
}

bool
proc_has_socket(pid_t pid, uint32_t inode)
{
	char path[PATH_SIZE], wanted[PATH_SIZE], link[PATH_SIZE];
	const struct dirent *entry;
	bool found = false;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	snprintf(wanted, sizeof(wanted), "socket:[%" PRIu32 "]", inode);
	dir = pid <= 0 ? NULL : opendir(path);
	if (dir == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL) {
		n = readlinkat(
		    dirfd(dir), entry->d_name, link, sizeof(link) - 1);
		if (n < 0)
			continue;
		link[n] = '\0';
		found = strcmp(link, wanted) == 0;
	}
	closedir(dir);
	return found;
}
