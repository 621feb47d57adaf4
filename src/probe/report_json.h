/*
 * report_json: the pieces of a JSON object, for those that report.
 */
#ifndef PROBE_REPORT_JSON_H
#define PROBE_REPORT_JSON_H

#include <inttypes.h>
#include <string.h>

#include "probe/report.h"
#include "probe/text.h"

static inline void
name(const struct report *r, const char *key)
{
	fprintf(r->out, ",\"%s\":", key);
}

static inline void
string(const struct report *r, const char *key, const char *text)
{
	name(r, key);
	if (text == NULL)
		fputs("null", r->out);
	else
		text_json(r->out, text, strlen(text));
}

static inline void
integer(const struct report *r, const char *key, int64_t value)
{
	name(r, key);
	fprintf(r->out, "%" PRId64, value);
}

/* Microseconds as milliseconds. */
static inline void
ms(const struct report *r, const char *key, double us)
{
	name(r, key);
	fprintf(r->out, "%.3f", us / 1000);
}

static inline void
event(const struct report *r, const char *what)
{
	fprintf(r->out, "{\"event\":\"%s\"", what);
}

static inline void
end(const struct report *r)
{
	fputs("}\n", r->out);
}

#endif
