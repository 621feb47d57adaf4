/*
 * append: text that is written piece by piece into memory of a known size.
 */
#ifndef COMMON_APPEND_H
#define COMMON_APPEND_H

#include <stddef.h>
#include <stdint.h>

/* used is less than size, and text[used] is zero, from append_init on. */
struct append {
	char *text;
	size_t size;
	size_t used;
};

/* The memory is the caller's, at least a byte of it. */
void append_init(struct append *to, char *text, size_t size);

/* As printf(3). What does not fit is cut. */
void append(struct append *to, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * In double quotes, as a string of JSON (RFC 8259, 7), which a label's value
 * in metrics is as well. A control character becomes a question mark.
 */
void append_quoted(struct append *to, const char *text);

/* Milliseconds as seconds with three decimals: 1.250 */
void append_seconds(struct append *to, uint64_t ms);

#endif
