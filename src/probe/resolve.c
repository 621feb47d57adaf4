#include "probe/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

/* What the process that asks has to say. */
struct answer {
	int result;
	int error; /* errno, for EAI_SYSTEM */
	struct resolve_list list;
};

static int
look_up(struct resolve_list *list, const char *host, const char *port,
    const struct addrinfo *hints)
{
	struct addrinfo *found, *ai;
	int result = getaddrinfo(host, port, hints, &found);

	list->count = 0;
	if (result != 0)
		return result;
	for (ai = found; ai != NULL && list->count < RESOLVE_MAX;
	     ai = ai->ai_next) {
		struct resolve_address *a = &list->all[list->count++];

		memcpy(&a->addr, ai->ai_addr, ai->ai_addrlen);
		a->length = ai->ai_addrlen;
	}
	freeaddrinfo(found);
	return 0;
}

/* In the process that asks. It takes nothing of ours along, not even stdio. */
static void
ask(int fd, const char *host, const char *port, const struct addrinfo *hints)
{
	static struct answer answer;
	const char *from = (const char *)&answer;
	size_t left = sizeof(answer);
	ssize_t n;

	answer.result = look_up(&answer.list, host, port, hints);
	answer.error = errno;
	while (left > 0 && (n = write(fd, from, left)) > 0) {
		from += n;
		left -= (size_t)n;
	}
	_exit(0);
}

/* Reads all of the answer, or gives up. */
static int
listen_to(int fd, struct answer *answer, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char *to = (char *)answer;
	size_t left = sizeof(*answer);
	ssize_t n;
	int ready;

	while (left > 0) {
		ready = poll(&p, 1, clock_left(deadline, clock_ms()));
		if (ready == 0)
			return RESOLVE_LATE;
		if (ready < 0 && errno == EINTR)
			continue;
		n = ready < 0 ? -1 : read(fd, to, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return EAI_FAIL; /* it has died */
		to += n;
		left -= (size_t)n;
	}
	return answer->result;
}

static int
ask_in_time(struct resolve_list *list, const char *host, const char *port,
    const struct addrinfo *hints, int64_t deadline)
{
	static struct answer answer;
	int ends[2], result;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return EAI_SYSTEM;
	pid = fork();
	if (pid == 0)
		ask(ends[1], host, port, hints);
	close(ends[1]);
	result = pid < 0 ? EAI_SYSTEM : listen_to(ends[0], &answer, deadline);
	close(ends[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (result == 0)
		*list = answer.list;
	else if (pid > 0)
		errno = answer.error;
	return result;
}

int
resolve(struct resolve_list *list, const char *host, uint16_t port, int family,
    int64_t deadline)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST,
		.ai_family = family,
		.ai_socktype = SOCK_STREAM };
	char service[8];
	int result;

	snprintf(service, sizeof(service), "%u", port);
	/* For an address nobody is asked. */
	result = look_up(list, host, service, &hints);
	if (result != EAI_NONAME)
		return result;
	hints.ai_flags = AI_NUMERICSERV;
	return ask_in_time(list, host, service, &hints, deadline);
}

const char *
resolve_error(int result)
{
	if (result == RESOLVE_LATE)
		return "no answer in time";
	return result == EAI_SYSTEM ? strerror(errno) : gai_strerror(result);
}

int
resolve_source(struct resolve_address *source, const char *text)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST,
		.ai_socktype = SOCK_STREAM };
	struct resolve_list list;
	int result = look_up(&list, text, NULL, &hints);

	if (result == 0)
		*source = list.all[0];
	return result;
}
