/*
 * torn SOCKET PORT CLIENTS READS: reads the scoreboard of a daemon while
 * clients come and go, and looks whether what it reads belongs together.
 *
 * Client number n comes from the address 127.0.0.n and the ports of n, so that
 * a peer tells its port and its source key. It leaves with a reset, so that it
 * may come from the same port again at once.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/scoreboard_view.h"
#include "control/client.h"

#define LIMIT_MS 100000
#define LEAST_CHANGES 2000
#define PORTS 1000
#define MOST_CLIENTS 20
#define MOST_SLOTS 4096

static uint16_t
first_port(unsigned n)
{
	return (uint16_t)(20000 + PORTS * n);
}

/* False where it has to be tried again. */
static bool
come_and_go(unsigned n, unsigned turn, uint16_t port)
{
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + n),
		.sin_port = htons((uint16_t)(first_port(n) + turn % PORTS)) };
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port) };
	const struct linger reset = { 1, 0 };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	char byte = 'x';
	bool good;

	if (fd < 0)
		err(2, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	good = bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
	    send(fd, &byte, 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, 0) == 1;
	close(fd);
	return good;
}

static void
start_client(unsigned n, uint16_t port)
{
	pid_t pid = fork();

	if (pid < 0)
		err(2, "fork");
	if (pid > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned turn = 0;; turn++)
		if (!come_and_go(n, turn, port))
			usleep(1000);
}

static bool
belongs_together(const struct slot *copy, unsigned clients, int64_t began)
{
	static const uint8_t loopback[15] = { [10] = 0xff, [11] = 0xff, 127 };
	unsigned n = copy->peer[15];
	uint64_t ended = 0;

	for (size_t i = 0; i < SCOREBOARD_ENDINGS; i++)
		ended += copy->endings[i];
	return memcmp(copy->peer, loopback, sizeof(loopback)) == 0 && n >= 1 &&
	    n <= clients && copy->peer_port >= first_port(n) &&
	    copy->peer_port < first_port(n) + PORTS &&
	    memcmp(&copy->source_key, copy->peer + 8, 8) == 0 &&
	    copy->accepted_ms >= began && copy->accepted_ms <= clock_ms() &&
	    copy->in_before <= copy->traffic.in &&
	    copy->connections - ended <= 1;
}

static void
say_torn(const struct slot *copy)
{
	char text[ADDR_STRLEN];

	errx(1, "torn: %s, source key %llx, accepted %lld, connections %llu",
	    slot_peer(copy, text), (unsigned long long)copy->source_key,
	    (long long)copy->accepted_ms,
	    (unsigned long long)copy->connections);
}

/* Reads all slots in turn until that many reads were good. */
static void
read_board(const struct scoreboard *board, unsigned clients, unsigned long most,
    int64_t began)
{
	static uint64_t last[MOST_SLOTS];
	unsigned long good = 0, refused = 0, changes = 0;
	uint32_t used =
	    board->header->used < MOST_SLOTS ? board->header->used : MOST_SLOTS;
	struct slot copy;

	while (good < most || changes < LEAST_CHANGES)
		for (uint32_t i = 0; i < used; i++) {
			if (clock_ms() - began > LIMIT_MS)
				errx(1, "%lu reads, %lu changes: too slow",
				    good, changes);
			if (!scoreboard_read(&board->slots[i], &copy)) {
				refused++;
				continue;
			}
			if (copy.connections == 0)
				continue;
			if (!belongs_together(&copy, clients, began))
				say_torn(&copy);
			good++;
			changes += last[i] != copy.connections;
			last[i] = copy.connections;
		}
	printf("%lu good reads, %lu to be tried again, %lu changes\n", good,
	    refused, changes);
}

int
main(int argc, char **argv)
{
	char why[CLIENT_WHY_SIZE], *text;
	int64_t began = clock_ms();
	struct client_passed passed;
	struct scoreboard board;
	unsigned clients;

	if (argc != 5)
		errx(2, "usage: torn socket port clients reads");
	clients = (unsigned)atoi(argv[3]);
	if (clients > MOST_CLIENTS)
		errx(2, "%u clients are too many", clients);
	if (client_fetch(argv[1], "scoreboard", LIMIT_MS, LIMIT_MS, &text,
		&passed, why) != CLIENT_OK)
		errx(2, "%s", why);
	free(text);
	if (scoreboard_view(&board, passed.fd, why) < 0)
		errx(2, "%s", why);
	for (unsigned n = 1; n <= clients; n++)
		start_client(n, (uint16_t)atoi(argv[2]));
	read_board(&board, clients, strtoul(argv[4], NULL, 10), began);
	return 0;
}
