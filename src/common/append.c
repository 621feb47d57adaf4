#include "common/append.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void
append_init(struct append *to, char *text, size_t size)
{
	*to = (struct append){ .text = text, .size = size };
	text[0] = '\0';
}

void
append(struct append *to, const char *format, ...)
{
	size_t left = to->size - to->used;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(to->text + to->used, left, format, args);
	va_end(args);
	if (n > 0)
		to->used += (size_t)n < left ? (size_t)n : left - 1;
}

void
append_quoted(struct append *to, const char *text)
{
	append(to, "\"");
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			append(to, "\\");
		append(to, "%c", (unsigned char)*text < ' ' ? '?' : *text);
	}
	append(to, "\"");
}

void
append_seconds(struct append *to, uint64_t ms)
{
	append(to, "%" PRIu64 ".%03u", ms / 1000, (unsigned)(ms % 1000));
}
