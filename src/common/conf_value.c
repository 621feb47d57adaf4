/*
 * conf_value: one value between the file's text and memory.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/conf_table.h"
#include "common/log.h"

#define MS_PER_MINUTE 60000
#define ACCOUNT_MAX 256

static const struct {
	const char *suffix;
	int64_t ms;
} units[] = { /* the largest first, for formatting */
	{ "h", 3600000 }, { "m", MS_PER_MINUTE }, { "s", 1000 }, { "ms", 1 }
};

#define UNITS (sizeof(units) / sizeof(units[0]))

static int __attribute__((format(printf, 2, 3)))
wrong(char why[CONF_WHY_SIZE], const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why, CONF_WHY_SIZE, format, ap);
	va_end(ap);
	return -1;
}

static int64_t *
number_at(const struct conf_keyword *keyword, void *base)
{
	return (int64_t *)(void *)((char *)base + keyword->offset);
}

static char **
string_at(const struct conf_keyword *keyword, void *base)
{
	return (char **)(void *)((char *)base + keyword->offset);
}

/* Minutes begin at ten of them: a timeout of 120s is known by that name. */
static void
format_time(int64_t ms, char *text, size_t size)
{
	size_t i = 0;

	if (ms == 0) {
		snprintf(text, size, "0");
		return;
	}
	while (ms % units[i].ms != 0 ||
	    (units[i].ms == MS_PER_MINUTE && ms < 10 * MS_PER_MINUTE))
		i++;
	snprintf(
	    text, size, "%" PRId64 "%s", ms / units[i].ms, units[i].suffix);
}

/* Seconds stay seconds: "120s" is what the kernel's manual speaks of. */
static void
format_number(
    const struct conf_keyword *keyword, int64_t value, char *text, size_t size)
{
	if (keyword->type == CONF_TIME)
		format_time(value, text, size);
	else
		snprintf(text, size, "%" PRId64 "%s", value,
		    keyword->type == CONF_SECONDS && value != 0 ? "s" : "");
}

char *
conf_range_format(const struct conf_keyword *keyword, char *text, size_t size)
{
	char min[32], max[32];

	switch (keyword->type) {
	case CONF_BOOL:
		snprintf(text, size, "yes or no");
		break;
	case CONF_LEVEL:
		snprintf(text, size, "error, warning, notice, info or debug");
		break;
	case CONF_SCHEDULING:
		snprintf(text, size, "normal or batch");
		break;
	case CONF_PATH:
		snprintf(text, size, "an absolute path or none");
		break;
	case CONF_ACCOUNT:
		snprintf(text, size, "a name or a number");
		break;
	case CONF_NUMBER:
	case CONF_TIME:
	case CONF_SECONDS:
		format_number(keyword, keyword->min, min, sizeof(min));
		format_number(keyword, keyword->max, max, sizeof(max));
		snprintf(text, size, "%s to %s", min, max);
		break;
	case CONF_FORMAT:
	case CONF_LISTEN:
	case CONF_BLOCK:
	case CONF_INCLUDE:
		text[0] = '\0';
		break;
	}
	return text;
}

static int
out_of_range(const struct conf_keyword *keyword, char why[CONF_WHY_SIZE])
{
	char range[CONF_WHY_SIZE - 16];

	return wrong(why, "must be %s",
	    conf_range_format(keyword, range, sizeof(range)));
}

/* The digits in front of text; beyond an int64_t they count as its largest. */
static int64_t
leading_number(const char *text, const char **end)
{
	int64_t value = 0;

	for (*end = text; isdigit((unsigned char)**end); (*end)++) {
		if (value > (INT64_MAX - 9) / 10)
			value = (INT64_MAX - 9) / 10;
		value = value * 10 + (**end - '0');
	}
	return value;
}

static int
parse_number(const struct conf_keyword *keyword, const char *text,
    int64_t *value, char why[CONF_WHY_SIZE])
{
	const char *bad;
	long long n;

	n = strtonum(text, keyword->min, keyword->max, &bad);
	if (bad != NULL)
		return out_of_range(keyword, why);
	*value = n;
	return 0;
}

static int
parse_time(const struct conf_keyword *keyword, const char *text, int64_t *value,
    char why[CONF_WHY_SIZE])
{
	const char *suffix;
	int64_t n = leading_number(text, &suffix);
	size_t i = 0;

	if (suffix == text)
		return out_of_range(keyword, why);
	if (*suffix == '\0' && n != 0)
		return wrong(why,
		    "needs a unit: %.20sms, %.20ss, %.20sm or "
		    "%.20sh",
		    text, text, text, text);
	while (i < UNITS && *suffix != '\0' &&
	    strcmp(units[i].suffix, suffix) != 0)
		i++;
	if (i == UNITS)
		return wrong(why,
		    "unknown unit \"%.20s\": "
		    "must be ms, s, m or h",
		    suffix);
	n = n > INT64_MAX / units[i].ms ? INT64_MAX : n * units[i].ms;
	if (keyword->type == CONF_SECONDS) {
		if (n % 1000 != 0 && n != INT64_MAX)
			return wrong(why, "must be whole seconds");
		n /= 1000;
	}
	if (n < keyword->min || n > keyword->max)
		return out_of_range(keyword, why);
	*value = n;
	return 0;
}

static int
parse_bool(const struct conf_keyword *keyword, const char *text, int64_t *value,
    char why[CONF_WHY_SIZE])
{
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		return out_of_range(keyword, why);
	*value = strcmp(text, "yes") == 0;
	return 0;
}

static int
parse_scheduling(const struct conf_keyword *keyword, const char *text,
    int64_t *value, char why[CONF_WHY_SIZE])
{
	if (strcmp(text, "normal") != 0 && strcmp(text, "batch") != 0)
		return out_of_range(keyword, why);
	*value = strcmp(text, "batch") == 0;
	return 0;
}

static int
parse_level(const struct conf_keyword *keyword, const char *text,
    int64_t *value, char why[CONF_WHY_SIZE])
{
	int level = log_level_parse(text);

	if (level < 0)
		return out_of_range(keyword, why);
	*value = level;
	return 0;
}

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if (iscntrl((unsigned char)*text))
			return true;
	return false;
}

/*
 * What useradd(8) lets be a name, and no more than a name's room; a number is
 * digits alone, so that "+5" and "-1" are neither.
 */
static bool
is_account(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	static const char digits[] = "0123456789";
	size_t length = strlen(text);

	if (length == 0 || length > ACCOUNT_MAX)
		return false;
	if (strspn(text, digits) == length)
		return true;
	return strchr(letters, text[0]) != NULL &&
	    text[1 + strcspn(text + 1, ":,/ \"\\#'*?")] == '\0' &&
	    !has_control(text);
}

/* The last second of a year, in which each number has all of its digits. */
static size_t
format_late(char *line, size_t size, const char *format, int month, int weekday)
{
	struct tm tm = { .tm_sec = 59,
		.tm_min = 59,
		.tm_hour = 23,
		.tm_mday = 28,
		.tm_mon = month,
		.tm_year = 126,
		.tm_wday = weekday,
		.tm_yday = 364 };

	/* The last second that a four-digit year has: eleven digits. */
	return clock_strftime(line, size, format, &tm, 253402300799);
}

/*
 * %s alone is written by us; with flags or a width strftime would do it. So it
 * would after "%5%": where that ends, libraries and clock_strftime differ.
 */
static bool
has_odd_epoch(const char *format)
{
	for (; *format != '\0'; format++) {
		if (*format != '%')
			continue;
		size_t n = strspn(format + 1, "_-0^#+123456789EO");

		if (n > 0 && (format[1 + n] == 's' || format[1 + n] == '%'))
			return true;
		format += n + (format[1 + n] != '\0');
	}
	return false;
}

/*
 * RFC 867 asks for one line of printable ASCII. What a client gets must fit
 * the line that services/daytime sends, with CR LF.
 */
static int
check_format(const char *text, char why[CONF_WHY_SIZE])
{
	char line[CONF_DAYTIME_MAX];

	for (const char *p = text; *p != '\0'; p++)
		if (!isprint((unsigned char)*p))
			return wrong(why, "must be printable ASCII");
	if (strlen(text) >= CLOCK_FORMAT_SIZE)
		return wrong(
		    why, "must be shorter than %d bytes", CLOCK_FORMAT_SIZE);
	if (has_odd_epoch(text))
		return wrong(
		    why, "must have %%s and %%%% without flags or a width");
	for (int i = 0; i < 12 * 7; i++) {
		if (format_late(line, sizeof(line), text, i / 7, i % 7) == 0)
			return wrong(
			    why, "must give 1 to %zu bytes", sizeof(line) - 1);
		if (has_control(line))
			return wrong(why, "must give one line: no %%n, no %%t");
	}
	return 0;
}

static int
set_string(char **value, const char *text, char why[CONF_WHY_SIZE])
{
	char *copy = strdup(text);

	if (copy == NULL)
		return wrong(why, "%s", strerror(errno));
	free(*value);
	*value = copy;
	return 0;
}

int
conf_value_parse(const struct conf_keyword *keyword, const char *text,
    void *base, char why[CONF_WHY_SIZE])
{
	int64_t *value = number_at(keyword, base);

	switch (keyword->type) {
	case CONF_BOOL:
		return parse_bool(keyword, text, value, why);
	case CONF_NUMBER:
		return parse_number(keyword, text, value, why);
	case CONF_TIME:
	case CONF_SECONDS:
		return parse_time(keyword, text, value, why);
	case CONF_LEVEL:
		return parse_level(keyword, text, value, why);
	case CONF_SCHEDULING:
		return parse_scheduling(keyword, text, value, why);
	case CONF_PATH:
		if (text[0] != '/' && strcmp(text, "none") != 0)
			return out_of_range(keyword, why);
		if (strlen(text) >= PATH_MAX || has_control(text))
			return wrong(why,
			    "must be shorter than %d bytes, "
			    "without control characters",
			    PATH_MAX);
		return set_string(string_at(keyword, base), text, why);
	case CONF_ACCOUNT:
		if (!is_account(text))
			return out_of_range(keyword, why);
		return set_string(string_at(keyword, base), text, why);
	case CONF_FORMAT:
		if (check_format(text, why) < 0)
			return -1;
		return set_string(string_at(keyword, base), text, why);
	case CONF_LISTEN:
	case CONF_BLOCK:
	case CONF_INCLUDE:
		break;
	}
	return wrong(why, "takes no single value");
}

static void
format_quoted(const char *value, char *text, size_t size)
{
	size_t n = 0;

	text[n++] = '"';
	for (; *value != '\0' && n + 4 < size; value++) {
		if (*value == '"' || *value == '\\')
			text[n++] = '\\';
		text[n++] = *value;
	}
	text[n++] = '"';
	text[n] = '\0';
}

char *
conf_value_format(const struct conf_keyword *keyword, const void *base,
    char *text, size_t size)
{
	const void *at = (const char *)base + keyword->offset;

	switch (keyword->type) {
	case CONF_BOOL:
		snprintf(
		    text, size, "%s", *(const int64_t *)at != 0 ? "yes" : "no");
		break;
	case CONF_NUMBER:
	case CONF_TIME:
	case CONF_SECONDS:
		format_number(keyword, *(const int64_t *)at, text, size);
		break;
	case CONF_SCHEDULING:
		snprintf(text, size, "%s",
		    *(const int64_t *)at != 0 ? "batch" : "normal");
		break;
	case CONF_LEVEL:
		snprintf(text, size, "%s",
		    log_level_name((int)*(const int64_t *)at));
		break;
	case CONF_ACCOUNT:
		snprintf(text, size, "%s", *(char *const *)at);
		break;
	case CONF_PATH:
	case CONF_FORMAT:
		format_quoted(*(char *const *)at, text, size);
		break;
	case CONF_LISTEN:
	case CONF_BLOCK:
	case CONF_INCLUDE:
		text[0] = '\0';
		break;
	}
	return text;
}
