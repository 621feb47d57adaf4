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

/*
 * RFC 867's line for that time: format by strftime(3), in UTC or the local
 * zone, and CR LF. Needs size >= CONF_DAYTIME_MAX + 2 and tzset(3) before.
 * Returns its length; a format that gives nothing gives CR LF alone.
 */
size_t daytime_format(
    char *line, size_t size, const char *format, bool utc, int64_t when);

#endif
