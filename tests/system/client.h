/*
 * client: a small TCP client for the tests, which tells FIN from RST.
 */
#ifndef SYSTEM_CLIENT_H
#define SYSTEM_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

/* How one connection ended, as the client saw it. */
enum end {
	END_OPEN, /* not yet */
	END_FIN,  /* read(2) returned 0, and no RST had come behind it */
	END_RST,
	END_TIMEOUT,
	END_MISMATCH, /* a byte was not the one that was sent */
	END_COUNT
};

struct options {
	const char *host;
	const char *port;
	const char *source;   /* -B: an IPv4 address to come from, or NULL */
	unsigned connections; /* -n */
	uint64_t bytes;       /* -b, each connection; 0: until the end */
	bool half_close;      /* -c: shutdown after the last byte */
	bool late;            /* -l: read only after stdin has ended */
	bool abort;           /* -r: end with RST after the last byte */
	bool first;           /* -f: send before reading (daytime),
				 or while (play), or nothing (hold) */
	unsigned chunk;       /* -k: largest chunk, in bytes */
	uint64_t seed;        /* -s */
	int64_t limit_ms;     /* -t, for all of it */
};

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t now_ms(void);

/* A connecting, non-blocking socket; ends the program where that fails. */
int start_connect(const struct options *o);

/* FIN or RST, after read(2) on fd returned 0. */
enum end look_behind_fin(int fd);

/* Plays these steps on a connection that there is, and closes it. */
void play_on(const struct options *o, int fd, char **steps);

/* Each prints one result line and returns the exit status. */
int run_echo(const struct options *o);
int run_daytime(const struct options *o);
int run_connect(const struct options *o);
int run_flood(const struct options *o);
int run_hostile(const struct options *o, char **sources);
int run_mixed(const struct options *o);
int run_play(const struct options *o, char **steps);
int run_hold(const struct options *o, const char *source);
int run_crowd(const struct options *o, const char *first_source);
int run_rate(const struct options *o);
int run_stream(const struct options *o);
int run_serve(const struct options *o, char **steps);
int run_storm(const struct options *o);
int run_stamp(void);
int run_pty(const char *text, char *const *command);
int run_syslog(const char *path);
int run_supervise(const char *path, char *const *command);

#endif
