#include "probe/text.h"

#include <string.h>

/* How many bytes of text are one character of UTF-8; 0: none are. */
static size_t
character(const unsigned char *text, size_t length)
{
	/* The least and the most that may follow a first byte, RFC 3629, 4. */
	unsigned char least = 0x80, most = 0xbf;
	size_t size;

	if (text[0] < 0x80)
		return 1;
	if (text[0] < 0xc2 || text[0] > 0xf4)
		return 0;
	size = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
	if (text[0] == 0xe0)
		least = 0xa0;
	if (text[0] == 0xed)
		most = 0x9f; /* no surrogates */
	if (text[0] == 0xf0)
		least = 0x90;
	if (text[0] == 0xf4)
		most = 0x8f;
	if (size > length || text[1] < least || text[1] > most)
		return 0;
	for (size_t i = 2; i < size; i++)
		if (text[i] < 0x80 || text[i] > 0xbf)
			return 0;
	return size;
}

void
text_json(FILE *out, const char *text, size_t length)
{
	const unsigned char *from = (const unsigned char *)text;
	size_t size;

	putc('"', out);
	for (; length > 0; from += size, length -= size) {
		size = character(from, length);
		if (size == 0) {
			fputs("\\ufffd", out);
			size = 1;
		} else if (*from == '"' || *from == '\\') {
			fprintf(out, "\\%c", *from);
		} else if (*from < 0x20 || *from == 0x7f) {
			fprintf(out, "\\u%04x", *from);
		} else {
			fwrite(from, 1, size, out);
		}
	}
	putc('"', out);
}

void
text_plain(FILE *out, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c > 0x7e)
			fprintf(out, "\\x%02x", c);
		else
			putc(c, out);
	}
}

bool
text_is_text(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (((unsigned char)text[i] < ' ' &&
			strchr("\r\n\t", text[i]) == NULL) ||
		    text[i] == '\0' || text[i] == 0x7f)
			return false;
	return true;
}
