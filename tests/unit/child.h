/*
 * child: a part of a case that spoils its process, in a process of its own.
 */
#ifndef UNIT_CHILD_H
#define UNIT_CHILD_H

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_BROKEN 99

/* What the last child wrote to stderr. */
static char child_said[4096];

/* In the child: says what is not true, and ends. Needs no more than write. */
#define must(true_here)                                                        \
	do {                                                                   \
		if (!(true_here))                                              \
			child_break(__FILE__, __LINE__, #true_here);           \
	} while (0)

static inline void
child_break(const char *file, int line, const char *what)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "%s:%d: not true: %s (%s)\n", file,
	    line, what, strerror(errno));

	if (write(STDERR_FILENO, text, (size_t)n) < 0)
		_exit(CHILD_BROKEN + 1);
	_exit(CHILD_BROKEN);
}

/* The exit status of a child that runs what, or its signal below zero. */
static inline int
child_run(void (*what)(const void *), const void *argument)
{
	size_t length = 0;
	int said[2], status;
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe(said), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(said[1], STDERR_FILENO);
		close(said[0]);
		close(said[1]);
		what(argument);
		_exit(0);
	}
	close(said[1]);
	while ((n = read(said[0], child_said + length,
		    sizeof(child_said) - 1 - length)) > 0)
		length += (size_t)n;
	child_said[length] = '\0';
	close(said[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* The child must come to its end. */
static inline void
child_must(void (*what)(const void *), const void *argument)
{
	int status = child_run(what, argument);

	ck_assert_msg(status == 0, "status %d: %s", status, child_said);
}

#endif
