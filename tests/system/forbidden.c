/*
 * forbidden: a service for the daemon of the tests that does what a worker
 * must never do, as one that was taken over would. A client sends a line with
 * a name of the table below and maybe a number, and gets the name and
 * "done" or an error's number back, unless it cost the worker its life.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/clock.h"
#include "services/service.h"

/* Of the connection, for what is done to it. */
static int connection;
static struct slot_traffic *traffic;

static long
try_openat(long n)
{
	(void)n;
	return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static long
try_create(long n)
{
	(void)n;
	return syscall(
	    SYS_openat, AT_FDCWD, "/tmp/preforkd-forbidden", O_CREAT, 0600);
}

static long
try_mkdirat(long n)
{
	(void)n;
	return syscall(SYS_mkdirat, AT_FDCWD, "/tmp/preforkd-forbidden", 0700);
}

static long
try_unlinkat(long n)
{
	(void)n;
	return syscall(SYS_unlinkat, AT_FDCWD, "/tmp/preforkd-forbidden", 0);
}

static long
try_socket(long n)
{
	(void)n;
	return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}

static long
try_connect(long n)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)n),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };

	/* There is no other socket. Permission is asked for before sense. */
	return syscall(SYS_connect, connection, &in, sizeof(in));
}

static long
try_bind(long n)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	(void)n;
	return syscall(SYS_bind, connection, &in, sizeof(in));
}

static long
try_execve(long n)
{
	static char *const argv[] = { "true", NULL };

	(void)n;
	return syscall(SYS_execve, "/bin/true", argv, NULL);
}

static long
try_clone(long n)
{
	long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	(void)n;
	if (pid == 0)
		_exit(0);
	return pid;
}

static long
try_ptrace(long n)
{
	return syscall(SYS_ptrace, PTRACE_ATTACH, n, NULL, NULL);
}

static long
try_kill(long n)
{
	return syscall(SYS_kill, n, SIGTERM);
}

/* EDEADLK: it is the one that was asked. */
static long
try_kill_other(long n)
{
	errno = EDEADLK;
	return n == getpid() ? -1 : try_kill(n);
}

static long
try_setuid(long n)
{
	(void)n;
	return syscall(SYS_setuid, 0);
}

static long
try_setgid(long n)
{
	(void)n;
	return syscall(SYS_setgid, 0);
}

static long
try_setgroups(long n)
{
	gid_t root = 0;

	(void)n;
	return syscall(SYS_setgroups, 1, &root);
}

static long
try_chroot(long n)
{
	(void)n;
	return syscall(SYS_chroot, "/");
}

static long
try_mount(long n)
{
	(void)n;
	return syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL);
}

static long
try_unshare(long n)
{
	(void)n;
	return syscall(SYS_unshare, CLONE_NEWUSER);
}

static long
try_prlimit64(long n)
{
	struct rlimit more = { 64, 64 };

	(void)n;
	return syscall(SYS_prlimit64, 0, RLIMIT_NPROC, &more, NULL);
}

static long
try_prctl(long n)
{
	(void)n;
	return syscall(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0);
}

static long
try_mmap(long n)
{
	(void)n;
	return syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == -1 ?
	    -1 :
	    0;
}

static long
try_dup(long n)
{
	(void)n;
	return syscall(SYS_dup, connection);
}

static long
try_sendto(long n)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)n),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };

	return syscall(SYS_sendto, connection, "x", 1, 0, &in, sizeof(in));
}

static long
try_setsockopt(long n)
{
	int size = 4096;

	(void)n;
	return syscall(SYS_setsockopt, connection, SOL_SOCKET, SO_SNDBUF, &size,
	    sizeof(size));
}

static long
try_getsockopt(long n)
{
	int size;
	socklen_t length = sizeof(size);

	(void)n;
	return syscall(
	    SYS_getsockopt, connection, SOL_SOCKET, SO_SNDBUF, &size, &length);
}

static long
try_ioctl(long n)
{
	int on = 1;

	(void)n;
	return syscall(SYS_ioctl, connection, FIONBIO, &on);
}

static long
try_fcntl(long n)
{
	(void)n;
	return syscall(SYS_fcntl, connection, F_SETFL, O_NONBLOCK);
}

static long
try_shutdown(long n)
{
	(void)n;
	return syscall(SYS_shutdown, connection, SHUT_RDWR);
}

/* Not forbidden by the filter, for idle-timeout is set so: on the listener. */
static long
try_timeout(long n)
{
	struct timeval tv = { .tv_usec = 1000 };

	return setsockopt((int)n, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

/* Nor this, for that is how a worker wakes the master: for a second. */
static long
try_wake(long n)
{
	static const uint64_t one = 1;
	int64_t end = clock_ms() + 1000;

	while (clock_ms() < end)
		if (write((int)n, &one, sizeof(one)) < 0 && errno != EAGAIN)
			return -1;
	return 0;
}

/*
 * Nothing forbids what is in shared memory: all workers of all pools are free,
 * and more than there are.
 */
static long
try_forge(long n)
{
	const size_t page = 4096;
	char *at = (char *)((uintptr_t)traffic / page * page);
	const struct scoreboard_header *header;
	size_t offset;

	(void)n;
	while (*(uint64_t *)(void *)at != SCOREBOARD_MAGIC)
		at -= page;
	header = (const struct scoreboard_header *)(void *)at;
	offset = header->header_size + header->rows * header->row_size;
	offset = (offset + header->slot_size - 1) / header->slot_size *
	    header->slot_size;
	offset += header->slots * header->slot_size;
	memset(at + offset, 0xff,
	    header->rows * idle_set_words(header->slots) * sizeof(idle_word));
	return 0;
}

static const struct {
	const char *name;
	long (*try)(long n);
} attempts[] = {
	{ "openat", try_openat },
	{ "create", try_create },
	{ "mkdirat", try_mkdirat },
	{ "unlinkat", try_unlinkat },
	{ "socket", try_socket },
	{ "connect", try_connect },
	{ "bind", try_bind },
	{ "execve", try_execve },
	{ "clone", try_clone },
	{ "ptrace", try_ptrace },
	{ "kill", try_kill },
	{ "kill-other", try_kill_other },
	{ "setuid", try_setuid },
	{ "setgid", try_setgid },
	{ "setgroups", try_setgroups },
	{ "chroot", try_chroot },
	{ "mount", try_mount },
	{ "unshare", try_unshare },
	{ "prlimit64", try_prlimit64 },
	{ "prctl", try_prctl },
	{ "mmap", try_mmap },
	{ "dup", try_dup },
	{ "sendto", try_sendto },
	{ "setsockopt", try_setsockopt },
	{ "getsockopt", try_getsockopt },
	{ "ioctl", try_ioctl },
	{ "fcntl", try_fcntl },
	{ "shutdown", try_shutdown },
	{ "timeout", try_timeout },
	{ "wake", try_wake },
	{ "forge", try_forge },
};

static void
forbidden_serve(struct io *io, const struct conf_service *settings)
{
	char line[64], name[32] = "", reply[64];
	long number = 0, result;
	ssize_t n;
	int length;

	(void)settings;
	connection = io->fd;
	traffic = io->traffic;
	while ((n = io_recv(io, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		if (sscanf(line, "%31s %ld", name, &number) < 1)
			return;
		for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]);
		     i++) {
			if (strcmp(attempts[i].name, name) != 0)
				continue;
			errno = 0;
			result = attempts[i].try(number);
			length = snprintf(reply, sizeof(reply), "%s %s\n", name,
			    result >= 0 ? "done" : strerrorname_np(errno));
			if (io_send(io, reply, (size_t)length) < 0)
				return;
		}
	}
}

const struct service service_table[] = {
	{ { "forbidden", 7, true }, forbidden_serve },
};

const size_t service_table_rows = 1;
