#include "master/background.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "master/signals.h"

#define START_LIMIT_MS 60000

/* True when the child has said that it is ready; false at its end. */
static int
wait_for_byte(int fd, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;
	int n;

	do {
		n = poll(&p, 1, clock_left(deadline, clock_ms()));
	} while (n < 0 && errno == EINTR);
	if (n == 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	return n > 0 && read(fd, &byte, 1) == 1;
}

static _Noreturn void
wait_for_child(pid_t child, int fd)
{
	int result = wait_for_byte(fd, clock_ms() + START_LIMIT_MS);
	int status;

	if (result > 0)
		_exit(0);
	if (result < 0) {
		warnx("not ready after %d seconds: giving up",
		    START_LIMIT_MS / 1000);
		kill(child, SIGKILL); /* its workers die with it */
		_exit(1);
	}
	/* The child's end of the pipe is closed: it has ended, or will. */
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			_exit(1);
	if (WIFSIGNALED(status))
		warnx("was killed by signal %d while it started",
		    WTERMSIG(status));
	else if (WEXITSTATUS(status) == 0)
		warnx("was stopped while it started");
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		_exit(WEXITSTATUS(status));
	_exit(1);
}

static void
to_dev_null(int fd, int flags)
{
	int null = open("/dev/null", flags | O_CLOEXEC);

	if (null < 0 || dup2(null, fd) < 0)
		fatal("/dev/null for descriptor %d", fd);
	close(null);
}

int
background_start(void)
{
	int ends[2], saved;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	child = fork();
	if (child < 0) {
		saved = errno;
		close(ends[0]);
		close(ends[1]);
		errno = saved;
		return -1;
	}
	if (child > 0) {
		close(ends[1]);
		signals_restore(); /* ^C ends the waiting */
		wait_for_child(child, ends[0]);
	}
	close(ends[0]);
	if (setsid() < 0)
		fatal("setsid");
	if (chdir("/") < 0)
		fatal("chdir /");
	to_dev_null(STDIN_FILENO, O_RDONLY);
	to_dev_null(STDOUT_FILENO, O_WRONLY);
	return ends[1];
}

void
background_ready(int fd)
{
	log_copy_to_stderr(false);
	to_dev_null(STDERR_FILENO, O_WRONLY);
	/* A parent that is gone does not care any more. */
	if (write(fd, "", 1) < 0)
		log_debug("the starting process has left");
	close(fd);
}
