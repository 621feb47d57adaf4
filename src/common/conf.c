/*
 * conf: the object itself: defaults, derived values, services and listens.
 */
#include "common/conf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf_table.h"

struct conf *
conf_new(void)
{
	struct conf *conf = calloc(1, sizeof(*conf));

	if (conf == NULL)
		return NULL;
	TAILQ_INIT(&conf->services);
	if (conf_set_defaults(CONF_GLOBAL, conf) < 0) {
		conf_free(conf);
		return NULL;
	}
	return conf;
}

static void
free_listens(struct conf_service *service)
{
	struct conf_listen *listen;

	while ((listen = TAILQ_FIRST(&service->listens)) != NULL) {
		TAILQ_REMOVE(&service->listens, listen, entry);
		conf_listen_free(listen);
	}
}

static void
free_service(struct conf_service *service)
{
	free_listens(service);
	conf_rules_free(service);
	free(service->name);
	free(service->file);
	free(service->format);
	free(service);
}

void
conf_service_remove(struct conf *conf, struct conf_service *service)
{
	TAILQ_REMOVE(&conf->services, service, entry);
	free_service(service);
}

void
conf_hold(struct conf *conf)
{
	conf->holds++;
}

void
conf_free(struct conf *conf)
{
	struct conf_service *service, *next;

	if (conf == NULL || conf->holds-- > 0)
		return;
	TAILQ_FOREACH_SAFE(service, &conf->services, entry, next)
	free_service(service);
	free(conf->user);
	free(conf->group);
	free(conf->chroot);
	free(conf->pid_file);
	free(conf->scoreboard);
	free(conf->control);
	for (size_t i = 0; i < CONF_ROWS_MAX; i++)
		free(conf->places[i].file);
	free(conf);
}

int
conf_set_defaults(enum conf_scope scope, void *base)
{
	const struct conf_keyword *keyword;
	char why[CONF_WHY_SIZE];

	for (size_t i = 0; (keyword = conf_keyword_at(i)) != NULL; i++)
		if (keyword->scope == scope && keyword->initial != NULL &&
		    conf_value_parse(keyword, keyword->initial, base, why) < 0)
			return -1;
	return 0;
}

static int64_t
clamp(int64_t value, int64_t min, int64_t max)
{
	return value < min ? min : value > max ? max : value;
}

static bool
given(const struct conf_service *service, const char *keyword)
{
	return service->set & conf_keyword_bit(conf_keyword_find(keyword));
}

/*
 * At each probe, and only then, the kernel looks whether user-timeout has
 * passed. One of them shall be when it has: the first one comes a little later
 * for it, or much earlier where a long interval of one's own leaves no room.
 */
static int64_t
fit_probes(int64_t idle, int64_t left, int64_t interval)
{
	int64_t rest = left % interval;

	if (rest == 0 || interval - rest <= 1)
		return idle;
	idle += rest;
	if (left < interval || idle > CONF_KEEPALIVE_MAX)
		idle -= interval;
	return idle < 1 ? 1 : idle;
}

/*
 * Half of the time for the first probe, the rest for up to six. An explicit
 * keyword takes its part out of the same time, which may leave too little.
 */
void
conf_derive(struct conf_service *service)
{
	int64_t total = service->peer_timeout, left;

	if (!given(service, "keepalive-idle"))
		service->keepalive_idle = total / 2;
	left = clamp(total - service->keepalive_idle, 1, total);
	if (!given(service, "keepalive-count"))
		service->keepalive_count = clamp(left, 1, 6);
	if (!given(service, "keepalive-interval"))
		service->keepalive_interval = clamp(
		    left / service->keepalive_count, 1, CONF_KEEPALIVE_MAX);
	if (!given(service, "keepalive-idle"))
		service->keepalive_idle = fit_probes(
		    service->keepalive_idle, left, service->keepalive_interval);
	if (!given(service, "user-timeout"))
		service->user_timeout = total * 1000;
	if (!given(service, "send-timeout"))
		service->send_timeout = total * 1000;
}

/* One of two gives way if it is a default; -1 where both were given. */
static int
order(struct conf_service *service, const char *lesser, int64_t *low,
    const char *greater, int64_t *high, char why[CONF_WHY_SIZE])
{
	if (*low <= *high)
		return 0;
	if (!given(service, lesser)) {
		*low = *high;
	} else if (!given(service, greater)) {
		*high = *low;
	} else {
		snprintf(why, CONF_WHY_SIZE,
		    "%s %" PRId64 ": more than %s, which is %" PRId64, lesser,
		    *low, greater, *high);
		return -1;
	}
	return 0;
}

int
conf_check_workers(struct conf_service *s, char why[CONF_WHY_SIZE])
{
	static const char start[] = "start-workers", max[] = "max-workers",
			  min_spare[] = "min-spare-workers",
			  max_spare[] = "max-spare-workers";

	if (order(s, start, &s->start_workers, max, &s->max_workers, why) < 0 ||
	    order(s, min_spare, &s->min_spare_workers, max, &s->max_workers,
		why) < 0 ||
	    order(s, max_spare, &s->max_spare_workers, max, &s->max_workers,
		why) < 0 ||
	    order(s, min_spare, &s->min_spare_workers, max_spare,
		&s->max_spare_workers, why) < 0)
		return -1;
	return 0;
}

static char *
copy_or_null(const char *text)
{
	return text == NULL ? NULL : strdup(text);
}

struct conf_service *
conf_service_new(
    struct conf *conf, const char *name, const char *file, unsigned line)
{
	struct conf_service *service = calloc(1, sizeof(*service));

	if (service == NULL)
		return NULL;
	TAILQ_INIT(&service->listens);
	TAILQ_INIT(&service->rules);
	service->name = strdup(name);
	service->file = copy_or_null(file);
	service->line = line;
	if (service->name == NULL || (file != NULL && service->file == NULL) ||
	    conf_set_defaults(CONF_SERVICE, service) < 0) {
		free_service(service);
		return NULL;
	}
	conf_derive(service);
	TAILQ_INSERT_TAIL(&conf->services, service, entry);
	return service;
}

struct conf_service *
conf_service_find(const struct conf *conf, const char *name)
{
	struct conf_service *service;

	TAILQ_FOREACH(service, &conf->services, entry)
		if (strcmp(service->name, name) == 0)
			return service;
	return NULL;
}

const struct conf_listen *
conf_listen_find(const struct conf *conf, const char *host, uint16_t port)
{
	const struct conf_service *service;
	const struct conf_listen *listen;

	TAILQ_FOREACH(service, &conf->services, entry)
		TAILQ_FOREACH(listen, &service->listens, entry)
			if (listen->port == port &&
			    strcmp(listen->host, host) == 0)
				return listen;
	return NULL;
}

struct conf_service *
conf_add_service(struct conf *conf, const char *name)
{
	return conf_service_new(conf, name, NULL, 0);
}

int
conf_add_default_services(struct conf *conf, conf_known_fn *known)
{
	const struct conf_known *k;
	struct conf_service *service;
	char text[16], why[CONF_WHY_SIZE];

	conf->by_default = true;
	for (size_t i = 0; (k = known(i)) != NULL; i++) {
		if (!k->by_default)
			continue;
		snprintf(text, sizeof(text), "*:%u", k->port);
		service = conf_service_new(conf, k->name, NULL, 0);
		if (service == NULL ||
		    conf_listen_add(service, text, NULL, 0, why) < 0)
			return -1;
	}
	return 0;
}

bool
conf_is_set(const struct conf *conf, const char *keyword)
{
	return conf->set & conf_keyword_bit(conf_keyword_find(keyword));
}

/* The row's place is the number of its bit. */
static size_t
row_of(const struct conf_keyword *keyword)
{
	return (size_t)__builtin_ctzll(conf_keyword_bit(keyword));
}

int
conf_note_place(struct conf *conf, const struct conf_keyword *keyword,
    const char *file, unsigned line)
{
	struct conf_place *place = &conf->places[row_of(keyword)];

	place->line = line;
	place->file = strdup(file);
	return place->file == NULL ? -1 : 0;
}

char *
conf_place(
    const struct conf *conf, const char *keyword, char *text, size_t size)
{
	const struct conf_place *place =
	    &conf->places[row_of(conf_keyword_find(keyword))];

	if (place->file != NULL)
		snprintf(
		    text, size, "%s:%u: %s", place->file, place->line, keyword);
	else
		snprintf(text, size, "%s", keyword);
	return text;
}

int
conf_set_pid_file(struct conf *conf, const char *path, FILE *errors)
{
	const struct conf_keyword *keyword = conf_keyword_find("pid-file");
	char why[CONF_WHY_SIZE];

	if (conf_value_parse(keyword, path, conf, why) < 0) {
		fprintf(errors, "preforkd: -p %s: %s\n", path, why);
		return -1;
	}
	conf->set |= conf_keyword_bit(keyword);
	return 0;
}

int
conf_set_none(struct conf *conf, const char *keyword)
{
	char why[CONF_WHY_SIZE];

	return conf_value_parse(conf_keyword_find(keyword), "none", conf, why);
}

/* Drops the blocks that no argument asked for: those without a listen. */
static void
drop_unasked(struct conf *conf)
{
	struct conf_service *service, *next;

	for (service = TAILQ_FIRST(&conf->services); service != NULL;
	     service = next) {
		next = TAILQ_NEXT(service, entry);
		if (TAILQ_EMPTY(&service->listens))
			conf_service_remove(conf, service);
	}
}

static int
apply_argument(struct conf *conf, const char *argument, conf_known_fn *known,
    char why[CONF_WHY_SIZE])
{
	const char *at = strchr(argument, '@');
	const struct conf_listen *new;
	struct conf_service *service;
	char name[64];

	if (at == NULL || at == argument) {
		snprintf(why, CONF_WHY_SIZE,
		    "must be service@address:port, "
		    "as in echo@127.0.0.1:7007");
		return -1;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(at - argument), argument);
	if (!conf_is_known(name, known)) {
		snprintf(why, CONF_WHY_SIZE,
		    "unknown service; the nearest is "
		    "\"%s\"",
		    conf_nearest_service(name, known));
		return -1;
	}
	service = conf_service_find(conf, name);
	if (service == NULL)
		service = conf_service_new(conf, name, NULL, 0);
	if (service == NULL) {
		snprintf(why, CONF_WHY_SIZE, "out of memory");
		return -1;
	}
	if (conf_listen_add(service, at + 1, NULL, 0, why) < 0)
		return -1;
	new = TAILQ_LAST(&service->listens, conf_listens);
	if (conf_listen_find(conf, new->host, new->port) != new) {
		snprintf(why, CONF_WHY_SIZE, "is given twice");
		return -1;
	}
	return 0;
}

int
conf_apply_arguments(struct conf *conf, char *const *arguments, int count,
    conf_known_fn *known, FILE *errors)
{
	struct conf_service *service;
	char why[CONF_WHY_SIZE];
	int result = 0;

	TAILQ_FOREACH(service, &conf->services, entry)
		free_listens(service);
	for (int i = 0; i < count; i++)
		if (apply_argument(conf, arguments[i], known, why) < 0) {
			fprintf(
			    errors, "preforkd: %s: %s\n", arguments[i], why);
			result = -1;
		}
	drop_unasked(conf);
	return result;
}
