#include "control/sock_table.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 256

int
sock_table_add(struct sock_table *table, const struct sock *sock)
{
	size_t room = table->room == 0 ? FIRST_ROOM : 2 * table->room;
	struct sock *more;

	if (table->count == table->room) {
		more = reallocarray(table->socks, room, sizeof(*more));
		if (more == NULL)
			return -1;
		table->socks = more;
		table->room = room;
	}
	table->socks[table->count++] = *sock;
	return 0;
}

int
sock_key_compare(const struct sock_key *a, const struct sock_key *b)
{
	int order = memcmp(a->peer, b->peer, sizeof(a->peer));

	if (order == 0)
		order = a->peer_port - b->peer_port;
	return order != 0 ? order : a->local_port - b->local_port;
}

static int
compare_socks(const void *a, const void *b)
{
	return sock_key_compare(
	    &((const struct sock *)a)->key, &((const struct sock *)b)->key);
}

void
sock_table_sort(struct sock_table *table)
{
	if (table->count > 1)
		qsort(table->socks, table->count, sizeof(*table->socks),
		    compare_socks);
}

const struct sock *
sock_table_find(
    const struct sock_table *table, const struct sock_key *key, size_t *count)
{
	size_t low = 0, high = table->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (sock_key_compare(&table->socks[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (high = low; high < table->count &&
	     sock_key_compare(&table->socks[high].key, key) == 0;)
		high++;
	*count = high - low;
	return high == low ? NULL : &table->socks[low];
}

void
sock_table_free(struct sock_table *table)
{
	free(table->socks);
	memset(table, 0, sizeof(*table));
}

const char *
sock_state_name(uint8_t state)
{
	static const char *const names[] = { [SOCK_ESTABLISHED] = "ESTABLISHED",
		[SOCK_FIN_WAIT_1] = "FIN-WAIT-1",
		[SOCK_FIN_WAIT_2] = "FIN-WAIT-2",
		[SOCK_CLOSE_WAIT] = "CLOSE-WAIT",
		[SOCK_LAST_ACK] = "LAST-ACK",
		[SOCK_CLOSING] = "CLOSING" };

	if (state >= sizeof(names) / sizeof(names[0]) || names[state] == NULL)
		return "UNKNOWN";
	return names[state];
}

const char *
sock_timer_name(uint8_t timer)
{
	static const char *const names[] = { NULL, "on", "keepalive",
		"timewait", "persist" };

	return timer < sizeof(names) / sizeof(names[0]) ? names[timer] :
							  "unknown";
}
