/*
 * client supervise: as much of a service manager as it takes to store sockets.
 * It runs a command and prints what comes to its notify socket at path, keeps
 * what FDSTORE=1 brings, and passes all of it to the command when USR1 has it
 * stop that and start it again, or when a signal has ended it. TERM stops both.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

#define STORE_MAX 8
#define FIRST_FD 3

static struct {
	char name[128];
	int fd;
} stored[STORE_MAX];
static unsigned stored_count;
static volatile sig_atomic_t signalled;

static void
on_signal(int signal_number)
{
	signalled = signal_number;
}

static int
listen_at(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		err(2, "%s", path);
	return fd;
}

static void
keep(const char *name, int fd)
{
	if (stored_count == STORE_MAX)
		errx(2, "more than %d descriptors to store", STORE_MAX);
	snprintf(stored[stored_count].name, sizeof(stored[0].name), "%s", name);
	/* Out of the way of those that a command is passed. */
	stored[stored_count].fd = fcntl(fd, F_DUPFD_CLOEXEC, 100);
	stored_count++;
}

static void
forget(const char *name)
{
	for (unsigned i = stored_count; i-- > 0;)
		if (strcmp(stored[i].name, name) == 0) {
			close(stored[i].fd);
			stored[i] = stored[--stored_count];
		}
}

static void
take_message(int from)
{
	char text[4096], name[128] = "", control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { text, sizeof(text) - 1 };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	ssize_t n = recvmsg(from, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	char *at;
	int fd = -1;

	if (n < 0)
		return;
	text[n] = '\0';
	printf("%s\n", text);
	fflush(stdout);
	at = strstr(text, "FDNAME=");
	if (at != NULL)
		sscanf(at, "FDNAME=%127[^\n]", name);
	c = CMSG_FIRSTHDR(&m);
	if (c != NULL && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	if (strstr(text, "FDSTOREREMOVE=1") != NULL)
		forget(name);
	else if (strstr(text, "FDSTORE=1") != NULL && fd >= 0)
		keep(name, fd);
	if (fd >= 0)
		close(fd);
}

/* In the child. */
static void
run_command(const char *path, char *const *command)
{
	char names[STORE_MAX * sizeof(stored[0].name)] = "", number[16];

	for (unsigned i = 0; i < stored_count; i++) {
		if (i > 0)
			strcat(names, ":");
		strcat(names, stored[i].name);
		dup2(stored[i].fd, FIRST_FD + (int)i);
	}
	setenv("NOTIFY_SOCKET", path, 1);
	if (stored_count > 0) {
		snprintf(number, sizeof(number), "%d", (int)getpid());
		setenv("LISTEN_PID", number, 1);
		snprintf(number, sizeof(number), "%u", stored_count);
		setenv("LISTEN_FDS", number, 1);
		setenv("LISTEN_FDNAMES", names, 1);
	}
	execv(command[0], command);
	err(126, "%s", command[0]);
}

int
run_supervise(const char *path, char *const *command)
{
	struct pollfd p = { .fd = listen_at(path), .events = POLLIN };
	int status, wanted;
	pid_t pid;

	signal(SIGTERM, on_signal);
	signal(SIGUSR1, on_signal);
	do {
		signalled = 0;
		pid = fork();
		if (pid == 0)
			run_command(path, command);
		printf("started %d\n", (int)pid);
		fflush(stdout);
		for (wanted = 0; waitpid(pid, &status, WNOHANG) == 0;) {
			if (poll(&p, 1, 10) > 0)
				take_message(p.fd);
			if (wanted == 0 && signalled != 0) {
				wanted = signalled;
				kill(pid, SIGTERM);
			}
		}
		while (poll(&p, 1, 0) > 0)
			take_message(p.fd);
		printf("ended %d\n",
		    WIFEXITED(status) ? WEXITSTATUS(status) : 128);
		fflush(stdout);
	} while (wanted == SIGUSR1 || (wanted == 0 && WIFSIGNALED(status)));
	return 0;
}
