/*
 * What connections are, as a table and as JSON.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "control/connections.h"

#define COLUMNS 11
#define FIELD_SIZE ADDR_STRLEN

typedef char fields[COLUMNS][FIELD_SIZE];

static const char *const titles[COLUMNS] = { "pid", "service", "peer", "state",
	"age", "in", "out", "unacked", "rtt", "retrans", "timer" };

/* As the peer is written: IPv4 is IPv4, whatever the socket is. */
static void
local_of(const struct connection *c, char text[FIELD_SIZE])
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(c->tcp.key.local_port) };

	memcpy(&in6.sin6_addr, c->tcp.local, sizeof(in6.sin6_addr));
	addr_format((struct sockaddr *)&in6, text, FIELD_SIZE);
}

static void
fill_tcp(const struct connection *c, fields f)
{
	const char *timer = sock_timer_name(c->tcp.timer);

	strlcpy(f[3], sock_state_name(c->tcp.state), FIELD_SIZE);
	snprintf(f[7], FIELD_SIZE, "%" PRIu32, c->tcp.unacked);
	snprintf(f[8], FIELD_SIZE, "%.6f", (double)c->tcp.rtt_us / 1e6);
	snprintf(f[9], FIELD_SIZE, "%" PRIu32, c->tcp.retrans);
	if (timer != NULL)
		snprintf(f[10], FIELD_SIZE, "%s,%.3f,%u", timer,
		    (double)c->tcp.timer_ms / 1e3, c->tcp.timer_count);
}

static void
fill_fields(const struct connection *c, fields f)
{
	for (int i = 0; i < COLUMNS; i++)
		strlcpy(f[i], "-", FIELD_SIZE);
	snprintf(f[0], FIELD_SIZE, "%d", (int)c->pid);
	strlcpy(f[1], c->service, FIELD_SIZE);
	if (c->has_peer) {
		strlcpy(f[2], c->peer_text, FIELD_SIZE);
		snprintf(f[4], FIELD_SIZE, "%.3f", (double)c->age_ms / 1e3);
		snprintf(f[5], FIELD_SIZE, "%" PRIu64, c->in);
		snprintf(f[6], FIELD_SIZE, "%" PRIu64, c->out);
	}
	if (c->has_tcp)
		fill_tcp(c, f);
}

static void
widen(size_t widths[COLUMNS], const char *field, int column)
{
	if (strlen(field) > widths[column])
		widths[column] = strlen(field);
}

static void
put_line(FILE *to, const size_t widths[COLUMNS], const char *field, int column)
{
	if (column < COLUMNS - 1)
		fprintf(to, "%-*s ", (int)widths[column], field);
	else
		fprintf(to, "%s\n", field);
}

void
connections_print(const struct connections *connections, FILE *to)
{
	size_t widths[COLUMNS] = { 0 };
	fields f;

	for (int column = 0; column < COLUMNS; column++)
		widen(widths, titles[column], column);
	for (size_t i = 0; i < connections->count; i++) {
		fill_fields(&connections->list[i], f);
		for (int column = 0; column < COLUMNS; column++)
			widen(widths, f[column], column);
	}
	for (int column = 0; column < COLUMNS; column++)
		put_line(to, widths, titles[column], column);
	for (size_t i = 0; i < connections->count; i++) {
		fill_fields(&connections->list[i], f);
		for (int column = 0; column < COLUMNS; column++)
			put_line(to, widths, f[column], column);
	}
}

/* No text of ours has a character that JSON would want escaped but these. */
static void
json_text(FILE *to, const char *name, const char *text)
{
	fprintf(to, ",\"%s\":", name);
	if (text == NULL || strcmp(text, "-") == 0) {
		fputs("null", to);
		return;
	}
	putc('"', to);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', to);
		putc(*text, to);
	}
	putc('"', to);
}

static void
json_number(FILE *to, const char *name, bool known, double value, int decimals)
{
	fprintf(to, ",\"%s\":", name);
	if (known)
		fprintf(to, "%.*f", decimals, value);
	else
		fputs("null", to);
}

static void
json_tcp(FILE *to, const struct connection *c)
{
	const char *timer = sock_timer_name(c->tcp.timer);
	bool known = c->has_tcp, runs = known && timer != NULL;
	char local[FIELD_SIZE] = "-";

	if (known)
		local_of(c, local);
	json_text(to, "local", local);
	json_text(to, "state", known ? sock_state_name(c->tcp.state) : NULL);
	json_number(to, "unacked", known, c->tcp.unacked, 0);
	json_number(to, "rtt_seconds", known, (double)c->tcp.rtt_us / 1e6, 6);
	json_number(to, "retrans", known, c->tcp.retrans, 0);
	json_text(to, "timer", runs ? timer : NULL);
	json_number(
	    to, "timer_seconds", runs, (double)c->tcp.timer_ms / 1e3, 3);
	json_number(to, "timer_count", runs, c->tcp.timer_count, 0);
}

void
connections_print_json(const struct connections *connections, FILE *to)
{
	putc('[', to);
	for (size_t i = 0; i < connections->count; i++) {
		const struct connection *c = &connections->list[i];

		fprintf(to, "%s\n{\"pid\":%d", i == 0 ? "" : ",", (int)c->pid);
		json_text(to, "service", c->service);
		json_text(to, "listen", c->listen);
		json_text(to, "peer", c->has_peer ? c->peer_text : NULL);
		json_number(
		    to, "age_seconds", c->has_peer, (double)c->age_ms / 1e3, 3);
		json_number(to, "in", c->has_peer, (double)c->in, 0);
		json_number(to, "out", c->has_peer, (double)c->out, 0);
		json_tcp(to, c);
		putc('}', to);
	}
	putc(']', to);
}
