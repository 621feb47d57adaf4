/*
 * Tests of common/conf: the values of each keyword.
 */
#include <inttypes.h>
#include <stddef.h>
#include <syslog.h>

#include "common/conf_table.h"
#include "unit/conf_text.h"
#include "unit/unit.h"

#define GLOBAL(field) false, offsetof(struct conf, field)
#define SERVICE(field) true, offsetof(struct conf_service, field)

#define HOUR INT64_C(3600000)
#define EPOCH "must have %s and %% without flags or a width"
#define RATE "must be 0 to 10000, alone or followed by burst and 1 to 100000"
#define SECONDS "needs a unit: 5ms, 5s, 5m or 5h"

/* A value of a keyword and what it is in memory. */
static const struct {
	const char *keyword;
	const char *text;
	bool in_service;
	size_t offset;
	int64_t value;
} good[] = {
	{ "log-level", "error", GLOBAL(log_level), LOG_ERR },
	{ "log-level", "warning", GLOBAL(log_level), LOG_WARNING },
	{ "log-level", "notice", GLOBAL(log_level), LOG_NOTICE },
	{ "log-level", "info", GLOBAL(log_level), LOG_INFO },
	{ "log-level", "debug", GLOBAL(log_level), LOG_DEBUG },
	{ "log-connections", "yes", GLOBAL(log_connections), 1 },
	{ "log-connections", "no", GLOBAL(log_connections), 0 },
	{ "stop-timeout", "0", GLOBAL(stop_timeout), 0 },
	{ "stop-timeout", "0s", GLOBAL(stop_timeout), 0 },
	{ "stop-timeout", "1ms", GLOBAL(stop_timeout), 1 },
	{ "stop-timeout", "1500ms", GLOBAL(stop_timeout), 1500 },
	{ "stop-timeout", "2s", GLOBAL(stop_timeout), 2000 },
	{ "stop-timeout", "3m", GLOBAL(stop_timeout), 180000 },
	{ "stop-timeout", "1h", GLOBAL(stop_timeout), HOUR },
	{ "stop-timeout", "3600000ms", GLOBAL(stop_timeout), HOUR },
	{ "backlog", "1", SERVICE(backlog), 1 },
	{ "backlog", "65535", SERVICE(backlog), 65535 },
	{ "start-workers", "1", SERVICE(start_workers), 1 },
	{ "start-workers", "65535", SERVICE(start_workers), 65535 },
	{ "min-spare-workers", "1", SERVICE(min_spare_workers), 1 },
	{ "min-spare-workers", "1024", SERVICE(min_spare_workers), 1024 },
	{ "max-spare-workers", "1", SERVICE(max_spare_workers), 1 },
	{ "max-spare-workers", "1024", SERVICE(max_spare_workers), 1024 },
	{ "max-workers", "1", SERVICE(max_workers), 1 },
	{ "max-workers", "65535", SERVICE(max_workers), 65535 },
	{ "max-connections-per-worker", "0",
	    SERVICE(max_connections_per_worker), 0 },
	{ "max-connections-per-worker", "1000000000",
	    SERVICE(max_connections_per_worker), 1000000000 },
	{ "max-per-source", "0", SERVICE(max_per_source), 0 },
	{ "max-per-source", "1000000", SERVICE(max_per_source), 1000000 },
	{ "rate-per-source", "0", SERVICE(rate_per_source.rate), 0 },
	{ "rate-per-source", "0", SERVICE(rate_per_source.burst), 0 },
	{ "rate-per-source", "0 burst 9", SERVICE(rate_per_source.burst), 0 },
	{ "rate-per-source", "20", SERVICE(rate_per_source.rate), 20 },
	{ "rate-per-source", "20", SERVICE(rate_per_source.burst), 20 },
	{ "rate-per-source", "20 burst 40", SERVICE(rate_per_source.rate), 20 },
	{ "rate-per-source", "20  burst\t40", SERVICE(rate_per_source.burst),
	    40 },
	{ "rate-per-source", "\"20 burst 40\"", SERVICE(rate_per_source.burst),
	    40 },
	{ "rate-per-source", "10000 burst 100000",
	    SERVICE(rate_per_source.burst), 100000 },
	{ "scheduling", "normal", SERVICE(batch), 0 },
	{ "scheduling", "batch", SERVICE(batch), 1 },
	{ "evict", "yes", SERVICE(evict), 1 },
	{ "evict", "no", SERVICE(evict), 0 },
	{ "keepalive", "yes", SERVICE(keepalive), 1 },
	{ "keepalive", "no", SERVICE(keepalive), 0 },
	{ "peer-timeout", "2s", SERVICE(peer_timeout), 2 },
	{ "peer-timeout", "2000ms", SERVICE(peer_timeout), 2 },
	{ "peer-timeout", "2m", SERVICE(peer_timeout), 120 },
	{ "peer-timeout", "18h", SERVICE(peer_timeout), 64800 },
	{ "keepalive-idle", "1s", SERVICE(keepalive_idle), 1 },
	{ "keepalive-idle", "32767s", SERVICE(keepalive_idle), 32767 },
	{ "keepalive-interval", "1s", SERVICE(keepalive_interval), 1 },
	{ "keepalive-interval", "32767s", SERVICE(keepalive_interval), 32767 },
	{ "keepalive-count", "1", SERVICE(keepalive_count), 1 },
	{ "keepalive-count", "127", SERVICE(keepalive_count), 127 },
	{ "user-timeout", "0", SERVICE(user_timeout), 0 },
	{ "user-timeout", "24h", SERVICE(user_timeout), 24 * HOUR },
	{ "send-timeout", "0", SERVICE(send_timeout), 0 },
	{ "send-timeout", "24h", SERVICE(send_timeout), 24 * HOUR },
	{ "idle-timeout", "0", SERVICE(idle_timeout), 0 },
	{ "idle-timeout", "24h", SERVICE(idle_timeout), 24 * HOUR },
	{ "linger-timeout", "0", SERVICE(linger_timeout), 0 },
	{ "linger-timeout", "60m", SERVICE(linger_timeout), HOUR },
	{ "defer-accept", "0", SERVICE(defer_accept), 0 },
	{ "defer-accept", "0h", SERVICE(defer_accept), 0 },
	{ "defer-accept", "3600s", SERVICE(defer_accept), 3600 },
	{ "utc", "yes", SERVICE(utc), 1 },
	{ "utc", "no", SERVICE(utc), 0 },
};

#define GOOD ((int)(sizeof(good) / sizeof(good[0])))

/* A file with one value, on line 1 or on line 3. */
static const char *
file_with(const char *keyword, const char *value, bool in_service)
{
	static char text[1024];

	if (in_service)
		snprintf(text, sizeof(text),
		    "service daytime {\nlisten *:13\n%s %s\n}\n", keyword,
		    value);
	else
		snprintf(text, sizeof(text), "%s %s\n", keyword, value);
	return text;
}

START_TEST(a_good_value_is_held)
{
	struct conf *conf = good_conf(
	    file_with(good[_i].keyword, good[_i].text, good[_i].in_service));
	const char *base = good[_i].in_service ?
	    (const char *)first_service(conf) :
	    (const char *)conf;
	int64_t value;

	memcpy(&value, base + good[_i].offset, sizeof(value));
	ck_assert_msg(value == good[_i].value, "%s %s: %" PRId64,
	    good[_i].keyword, good[_i].text, value);
	conf_free(conf);
}
END_TEST

static const struct {
	const char *keyword;
	const char *why;
	bool in_service;
	const char *values[12];
} bad[] = {
	{ "pid-file", "must be an absolute path or none", false,
	    { "run/x", "None", "nones", "./x" } },
	{ "log-level", "must be error, warning, notice, info or debug", false,
	    { "Info", "6", "err", "infos", "-1" } },
	{ "user", "must be a name or a number", false,
	    { "+5", "-1", "5a", "a:b", "a,b", "a/b", ".a", "a*", "a?" } },
	{ "group", "must be a name or a number", false, { "-wheel", "7x" } },
	{ "chroot", "must be an absolute path or none", false,
	    { "var/empty", "no", "." } },
	{ "log-connections", "must be yes or no", false,
	    { "Yes", "true", "1", "on", "yess" } },
	{ "stop-timeout", "must be 0 to 1h", false,
	    { "3600001ms", "3601s", "61m", "2h", "-1s", "+1s", "x", "s",
		"99999999999999999999h", "99999999999999999999ms",
		/* Times its unit this is just above 2 to the 64. */
		"5124095576031h" } },
	{ "stop-timeout", SECONDS, false, { "5" } },
	{ "backlog", "must be 1 to 65535", true,
	    { "0", "65536", "-1", "1s", "x", "1.5", "0x10",
		"99999999999999999999" } },
	{ "start-workers", "must be 1 to 65535", true,
	    { "0", "65536", "-1", "4w", "many" } },
	{ "min-spare-workers", "must be 1 to 65535", true,
	    { "0", "65536", "-1", "4w" } },
	{ "max-spare-workers", "must be 1 to 65535", true,
	    { "0", "65536", "-1", "4w" } },
	{ "max-workers", "must be 1 to 65535", true,
	    { "0", "65536", "-1", "4w" } },
	{ "max-connections-per-worker", "must be 0 to 1000000000", true,
	    { "1000000001", "-1", "1s", "none" } },
	{ "max-per-source", "must be 0 to 1000000", true,
	    { "-1", "1000001", "4c", "none" } },
	{ "rate-per-source", RATE, true,
	    { "-1", "10001", "20s", "x", "20 40", "20 burst", "+20",
		"99999999999999999999" } },
	{ "rate-per-source", RATE, true,
	    { "20 burst 0", "20 burst 100001", "20 burst x", "20 burst 40 50",
		"20 Burst 40", "burst 40", "20 burst +4",
		"20 burst 99999999999999999999" } },
	{ "scheduling", "must be normal or batch", true,
	    { "Batch", "0", "idle", "batches" } },
	{ "keepalive", "must be yes or no", true, { "YES", "0", "off" } },
	{ "peer-timeout", "must be 2s to 64800s", true,
	    { "0", "0s", "1s", "64801s", "19h", "1000ms",
		"99999999999999999999h" } },
	{ "peer-timeout", "must be whole seconds", true,
	    { "1500ms", "2001ms", "1ms" } },
	{ "peer-timeout", SECONDS, true, { "5" } },
	{ "keepalive-idle", "must be 1s to 32767s", true,
	    { "0", "0s", "32768s", "-1s" } },
	{ "keepalive-idle", "must be whole seconds", true, { "1500ms" } },
	{ "keepalive-interval", "must be 1s to 32767s", true,
	    { "0", "32768s" } },
	{ "keepalive-interval", "must be whole seconds", true, { "1500ms" } },
	{ "keepalive-interval", SECONDS, true, { "5" } },
	{ "keepalive-count", "must be 1 to 127", true,
	    { "0", "128", "1s", "-1" } },
	{ "user-timeout", "must be 0 to 24h", true,
	    { "86400001ms", "25h", "99999999999999999999h" } },
	{ "user-timeout", SECONDS, true, { "5" } },
	{ "send-timeout", "must be 0 to 24h", true, { "86400001ms", "25h" } },
	{ "send-timeout", SECONDS, true, { "5" } },
	{ "idle-timeout", "must be 0 to 24h", true, { "86400001ms", "25h" } },
	{ "idle-timeout", SECONDS, true, { "5" } },
	{ "linger-timeout", "must be 0 to 1h", true, { "3600001ms", "2h" } },
	{ "linger-timeout", SECONDS, true, { "5" } },
	{ "defer-accept", "must be 0 to 3600s", true,
	    { "3601s", "61m", "99999999999999999999s" } },
	{ "defer-accept", "must be whole seconds", true, { "1500ms" } },
	{ "defer-accept", SECONDS, true, { "5" } },
	{ "utc", "must be yes or no", true, { "UTC", "1" } },
	{ "format", EPOCH, true,
	    { "%10s", "%-s", "%_s", "%0s", "%^s", "%#s", "%+s", "%Es", "%Os",
		"%s%9s", "x%%%1s" } },
	{ "format", EPOCH, true,
	    { "%2s", "%3s", "%4s", "%5s", "%6s", "%7s", "%8s", "%_10Es",
		"%S%-s" } },
	/* The library may end a conversion there, and begin one with %s. */
	{ "format", EPOCH, true,
	    { "%5%%s", "%-%%s", "%5-%s", "%EE%s", "%E%%s", "%5%s", "%5%" } },
};

#define BAD ((int)(sizeof(bad) / sizeof(bad[0])))

START_TEST(a_bad_value_is_refused_with_what_it_must_be)
{
	char expected[512];

	for (size_t i = 0; bad[_i].values[i] != NULL; i++) {
		snprintf(expected, sizeof(expected), "f:%u: %s %s: %s\n",
		    bad[_i].in_service ? 3u : 1u, bad[_i].keyword,
		    bad[_i].values[i], bad[_i].why);
		assert_errors(file_with(bad[_i].keyword, bad[_i].values[i],
				  bad[_i].in_service),
		    expected);
	}
}
END_TEST

START_TEST(a_unit_is_one_of_four)
{
	static const char *const units[] = { "S", "sec", "d", "us", "mss",
		".5s", "s5", "m1s" };
	char value[16], expected[128];

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		snprintf(value, sizeof(value), "1%s", units[i]);
		snprintf(expected, sizeof(expected),
		    "f:1: stop-timeout %s: unknown unit \"%s\": "
		    "must be ms, s, m or h\n",
		    value, units[i]);
		assert_errors(
		    file_with("stop-timeout", value, false), expected);
	}
}
END_TEST

START_TEST(a_number_without_a_unit_is_suggested_with_each)
{
	assert_errors("stop-timeout 120\n",
	    "f:1: stop-timeout 120: needs a unit: 120ms, 120s, 120m or "
	    "120h\n");
}
END_TEST

START_TEST(a_pid_file_is_a_path_or_none)
{
	static const char *const paths[] = { "none", "/", "/run/x.pid",
		"/a b/\xc3\xa4" };
	char value[64];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct conf *conf;

		snprintf(value, sizeof(value), "\"%s\"", paths[i]);
		conf = good_conf(file_with("pid-file", value, false));
		ck_assert_str_eq(conf->pid_file, paths[i]);
		conf_free(conf);
	}
	assert_errors("pid-file \"\"\n",
	    "f:1: pid-file : must be an absolute path or none\n");
}
END_TEST

/* As many bytes as sun_path of sockaddr_un has, without the last zero. */
START_TEST(a_control_socket_has_a_path_that_a_socket_can_have)
{
	char path[109], value[128], expected[256];
	struct conf *conf;

	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[107] = path[108] = '\0';
	conf = good_conf(file_with("control", path, false));
	ck_assert_str_eq(conf->control, path);
	ck_assert_int_eq(conf_set_none(conf, "control"), 0);
	ck_assert_str_eq(conf->control, "none");
	conf_free(conf);
	path[107] = 'x';
	snprintf(value, sizeof(value), "control %s\n", path);
	snprintf(expected, sizeof(expected),
	    "f:1: control %s: must be shorter than 108 bytes, without control "
	    "characters\n",
	    path);
	assert_errors(value, expected);
}
END_TEST

static const struct {
	const char *value;
	const char *why;
} bad_formats[] = {
	{ "\"\"", "must give 1 to 255 bytes" },
	{ "%n", "must give one line: no %n, no %t" },
	{ "\"%H%t%M\"", "must give one line: no %n, no %t" },
	{ "\"%T\t\"", "must be printable ASCII" },
	{ "\x07", "must be printable ASCII" },
	{ "\xc3\xa4", "must be printable ASCII" },
};

START_TEST(a_format_that_gives_no_line_is_refused)
{
	char expected[256], shown[64], *at;

	snprintf(shown, sizeof(shown), "%s", bad_formats[_i].value);
	for (at = shown; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	if (shown[0] == '"') {
		shown[strlen(shown) - 1] = '\0';
		memmove(shown, shown + 1, strlen(shown));
	}
	snprintf(expected, sizeof(expected), "f:3: format %s: %s\n", shown,
	    bad_formats[_i].why);
	assert_errors(
	    file_with("format", bad_formats[_i].value, true), expected);
}
END_TEST

START_TEST(a_format_may_give_255_bytes_and_no_more)
{
	const struct conf_keyword *format = conf_keyword_find("format");
	struct conf_service service = { 0 };
	char text[257], why[CONF_WHY_SIZE];

	memset(text, 'x', sizeof(text));
	text[255] = '\0';
	ck_assert_int_eq(conf_value_parse(format, text, &service, why), 0);
	ck_assert_str_eq(service.format, text);
	text[255] = 'x';
	text[256] = '\0';
	ck_assert_int_eq(conf_value_parse(format, text, &service, why), -1);
	ck_assert_str_eq(why, "must give 1 to 255 bytes");
	/* The value from before is still there. */
	ck_assert_uint_eq(strlen(service.format), 255);
	free(service.format);
}
END_TEST

/* What conf accepts must fit at any time of the year and of the day. */
START_TEST(a_format_that_conf_accepts_fits_at_all_times)
{
	static const char *const ends[] = { "%-j", "%-H", "%-M", "%-S", "%A%B",
		"%-d", "%-m", "%U" };
	const struct conf_keyword *format = conf_keyword_find("format");
	char text[300], line[CONF_DAYTIME_MAX + 2], why[CONF_WHY_SIZE];

	for (size_t length = 230; length < 256; length++) {
		struct conf_service service = { 0 };

		memset(text, 'x', length);
		strcpy(text + length, ends[_i]);
		/* From one second before midnight, at days of four seasons. */
		if (conf_value_parse(format, text, &service, why) == 0)
			for (int64_t when = 1790812799; when < 1800000000;
			     when += 91 * 86400)
				ck_assert_msg(daytime_format(line, sizeof(line),
						  text, true, when) > 2,
				    "%zu bytes and %s", length, ends[_i]);
		free(service.format);
	}
}
END_TEST

static const char *const good_formats[] = { "%Z", "%s", "%s/%s", "%%5s", "%%-s",
	"%S", "%10S", "%-S", "%%%s", "%%%%5s", "%5d%s", "%Eys", "%-d%%", "s%" };

#define GOOD_FORMATS ((int)(sizeof(good_formats) / sizeof(good_formats[0])))

START_TEST(a_format_of_one_line_is_good)
{
	struct conf *conf =
	    good_conf(file_with("format", good_formats[_i], true));

	ck_assert_str_eq(first_service(conf)->format, good_formats[_i]);
	conf_free(conf);
}
END_TEST

/* The formula that preforkd.conf(5) gives for peer-timeout. */
static const int64_t totals[] = { 2, 3, 4, 7, 8, 120, 64800 };

static struct conf_service *
service_with(struct conf **conf, int64_t total, const char *line)
{
	char text[256];

	snprintf(text, sizeof(text),
	    "service echo {\nlisten *:7\npeer-timeout %" PRId64 "s\n%s\n}\n",
	    total, line);
	*conf = good_conf(text);
	return first_service(*conf);
}

static const char *const overrides[] = { "", "keepalive-idle 5s",
	"keepalive-count 9", "keepalive-interval 11s", "user-timeout 13ms",
	"send-timeout 17ms" };

#define OVERRIDES 6

START_TEST(peer_timeout_stands_for_five_values)
{
	int64_t total = totals[_i / OVERRIDES], idle, count, interval, user;
	int given = _i % OVERRIDES;
	struct conf *conf;
	struct conf_service *service =
	    service_with(&conf, total, overrides[given]);

	idle = given == 1 ? 5 : total / 2 > 1 ? total / 2 : 1;
	/* What is given may leave less than a second: then one is left. */
	count = total - idle < 1 ? 1 : total - idle > 6 ? 6 : total - idle;
	interval = total - idle;
	if (given == 2)
		count = 9;
	interval = interval / count < 1 ? 1 : interval / count;
	if (interval > 32767)
		interval = 32767;
	if (given == 3)
		interval = 11;
	/* 120 with 9 probes of 6, or with 11: late; 2 to 8 with 11: early. */
	if (given != 1 && total - idle < interval)
		idle = 1;
	else if (given != 1 && (total - idle) % interval > 0 &&
	    interval - (total - idle) % interval > 1)
		idle += (total - idle) % interval;
	user = given == 4 ? 13 : total * 1000;
	ck_assert_int_eq(service->peer_timeout, total);
	ck_assert_int_eq(service->keepalive_idle, idle);
	ck_assert_int_eq(service->keepalive_count, count);
	ck_assert_int_eq(service->keepalive_interval, interval);
	ck_assert_int_eq(service->user_timeout, user);
	ck_assert_int_eq(service->send_timeout, given == 5 ? 17 : total * 1000);
	conf_free(conf);
}
END_TEST

/*
 * Of an idle connection's peer that is gone: the kernel looks at each probe
 * whether user-timeout has passed since the last segment.
 */
START_TEST(an_idle_peer_is_given_up_in_time)
{
	struct conf_service *service;
	int64_t idle, gone, total;
	struct conf *conf;

	service = service_with(&conf, 2, "");
	for (total = 2; total <= 64800; total++) {
		service->peer_timeout = total;
		conf_derive(service);
		idle = service->keepalive_idle;
		gone = idle + service->keepalive_interval;
		while (gone * 1000 < service->user_timeout)
			gone += service->keepalive_interval;
		ck_assert_int_ge(idle, total / 2);
		ck_assert_int_le(idle, total / 2 + 5);
		ck_assert_int_le(idle, 32767);
		ck_assert_int_ge(gone, total);
		ck_assert_msg(
		    gone <= total + 1, "%" PRId64 ": %" PRId64, total, gone);
	}
	conf_free(conf);
}
END_TEST

/* With an interval of his own choice, where there is room for one. */
START_TEST(a_long_interval_leaves_room_for_itself)
{
	static const int64_t intervals[] = { 1, 7, 40, 61, 119, 32767 };
	struct conf_service *service;
	char line[64];
	int64_t idle, gone, total;
	struct conf *conf;

	snprintf(line, sizeof(line), "keepalive-interval %" PRId64 "s",
	    intervals[_i]);
	service = service_with(&conf, 2, line);
	for (total = 2; total <= 64800; total++) {
		service->peer_timeout = total;
		conf_derive(service);
		idle = service->keepalive_idle;
		gone = idle + intervals[_i];
		while (gone * 1000 < service->user_timeout)
			gone += intervals[_i];
		ck_assert_int_ge(idle, 1);
		ck_assert_int_le(idle, 32767);
		if (intervals[_i] < total)
			ck_assert_msg(gone <= total + 1,
			    "%" PRId64 ": %" PRId64, total, gone);
		else
			ck_assert_int_eq(idle, 1);
	}
	conf_free(conf);
}
END_TEST

START_TEST(defaults_are_those_of_the_table)
{
	struct conf *conf = good_conf("service daytime {\nlisten *:13\n}\n");
	struct conf_service *service = first_service(conf);

	ck_assert_str_eq(conf->pid_file, "/run/preforkd.pid");
	ck_assert_str_eq(conf->control, "/run/preforkd/control.sock");
	ck_assert_int_eq(conf->log_level, LOG_INFO);
	ck_assert_int_eq(conf->log_connections, 0);
	ck_assert_int_eq(conf->stop_timeout, 10000);
	ck_assert_int_eq(service->backlog, 4096);
	ck_assert_int_eq(service->start_workers, 4);
	ck_assert_int_eq(service->min_spare_workers, 4);
	ck_assert_int_eq(service->max_spare_workers, 16);
	ck_assert_int_eq(service->max_workers, 1024);
	ck_assert_int_eq(service->max_connections_per_worker, 0);
	ck_assert_int_eq(service->batch, 0);
	ck_assert_int_eq(service->keepalive, 1);
	ck_assert_int_eq(service->peer_timeout, 120);
	ck_assert_int_eq(service->keepalive_idle, 60);
	ck_assert_int_eq(service->keepalive_count, 6);
	ck_assert_int_eq(service->keepalive_interval, 10);
	ck_assert_int_eq(service->user_timeout, 120000);
	ck_assert_int_eq(service->send_timeout, 120000);
	ck_assert_int_eq(service->idle_timeout, 600000);
	ck_assert_int_eq(service->linger_timeout, 5000);
	ck_assert_int_eq(service->defer_accept, 0);
	ck_assert_int_eq(service->utc, 0);
	ck_assert_str_eq(service->format, "%a %b %e %H:%M:%S %Y");
	conf_free(conf);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("conf_value");
	TCase *tcase = unit_case(suite, "values");

	tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
	tcase_add_loop_test(tcase, a_good_value_is_held, 0, GOOD);
	tcase_add_loop_test(
	    tcase, a_bad_value_is_refused_with_what_it_must_be, 0, BAD);
	tcase_add_test(tcase, a_unit_is_one_of_four);
	tcase_add_test(tcase, a_number_without_a_unit_is_suggested_with_each);
	tcase_add_test(tcase, a_pid_file_is_a_path_or_none);
	tcase_add_test(
	    tcase, a_control_socket_has_a_path_that_a_socket_can_have);
	tcase_add_loop_test(tcase, a_format_that_gives_no_line_is_refused, 0,
	    (int)(sizeof(bad_formats) / sizeof(bad_formats[0])));
	tcase_add_test(tcase, a_format_may_give_255_bytes_and_no_more);
	tcase_add_loop_test(
	    tcase, a_format_that_conf_accepts_fits_at_all_times, 0, 8);
	tcase_add_loop_test(
	    tcase, a_format_of_one_line_is_good, 0, GOOD_FORMATS);
	tcase = unit_case(suite, "defaults");
	tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
	tcase_add_loop_test(
	    tcase, peer_timeout_stands_for_five_values, 0, 7 * OVERRIDES);
	tcase_add_test(tcase, an_idle_peer_is_given_up_in_time);
	tcase_add_loop_test(
	    tcase, a_long_interval_leaves_room_for_itself, 0, 6);
	tcase_add_test(tcase, defaults_are_those_of_the_table);
	return unit_run(suite);
}
