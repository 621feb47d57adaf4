/*
 * table: the services there are. In a file of its own, so that a test can
 * link the daemon with other ones.
 */
#include "services/service.h"

/* Slots of the scoreboard have the place of a row: add at the end. */
const struct service service_table[] = {
	{ { "echo", 7, true }, echo_serve },
	{ { "daytime", 13, true }, daytime_serve },
	{ { "discard", 9, false }, discard_serve },
	{ { "chargen", 19, false }, chargen_serve },
	{ { "time", 37, false }, time_serve },
};

const size_t service_table_rows =
    sizeof(service_table) / sizeof(service_table[0]);
