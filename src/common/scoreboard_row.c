/*
 * Rows of the scoreboard: who has which, and counters that outlive workers and
 * listening sockets.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "common/scoreboard.h"

static bool
has_address(const struct pool_row *row, const char *address)
{
	return strncmp(row->address, address, sizeof(row->address)) == 0;
}

/* Whose row that of an address shall be, or row_count. */
static uint32_t
find_free_row(const struct scoreboard *board, const char *address)
{
	uint32_t unnamed = board->row_count, any = board->row_count;

	for (uint32_t i = board->row_count; i-- > 0;) {
		if (board->rows_taken[i])
			continue;
		if (has_address(&board->rows[i], address))
			return i;
		any = i;
		if (board->rows[i].address[0] == '\0')
			unnamed = i;
	}
	return unnamed < board->row_count ? unnamed : any;
}

int
scoreboard_take_row(
    struct scoreboard *board, const char *address, uint32_t *row)
{
	uint32_t i = find_free_row(board, address);

	if (i == board->row_count) {
		errno = ENOSPC;
		return -1;
	}
	if (!has_address(&board->rows[i], address))
		memset(&board->rows[i], 0, sizeof(board->rows[i]));
	scoreboard_claim_row(board, i);
	*row = i;
	return 0;
}

static void
add(_Atomic uint64_t *to, const _Atomic uint64_t *from)
{
	atomic_fetch_add_explicit(to, *from, memory_order_relaxed);
}

static void
add_counters(struct pool_row *to, const struct pool_row *from)
{
	add(&to->in, &from->in);
	add(&to->out, &from->out);
	add(&to->connections, &from->connections);
	for (size_t i = 0; i < SCOREBOARD_ENDINGS; i++)
		add(&to->endings[i], &from->endings[i]);
	add(&to->log_lost, &from->log_lost);
	add(&to->wait_ms, &from->wait_ms);
	if (from->longest_wait_ms > to->longest_wait_ms)
		to->longest_wait_ms = from->longest_wait_ms;
	add(&to->overflows, &from->overflows);
	/* What was new stays new, and nothing else becomes it. */
	for (size_t i = 0; i < LOOK_COUNT; i++)
		to->looks[i].overflows += from->looks[i].overflows;
}

/* All that is of the socket that had it: workers, times, the kernel's count. */
static void
forget_socket(struct pool_row *row)
{
	const size_t kept = offsetof(struct pool_row, accept_warned_ms);
	struct pool_look looks[LOOK_COUNT];

	memcpy(looks, row->looks, sizeof(looks));
	memset((char *)row + kept, 0, sizeof(*row) - kept);
	for (size_t i = 0; i < LOOK_COUNT; i++)
		row->looks[i].overflows = looks[i].overflows;
}

void
scoreboard_release_row(struct scoreboard *board, uint32_t index)
{
	struct pool_row *row = &board->rows[index];

	forget_socket(row);
	memset(scoreboard_idle(board, index), 0,
	    idle_set_words(board->slot_count) * sizeof(idle_word));
	board->rows_taken[index] = false;
	for (uint32_t i = 0; i < board->row_count && row->address[0]; i++)
		if (board->rows_taken[i] &&
		    has_address(&board->rows[i], row->address)) {
			add_counters(&board->rows[i], row);
			memset(row, 0, sizeof(*row));
			break;
		}
}

void
scoreboard_add_slot(struct pool_row *row, const struct slot *slot)
{
	/* As if it were a row of its own. */
	struct pool_row life = { .in = slot->traffic.in,
		.out = slot->traffic.out,
		.connections = slot->connections,
		.log_lost = slot->log_lost,
		.wait_ms = slot->wait_ms,
		.longest_wait_ms = slot->longest_wait_ms };

	for (size_t i = 0; i < SCOREBOARD_ENDINGS; i++)
		life.endings[i] = slot->endings[i];
	add_counters(row, &life);
}
