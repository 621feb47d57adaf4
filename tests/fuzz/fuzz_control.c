/*
 * master/control and master/command: clients that say, do and leave undone
 * whatever the input wants, in any order, and time as it wants it.
 *
 * An input is a list of steps, most of them one character, of which some take
 * the byte after it; a file that can be read, as
 *
 *	j"status\n".r*c		joins, asks in one piece, a turn, reads, closes
 *
 * Who speaks is the client that joined last, or the one of the last digit.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/unshared.h"
#include "fuzz/peer.h"
#include "master/command.h"

#define BACKLOG 4
#define STEP_MS 100
#define PIECE 64
#define OUTCOMES 5 /* of enum control_what */

static struct conf conf = { .stop_timeout = 1000 };
static struct scoreboard board;
static struct master master;
static struct control *control;
static int listener;
static unsigned joined, speaker;
static struct sockaddr_un at;
static socklen_t at_length;
static char big[BIG + 1];
static int64_t now;
static unsigned runs; /* of a turn */
static bool accept_fails, memory_fails;
static bool accept_failed; /* in this turn */

int64_t __wrap_clock_ms(void);
void *__wrap_unshared_alloc(size_t count, size_t size);
void __wrap_unshared_free(void *memory, size_t count, size_t size);
int __real_accept4(int fd, struct sockaddr *from, socklen_t *size, int flags);
int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *size, int flags);

/* The master reads the clock itself where it answers. */
int64_t
__wrap_clock_ms(void)
{
	return now;
}

/* The heap, of which ASan sees each end; and what is lost. */
void *
__wrap_unshared_alloc(size_t count, size_t size)
{
	if (!memory_fails)
		return calloc(count, size);
	memory_fails = false;
	errno = ENOMEM;
	return NULL;
}

void
__wrap_unshared_free(void *memory, size_t count, size_t size)
{
	(void)count;
	(void)size;
	free(memory);
}

int
__wrap_accept4(int fd, struct sockaddr *from, socklen_t *size, int flags)
{
	FUZZ_CHECK(flags == (SOCK_NONBLOCK | SOCK_CLOEXEC));
	if (!accept_fails)
		return __real_accept4(fd, from, size, flags);
	accept_fails = false;
	accept_failed = true;
	errno = EMFILE;
	return -1;
}

/* Besides the commands: what no socket takes at once, two answers, none. */
static void
run(struct control_client *client, char *request, void *context)
{
	runs++;
	FUZZ_CHECK(strlen(request) <= CONTROL_REQUEST_MAX);
	for (const char *p = request; *p != '\0'; p++)
		FUZZ_CHECK(*p == '\t' || (*p >= ' ' && *p <= '~'));
	/* A request is gone when it has its answer. */
	if (strcmp(request, "big") == 0) {
		control_reply(client, true, big);
	} else if (strcmp(request, "twice") == 0) {
		control_reply(client, false, "one");
		control_reply(client, false, "two");
	} else if (strcmp(request, "none") != 0) {
		command_run(client, request, context);
	}
}

static unsigned
waiting(void)
{
	int fds[CONTROL_CLIENTS];
	unsigned count = 0;

	for (int what = 0; what < OUTCOMES; what++)
		count += control_waiting(control, (enum control_what)what, fds);
	return count;
}

/* What has to be true between any two steps; returns the places taken. */
static unsigned
check(int64_t *wake)
{
	struct pollfd fds[CONTROL_FDS];
	nfds_t count;
	unsigned taken = 0;

	*wake = CLOCK_NEVER;
	count = control_prepare(control, fds, now, wake);
	FUZZ_CHECK(count <= CONTROL_FDS);
	for (nfds_t i = 0; i < count; i++) {
		int flags = fcntl(fds[i].fd, F_GETFL);

		FUZZ_CHECK(flags >= 0 && (flags & O_NONBLOCK) != 0);
		taken += fds[i].fd != listener;
	}
	FUZZ_CHECK(taken <= CONTROL_CLIENTS);
	FUZZ_CHECK(taken < CONTROL_CLIENTS || count == taken);
	FUZZ_CHECK(waiting() <= taken);
	FUZZ_CHECK(control_owes(control) == (taken > waiting()));
	return taken;
}

/* A turn of the master's loop. Returns the places taken after it. */
static unsigned
turn(void)
{
	struct pollfd fds[CONTROL_FDS];
	int64_t wake = CLOCK_NEVER;
	nfds_t count = control_prepare(control, fds, now, &wake);
	unsigned taken;

	/* libFuzzer has an alarm for inputs that hang. */
	while (poll(fds, count, 0) < 0)
		FUZZ_CHECK(errno == EINTR);
	runs = 0;
	accept_failed = false;
	control_serve(control, fds, now, run, &master);
	FUZZ_CHECK(runs <= count);
	taken = check(&wake);
	/* No busy loop: what is over has been acted on, and what fails waits.
	 */
	FUZZ_CHECK(wake > now);
	FUZZ_CHECK(!accept_failed ||
	    control_prepare(control, fds, now, &wake) == taken);
	return taken;
}

static struct peer *
new_peer(int fd)
{
	struct peer *peer = &peers[joined];

	speaker = joined++;
	peer->fd = fd;
	peer->ended = false;
	peer->length = 0;
	return peer;
}

/* Into the queue, where there is room. */
static void
join(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	FUZZ_CHECK(fd >= 0);
	if (connect(fd, (struct sockaddr *)&at, at_length) == 0)
		new_peer(fd);
	else
		close(fd);
}

/* Past the queue: admitted, or one that another binary had left waiting. */
static void
join_directly(bool adopted, uint8_t what)
{
	int pair[2];

	FUZZ_CHECK(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	if (adopted)
		control_adopt(
		    control, pair[0], (enum control_what)(what % OUTCOMES));
	else
		control_admit(control, pair[0], now);
	new_peer(pair[1]);
}

static void
outcome(uint8_t byte)
{
	control_outcome(control, (enum control_what)(byte % OUTCOMES),
	    byte % 2 == 0, "the outcome\n");
}

static void
begin(void)
{
	control_change(control, CONTROL_RELOAD_NEXT, CONTROL_RELOAD);
	control_change(control, CONTROL_UPGRADE_NEXT, CONTROL_UPGRADE);
}

/* What a client does. */
static void
step_of(struct peer *peer, uint8_t step, struct fuzz_input *input)
{
	const uint8_t *bytes;
	size_t length;
	uint8_t byte;

	switch (step) {
	case '"':
		bytes = fuzz_until(input, '"', &length);
		say(peer, bytes, length);
		break;
	case 'f':
		byte = fuzz_byte(input);
		flood(peer, byte, fuzz_byte(input));
		break;
	case 'h':
		if (peer->fd >= 0)
			shutdown(peer->fd, SHUT_WR);
		break;
	case 'd':
		if (peer->fd >= 0)
			shutdown(peer->fd, SHUT_RD);
		break;
	case 'r':
		hear(peer, PIECE * (size_t)fuzz_byte(input));
		break;
	case 'c':
		leave(peer);
		break;
	}
}

/* What time, the master and the system do, and new clients. */
static bool
step_of_all(uint8_t step, struct fuzz_input *input)
{
	int64_t wake;

	if (step >= '0' && step <= '9' && step - '0' < (int)joined)
		speaker = (unsigned)(step - '0');
	else if (step == '.')
		turn();
	else if (step == 't')
		now += STEP_MS * (int64_t)fuzz_byte(input);
	else if (step == 'j' && joined < PEERS)
		join();
	else if (step == 'J' && joined < PEERS)
		join_directly(false, 0);
	else if (step == 'a' && joined < PEERS)
		join_directly(true, fuzz_byte(input));
	else if (step == 'o')
		outcome(fuzz_byte(input));
	else if (step == 'b')
		begin();
	else if (step == 'e')
		accept_fails = true;
	else if (step == 'm')
		memory_fails = true;
	else
		return false;
	check(&wake);
	return true;
}

static void
make(void)
{
	now = 1000000;
	joined = speaker = 0;
	accept_fails = memory_fails = false;
	memset(&master, 0, sizeof(master));
	master.conf = &conf;
	master.board = board;
	RB_INIT(&master.children.all);
	TAILQ_INIT(&master.pools);
	log_set_level(LOG_NOTICE);
	listener = fuzz_listen(BACKLOG, &at, &at_length);
	control = master.control = control_new(listener);
	FUZZ_CHECK(control != NULL);
}

/*
 * Nobody does anything any more: those who wait for an outcome have it, and
 * every other place is free as soon as its time is over, read or not.
 */
static void
finish(void)
{
	accept_fails = memory_fails = false;
	for (unsigned i = 0; i < PEERS + BACKLOG; i++) {
		now += CONTROL_ASK_MS + CONTROL_READ_MS;
		turn();
	}
	FUZZ_CHECK(!control_owes(control));
	FUZZ_CHECK(turn() == waiting());
}

static void
destroy(void)
{
	control_free(control);
	close(listener);
	for (unsigned i = 0; i < joined; i++) {
		struct peer *peer = &peers[i];

		hear(peer, HEARD);
		/* Nobody is left at a socket that stays open. */
		FUZZ_CHECK(peer->fd < 0 || peer->ended);
		leave(peer);
	}
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_keep_stderr();
	memset(big, 'b', BIG);
	for (int i = 0; i < PEERS; i++)
		if ((peers[i].heard = malloc(HEARD)) == NULL)
			abort();
	return scoreboard_create(&board, 1, 1) == 0 ? 0 : 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	unsigned before = fuzz_open_fds();
	/* With its last byte an input says whether it stops in the middle. */
	bool patient = size == 0 || data[size - 1] != '!';

	make();
	while (input.left > 0) {
		uint8_t step = fuzz_byte(&input);

		if (!step_of_all(step, &input) && joined > 0)
			step_of(&peers[speaker], step, &input);
	}
	if (patient)
		finish();
	destroy();
	FUZZ_CHECK(fuzz_open_fds() == before);
	return 0;
}
