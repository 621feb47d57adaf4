/*
 * text: bytes of a stranger as text, for programs and for terminals.
 */
#ifndef PROBE_TEXT_H
#define PROBE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Writes a JSON string (RFC 8259, 7), with its quotes. A byte that is no UTF-8
 * (RFC 3629) becomes U+FFFD.
 */
void text_json(FILE *out, const char *text, size_t length);

/* Writes printable ASCII as it is and other bytes as \xNN: some are commands.
 */
void text_plain(FILE *out, const char *text, size_t length);

/* Whether it may be a line: ASCII and what other languages have, and of the
 * control characters but tabulators and the ends of lines. */
bool text_is_text(const char *text, size_t length);

#endif
