/*
 * inspect: the commands of preforkctl(8) that read a scoreboard themselves:
 * that of a running daemon, which hands it over, or one in a file, whose
 * daemon may be gone.
 */
#ifndef CONTROL_INSPECT_H
#define CONTROL_INSPECT_H

#include <stdbool.h>
#include <stdint.h>

#include "control/client.h"

struct inspect {
	const char *socket; /* of the daemon; not looked at with a file */
	const char *file;   /* or NULL */
	int64_t limit_ms;   /* to be heard, and for the answer */
	bool json;
};

/*
 * Each writes to stdout, which the caller flushes. What is wrong is in text,
 * the caller's to free, where the daemon refuses; else in why. An empty file
 * name is a file that is not there.
 */
enum client_result inspect_connections(
    const struct inspect *inspect, char **text, char why[CLIENT_WHY_SIZE]);

/* For a file alone: what the master knows is not in it. */
enum client_result inspect_status(
    const struct inspect *inspect, char **text, char why[CLIENT_WHY_SIZE]);

#endif
