#include "probe/target.h"

#include <stdlib.h>
#include <string.h>

static const char *
parse_port(uint16_t *port, const char *text)
{
	const char *errstr;
	long long value = strtonum(text, 1, 65535, &errstr);

	if (errstr != NULL)
		return "the port must be 1 to 65535";
	*port = (uint16_t)value;
	return NULL;
}

/* What follows the host is nothing, or :port. */
static const char *
split(struct target *target, const char *host, size_t length, const char *rest)
{
	if (length == 0)
		return "there is no host in it";
	if (length >= sizeof(target->host))
		return "the host is too long";
	memcpy(target->host, host, length);
	target->host[length] = '\0';
	target->port = 0;
	if (*rest == '\0')
		return NULL;
	if (*rest != ':')
		return "after ] comes :port";
	return parse_port(&target->port, rest + 1);
}

const char *
target_parse(struct target *target, const char *text)
{
	const char *colon = strchr(text, ':'), *bracket;

	if (*text == '[') {
		bracket = strchr(text, ']');
		if (bracket == NULL)
			return "a ] is missing";
		return split(target, text + 1, (size_t)(bracket - text) - 1,
		    bracket + 1);
	}
	/* With a second colon it is an IPv6 address, and all of it is. */
	if (colon == NULL || strchr(colon + 1, ':') != NULL)
		colon = text + strlen(text);
	return split(target, text, (size_t)(colon - text), colon);
}

bool
target_seconds(int64_t *ms, const char *text, int64_t least_ms, int64_t most_ms)
{
	char *end;
	double value;

	/* strtod knows of more: signs, exponents, hexadecimal, infinity. */
	if (*text == '\0' || strspn(text, "0123456789.") != strlen(text))
		return false;
	value = strtod(text, &end) * 1000;
	if (*end != '\0' || end == text || value > (double)most_ms)
		return false;
	*ms = (int64_t)value;
	if ((double)*ms < value)
		++*ms;
	return *ms >= least_ms;
}
