#include "common/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

char *
status_format(const struct status_row *row, char *line, size_t size)
{
	char endings[STATUS_FIELD_SIZE];

	snprintf(line, size,
	    "service=%s listen=%s state=%s busy=%u "
	    "idle=%u other=%u workers=%u max=%u queue=%" PRIu32 "/%" PRIu32
	    " overflows=%" PRIu32 " connections=%" PRIu64 " in=%" PRIu64
	    " out=%" PRIu64 " log-lost=%" PRIu64 " endings=%s holders=%s",
	    row->service, row->address, row->state, row->busy, row->idle,
	    row->other, row->workers, row->max, row->queue_length,
	    row->queue_limit, row->overflows, row->connections, row->in,
	    row->out, row->log_lost,
	    format_endings(row, endings, sizeof(endings)), row->holders);
	return line;
}

#define COLUMNS 12

typedef char fields[COLUMNS][STATUS_FIELD_SIZE];

static void
fill_titles(fields f)
{
	static const char *const titles[COLUMNS] = { "service", "listen",
		"state", "busy", "idle", "other", "max", "queue", "overflows",
		"connections", "endings", "holders" };

	for (int i = 0; i < COLUMNS; i++)
		strlcpy(f[i], titles[i], STATUS_FIELD_SIZE);
}

static void
number(char field[STATUS_FIELD_SIZE], uint32_t value)
{
	if (value == STATUS_UNKNOWN)
		snprintf(field, STATUS_FIELD_SIZE, "-");
	else
		snprintf(field, STATUS_FIELD_SIZE, "%" PRIu32, value);
}

static void
fill_fields(const struct status_row *row, fields f)
{
	const uint32_t counts[] = { row->busy, row->idle, row->other,
		row->max };

	strlcpy(f[0], row->service, STATUS_FIELD_SIZE);
	strlcpy(f[1], row->address, STATUS_FIELD_SIZE);
	strlcpy(f[2], row->state, STATUS_FIELD_SIZE);
	for (int i = 0; i < 4; i++)
		number(f[3 + i], counts[i]);
	number(f[7], row->queue_limit);
	if (row->queue_limit != STATUS_UNKNOWN)
		snprintf(f[7], STATUS_FIELD_SIZE, "%" PRIu32 "/%" PRIu32,
		    row->queue_length, row->queue_limit);
	number(f[8], row->overflows);
	snprintf(f[9], STATUS_FIELD_SIZE, "%" PRIu64, row->connections);
	format_endings(row, f[10], STATUS_FIELD_SIZE);
	strlcpy(f[11], row->holders, STATUS_FIELD_SIZE);
}

static void
widen(size_t widths[COLUMNS], fields f)
{
	for (int i = 0; i < COLUMNS; i++)
		if (strlen(f[i]) > widths[i])
			widths[i] = strlen(f[i]);
}

/* Returns where the line ends. */
static char *
put_line(char *to, const size_t widths[COLUMNS], fields f)
{
	for (int i = 0; i < COLUMNS - 1; i++)
		to += sprintf(to, "%-*s ", (int)widths[i], f[i]);
	return to + sprintf(to, "%s\n", f[COLUMNS - 1]);
}

size_t
status_table_size(uint32_t count)
{
	return ((size_t)count + 1) * COLUMNS * (STATUS_FIELD_SIZE + 1) + 1;
}

char *
status_table(const struct status_row *rows, uint32_t count, char *text)
{
	size_t widths[COLUMNS] = { 0 };
	char *to = text;
	fields f;

	fill_titles(f);
	widen(widths, f);
	for (uint32_t i = 0; i < count; i++) {
		fill_fields(&rows[i], f);
		widen(widths, f);
	}
	fill_titles(f);
	to = put_line(to, widths, f);
	for (uint32_t i = 0; i < count; i++) {
		fill_fields(&rows[i], f);
		to = put_line(to, widths, f);
	}
	return text;
}
