#include "common/conf_table.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#define MS_PER_HOUR INT64_C(3600000)

/* Without the zero that ends it, see unix(7). */
#define SOCKET_PATH_MAX                                                        \
	((int64_t)sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

#define GLOBAL(field) offsetof(struct conf, field)
#define SERVICE(field) offsetof(struct conf_service, field)

static const struct conf_keyword table[] = {
	{ .name = "include", .scope = CONF_ANYWHERE, .type = CONF_INCLUDE },
	{ .name = "user",
	    .scope = CONF_GLOBAL,
	    .type = CONF_ACCOUNT,
	    .initial = "preforkd",
	    .offset = GLOBAL(user) },
	{ .name = "group",
	    .scope = CONF_GLOBAL,
	    .type = CONF_ACCOUNT,
	    .initial = "preforkd",
	    .offset = GLOBAL(group) },
	{ .name = "chroot",
	    .scope = CONF_GLOBAL,
	    .type = CONF_PATH,
	    .initial = LOCALSTATEDIR "/empty/preforkd",
	    .offset = GLOBAL(chroot) },
	{ .name = "pid-file",
	    .scope = CONF_GLOBAL,
	    .type = CONF_PATH,
	    .initial = RUNSTATEDIR "/preforkd.pid",
	    .offset = GLOBAL(pid_file) },
	{ .name = "control",
	    .scope = CONF_GLOBAL,
	    .type = CONF_PATH,
	    .initial = RUNSTATEDIR "/preforkd/control.sock",
	    .max = SOCKET_PATH_MAX,
	    .offset = GLOBAL(control) },
	{ .name = "log-level",
	    .scope = CONF_GLOBAL,
	    .type = CONF_LEVEL,
	    .initial = "info",
	    .offset = GLOBAL(log_level) },
	{ .name = "log-connections",
	    .scope = CONF_GLOBAL,
	    .type = CONF_BOOL,
	    .initial = "no",
	    .offset = GLOBAL(log_connections) },
	{ .name = "stop-timeout",
	    .scope = CONF_GLOBAL,
	    .type = CONF_TIME,
	    .initial = "10s",
	    .min = 0,
	    .max = MS_PER_HOUR,
	    .offset = GLOBAL(stop_timeout) },
	{ .name = "scoreboard",
	    .scope = CONF_GLOBAL,
	    .type = CONF_PATH,
	    .initial = "none",
	    .offset = GLOBAL(scoreboard) },
	{ .name = "service", .scope = CONF_GLOBAL, .type = CONF_BLOCK },
	{ .name = "listen", .scope = CONF_SERVICE, .type = CONF_LISTEN },
	{ .name = "backlog",
	    .scope = CONF_SERVICE,
	    .type = CONF_NUMBER,
	    .initial = "4096",
	    .min = 1,
	    .max = 65535,
	    .offset = SERVICE(backlog) },
	{ .name = "start-workers",
	    .scope = CONF_SERVICE,
	    .type = CONF_NUMBER,
	    .initial = "4",
	    .min = 1,
	    .max = 65535,
	    .offset = SERVICE(start_workers) },
	{ .name = "min-spare-workers",
	    .scope = CONF_SERVICE,
	    .type = CONF_NUMBER,
	    .initial = "4",
	    .min = 1,
	    .max = 65535,
	    .offset = SERVICE(min_spare_workers) },
	{ .name = "max-spare-workers",
	    .scope = CONF_SERVICE,
	    .type = CONF_NUMBER,
	    .initial = "16",
	    .min = 1,
	    .max = 65535,
	    .offset = SERVICE(max_spare_workers) },
	{ .name = "max-workers",
	    .scope = CONF_SERVICE,
	    .type = CONF_NUMBER,
	    .initial = "1024",
	    .min = 1,
	    .max = 65535,
	    .offset = SERVICE(max_workers) },
	{ .name = "max-connections-per-worker",
	    .scope = CONF_SERVICE,
	    .type = CONF_NUMBER,
	    .initial = "0",
	    .min = 0,
	    .max = 1000000000,
	    .offset = SERVICE(max_connections_per_worker) },
	{ .name = "keepalive",
	    .scope = CONF_SERVICE,
	    .type = CONF_BOOL,
	    .initial = "yes",
	    .offset = SERVICE(keepalive) },
	{ .name = "peer-timeout",
	    .scope = CONF_SERVICE,
	    .type = CONF_SECONDS,
	    .initial = "120s",
	    .min = 2,
	    .max = 64800, /* half of it is a keepalive-idle */
	    .offset = SERVICE(peer_timeout) },
	{ .name = "keepalive-idle",
	    .scope = CONF_SERVICE,
	    .type = CONF_SECONDS,
	    .derived = "peer-timeout",
	    .min = 1,
	    .max = CONF_KEEPALIVE_MAX,
	    .offset = SERVICE(keepalive_idle) },
	{ .name = "keepalive-interval",
	    .scope = CONF_SERVICE,
	    .type = CONF_SECONDS,
	    .derived = "peer-timeout",
	    .min = 1,
	    .max = CONF_KEEPALIVE_MAX,
	    .offset = SERVICE(keepalive_interval) },
	{ .name = "keepalive-count",
	    .scope = CONF_SERVICE,
	    .type = CONF_NUMBER,
	    .derived = "peer-timeout",
	    .min = 1,
	    .max = 127,
	    .offset = SERVICE(keepalive_count) },
	{ .name = "user-timeout",
	    .scope = CONF_SERVICE,
	    .type = CONF_TIME,
	    .derived = "peer-timeout",
	    .min = 0,
	    .max = 24 * MS_PER_HOUR,
	    .offset = SERVICE(user_timeout) },
	{ .name = "send-timeout",
	    .scope = CONF_SERVICE,
	    .type = CONF_TIME,
	    .derived = "peer-timeout",
	    .min = 0,
	    .max = 24 * MS_PER_HOUR,
	    .offset = SERVICE(send_timeout) },
	{ .name = "idle-timeout",
	    .scope = CONF_SERVICE,
	    .type = CONF_TIME,
	    .initial = "10m",
	    .min = 0,
	    .max = 24 * MS_PER_HOUR,
	    .offset = SERVICE(idle_timeout) },
	{ .name = "linger-timeout",
	    .scope = CONF_SERVICE,
	    .type = CONF_TIME,
	    .initial = "5s",
	    .min = 0,
	    .max = MS_PER_HOUR,
	    .offset = SERVICE(linger_timeout) },
	{ .name = "defer-accept",
	    .scope = CONF_SERVICE,
	    .type = CONF_SECONDS,
	    .initial = "0",
	    .min = 0,
	    .max = 3600,
	    .offset = SERVICE(defer_accept) },
	{ .name = "scheduling",
	    .scope = CONF_SERVICE,
	    .type = CONF_SCHEDULING,
	    .initial = "normal",
	    .offset = SERVICE(batch) },
	{ .name = "max-per-source",
	    .scope = CONF_SERVICE,
	    .type = CONF_NUMBER,
	    .initial = "0",
	    .min = 0,
	    .max = 1000000,
	    .offset = SERVICE(max_per_source) },
	{ .name = "rate-per-source",
	    .scope = CONF_SERVICE,
	    .type = CONF_RATE,
	    .initial = "0",
	    .min = 0,
	    .max = 10000,
	    .offset = SERVICE(rate_per_source) },
	{ .name = "evict",
	    .scope = CONF_SERVICE,
	    .type = CONF_BOOL,
	    .initial = "yes",
	    .offset = SERVICE(evict) },
	{ .name = "allow", .scope = CONF_SERVICE, .type = CONF_RULE },
	{ .name = "deny", .scope = CONF_SERVICE, .type = CONF_RULE },
	{ .name = "format",
	    .scope = CONF_SERVICE,
	    .type = CONF_FORMAT,
	    .only = "daytime",
	    .initial = "%a %b %e %H:%M:%S %Y",
	    .offset = SERVICE(format) },
	{ .name = "utc",
	    .scope = CONF_SERVICE,
	    .type = CONF_BOOL,
	    .only = "daytime",
	    .initial = "no",
	    .offset = SERVICE(utc) },
};

#define ROWS (sizeof(table) / sizeof(table[0]))

_Static_assert(
    sizeof(RUNSTATEDIR "/preforkd/control.sock") - 1 <= SOCKET_PATH_MAX,
    "no socket can have the default path: configure with another --runstatedir");
_Static_assert(ROWS <= CONF_ROWS_MAX, "a row needs a bit of its own");

const struct conf_keyword *
conf_keyword_at(size_t index)
{
	return index < ROWS ? &table[index] : NULL;
}

const struct conf_keyword *
conf_keyword_find(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

uint64_t
conf_keyword_bit(const struct conf_keyword *keyword)
{
	return UINT64_C(1) << (keyword - table);
}

#define LONGEST_NAME 64

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance; names beyond LONGEST_NAME are cut. */
static size_t
edits(const char *a, const char *b)
{
	size_t row[LONGEST_NAME + 1], left, above;
	size_t b_length = strnlen(b, LONGEST_NAME);

	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= LONGEST_NAME && a[i - 1] != '\0'; i++) {
		above = row[0]; /* row i - 1, column j - 1 */
		left = row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			left = least(above + (a[i - 1] != b[j - 1]),
			    least(left, row[j]) + 1);
			above = row[j];
			row[j] = left;
		}
	}
	return row[b_length];
}

const char *
conf_nearest_keyword(const char *name)
{
	const char *nearest = table[0].name;

	for (size_t i = 1; i < ROWS; i++)
		if (edits(name, table[i].name) < edits(name, nearest))
			nearest = table[i].name;
	return nearest;
}

bool
conf_is_known(const char *name, conf_known_fn *known)
{
	for (size_t i = 0; known(i) != NULL; i++)
		if (strcmp(known(i)->name, name) == 0)
			return true;
	return false;
}

const char *
conf_nearest_service(const char *name, conf_known_fn *known)
{
	const char *nearest = known(0)->name;

	for (size_t i = 1; known(i) != NULL; i++)
		if (edits(name, known(i)->name) < edits(name, nearest))
			nearest = known(i)->name;
	return nearest;
}
