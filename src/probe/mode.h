/*
 * mode: what a probe does on its connection, a file each.
 */
#ifndef PROBE_MODE_H
#define PROBE_MODE_H

#include "probe/session.h"

struct mode {
	const char *name;
	uint16_t port;       /* of its service; 0: there is none */
	const char *options; /* those that only some modes know of */
	bool ends_in_data;   /* the peer may say anything before its FIN */
	/*
	 * From the end of the handshake to the last byte that is to come. False
	 * when it has failed: the session's facts say how.
	 */
	bool (*talk)(struct session *session);
	/* Or all of it, with connections of its own; talk is NULL then. */
	enum verdict (*run)(
	    const struct session_options *options, struct report *report);
};

/* Options of one letter are themselves; the others are: */
#define MODE_MAX 'M'       /* --max */
#define MODE_PRECISION 'P' /* --precision */
#define MODE_LINES 'L'     /* --lines */
#define MODE_SECONDS 'S'   /* --seconds */
#define MODE_WORK 'W'      /* --work */
#define MODE_OPTIONS "cispMPLSW"

/* The mode of that name, or NULL. */
const struct mode *mode_find(const char *name);

/* The first mode that knows of this one of MODE_OPTIONS. */
const struct mode *mode_with(char option);

/* Probes once and reports it. Returns the verdict. */
enum verdict mode_run(const struct mode *mode,
    const struct session_options *options, struct report *report);

bool echo_talk(struct session *session);
bool daytime_talk(struct session *session);
bool connect_talk(struct session *session);
enum verdict
idle_run(const struct session_options *options, struct report *report);

#define DAYTIME_LINE_SIZE 1024 /* RFC 867 knows of one line; none is as long   \
				*/

#endif
