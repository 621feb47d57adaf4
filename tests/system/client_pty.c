/*
 * client pty: runs a command in a terminal of its own, as a person would,
 * waits for a text, types ^C and waits for the command's end.
 */
#include <err.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

#define LIMIT_MS 20000

/* Copies what the command writes, and types ^C once text has come. */
static void
talk(int terminal, const char *text)
{
	static char seen[1 << 16];
	struct pollfd p = { .fd = terminal, .events = POLLIN };
	int64_t end = now_ms() + LIMIT_MS;
	bool typed = false;
	size_t used = 0;
	ssize_t n;

	while (now_ms() < end) {
		if (poll(&p, 1, (int)(end - now_ms())) <= 0)
			continue;
		n = read(terminal, seen + used, sizeof(seen) - 1 - used);
		if (n <= 0) /* EIO: the last process has closed it */
			break;
		fwrite(seen + used, 1, (size_t)n, stdout);
		used += (size_t)n;
		seen[used] = '\0';
		if (!typed && strstr(seen, text) != NULL) {
			typed = true;
			if (write(terminal, "\003", 1) != 1)
				err(2, "^C");
		}
	}
	fflush(stdout);
}

int
run_pty(const char *text, char *const *command)
{
	int terminal, status;
	pid_t pid;

	pid = forkpty(&terminal, NULL, NULL, NULL);
	if (pid < 0)
		err(2, "forkpty");
	if (pid == 0) {
		execv(command[0], command);
		err(126, "%s", command[0]);
	}
	talk(terminal, text);
	for (int i = 0; waitpid(pid, &status, WNOHANG) == 0; i++) {
		if (i == 500) {
			kill(pid, SIGKILL);
			errx(1, "did not end after ^C");
		}
		usleep(10000);
	}
	if (WIFSIGNALED(status))
		errx(1, "was killed by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}
