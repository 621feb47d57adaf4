/*
 * fuzz: what the harnesses share: an input that is taken bit by bit, a check
 * that libFuzzer sees fail, and the descriptors that are open.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define FUZZ_FDS 100   /* no harness opens as many */
#define FUZZ_STDERR 99 /* a copy, for fuzz.sh closes the log's */

/*
 * While an input is run: wrapped calls are the harness's then, and those of
 * libFuzzer itself, which is linked with them, at all other times.
 */
static bool fuzz_is_running __attribute__((unused));

/* Ends with a crash that libFuzzer keeps the input of. */
#define FUZZ_CHECK(condition)                                                  \
	do {                                                                   \
		if (!(condition)) {                                            \
			dprintf(FUZZ_STDERR, "%s:%d: not true: %s\n",          \
			    __FILE__, __LINE__, #condition);                   \
			fuzz_is_running = false;                               \
			abort();                                               \
		}                                                              \
	} while (0)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

/* The next byte, or 0 at the end. */
static inline uint8_t
fuzz_byte(struct fuzz_input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->at++;
}

/* The bytes up to that one, which is taken too, or to the end. */
static inline const uint8_t *
fuzz_until(struct fuzz_input *input, uint8_t last, size_t *length)
{
	const uint8_t *from = input->at;

	*length = 0;
	while (input->left > 0 && fuzz_byte(input) != last)
		++*length;
	return from;
}

/* Once, before anything is opened. */
static inline void
fuzz_keep_stderr(void)
{
	if (fcntl(2, F_DUPFD_CLOEXEC, FUZZ_STDERR) != FUZZ_STDERR)
		abort();
}

static inline unsigned
fuzz_open_fds(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < FUZZ_FDS; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* Listens at a name that the kernel chooses. */
static inline int
fuzz_listen(int backlog, struct sockaddr_un *at, socklen_t *length)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	*at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*length = sizeof(*at);
	FUZZ_CHECK(
	    bind(fd, (struct sockaddr *)at, sizeof(at->sun_family)) == 0);
	FUZZ_CHECK(listen(fd, backlog) == 0);
	FUZZ_CHECK(getsockname(fd, (struct sockaddr *)at, length) == 0);
	return fd;
}

#endif
