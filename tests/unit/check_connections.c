/*
 * control/connections: who a worker is busy with, and what the kernel says of
 * that; over scoreboards and tables that are made up here.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROWS 2
#define SLOTS 10000

#include "control/connections.h"
#include "control/sock_diag.h"
#include "unit/board.h"

#define NOW 1000000

static struct connections connections;
static struct sock_table table;
static char *text;
static size_t text_size;

static void
make(void)
{
	char address[16];
	uint32_t row;

	board_make();
	for (uint32_t i = 0; i < ROWS; i++) {
		snprintf(address, sizeof(address), "*:%" PRIu32, i + 1);
		ck_assert_int_eq(scoreboard_take_row(&board, address, &row), 0);
	}
	strcpy(board.rows[0].service, "echo");
	strcpy(board.rows[0].address, "*:7");
	strcpy(board.rows[1].service, "daytime");
	strcpy(board.rows[1].address, "[2001:db8::1]:13");
	memset(&table, 0, sizeof(table));
}

static void
unmake(void)
{
	connections_free(&connections);
	sock_table_free(&table);
	free(text);
	text = NULL;
	board_destroy();
}

static void
peer_at(struct sockaddr_in6 *in6, const char *address, uint16_t port)
{
	*in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
		.sin6_port = htons(port) };
	ck_assert_int_eq(inet_pton(AF_INET6, address, &in6->sin6_addr), 1);
}

static struct slot *
busy(uint32_t row, pid_t pid, const char *address, uint16_t port, int64_t since)
{
	struct slot *slot = scoreboard_take(&board, row);
	struct sockaddr_in6 in6;

	peer_at(&in6, address, port);
	slot->pid = pid;
	slot_open(slot, (struct sockaddr *)&in6, since);
	return slot;
}

static void
known(const char *address, uint16_t port, uint16_t local, uint32_t inode,
    uint8_t state)
{
	struct sock sock = { .key = { .peer_port = port, .local_port = local },
		.inode = inode,
		.state = state,
		.timer = 2,
		.timer_count = 3,
		.timer_ms = 4567,
		.unacked = 11,
		.rtt_us = 123,
		.retrans = 5 };

	ck_assert_int_eq(inet_pton(AF_INET6, address, sock.key.peer), 1);
	ck_assert_int_eq(
	    inet_pton(AF_INET6, "::ffff:192.0.2.1", sock.local), 1);
	ck_assert_int_eq(sock_table_add(&table, &sock), 0);
	sock_table_sort(&table);
}

static void
collect(void)
{
	ck_assert_int_eq(connections_collect(&connections, &board, NOW), 0);
}

static const char *
print(void (*how)(const struct connections *, FILE *))
{
	FILE *to;

	free(text);
	to = open_memstream(&text, &text_size);
	ck_assert_ptr_nonnull(to);
	how(&connections, to);
	fclose(to);
	return text;
}

static bool
owns_of_pid(pid_t pid, uint32_t inode, void *context)
{
	++*(unsigned *)context;
	return (uint32_t)pid == inode;
}

static size_t
join(bool doubt, unsigned *asked)
{
	*asked = 0;
	return connections_join(
	    &connections, &table, doubt, owns_of_pid, asked);
}

START_TEST(only_workers_with_a_connection_are_there)
{
	struct slot *slot;

	slot_set_state(scoreboard_take(&board, 0), SLOT_IDLE, 1);
	slot = busy(0, 101, "::1", 1, NOW - 10);
	slot_end(slot, ENDING_RESET); /* and not yet in accept again */
	busy(0, 102, "::1", 2, NOW - 10);
	slot = busy(0, 103, "::1", 3, NOW - 10);
	slot_set_state(slot, SLOT_CLOSING, NOW);
	scoreboard_take(&board, 1);
	collect();
	ck_assert_uint_eq(connections.count, 2);
	ck_assert_int_eq(connections.list[0].pid, 102);
	ck_assert_int_eq(connections.list[1].pid, 103);
}
END_TEST

START_TEST(the_oldest_comes_first)
{
	busy(0, 101, "::1", 1, NOW - 10);
	busy(1, 102, "::1", 2, NOW - 3000);
	busy(0, 104, "::1", 3, NOW - 20);
	busy(0, 103, "::1", 4, NOW - 20);
	busy(0, 105, "::1", 5, NOW + 20); /* accepted since we looked */
	collect();
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(connections.list[i].pid,
		    ((const int[]){ 102, 103, 104, 101, 105 })[i]);
	ck_assert_int_eq(connections.list[0].age_ms, 3000);
	ck_assert_int_eq(connections.list[4].age_ms, 0);
}
END_TEST

/* A damaged file may hold any. */
START_TEST(no_time_is_too_far_away)
{
	static const int64_t times[] = { INT64_MIN, -1, 0, INT64_MAX };

	for (size_t i = 0; i < 4; i++)
		busy(0, 101, "::1", 1, times[i]);
	collect();
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_ge(connections.list[i].age_ms, 0);
	connections_free(&connections);
	ck_assert_int_eq(connections_last_ms(&board), INT64_MAX);
	ck_assert_int_eq(
	    connections_collect(&connections, &board, INT64_MAX), 0);
}
END_TEST

START_TEST(bytes_are_those_of_the_connection)
{
	struct slot *slot = scoreboard_take(&board, 0);
	struct sockaddr_in6 in6;

	peer_at(&in6, "::1", 1);
	slot->traffic.in = 1000;
	slot->traffic.out = 2000;
	slot_open(slot, (struct sockaddr *)&in6, NOW);
	slot->traffic.in += 7;
	slot->traffic.out += 8;
	collect();
	ck_assert_uint_eq(connections.list[0].in, 7);
	ck_assert_uint_eq(connections.list[0].out, 8);
}
END_TEST

START_TEST(a_slot_that_its_worker_died_writing_has_no_peer)
{
	unsigned asked;

	busy(0, 101, "::1", 1, NOW)->sequence++;
	known("::1", 1, 7, 101, SOCK_ESTABLISHED);
	collect();
	ck_assert_uint_eq(connections.count, 1);
	ck_assert(!connections.list[0].has_peer);
	ck_assert_uint_eq(join(false, &asked), 0);
	ck_assert_ptr_nonnull(strstr(print(connections_print),
	    "\n101 echo    -    -     -   -  -   -       -   -       -\n"));
	ck_assert_ptr_nonnull(
	    strstr(print(connections_print_json), "\"peer\":null,"));
}
END_TEST

START_TEST(ports_are_those_of_the_rows_in_use)
{
	uint16_t ports[8];

	busy(0, 101, "::1", 1, NOW);
	busy(0, 102, "::1", 2, NOW);
	collect();
	ck_assert_uint_eq(connections_ports(&connections, ports, 8), 1);
	ck_assert_uint_eq(ports[0], 7);
	connections_free(&connections);
	busy(1, 103, "::1", 1, NOW);
	collect();
	ck_assert_uint_eq(connections_ports(&connections, ports, 8), 2);
	ck_assert_uint_eq(connections_ports(&connections, ports, 1), 1);
	ck_assert_uint_eq(connections_port("*:65535"), 65535);
	ck_assert_uint_eq(connections_port("[::1]:7"), 7);
	ck_assert_uint_eq(connections_port("*:65543"), 0);
	ck_assert_uint_eq(connections_port("*:7x"), 0);
	ck_assert_uint_eq(connections_port("*:"), 0);
	ck_assert_uint_eq(connections_port("7"), 0);
}
END_TEST

/* The same peer and port to two services are two; so are two peers. */
START_TEST(each_finds_its_own)
{
	unsigned asked;

	busy(0, 101, "::ffff:192.0.2.7", 5000, NOW - 3);
	busy(1, 102, "::ffff:192.0.2.7", 5000, NOW - 2);
	busy(0, 103, "::ffff:192.0.2.8", 5000, NOW - 1);
	busy(0, 104, "::ffff:192.0.2.7", 5001, NOW);
	known("::ffff:192.0.2.7", 5000, 7, 9, SOCK_ESTABLISHED);
	known("::ffff:192.0.2.7", 5000, 13, 9, SOCK_CLOSE_WAIT);
	known("::ffff:192.0.2.8", 5000, 7, 9, SOCK_FIN_WAIT_2);
	known("::ffff:192.0.2.9", 5000, 7, 9, SOCK_LAST_ACK);
	collect();
	ck_assert_uint_eq(join(false, &asked), 3);
	ck_assert_uint_eq(asked, 0);
	ck_assert_uint_eq(connections.list[0].tcp.state, SOCK_ESTABLISHED);
	ck_assert_uint_eq(connections.list[1].tcp.state, SOCK_CLOSE_WAIT);
	ck_assert_uint_eq(connections.list[2].tcp.state, SOCK_FIN_WAIT_2);
	ck_assert(!connections.list[3].has_tcp);
}
END_TEST

/* One peer and port, to two of our addresses. */
START_TEST(of_several_the_workers_own_is_taken)
{
	unsigned asked;

	busy(0, 101, "::1", 5000, NOW - 2);
	busy(0, 102, "::1", 5000, NOW - 1);
	busy(0, 103, "::1", 5000, NOW);
	known("::1", 5000, 7, 102, SOCK_CLOSE_WAIT);
	known("::1", 5000, 7, 101, SOCK_ESTABLISHED);
	collect();
	ck_assert_uint_eq(join(false, &asked), 2);
	ck_assert_uint_gt(asked, 0);
	ck_assert_uint_eq(connections.list[0].tcp.state, SOCK_ESTABLISHED);
	ck_assert_uint_eq(connections.list[1].tcp.state, SOCK_CLOSE_WAIT);
	ck_assert(!connections.list[2].has_tcp);
}
END_TEST

/* It looks like ours, in a network that may not be. */
START_TEST(in_doubt_the_inode_decides)
{
	unsigned asked;

	busy(0, 101, "::1", 5000, NOW - 2);
	busy(0, 102, "::1", 5001, NOW - 1);
	known("::1", 5000, 7, 101, SOCK_ESTABLISHED);
	known("::1", 5001, 7, 999, SOCK_ESTABLISHED);
	known("::1", 5002, 7, 102, SOCK_ESTABLISHED);
	collect();
	ck_assert_uint_eq(join(true, &asked), 1);
	ck_assert_uint_eq(asked, 2);
	ck_assert(connections.list[0].has_tcp);
	ck_assert(!connections.list[1].has_tcp);
}
END_TEST

START_TEST(the_table_is_text_and_json)
{
	unsigned asked;

	busy(0, 101, "::ffff:192.0.2.7", 5000, NOW - 61234)->traffic.in = 64;
	busy(1, 12345, "2001:db8::2", 5001, NOW - 7);
	known("::ffff:192.0.2.7", 5000, 7, 1, SOCK_CLOSE_WAIT);
	collect();
	ck_assert_uint_eq(join(false, &asked), 1);
	ck_assert_str_eq(print(connections_print),
	    "pid   service peer               state      age    in out "
	    "unacked rtt      retrans timer\n"
	    "101   echo    192.0.2.7:5000     CLOSE-WAIT 61.234 64 0   "
	    "11      0.000123 5       keepalive,4.567,3\n"
	    "12345 daytime [2001:db8::2]:5001 -          0.007  0  0   "
	    "-       -        -       -\n");
	ck_assert_str_eq(print(connections_print_json),
	    "[\n{\"pid\":101,\"service\":\"echo\",\"listen\":\"*:7\","
	    "\"peer\":\"192.0.2.7:5000\",\"age_seconds\":61.234,\"in\":64,"
	    "\"out\":0,\"local\":\"192.0.2.1:7\",\"state\":\"CLOSE-WAIT\","
	    "\"unacked\":11,\"rtt_seconds\":0.000123,\"retrans\":5,"
	    "\"timer\":\"keepalive\",\"timer_seconds\":4.567,"
	    "\"timer_count\":3},\n"
	    "{\"pid\":12345,\"service\":\"daytime\","
	    "\"listen\":\"[2001:db8::1]:13\",\"peer\":\"[2001:db8::2]:5001\","
	    "\"age_seconds\":0.007,\"in\":0,\"out\":0,\"local\":null,"
	    "\"state\":null,\"unacked\":null,\"rtt_seconds\":null,"
	    "\"retrans\":null,\"timer\":null,\"timer_seconds\":null,"
	    "\"timer_count\":null}]");
}
END_TEST

START_TEST(none_is_titles_and_an_empty_array)
{
	collect();
	ck_assert_str_eq(print(connections_print),
	    "pid service peer state age in out unacked rtt retrans timer\n");
	ck_assert_str_eq(print(connections_print_json), "[]");
}
END_TEST

START_TEST(names_of_a_damaged_scoreboard_are_text)
{
	memcpy(board.rows[0].service, "\"\\\n\033", 4);
	memset(board.rows[0].address, 'x', sizeof(board.rows[0].address));
	busy(0, 101, "::1", 1, NOW);
	busy(0, 102, "::1", 1, NOW)->pool = 10000000;
	collect();
	ck_assert_ptr_nonnull(strstr(print(connections_print), "\"\\??"));
	ck_assert_ptr_nonnull(strstr(
	    print(connections_print_json), "\"service\":\"\\\"\\\\??\""));
	ck_assert_ptr_nonnull(strstr(text, "\"pid\":102,\"service\":null,"));
}
END_TEST

/* With so many a search from one end to the other would be seen. */
START_TEST(ten_thousand_are_joined)
{
	unsigned asked;

	for (int i = 0; i < SLOTS; i++)
		busy(0, 100 + i, "::1", (uint16_t)(50000 - i), NOW - i);
	for (int i = 0; i < SLOTS; i++) {
		struct sock sock = { .key = { .peer_port =
						  (uint16_t)(50000 - i),
					 .local_port = 7 },
			.inode = (uint32_t)i };

		sock.key.peer[15] = 1;
		ck_assert_int_eq(sock_table_add(&table, &sock), 0);
	}
	sock_table_sort(&table);
	collect();
	ck_assert_uint_eq(connections.count, SLOTS);
	ck_assert_uint_eq(join(false, &asked), SLOTS);
	for (int i = 0; i < SLOTS; i++)
		ck_assert_int_eq(connections.list[i].pid - 100,
		    (int)connections.list[i].tcp.inode);
	print(connections_print);
}
END_TEST

/* A connection of our own, among those that are no concern of ours. */
START_TEST(the_kernel_is_asked_for_some_ports)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint16_t ports[3] = { 1, 0, 2 }, from;
	char why[SOCK_DIAG_WHY_SIZE];
	socklen_t size = sizeof(in);
	struct sock_key key = { .peer = {
				    [10] = 0xff, [11] = 0xff, 127, [15] = 1 } };
	const struct sock *found;
	int listener = socket(AF_INET, SOCK_STREAM, 0), server;
	int client = socket(AF_INET, SOCK_STREAM, 0);
	size_t count;

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&in, size), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	getsockname(listener, (struct sockaddr *)&in, &size);
	ports[1] = ntohs(in.sin_port);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&in, size), 0);
	getsockname(client, (struct sockaddr *)&in, &size);
	from = ntohs(in.sin_port);
	server = accept(listener, NULL, NULL);
	ck_assert_int_eq(send(client, "abc", 3, 0), 3);
	ck_assert_int_eq(sock_diag(&table, ports, 3, why), 0);
	/* The client's end has another port, and the listener is none. */
	ck_assert_uint_eq(table.count, 1);
	key.peer_port = from;
	key.local_port = ports[1];
	found = sock_table_find(&table, &key, &count);
	ck_assert_ptr_nonnull(found);
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_eq(found->state, SOCK_ESTABLISHED);
	ck_assert_uint_gt(found->rtt_us, 0);
	close(client);
	sock_table_free(&table);
	ck_assert_int_eq(sock_diag(&table, ports, 3, why), 0);
	ck_assert_uint_eq(table.count, 1);
	ck_assert_uint_eq(table.socks[0].state, SOCK_CLOSE_WAIT);
	sock_table_free(&table);
	ck_assert_int_eq(sock_diag(&table, ports, 1, why), 0);
	ck_assert_uint_eq(table.count, 0);
	ck_assert_int_eq(sock_diag(&table, ports, 0, why), 0);
	ck_assert_uint_eq(table.count, 0);
	close(server);
	close(listener);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("connections");
	TCase *tcase = unit_case(suite, "connections");

	tcase_add_checked_fixture(tcase, make, unmake);
	tcase_add_test(tcase, only_workers_with_a_connection_are_there);
	tcase_add_test(tcase, the_oldest_comes_first);
	tcase_add_test(tcase, no_time_is_too_far_away);
	tcase_add_test(tcase, bytes_are_those_of_the_connection);
	tcase_add_test(tcase, a_slot_that_its_worker_died_writing_has_no_peer);
	tcase_add_test(tcase, ports_are_those_of_the_rows_in_use);
	tcase_add_test(tcase, each_finds_its_own);
	tcase_add_test(tcase, of_several_the_workers_own_is_taken);
	tcase_add_test(tcase, in_doubt_the_inode_decides);
	tcase_add_test(tcase, the_table_is_text_and_json);
	tcase_add_test(tcase, none_is_titles_and_an_empty_array);
	tcase_add_test(tcase, names_of_a_damaged_scoreboard_are_text);
	tcase_add_test(tcase, ten_thousand_are_joined);
	tcase_add_test(tcase, the_kernel_is_asked_for_some_ports);
	return unit_run(suite);
}
