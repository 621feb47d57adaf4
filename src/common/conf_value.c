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

int
conf_wrong(char why[CONF_WHY_SIZE], const char *format, ...)
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

static struct conf_rate *
rate_at(const struct conf_keyword *keyword, void *base)
{
	return (struct conf_rate *)(void *)((char *)base + keyword->offset);
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
	case CONF_RATE:
		snprintf(text, size,
		    "%" PRId64 " to %" PRId64
		    ", alone or followed by burst and 1 to %d",
		    keyword->min, keyword->max, CONF_BURST_MAX);
		break;
	case CONF_FORMAT:
	case CONF_LISTEN:
	case CONF_RULE:
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

	return conf_wrong(why, "must be %s",
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
		return conf_wrong(why,
		    "needs a unit: %.20sms, %.20ss, %.20sm or "
		    "%.20sh",
		    text, text, text, text);
	while (i < UNITS && *suffix != '\0' &&
	    strcmp(units[i].suffix, suffix) != 0)
		i++;
	if (i == UNITS)
		return conf_wrong(why,
		    "unknown unit \"%.20s\": "
		    "must be ms, s, m or h",
		    suffix);
	n = n > INT64_MAX / units[i].ms ? INT64_MAX : n * units[i].ms;
	if (keyword->type == CONF_SECONDS) {
		if (n % 1000 != 0 && n != INT64_MAX)
			return conf_wrong(why, "must be whole seconds");
		n /= 1000;
	}
	if (n < keyword->min || n > keyword->max)
		return out_of_range(keyword, why);
	*value = n;
	return 0;
}

/* One of two words: 0 for the first, 1 for the second. */
static int
parse_either(const struct conf_keyword *keyword, const char *text,
    const char *first, const char *second, int64_t *value,
    char why[CONF_WHY_SIZE])
{
	if (strcmp(text, first) != 0 && strcmp(text, second) != 0)
		return out_of_range(keyword, why);
	*value = strcmp(text, second) == 0;
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

bool
conf_has_control(const char *text)
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
	    !conf_has_control(text);
}

static int
set_string(char **value, const char *text, char why[CONF_WHY_SIZE])
{
	char *copy = strdup(text);

	if (copy == NULL)
		return conf_wrong(why, "%s", strerror(errno));
	free(*value);
	*value = copy;
	return 0;
}

static size_t
longest_path(const struct conf_keyword *keyword)
{
	return keyword->max != 0 ? (size_t)keyword->max : PATH_MAX - 1;
}

int
conf_value_parse(const struct conf_keyword *keyword, const char *text,
    void *base, char why[CONF_WHY_SIZE])
{
	int64_t *value = number_at(keyword, base);

	switch (keyword->type) {
	case CONF_BOOL:
		return parse_either(keyword, text, "no", "yes", value, why);
	case CONF_NUMBER:
		return parse_number(keyword, text, value, why);
	case CONF_TIME:
	case CONF_SECONDS:
		return parse_time(keyword, text, value, why);
	case CONF_LEVEL:
		return parse_level(keyword, text, value, why);
	case CONF_SCHEDULING:
		return parse_either(
		    keyword, text, "normal", "batch", value, why);
	case CONF_PATH:
		if (text[0] != '/' && strcmp(text, "none") != 0)
			return out_of_range(keyword, why);
		if (strlen(text) > longest_path(keyword) ||
		    conf_has_control(text))
			return conf_wrong(why,
			    "must be shorter than %zu bytes, "
			    "without control characters",
			    longest_path(keyword) + 1);
		return set_string(string_at(keyword, base), text, why);
	case CONF_ACCOUNT:
		if (!is_account(text))
			return out_of_range(keyword, why);
		return set_string(string_at(keyword, base), text, why);
	case CONF_FORMAT:
		if (conf_check_format(text, why) < 0)
			return -1;
		return set_string(string_at(keyword, base), text, why);
	case CONF_RATE:
		if (conf_rate_parse(keyword, text, rate_at(keyword, base)) < 0)
			return out_of_range(keyword, why);
		return 0;
	case CONF_LISTEN:
	case CONF_RULE:
	case CONF_BLOCK:
	case CONF_INCLUDE:
		break;
	}
	return conf_wrong(why, "takes no single value");
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
	case CONF_RATE:
		conf_rate_format(at, text, size);
		break;
	case CONF_LISTEN:
	case CONF_RULE:
	case CONF_BLOCK:
	case CONF_INCLUDE:
		text[0] = '\0';
		break;
	}
	return text;
}
