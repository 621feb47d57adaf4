/*
 * conf: the configuration, as preforkd.conf(5) describes it.
 *
 * conf_table.c holds the one table of keywords, which the parser, conf_print
 * and the test of the manual page read. Numbers are int64_t whatever their
 * keyword, so that a row needs nothing but an offset.
 */
#ifndef COMMON_CONF_H
#define COMMON_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/queue.h>

#include "common/prefix.h"

/* What daytime's format may give, with a terminating zero, without CR LF. */
#define CONF_DAYTIME_MAX 256

/* As many keywords as a set of bits can hold. */
#define CONF_ROWS_MAX 64

/* A listen line, or an argument of the command line. */
struct conf_listen {
	TAILQ_ENTRY(conf_listen) entry;
	char *host;    /* "*", a name, or an address without [] */
	bool systemd;  /* host is a name that systemd gave, "" the others */
	char *text;    /* as it was written: "[::1]:7" */
	char *file;    /* where, for messages */
	unsigned line; /* 0: not from a file */
	uint16_t port; /* 0: of systemd */
};

TAILQ_HEAD(conf_listens, conf_listen);

/* An allow or a deny line. */
struct conf_rule {
	TAILQ_ENTRY(conf_rule) entry;
	bool allow;
	struct prefix prefix;
	char *file; /* where, for messages */
	unsigned line;
};

TAILQ_HEAD(conf_rules, conf_rule);

/* So many a second, after so many at once. */
struct conf_rate {
	int64_t rate;  /* 0: no limit */
	int64_t burst; /* 1 or more, but 0 without a limit */
};

/* A service block. Times in milliseconds, but where the name says _s. */
struct conf_service {
	TAILQ_ENTRY(conf_service) entry;
	char *name;
	char *file;
	unsigned line;
	uint64_t set; /* bit n: row n of the table was given */
	struct conf_listens listens;
	int64_t backlog;
	int64_t start_workers;
	int64_t min_spare_workers;
	int64_t max_spare_workers;
	int64_t max_workers;
	int64_t max_connections_per_worker; /* 0: no limit */
	int64_t keepalive;                  /* 0 or 1 */
	int64_t peer_timeout;               /* s */
	int64_t keepalive_idle;             /* s */
	int64_t keepalive_interval;         /* s */
	int64_t keepalive_count;
	int64_t user_timeout;
	int64_t send_timeout;
	int64_t idle_timeout;
	int64_t linger_timeout;
	int64_t defer_accept;   /* s */
	int64_t batch;          /* SCHED_BATCH: 0 or 1 */
	int64_t max_per_source; /* 0: no limit */
	struct conf_rate rate_per_source;
	int64_t evict;           /* 0 or 1 */
	struct conf_rules rules; /* the first that matches decides */
	char *format;
	int64_t utc; /* 0 or 1 */
};

TAILQ_HEAD(conf_services, conf_service);

struct conf {
	unsigned holds; /* beyond the first, see conf_hold */
	uint64_t set;
	struct conf_place {
		char *file;
		unsigned line;
	} places[CONF_ROWS_MAX]; /* of global keywords that the file gave */
	char *user;              /* of workers: a name or a number */
	char *group;
	char *chroot;            /* an absolute path, or "none" */
	char *pid_file;          /* an absolute path, or "none" */
	char *control;           /* the same */
	char *scoreboard;        /* the same */
	int64_t log_level;       /* of syslog(3) */
	int64_t log_connections; /* 0 or 1 */
	int64_t stop_timeout;
	bool by_default; /* no service was named: those by default */
	struct conf_services services;
};

/* A service that the program knows: the names that a block may have. */
struct conf_known {
	const char *name;
	uint16_t port;   /* of its RFC */
	bool by_default; /* served when nothing else is asked for */
};

/* The known service of that index, or NULL past the last. */
typedef const struct conf_known *conf_known_fn(size_t index);

/*
 * A configuration with every keyword at its default and no service; NULL
 * when memory is short. conf_free takes it back.
 */
struct conf *conf_new(void);

/* Each hold takes one conf_free more. */
void conf_hold(struct conf *conf);

void conf_free(struct conf *conf);

/*
 * Reads the file at path. Every error is one line "path:line: message" on
 * errors ("path: message" where no line is to blame), all of them in one run;
 * then, or when the file cannot be read, NULL is returned. What is not given
 * has its default or derived value. A file without a service block leaves the
 * list of services empty.
 */
struct conf *conf_read(const char *path, conf_known_fn *known, FILE *errors);

/* Adds a block with every keyword at its default, or returns NULL. */
struct conf_service *conf_add_service(struct conf *conf, const char *name);

/* Adds the services that are served by default, on their own ports. */
int conf_add_default_services(struct conf *conf, conf_known_fn *known);

/*
 * Serve just what arguments (count of them, "service@address:port") say, with
 * the settings of that service's block where conf has one. Errors are lines
 * on errors. Returns 0 or -1.
 */
int conf_apply_arguments(struct conf *conf, char *const *arguments, int count,
    conf_known_fn *known, FILE *errors);

/* True when the file gave this global keyword. */
bool conf_is_set(const struct conf *conf, const char *keyword);

/*
 * Where a global keyword was given, for messages: "FILE:LINE: KEYWORD", or
 * "KEYWORD" alone when the file did not. Returns text.
 */
char *conf_place(
    const struct conf *conf, const char *keyword, char *text, size_t size);

/* Sets pid-file as the command line does; -1 where path is no good. */
int conf_set_pid_file(struct conf *conf, const char *path, FILE *errors);

/*
 * Sets a global keyword that takes a path to none; it counts as not given.
 * Returns 0, or -1 without memory.
 */
int conf_set_none(struct conf *conf, const char *keyword);

/*
 * Whether allow and deny lines let that address in, 16 bytes as addr_bytes
 * writes them. Returns the line that decides, or NULL where none has it.
 */
const struct conf_rule *conf_rule_find(
    const struct conf_service *service, const uint8_t bytes[16], bool *allowed);

/* Writes the effective configuration in the file's own syntax. */
void conf_print(const struct conf *conf, FILE *to);

#endif
