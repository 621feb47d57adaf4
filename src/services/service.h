/*
 * service: the table of what a worker can serve.
 *
 * A new service is one file here with one function, and one row in table.c.
 */
#ifndef SERVICES_SERVICE_H
#define SERVICES_SERVICE_H

#include "common/conf.h"
#include "connection/io.h"

struct service {
	struct conf_known known; /* name, port, served by default */
	/*
	 * Serves one connection until it is over, and leaves the end of it to
	 * finish(). Allocates nothing and waits only through io_recv and
	 * io_send, which know the limits and the stop.
	 */
	void (*serve)(struct io *io, const struct conf_service *settings);
};

/* All services, see table.c. */
extern const struct service service_table[];
extern const size_t service_table_rows;

/* The service of that name, or NULL. */
const struct service *service_find(const char *name);

/* The names and ports for the configuration: a conf_known_fn. */
const struct conf_known *service_known(size_t index);

void echo_serve(struct io *io, const struct conf_service *settings);
void daytime_serve(struct io *io, const struct conf_service *settings);
void discard_serve(struct io *io, const struct conf_service *settings);
void chargen_serve(struct io *io, const struct conf_service *settings);
void time_serve(struct io *io, const struct conf_service *settings);

/*
 * RFC 867's line for that time: format by strftime(3), in UTC or the local
 * zone, and CR LF. Needs size >= CONF_DAYTIME_MAX + 2 and tzset(3) before.
 * Returns its length; a format that gives nothing gives CR LF alone.
 */
size_t daytime_format(
    char *line, size_t size, const char *format, bool utc, int64_t when);

#define CHARGEN_LINE 72    /* characters, without CR LF */
#define CHARGEN_CYCLE 7030 /* bytes, after which the stream repeats itself */

/*
 * RFC 864's stream: in each line the 95 printable characters of ASCII begin
 * one further on. Not terminated.
 */
void chargen_fill(char cycle[CHARGEN_CYCLE]);

#define TIME_LENGTH 4

/*
 * RFC 868's reply for that time (seconds since the Epoch): those since 1900 in
 * network order. 32 bits last until 2036-02-07 06:28:15 UTC; then they begin
 * at 0 again, as NTP's do (RFC 5905, 6: the next era).
 */
void time_format(unsigned char reply[TIME_LENGTH], int64_t when);

#endif
