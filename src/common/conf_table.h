/*
 * conf_table: the one table of keywords, and their values as text.
 * For the conf_*.c files and for tests.
 */
#ifndef COMMON_CONF_TABLE_H
#define COMMON_CONF_TABLE_H

#include "common/conf.h"

#define CONF_KEEPALIVE_MAX 32767 /* of TCP_KEEPIDLE and TCP_KEEPINTVL */

enum conf_scope {
	CONF_GLOBAL,  /* outside of blocks; offset in struct conf */
	CONF_SERVICE, /* in a service block; in struct conf_service */
	CONF_ANYWHERE
};

enum conf_type {
	CONF_BOOL, /* yes or no */
	CONF_NUMBER,
	CONF_TIME,       /* with a unit; held in milliseconds */
	CONF_SECONDS,    /* with a unit, whole seconds; held in those */
	CONF_LEVEL,      /* error warning notice info debug */
	CONF_PATH,       /* absolute, or "none" */
	CONF_ACCOUNT,    /* a user or a group, by name or number */
	CONF_FORMAT,     /* of strftime(3), for one line */
	CONF_SCHEDULING, /* normal or batch; held as 0 or 1 */
	CONF_RATE,       /* NUMBER, or NUMBER burst NUMBER */
	CONF_LISTEN,     /* an address; may be given again */
	CONF_RULE,       /* a prefix; may be given again */
	CONF_BLOCK,      /* service NAME { */
	CONF_INCLUDE     /* include GLOB */
};

struct conf_keyword {
	const char *name;
	enum conf_scope scope;
	enum conf_type type;
	const char *only;    /* the one service that knows it, or NULL */
	const char *initial; /* the default; NULL: none, or derived */
	const char *derived; /* what an absent value is derived from */
	int64_t min, max;    /* in the unit that it is held in; of a path:
				the most bytes, where max is not 0 */
	size_t offset;       /* of an int64_t, a char * or a conf_rate */
};

/* Row index of the table, or NULL past the last (the table is below 64). */
const struct conf_keyword *conf_keyword_at(size_t index);

/* The row of that name, or NULL. */
const struct conf_keyword *conf_keyword_find(const char *name);

/* The bit of a row in the sets of struct conf and struct conf_service. */
uint64_t conf_keyword_bit(const struct conf_keyword *keyword);

/* The keyword that needs the fewest edits to become name. */
const char *conf_nearest_keyword(const char *name);

/* True for the name of a known service. */
bool conf_is_known(const char *name, conf_known_fn *known);

/* The known service that needs the fewest edits to become name. */
const char *conf_nearest_service(const char *name, conf_known_fn *known);

#define CONF_WHY_SIZE 160

/* Writes what is wrong to why; returns -1. */
int conf_wrong(char why[CONF_WHY_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* True where a control character is in text. */
bool conf_has_control(const char *text);

/*
 * RFC 867 asks for one line of printable ASCII, and what a client gets must fit
 * the line that services/daytime sends. Returns 0 for a format of strftime(3)
 * that gives that, or -1 with what is wrong in why.
 */
int conf_check_format(const char *text, char why[CONF_WHY_SIZE]);

/*
 * Parses text as the keyword's value into base (a struct conf or struct
 * conf_service). Returns 0, or -1 with what is wrong in why, as in
 * "must be 1 to 65535". Not for listen, allow, deny, service and include.
 */
int conf_value_parse(const struct conf_keyword *keyword, const char *text,
    void *base, char why[CONF_WHY_SIZE]);

/* Writes the value in base as the file would have it; returns text. */
char *conf_value_format(const struct conf_keyword *keyword, const void *base,
    char *text, size_t size);

/* Writes "1 to 65535", "1s to 1h", "yes or no" ...; returns text. */
char *
conf_range_format(const struct conf_keyword *keyword, char *text, size_t size);

/*
 * Notes where the file gave a global keyword, for conf_place. Returns 0, or -1
 * without memory.
 */
int conf_note_place(struct conf *conf, const struct conf_keyword *keyword,
    const char *file, unsigned line);

/* Sets all keywords of the scope to their defaults; -1 without memory. */
int conf_set_defaults(enum conf_scope scope, void *base);

/*
 * Fills what peer-timeout stands for where the file gave no value of its own:
 * T bounds how long a vanished peer can cost us a worker.
 */
void conf_derive(struct conf_service *service);

/*
 * The worker keywords of a block, together: where max-workers is below the
 * default of another, or max-spare-workers below that of min-spare-workers,
 * the default gives way. Two values that were given and do not go together:
 * -1 with what is wrong in why.
 */
int conf_check_workers(struct conf_service *service, char why[CONF_WHY_SIZE]);

/* A new service block with defaults at the list's end, or NULL. */
struct conf_service *conf_service_new(
    struct conf *conf, const char *name, const char *file, unsigned line);

/* The block of that name, or NULL. */
struct conf_service *
conf_service_find(const struct conf *conf, const char *name);

/* Takes a block out of the list and frees it. */
void conf_service_remove(struct conf *conf, struct conf_service *service);

/*
 * Parses "host:port" into a new listen at the service's end. Returns 0, or -1
 * with what is wrong in why.
 */
int conf_listen_add(struct conf_service *service, const char *text,
    const char *file, unsigned line, char why[CONF_WHY_SIZE]);

#define CONF_BURST_MAX 100000 /* of a CONF_RATE */

/*
 * Parses "20" or "20 burst 40", the rate in the keyword's range; one without a
 * burst has that of a second. Returns 0, or -1.
 */
int conf_rate_parse(const struct conf_keyword *keyword, const char *text,
    struct conf_rate *rate);

/* Writes it as the file would have it. */
void conf_rate_format(const struct conf_rate *rate, char *text, size_t size);

/*
 * Parses a prefix into a new rule at the service's end. Returns 0, or -1 with
 * what is wrong in why.
 */
int conf_rule_add(struct conf_service *service, bool allow, const char *text,
    const char *file, unsigned line, char why[CONF_WHY_SIZE]);

/* Frees all of them. */
void conf_rules_free(struct conf_service *service);

/* Frees one that is in no list. */
void conf_listen_free(struct conf_listen *listen);

/* The listen of any service with that address, or NULL. */
const struct conf_listen *
conf_listen_find(const struct conf *conf, const char *host, uint16_t port);

#endif
