/*
 * mode: what a probe does on its connection, a file each.
 */
#ifndef PROBE_MODE_H
#define PROBE_MODE_H

#include "probe/session.h"

struct mode {
	const char *name;
	uint16_t port;     /* of its service; 0: there is none */
	bool repeats;      /* knows of count, interval and size */
	bool ends_in_data; /* the peer may say anything before its FIN */
	/*
	 * From the end of the handshake to the last byte that is to come. False
	 * when it has failed: the session's facts say how.
	 */
	bool (*talk)(struct session *session);
};

/* The mode of that name, or NULL. */
const struct mode *mode_find(const char *name);

/* Probes once and reports it. Returns the verdict. */
enum verdict mode_run(const struct mode *mode,
    const struct session_options *options, struct report *report);

bool echo_talk(struct session *session);
bool daytime_talk(struct session *session);
bool connect_talk(struct session *session);

#endif
