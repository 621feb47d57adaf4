/*
 * log: leveled log lines to stderr or to syslog, never blocking.
 *
 * Levels are those of syslog(3), LOG_ERR to LOG_DEBUG. Workers inherit the
 * descriptor that the master opened; a line that cannot be written at once is
 * counted as lost, because no client may wait for a log reader.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <syslog.h>

#define LOG_PRINTF(n) __attribute__((format(printf, n, (n) + 1)))

enum log_target {
	LOG_TO_STDERR, /* plain, or with <N> when stderr is the journal */
	LOG_TO_SYSLOG  /* a datagram socket to /dev/log, see syslog(3) */
};

/*
 * Opens the log. Called once before the first fork; before it, lines go to
 * stderr as it is. level is the highest syslog(3) level that is written.
 * Never fails: a missing syslogd is said on stderr, and tried again later.
 * From then on SIGPIPE and SIGXFSZ are ignored, here and in every child.
 */
void log_open(enum log_target target, int level);

/*
 * With yes, lines for syslog are copied to stderr, so that whoever started
 * the daemon sees why it did not come up.
 */
void log_copy_to_stderr(bool yes);

/*
 * The text of warnings and errors goes there as well, a line each, whatever the
 * level is, until it is NULL. The stream stays the caller's.
 */
void log_tee(FILE *to);

/*
 * The descriptor above 2 that log lines go to and that a worker must keep
 * open, or -1 where there is none. It stays owned by the log.
 */
int log_descriptor(void);

/* What became of this process's way to syslog, where it is a worker. */
enum log_health {
	LOG_HEALTHY,
	LOG_DEAD, /* the socket died: syslogd was restarted */
	LOG_MUTE  /* a line was lost for want of a socket: there was no
		     syslogd when this worker was forked */
};

/* A worker cannot connect again; its successor can have what log_reopen has. */
enum log_health log_health(void);

/* Master only: connects to syslog again, as a worker found it dead. */
void log_reopen(void);

/* From now on a dead syslog socket is not reopened: this is a worker. */
void log_enter_worker(void);

/*
 * The worker has started: of those that log to syslog none keeps the stderr
 * of whoever started the daemon. stdout must be /dev/null then.
 */
void log_release_stderr(void);

/* From now on that is the highest level that is written. */
void log_set_level(int level);

/*
 * From now on the highest level is what *level says at the moment: a worker's,
 * in memory that the master writes to.
 */
void log_follow_level(const _Atomic uint32_t *level);

/* How many lines this process could not write. */
uint64_t log_lost(void);

/* The highest level that this process writes. */
int log_level(void);

/* True when a line of this level would be written. */
bool log_wants(int level);

/* "error", "warning", "notice", "info", "debug"; NULL for another level. */
const char *log_level_name(int level);

/* The level of that name, or -1. */
int log_level_parse(const char *name);

/*
 * One line each, without a newline at the end. log_warn and fatal append
 * strerror(errno). fatal and fatalx end the process with exit status 1.
 */
void log_errorx(const char *format, ...) LOG_PRINTF(1);
void log_warn(const char *format, ...) LOG_PRINTF(1);
void log_warnx(const char *format, ...) LOG_PRINTF(1);
void log_notice(const char *format, ...) LOG_PRINTF(1);
void log_info(const char *format, ...) LOG_PRINTF(1);
void log_debug(const char *format, ...) LOG_PRINTF(1);
void fatal(const char *format, ...) LOG_PRINTF(1) __attribute__((noreturn));
void fatalx(const char *format, ...) LOG_PRINTF(1) __attribute__((noreturn));

#endif
