/*
 * peer: a client of the control socket, as the input has it: what it is told,
 * and what it says.
 */
#ifndef FUZZ_PEER_H
#define FUZZ_PEER_H

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fdpass.h"
#include "fuzz/fuzz.h"

#define PEERS 20     /* more than there are places */
#define BIG 100000   /* far more than a socket takes */
#define HEARD 160000 /* ... with "ok" and all */

/* One of ours; the master has the other end. */
struct peer {
	int fd; /* -1: none, or closed */
	bool ended;
	char *heard;
	size_t length;
};

static struct peer peers[PEERS];

/* The whole of it is one answer at most, and begins with its verdict. */
static inline void
check_answer(const struct peer *peer)
{
	static const char *const heads[] = { "ok\n", "error\n" };
	unsigned verdicts = 0;

	for (const char *line = peer->heard; *line != '\0';) {
		const char *next = strchr(line, '\n');
		size_t length = next == NULL ? 0 : (size_t)(next - line) + 1;

		for (unsigned i = 0; i < 2; i++)
			if (strlen(heads[i]) == length &&
			    strncmp(line, heads[i], length) == 0)
				verdicts++;
		FUZZ_CHECK(next == NULL || verdicts == 1);
		if (next == NULL)
			break;
		line = next + 1;
	}
}

/* Reads at most that much; the descriptor that may come is closed. */
static inline void
hear(struct peer *peer, size_t most)
{
	int passed = -1;
	ssize_t n = 1;

	while (peer->fd >= 0 && !peer->ended && most > 0 && n > 0) {
		size_t room = HEARD - peer->length - 1;

		n = fdpass_receive(peer->fd, peer->heard + peer->length,
		    most < room ? most : room, &passed);
		if (n > 0) {
			peer->length += (size_t)n;
			most -= (size_t)n;
			FUZZ_CHECK(peer->length < HEARD - 1);
		} else if (n == 0 || errno == ECONNRESET) {
			peer->ended = true;
		}
	}
	if (passed >= 0)
		close(passed);
}

static inline void
leave(struct peer *peer)
{
	if (peer->fd < 0)
		return;
	close(peer->fd);
	peer->fd = -1;
	peer->heard[peer->length] = '\0';
	check_answer(peer);
}

/* What the socket does not take is lost. */
static inline void
say(const struct peer *peer, const void *bytes, size_t length)
{
	if (peer->fd >= 0)
		(void)!send(
		    peer->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static inline void
flood(const struct peer *peer, uint8_t byte, uint8_t times)
{
	char bytes[16 * UINT8_MAX];

	memset(bytes, byte, sizeof(bytes));
	say(peer, bytes, 16 * (size_t)times);
}

#endif
