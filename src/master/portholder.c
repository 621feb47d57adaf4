#include "master/portholder.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_LISTEN 0x0a

/* An address as /proc/net/tcp and tcp6 have it: words of 32 bits in hex. */
struct place {
	char text[33];
	unsigned port;
};

static void
place_of(const struct sockaddr *addr, struct place *place)
{
	struct sockaddr_in in = { 0 };
	struct sockaddr_in6 in6 = { 0 };
	uint32_t word[4];

	if (addr->sa_family == AF_INET) {
		memcpy(&in, addr, sizeof(in));
		place->port = ntohs(in.sin_port);
		snprintf(place->text, sizeof(place->text), "%08X",
		    in.sin_addr.s_addr);
	} else {
		memcpy(&in6, addr, sizeof(in6));
		memcpy(word, &in6.sin6_addr, sizeof(word));
		place->port = ntohs(in6.sin6_port);
		snprintf(place->text, sizeof(place->text), "%08X%08X%08X%08X",
		    word[0], word[1], word[2], word[3]);
	}
}

static bool
is_every_address(const char *text)
{
	return text[strspn(text, "0")] == '\0';
}

/* The inode of a listening socket in the way, or 0. */
static unsigned long
listening_inode(const char *table, const struct place *place)
{
	unsigned port, state;
	unsigned long inode, found = 0;
	char line[512], text[33];
	FILE *file = fopen(table, "re");

	if (file == NULL)
		return 0;
	while (found == 0 && fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line,
			"%*u: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x "
			"%*x:%*x %*x:%*x %*x %*u %*u %lu",
			text, &port, &state, &inode) == 4 &&
		    port == place->port && state == STATE_LISTEN &&
		    (strcmp(text, place->text) == 0 || is_every_address(text) ||
			is_every_address(place->text)))
			found = inode;
	fclose(file);
	return found;
}

static bool
has_socket(int proc, pid_t pid, unsigned long inode)
{
	char path[64], link[64], wanted[64];
	struct dirent *entry;
	bool found = false;
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "%d/fd", (int)pid);
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
read_name(pid_t pid, char *name, size_t size)
{
	char path[64];
	FILE *file;

	name[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return;
	if (fgets(name, (int)size, file) != NULL)
		name[strcspn(name, "\n")] = '\0';
	fclose(file);
}

/* The parent of a process, or 0. */
static pid_t
parent_of(pid_t pid)
{
	char path[64], line[128];
	unsigned parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "PPid: %u", &parent) == 1)
			break;
	fclose(file);
	return (pid_t)parent;
}

/*
 * A holder's parent that holds it too, and so on: a worker that is ended is
 * replaced, and the port is no freer.
 */
static pid_t
first_holder(int proc, pid_t pid, unsigned long inode)
{
	pid_t parent;

	while ((parent = parent_of(pid)) > 0 && has_socket(proc, parent, inode))
		pid = parent;
	return pid;
}

pid_t
portholder_find(const struct sockaddr *addr, char *name, size_t size)
{
	unsigned long inode;
	struct dirent *entry;
	struct place place;
	pid_t found = 0;
	DIR *proc;

	place_of(addr, &place);
	inode = listening_inode("/proc/net/tcp", &place);
	if (inode == 0)
		inode = listening_inode("/proc/net/tcp6", &place);
	proc = inode == 0 ? NULL : opendir("/proc");
	if (proc == NULL)
		return 0;
	while (found == 0 && (entry = readdir(proc)) != NULL) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0 && has_socket(dirfd(proc), pid, inode))
			found = first_holder(dirfd(proc), pid, inode);
	}
	if (found != 0)
		read_name(found, name, size);
	closedir(proc);
	return found;
}
