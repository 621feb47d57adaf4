/*
 * sock_table: TCP connections as the kernel has them, sorted by who is at their
 * ends.
 */
#ifndef CONTROL_SOCK_TABLE_H
#define CONTROL_SOCK_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* What it is known by. IPv4 is mapped into IPv6; ports in host byte order. */
struct sock_key {
	uint8_t peer[16];
	uint16_t peer_port;
	uint16_t local_port;
};

/* Of include/net/tcp_states.h: those that a process can have. */
enum sock_state {
	SOCK_ESTABLISHED = 1,
	SOCK_FIN_WAIT_1 = 4,
	SOCK_FIN_WAIT_2 = 5,
	SOCK_CLOSE_WAIT = 8,
	SOCK_LAST_ACK = 9,
	SOCK_CLOSING = 11
};

/* A connection, as ss(8) has it. */
struct sock {
	struct sock_key key;
	uint8_t local[16];
	uint32_t inode;
	uint8_t state;       /* enum sock_state */
	uint8_t timer;       /* see sock_timer_name */
	uint8_t timer_count; /* retransmissions or probes so far */
	uint32_t timer_ms;   /* left */
	uint32_t unacked;    /* bytes, a FIN is one: Send-Q of ss(8) */
	uint32_t rtt_us;     /* smoothed */
	uint32_t retrans;    /* segments, in all */
};

struct sock_table {
	struct sock *socks; /* by key */
	size_t count;
	size_t room;
};

/* By bytes, ports: less than, equal to or greater than 0. */
int sock_key_compare(const struct sock_key *a, const struct sock_key *b);

/* Adds one to a table that was all zero at first; 0, or -1 without memory. */
int sock_table_add(struct sock_table *table, const struct sock *sock);

/* Before sock_table_find, and after the last one was added. */
void sock_table_sort(struct sock_table *table);

/* The first of those with that key, of which there are *count; or NULL. */
const struct sock *sock_table_find(
    const struct sock_table *table, const struct sock_key *key, size_t *count);

void sock_table_free(struct sock_table *table);

/* "ESTABLISHED", "CLOSE-WAIT", ...: the names of RFC 9293, or "UNKNOWN". */
const char *sock_state_name(uint8_t state);

/* As ss(8): "on", "keepalive", "timewait", "persist", or NULL for none. */
const char *sock_timer_name(uint8_t timer);

#endif
