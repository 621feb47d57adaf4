#include "common/status.h"

#include <inttypes.h>
#include <stdio.h>

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

char *
status_format(const struct status_row *row, char *line, size_t size)
{
	int used, before = 0;

	used = snprintf(line, size,
	    "service=%s listen=%s state=%s busy=%u "
	    "idle=%u other=%u workers=%u max=%u queue=%" PRIu32 "/%" PRIu32
	    " connections=%" PRIu64 " in=%" PRIu64 " out=%" PRIu64
	    " log-lost=%" PRIu64 " endings=",
	    row->service, row->address, row->state, row->busy, row->idle,
	    row->other, row->workers, row->max, row->queue_length,
	    row->queue_limit, row->connections, row->in, row->out,
	    row->log_lost);
	for (int i = 0; i < ENDING_COUNT; i++) {
		if (used < 0 || (size_t)used >= size)
			return line;
		if (row->endings[i] > 0)
			used += snprintf(line + used, size - (size_t)used,
			    "%s%s:%" PRIu64, before++ == 0 ? "" : ",",
			    ending_name((enum ending)i), row->endings[i]);
	}
	if (used >= 0 && (size_t)used < size)
		snprintf(line + used, size - (size_t)used, "%s holders=%s",
		    before == 0 ? "-" : "", row->holders);
	return line;
}
