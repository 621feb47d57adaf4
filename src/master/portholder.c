#include "master/portholder.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_LISTEN 0x0a

/* The inode of a listening socket on that port, or 0. */
static unsigned long
listening_inode(const char *table, uint16_t port)
{
	unsigned local_port, state;
	unsigned long inode, found = 0;
	char line[512];
	FILE *file = fopen(table, "re");

	if (file == NULL)
		return 0;
	while (found == 0 && fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line,
			"%*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x "
			"%*x:%*x %*x:%*x %*x %*u %*u %lu",
			&local_port, &state, &inode) == 3 &&
		    local_port == port && state == STATE_LISTEN)
			found = inode;
	fclose(file);
	return found;
}

static bool
has_socket(int proc, const char *pid, unsigned long inode)
{
	char path[300], link[64], wanted[64];
	struct dirent *entry;
	bool found = false;
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "%.255s/fd", pid);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	dir = fdopendir(fd);
	if (dir == NULL) {
		close(fd);
		return false;
	}
	snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	while (!found && (entry = readdir(dir)) != NULL) {
		ssize_t n =
		    readlinkat(fd, entry->d_name, link, sizeof(link) - 1);

		if (n < 0)
			continue;
		link[n] = '\0';
		found = strcmp(link, wanted) == 0;
	}
	closedir(dir);
	return found;
}

static void
read_name(const char *pid, char *name, size_t size)
{
	char path[300];
	FILE *file;

	name[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%.255s/comm", pid);
	file = fopen(path, "re");
	if (file == NULL)
		return;
	if (fgets(name, (int)size, file) != NULL)
		name[strcspn(name, "\n")] = '\0';
	fclose(file);
}

pid_t
portholder_find(uint16_t port, char *name, size_t size)
{
	unsigned long inode = listening_inode("/proc/net/tcp", port);
	struct dirent *entry;
	pid_t found = 0;
	DIR *proc;

	if (inode == 0)
		inode = listening_inode("/proc/net/tcp6", port);
	proc = inode == 0 ? NULL : opendir("/proc");
	if (proc == NULL)
		return 0;
	while (found == 0 && (entry = readdir(proc)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    has_socket(dirfd(proc), entry->d_name, inode)) {
			read_name(entry->d_name, name, size);
			found = (pid_t)strtol(entry->d_name, NULL, 10);
		}
	closedir(proc);
	return found;
}
