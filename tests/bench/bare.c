/*
 * bare: echo and daytime with nothing around them, to measure what the rest of
 * preforkd costs. It has no deadlines, no log, no limits, no way to stop: it is
 * no server for use.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: bare [-bdmw] echo|daytime port workers\n"
    "  -b  SCHED_BATCH\n"
    "  -d  TCP_DEFER_ACCEPT\n"
    "  -m  daytime: the line and the FIN in one segment (MSG_MORE)\n"
    "  -w  daytime: wait for the client's FIN\n"
    "Without a port: answers on the standard descriptors, as inetd has it.\n"
    "Without workers (0): a fork for each connection.\n";

static bool batch, defer, more, wait_for_fin;
static bool is_echo;

static bool
send_all(int fd, const char *bytes, size_t size)
{
	ssize_t n;

	for (; size > 0; size -= (size_t)n, bytes += n) {
		n = write(fd, bytes, size);
		if (n <= 0)
			return false;
	}
	return true;
}

static void
echo(int in, int out)
{
	static char bytes[65536];
	ssize_t n;

	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		if (!send_all(out, bytes, (size_t)n))
			return;
}

static void
daytime(int fd)
{
	static char line[64];
	static size_t length;
	static time_t made;
	time_t now = time(NULL);

	if (now != made)
		length = strftime(line, sizeof(line),
		    "%a %b %e %H:%M:%S %Y\r\n", localtime(&now));
	made = now;
	if (more)
		(void)send(fd, line, length, MSG_MORE);
	else
		(void)send_all(fd, line, length);
	/* A client that is served by exec has the FIN when we exit. */
	if (!more || wait_for_fin)
		(void)shutdown(fd, SHUT_WR);
	while (wait_for_fin && read(fd, line, 1) > 0)
		made = 0;
}

static void
serve(int fd)
{
	if (is_echo)
		echo(fd, fd);
	else
		daytime(fd);
	close(fd);
}

static void
work(int listener)
{
	struct sched_param none = { 0 };
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (batch)
		sched_setscheduler(0, SCHED_BATCH, &none);
	for (;;)
		if ((fd = accept(listener, NULL, NULL)) >= 0)
			serve(fd);
}

static void
fork_each(int listener)
{
	int fd;

	signal(SIGCHLD, SIG_IGN);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		if (fork() == 0) {
			close(listener);
			serve(fd);
			_exit(0);
		}
		close(fd);
	}
	err(1, "accept");
}

static int
listen_on(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1, seconds = 5;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (defer)
		setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds,
		    sizeof(seconds));
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    listen(fd, 4096) < 0)
		err(1, "port %d", port);
	return fd;
}

static int
take_options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "bdmw")) != -1) {
		batch |= c == 'b';
		defer |= c == 'd';
		more |= c == 'm';
		wait_for_fin |= c == 'w';
		if (c == '?')
			errx(2, "%s", usage);
	}
	if (argc - optind != 1 && argc - optind != 3)
		errx(2, "%s", usage);
	return optind;
}

int
main(int argc, char **argv)
{
	int first = take_options(argc, argv), workers, listener;

	is_echo = strcmp(argv[first], "echo") == 0;
	if (argv[first + 1] == NULL) {
		if (is_echo)
			echo(STDIN_FILENO, STDOUT_FILENO);
		else
			daytime(STDOUT_FILENO);
		return 0;
	}
	signal(SIGPIPE, SIG_IGN);
	listener = listen_on(atoi(argv[first + 1]));
	workers = atoi(argv[first + 2]);
	if (workers == 0)
		fork_each(listener);
	for (int i = 0; i < workers; i++)
		if (fork() == 0)
			work(listener);
	while (wait(NULL) > 0)
		;
	return 0;
}
