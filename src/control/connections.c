#include "control/connections.h"

#include <stdlib.h>
#include <string.h>

#include "common/scoreboard_view.h"

uint16_t
connections_port(const char *address)
{
	const char *colon = strrchr(address, ':');
	char *end;
	long port;

	if (colon == NULL)
		return 0;
	port = strtol(colon + 1, &end, 10);
	return *end == '\0' && port > 0 && port <= UINT16_MAX ? (uint16_t)port :
								0;
}

/*
 * The copy is the caller's, not the scoreboard: what was looked at does not
 * change. A worker that was killed while it wrote leaves a peer that is half
 * another one.
 */
static bool
is_busy(const struct slot *slot)
{
	return (slot->state == SLOT_BUSY || slot->state == SLOT_CLOSING) &&
	    slot_is_open(slot);
}

/* What the row of a slot says, or "-" for a row that is none or has no name. */
static void
fill_row(struct connection *c, const struct scoreboard *board, uint32_t index)
{
	static const struct pool_row none = { .service = "-", .address = "-" };
	const struct pool_row *row = &none;

	if (index < board->row_count && *board->rows[index].service != '\0')
		row = &board->rows[index];
	scoreboard_text(
	    c->service, sizeof(c->service), row->service, sizeof(row->service));
	scoreboard_text(
	    c->listen, sizeof(c->listen), row->address, sizeof(row->address));
	c->local_port = connections_port(c->listen);
}

static void
fill(struct connection *c, const struct slot *slot,
    const struct scoreboard *board, int64_t now)
{
	fill_row(c, board, slot->pool);
	c->pid = slot->pid;
	if (slot->accepted_ms >= 0 && now > slot->accepted_ms)
		c->age_ms = now - slot->accepted_ms;
	c->in = slot->traffic.in - slot->in_before;
	c->out = slot->traffic.out - slot->out_before;
	memcpy(c->peer, slot->peer, sizeof(c->peer));
	c->peer_port = slot->peer_port;
	slot_peer(slot, c->peer_text);
}

static int
compare_ages(const void *a, const void *b)
{
	const struct connection *left = a, *right = b;

	if (left->age_ms != right->age_ms)
		return left->age_ms > right->age_ms ? -1 : 1;
	return (left->pid > right->pid) - (left->pid < right->pid);
}

int
connections_collect(struct connections *connections,
    const struct scoreboard *board, int64_t now)
{
	struct connection *list, *c;
	size_t count = 0;
	struct slot slot;

	memset(connections, 0, sizeof(*connections));
	for (uint32_t i = 0; i < board->used; i++)
		count += board->slots[i].state != SLOT_FREE;
	list = calloc(count + 1, sizeof(*list));
	if (list == NULL)
		return -1;
	connections->list = list;
	for (uint32_t i = 0; i < board->used && connections->count < count;
	     i++) {
		c = &list[connections->count];
		c->has_peer = scoreboard_read(&board->slots[i], &slot);
		if (!is_busy(&slot))
			continue;
		fill(c, &slot, board, now);
		connections->count++;
	}
	qsort(list, connections->count, sizeof(*list), compare_ages);
	return 0;
}

int64_t
connections_last_ms(const struct scoreboard *board)
{
	int64_t last = board->header->started_ms, since;

	for (uint32_t i = 0; i < board->used; i++) {
		since = board->slots[i].since_ms;
		if (since > last)
			last = since;
	}
	return last;
}

size_t
connections_ports(
    const struct connections *connections, uint16_t *ports, size_t most)
{
	size_t count = 0, at;

	for (size_t i = 0; i < connections->count; i++) {
		uint16_t port = connections->list[i].local_port;

		for (at = 0; at < count && ports[at] != port;)
			at++;
		if (port != 0 && at == count && count < most)
			ports[count++] = port;
	}
	return count;
}

static const struct sock *
choose(const struct connection *c, const struct sock *first, size_t count,
    bool doubt, connections_owns *owns, void *context)
{
	if (count == 1 && !doubt)
		return first;
	for (size_t i = 0; i < count; i++)
		if (first[i].inode != 0 &&
		    owns(c->pid, first[i].inode, context))
			return &first[i];
	return NULL;
}

size_t
connections_join(struct connections *connections,
    const struct sock_table *table, bool doubt, connections_owns *owns,
    void *context)
{
	size_t found = 0, count;

	for (size_t i = 0; i < connections->count; i++) {
		struct connection *c = &connections->list[i];
		struct sock_key key = { .peer_port = c->peer_port,
			.local_port = c->local_port };
		const struct sock *tcp;

		if (!c->has_peer)
			continue;
		memcpy(key.peer, c->peer, sizeof(key.peer));
		tcp = sock_table_find(table, &key, &count);
		tcp = choose(c, tcp, count, doubt, owns, context);
		if (tcp == NULL)
			continue;
		c->tcp = *tcp;
		c->has_tcp = true;
		found++;
	}
	return found;
}

void
connections_free(struct connections *connections)
{
	free(connections->list);
	memset(connections, 0, sizeof(*connections));
}
