/*
 * What the master writes, with the numbers that preforkctl has counted.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "control/half_open.h"

/* Of each listening socket there is one line with it. */
#define BACKLOG "preforkd_backlog{"
#define NAME "preforkd_half_open"
#define END "# EOF\n"

/* A line of the table: the number goes over its "-", and what is padded. */
static void
print_row(const struct half_open *half_open, char *line, size_t at, FILE *to)
{
	const char *address = line + strcspn(line, " ");
	char number[24];
	int64_t count;

	address += strspn(address, " ");
	count = half_open_at(half_open, address, strcspn(address, " "));
	if (count >= 0 && strlen(line) > at + sizeof(number)) {
		snprintf(number, sizeof(number), "%" PRId64, count);
		memcpy(line + at, number, strlen(number));
	}
	fputs(line, to);
}

/* The string that comes after name in a line, up to its quote; or NULL. */
static const char *
string_after(const char *line, const char *name, size_t *length)
{
	const char *text = strstr(line, name);

	if (text == NULL)
		return NULL;
	text += strlen(name);
	*length = strcspn(text, "\"");
	return text;
}

/* A line of JSON: the same for its null. */
static void
print_object(const struct half_open *half_open, const char *line, FILE *to)
{
	static const char name[] = "\"half_open\":";
	const char *null = strstr(line, name), *address;
	int64_t count = -1;
	size_t length;

	address = string_after(line, "\"listen\":\"", &length);
	if (address != NULL && null != NULL)
		count = half_open_at(half_open, address, length);
	if (count < 0) {
		fputs(line, to);
		return;
	}
	null += strlen(name);
	fprintf(to, "%.*s%" PRId64 "%s", (int)(null - line), line, count,
	    null + strlen("null"));
}

/* A copy of the line that begins there, for free(3), and the next one. */
static char *
take_line(const char **text)
{
	size_t length = strcspn(*text, "\n");
	char *line;

	length += (*text)[length] == '\n';
	line = strndup(*text, length);
	if (line != NULL)
		*text += length;
	return line;
}

void
half_open_print(const struct half_open *half_open, const char *status, FILE *to)
{
	const char *column;
	size_t at = 0;
	char *line;

	while (*status != '\0' && (line = take_line(&status)) != NULL) {
		column = strstr(line, " half-open ");
		if (at > 0)
			print_row(half_open, line, at, to);
		else
			print_object(half_open, line, to);
		if (column != NULL)
			at = (size_t)(column + 1 - line);
		free(line);
	}
	fputs(status, to);
}

/* The metrics once more, for the labels that each socket has there. */
static void
print_gauge(const struct half_open *half_open, const char *metrics, FILE *to)
{
	const char *address, *labels;
	bool has_title = false;
	int64_t count;
	size_t length;
	char *line;

	while (*metrics != '\0' && (line = take_line(&metrics)) != NULL) {
		labels = line + strlen(BACKLOG) - 1;
		address = string_after(line, ",listen=\"", &length);
		count = -1;
		if (strncmp(line, BACKLOG, strlen(BACKLOG)) == 0 &&
		    address != NULL)
			count = half_open_at(half_open, address, length);
		if (count >= 0 && !has_title)
			fputs(
			    "# HELP " NAME
			    " Handshakes whose last acknowledgement has not "
			    "come, or came when the queue was full.\n# TYPE " NAME
			    " gauge\n",
			    to);
		if (count >= 0) {
			has_title = true;
			fprintf(to, NAME "%.*s} %" PRId64 "\n",
			    (int)strcspn(labels, "}"), labels, count);
		}
		free(line);
	}
}

void
half_open_print_metrics(
    const struct half_open *half_open, const char *metrics, FILE *to)
{
	size_t length = strlen(metrics), end = strlen(END);

	/* It is not ours to know another end. */
	if (length < end || strcmp(metrics + length - end, END) != 0) {
		fputs(metrics, to);
		return;
	}
	fwrite(metrics, 1, length - end, to);
	print_gauge(half_open, metrics, to);
	fputs(END, to);
}
