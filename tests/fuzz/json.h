/*
 * json: whether a text is a value of JSON (RFC 8259) in UTF-8, for what is made
 * of a stranger's bytes. Each function returns what follows, or NULL.
 */
#ifndef FUZZ_JSON_H
#define FUZZ_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline const char *json_value(const char *text);

/* A character beyond ASCII: its number, put together, is one of its length. */
static inline const char *
json_character(const char *text)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)*text;
	int size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	uint32_t number = first & (0x7fU >> size);

	if (first < 0xc0 || first > 0xf7)
		return NULL;
	for (int i = 1; i < size; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return NULL;
		number = number << 6 | ((unsigned char)text[i] & 0x3f);
	}
	if (number < least[size] || number > 0x10ffff ||
	    (number >= 0xd800 && number <= 0xdfff))
		return NULL;
	return text + size;
}

static inline const char *
json_string(const char *text)
{
	if (*text++ != '"')
		return NULL;
	while (text != NULL && *text != '"') {
		if ((unsigned char)*text >= 0x80)
			text = json_character(text);
		else if (*text < ' ' || *text == 0x7f) /* nor DEL, of ours */
			text = NULL;
		else if (*text != '\\')
			text++;
		else if (text[1] == 'u')
			text = strspn(text + 2, "0123456789abcdef") < 4 ?
			    NULL :
			    text + 6;
		else
			text = text[1] == '\0' ||
				strchr("\"\\/bfnrt", text[1]) == NULL ?
			    NULL :
			    text + 2;
	}
	return text == NULL ? NULL : text + 1;
}

/* Digits, and after a point at least one of them. */
static inline const char *
json_number(const char *text)
{
	static const char digits[] = "0123456789";
	size_t n;

	text += *text == '-';
	n = strspn(text, digits);
	if (n == 0 || (n > 1 && *text == '0'))
		return NULL;
	text += n;
	if (*text != '.')
		return text;
	n = strspn(text + 1, digits);
	return n == 0 ? NULL : text + 1 + n;
}

/* Members, or elements of an array, up to last. */
static inline const char *
json_list(const char *text, char last)
{
	if (*++text == last)
		return text + 1;
	for (;; text++) {
		if (last == '}') {
			text = json_string(text);
			if (text == NULL || *text++ != ':')
				return NULL;
		}
		text = json_value(text);
		if (text == NULL || *text != ',')
			break;
	}
	return text == NULL || *text != last ? NULL : text + 1;
}

/* As our programs write it: without white space. */
static inline const char *
json_value(const char *text)
{
	static const char *const words[] = { "null", "true", "false" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(text, words[i], strlen(words[i])) == 0)
			return text + strlen(words[i]);
	if (*text == '"')
		return json_string(text);
	if (*text == '{')
		return json_list(text, '}');
	if (*text == '[')
		return json_list(text, ']');
	return json_number(text);
}

/* Each line of text is one object. */
static inline bool
json_is_lines(const char *text)
{
	while (*text != '\0') {
		if (*text != '{')
			return false;
		text = json_value(text);
		if (text == NULL || *text++ != '\n')
			return false;
	}
	return true;
}

#endif
