/*
 * client: see usage. Everything is bounded by -t.
 */
#include "client.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define STATE_CLOSE 7 /* of TCP_INFO; netinet/tcp.h and linux/tcp.h clash */

static const char usage[] =
    "usage: client echo    [-clr] [-n connections] [-b bytes] [-k chunk]\n"
    "                      [-s seed] [-t seconds] host port\n"
    "       client daytime [-f] [-n times] [-t seconds] host port\n"
    "       client connect [-l] [-n connections] [-t seconds] host port\n"
    "       client flood   -n connections -t seconds address port\n"
    "       client hostile [-n connections] [-k slow-one-in] [-t seconds]\n"
    "                      address port source ...\n"
    "       client mixed   [-n connections] [-t seconds] address echo,daytime\n"
    "       client hold    [-fr] [-n connections] [-t seconds] address port\n"
    "                      source\n"
    "       client crowd   [-n connections] [-k ms] [-t seconds] address port\n"
    "                      first-source\n"
    "       client play    [-f] [-t seconds] host port step ...\n"
    "       client rate    -n connections-a-second -b bytes -t seconds\n"
    "                      host port\n"
    "       client stream  -n connections -b bytes-a-second -t seconds\n"
    "                      host port\n"
    "       client serve   [-k backlog] [-t seconds] host port step ...\n"
    "       client storm   -n connections -t seconds host port,...\n"
    "       client stamp\n"
    "       client pty text command ...\n"
    "       client supervise path command ...\n"
    "       client syslog path\n"
    "-B address: echo, daytime, connect, rate, storm and stream\n"
    "come from there\n";

int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The port is chosen by connect(2), so that it may be one that others have. */
static void
come_from(int fd, const char *source)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	int on = 1;

	if (inet_pton(AF_INET, source, &from.sin_addr) != 1 ||
	    setsockopt(
		fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0)
		err(2, "bind to %s", source);
}

int
start_connect(const struct options *o)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *ai;
	int fd, error;

	error = getaddrinfo(o->host, o->port, &hints, &ai);
	if (error != 0)
		errx(2, "%s: %s", o->host, gai_strerror(error));
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0)
		err(2, "socket");
	if (o->source != NULL)
		come_from(fd, o->source);
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0 &&
	    errno != EINPROGRESS)
		err(1, "connect to %s port %s", o->host, o->port);
	freeaddrinfo(ai);
	return fd;
}

/* A RST behind the FIN throws the connection away: its state is CLOSE. */
enum end
look_behind_fin(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
		err(2, "TCP_INFO");
	/* After our own FIN was answered as well, CLOSE is where it ends. */
	if (info.tcpi_state == STATE_CLOSE) {
		int error = 0;

		length = sizeof(error);
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
			err(2, "SO_ERROR");
		return error == ECONNRESET || error == EPIPE ? END_RST :
							       END_FIN;
	}
	return END_FIN;
}

/*
 * How many of -n connections the far end lets through within -t; with -l they
 * stay until stdin has ended.
 */
int
run_connect(const struct options *o)
{
	char byte;
	struct pollfd *p = calloc(o->connections, sizeof(*p));
	int64_t end = now_ms() + o->limit_ms;
	unsigned done = 0;

	if (p == NULL)
		err(2, "memory");
	for (unsigned i = 0; i < o->connections; i++) {
		p[i].fd = start_connect(o);
		p[i].events = POLLOUT;
	}
	while (done < o->connections && now_ms() < end) {
		poll(p, o->connections, (int)(end - now_ms()));
		for (unsigned i = 0; i < o->connections; i++)
			if (p[i].fd >= 0 && p[i].revents != 0) {
				done +=
				    (p[i].revents & (POLLERR | POLLHUP)) == 0;
				p[i].fd = -1; /* stays open until we exit */
			}
	}
	printf("connected=%u\n", done);
	fflush(stdout);
	while (o->late && read(STDIN_FILENO, &byte, 1) > 0)
		;
	free(p);
	return 0;
}

/* Prints what comes to a datagram socket at path, until it is killed. */
int
run_syslog(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char line[4096];
	ssize_t n;
	int fd;

	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		err(2, "%s", path);
	while ((n = recv(fd, line, sizeof(line) - 1, 0)) >= 0) {
		line[n] = '\0';
		printf("%s\n", line);
		fflush(stdout);
	}
	err(2, "recv");
}

/* Returns what follows host and port. */
static char **
parse(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt(argc, argv, "B:b:cfk:ln:rs:t:")) != -1)
		switch (c) {
		case 'B':
			o->source = optarg;
			break;
		case 'b':
			o->bytes = strtoull(optarg, NULL, 10);
			break;
		case 'c':
			o->half_close = true;
			break;
		case 'f':
			o->first = true;
			break;
		case 'k':
			o->chunk = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'l':
			o->late = true;
			break;
		case 'n':
			o->connections = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'r':
			o->abort = true;
			break;
		case 's':
			o->seed = strtoull(optarg, NULL, 10);
			break;
		case 't':
			o->limit_ms = (int64_t)(strtod(optarg, NULL) * 1000);
			break;
		default:
			errx(2, "%s", usage);
		}
	if (argc - optind < 2)
		errx(2, "%s", usage);
	o->host = argv[optind];
	o->port = argv[optind + 1];
	return argv + optind + 2;
}

int
main(int argc, char **argv)
{
	struct options o = {
		.connections = 1, .chunk = 65536, .limit_ms = 30000
	};
	struct rlimit files;
	char **steps;

	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (argc > 3 && strcmp(argv[1], "pty") == 0)
		return run_pty(argv[2], argv + 3);
	if (argc > 3 && strcmp(argv[1], "supervise") == 0)
		return run_supervise(argv[2], argv + 3);
	if (argc == 3 && strcmp(argv[1], "syslog") == 0)
		return run_syslog(argv[2]);
	if (argc == 2 && strcmp(argv[1], "stamp") == 0)
		return run_stamp();
	if (argc < 2)
		errx(2, "%s", usage);
	steps = parse(argc - 1, argv + 1, &o);
	if (strcmp(argv[1], "play") == 0)
		return run_play(&o, steps);
	if (strcmp(argv[1], "serve") == 0)
		return run_serve(&o, steps);
	if (strcmp(argv[1], "hostile") == 0)
		return run_hostile(&o, steps);
	if (*steps != NULL && strcmp(argv[1], "hold") == 0)
		return run_hold(&o, *steps);
	if (*steps != NULL && strcmp(argv[1], "crowd") == 0)
		return run_crowd(&o, *steps);
	if (*steps != NULL)
		errx(2, "%s", usage);
	if (strcmp(argv[1], "echo") == 0)
		return run_echo(&o);
	if (strcmp(argv[1], "daytime") == 0)
		return run_daytime(&o);
	if (strcmp(argv[1], "mixed") == 0)
		return run_mixed(&o);
	if (strcmp(argv[1], "flood") == 0)
		return run_flood(&o);
	if (strcmp(argv[1], "connect") == 0)
		return run_connect(&o);
	if (strcmp(argv[1], "stream") == 0)
		return run_stream(&o);
	if (strcmp(argv[1], "rate") == 0)
		return run_rate(&o);
	if (strcmp(argv[1], "storm") == 0)
		return run_storm(&o);
	errx(2, "%s", usage);
}
