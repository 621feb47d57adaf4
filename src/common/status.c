#include "common/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/append.h"

static void
add_slot(const struct slot *slot, struct status_row *row)
{
	switch ((enum slot_state)slot->state) {
	case SLOT_FREE:
		return;
	case SLOT_IDLE:
		row->idle++;
		break;
	case SLOT_BUSY:
	case SLOT_CLOSING:
		row->busy++;
		break;
	case SLOT_STARTING:
	case SLOT_PAUSED:
		row->other++;
		break;
	}
	row->in += slot->traffic.in;
	row->out += slot->traffic.out;
	row->connections += slot->connections;
	row->log_lost += slot->log_lost;
	row->wait_ms += slot->wait_ms;
	if (slot->longest_wait_ms > row->longest_wait_ms)
		row->longest_wait_ms = slot->longest_wait_ms;
	for (size_t i = 0; i < ENDING_COUNT; i++)
		row->endings[i] += slot->endings[i];
}

void
status_count(
    const struct scoreboard *board, uint32_t index, struct status_row *row)
{
	const struct pool_row *past = &board->rows[index];
	struct slot copy;

	row->busy = row->idle = row->other = 0;
	row->in = past->in;
	row->out = past->out;
	row->connections = past->connections;
	row->log_lost = past->log_lost;
	row->wait_ms = past->wait_ms;
	row->longest_wait_ms = past->longest_wait_ms;
	for (size_t i = 0; i < ENDING_COUNT; i++)
		row->endings[i] = past->endings[i];
	for (uint32_t i = 0; i < board->used; i++) {
		if (board->slots[i].state == SLOT_FREE ||
		    board->slots[i].pool != index)
			continue;
		/* Its counters are good even where the peer is not. */
		scoreboard_read(&board->slots[i], &copy);
		if (copy.pool == index)
			add_slot(&copy, row);
	}
}

uint64_t
status_mean_wait(const struct status_row *row)
{
	return row->connections == 0 ? 0 : row->wait_ms / row->connections;
}

/* "peer-closed:7,reset:1", or "-". */
static char *
format_endings(const struct status_row *row, char *text, size_t size)
{
	size_t used = 0;

	snprintf(text, size, "-");
	for (int i = 0; i < ENDING_COUNT && used < size; i++)
		if (row->endings[i] > 0)
			used += (size_t)snprintf(text + used, size - used,
			    "%s%s:%" PRIu64, used == 0 ? "" : ",",
			    ending_name((enum ending)i), row->endings[i]);
	return text;
}

/* A figure has one name and one text, wherever it is shown. */
#define LINE 1
#define TABLE 2

enum field {
	SERVICE,
	LISTEN,
	STATE,
	BUSY,
	IDLE,
	OTHER,
	WORKERS,
	MAX,
	QUEUE,
	BACKLOG,
	HALF_OPEN,
	OVERFLOWS,
	RAISE,
	MEAN_WAIT,
	LONGEST_WAIT,
	CONNECTIONS,
	IN,
	OUT,
	LOG_LOST,
	ENDINGS,
	HOLDERS,
	FIELDS
};

static const struct {
	const char *name;
	int where;
} kinds[FIELDS] = {
	[SERVICE] = { "service", LINE | TABLE },
	[LISTEN] = { "listen", LINE | TABLE },
	[STATE] = { "state", LINE | TABLE },
	[BUSY] = { "busy", LINE | TABLE },
	[IDLE] = { "idle", LINE | TABLE },
	[OTHER] = { "other", LINE | TABLE },
	[WORKERS] = { "workers", LINE },
	[MAX] = { "max", LINE | TABLE },
	[QUEUE] = { "queue", LINE | TABLE },
	[BACKLOG] = { "backlog", LINE | TABLE },
	[HALF_OPEN] = { "half-open", TABLE },
	[OVERFLOWS] = { "overflows", LINE | TABLE },
	[RAISE] = { "raise", LINE | TABLE },
	[MEAN_WAIT] = { "mean-wait", LINE | TABLE },
	[LONGEST_WAIT] = { "longest-wait", LINE | TABLE },
	[CONNECTIONS] = { "connections", LINE | TABLE },
	[IN] = { "in", LINE },
	[OUT] = { "out", LINE },
	[LOG_LOST] = { "log-lost", LINE },
	[ENDINGS] = { "endings", LINE | TABLE },
	[HOLDERS] = { "holders", LINE | TABLE },
};

typedef char fields[FIELDS][STATUS_FIELD_SIZE];

static void
fill_titles(fields f)
{
	for (int i = 0; i < FIELDS; i++)
		strlcpy(f[i], kinds[i].name, STATUS_FIELD_SIZE);
}

static void
fill_number(char field[STATUS_FIELD_SIZE], uint64_t number)
{
	snprintf(field, STATUS_FIELD_SIZE, "%" PRIu64, number);
}

static void
fill_seconds(char field[STATUS_FIELD_SIZE], uint64_t ms)
{
	struct append to;

	append_init(&to, field, STATUS_FIELD_SIZE);
	append_seconds(&to, ms);
}

static void
fill_known(char field[STATUS_FIELD_SIZE], uint64_t number)
{
	if (number == STATUS_UNKNOWN)
		strlcpy(field, "-", STATUS_FIELD_SIZE);
	else
		fill_number(field, number);
}

static void
fill_text(char field[STATUS_FIELD_SIZE], const char *text)
{
	strlcpy(field, text == NULL ? "-" : text, STATUS_FIELD_SIZE);
}

static void
fill_fields(const struct status_row *row, fields f)
{
	strlcpy(f[SERVICE], row->service, STATUS_FIELD_SIZE);
	strlcpy(f[LISTEN], row->address, STATUS_FIELD_SIZE);
	fill_text(f[STATE], row->state);
	fill_number(f[BUSY], row->busy);
	fill_number(f[IDLE], row->idle);
	fill_number(f[OTHER], row->other);
	fill_number(f[WORKERS], row->workers);
	fill_known(f[MAX], row->max);
	fill_known(f[QUEUE], row->queue_limit);
	if (row->queue_limit != STATUS_UNKNOWN)
		snprintf(f[QUEUE], STATUS_FIELD_SIZE, "%" PRIu32 "/%" PRIu32,
		    row->queue_length, row->queue_limit);
	fill_known(f[BACKLOG], (uint64_t)row->backlog);
	fill_text(f[HALF_OPEN], NULL);
	fill_known(f[OVERFLOWS], row->overflows);
	fill_text(f[RAISE], row->raise);
	fill_seconds(f[MEAN_WAIT], status_mean_wait(row));
	fill_seconds(f[LONGEST_WAIT], row->longest_wait_ms);
	fill_number(f[CONNECTIONS], row->connections);
	fill_number(f[IN], row->in);
	fill_number(f[OUT], row->out);
	fill_number(f[LOG_LOST], row->log_lost);
	format_endings(row, f[ENDINGS], STATUS_FIELD_SIZE);
	fill_text(f[HOLDERS], row->holders);
}

char *
status_format(const struct status_row *row, char *line, size_t size)
{
	struct append to;
	fields f;

	append_init(&to, line, size);
	fill_fields(row, f);
	for (int i = 0; i < FIELDS; i++)
		if (kinds[i].where & LINE)
			append(&to, "%s%s=%s", i == 0 ? "" : " ", kinds[i].name,
			    f[i]);
	return line;
}

static void
widen(size_t widths[FIELDS], fields f)
{
	for (int i = 0; i < FIELDS; i++)
		if (strlen(f[i]) > widths[i])
			widths[i] = strlen(f[i]);
}

static void
put_line(struct append *to, const size_t widths[FIELDS], fields f)
{
	for (int i = 0; i < HOLDERS; i++)
		if (kinds[i].where & TABLE)
			append(to, "%-*s ", (int)widths[i], f[i]);
	append(to, "%s\n", f[HOLDERS]);
}

size_t
status_table_size(uint32_t count)
{
	return ((size_t)count + 1) * FIELDS * (STATUS_FIELD_SIZE + 1) + 1;
}

char *
status_table(const struct status_row *rows, uint32_t count, char *text)
{
	size_t widths[FIELDS] = { 0 };
	struct append to;
	fields f;

	append_init(&to, text, status_table_size(count));
	fill_titles(f);
	widen(widths, f);
	for (uint32_t i = 0; i < count; i++) {
		fill_fields(&rows[i], f);
		widen(widths, f);
	}
	fill_titles(f);
	put_line(&to, widths, f);
	for (uint32_t i = 0; i < count; i++) {
		fill_fields(&rows[i], f);
		put_line(&to, widths, f);
	}
	return text;
}
