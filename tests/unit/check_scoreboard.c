/*
 * Tests of common/scoreboard: the memory that all processes share.
 */
#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/scoreboard.h"
#define ROWS 3
#define SLOTS 5

#include "unit/board.h"

static struct sockaddr_storage
address(const char *text, uint16_t port)
{
	struct sockaddr_storage storage = { 0 };
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		memcpy(&storage, &in, sizeof(in));
	else if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1)
		memcpy(&storage, &in6, sizeof(in6));
	else
		ck_abort_msg("not an address: %s", text);
	return storage;
}

static void
open_from(struct slot *slot, const char *text, uint16_t port)
{
	struct sockaddr_storage peer = address(text, port);

	slot_open(slot, (struct sockaddr *)&peer, 12345);
}

START_TEST(a_new_board_describes_itself)
{
	ck_assert(board.header->magic == SCOREBOARD_MAGIC);
	ck_assert_uint_eq(board.header->version, SCOREBOARD_VERSION);
	ck_assert_uint_eq(
	    board.header->header_size, sizeof(struct scoreboard_header));
	ck_assert_uint_eq(board.header->row_size, sizeof(struct pool_row));
	ck_assert_uint_eq(board.header->slot_size, 256);
	ck_assert_uint_eq(board.header->rows, ROWS);
	ck_assert_uint_eq(board.header->slots, SLOTS);
	ck_assert_int_eq(board.header->master, getpid());
	ck_assert_int_le(board.header->started_ms, clock_ms());
	ck_assert_uint_eq((uintptr_t)board.slots % 256, 0);
}
END_TEST

START_TEST(slots_are_taken_until_all_are)
{
	struct slot *taken[SLOTS];

	for (int i = 0; i < SLOTS; i++) {
		taken[i] = scoreboard_take(&board, 2);
		ck_assert_ptr_nonnull(taken[i]);
		for (int j = 0; j < i; j++)
			ck_assert_ptr_ne(taken[i], taken[j]);
		ck_assert_uint_eq(taken[i]->pool, 2);
		ck_assert_uint_eq(taken[i]->state, SLOT_STARTING);
		ck_assert_uint_eq(taken[i]->last_ending, SCOREBOARD_NO_ENDING);
	}
	ck_assert_ptr_null(scoreboard_take(&board, 0));
	scoreboard_release(&board, taken[3]->pool, taken[3], NULL, NULL);
	ck_assert_uint_eq(taken[3]->state, SLOT_FREE);
	ck_assert_ptr_eq(scoreboard_take(&board, 0), taken[3]);
	ck_assert_uint_eq(taken[3]->pool, 0);
	ck_assert_ptr_null(scoreboard_take(&board, 0));
}
END_TEST

START_TEST(slots_are_used_again_before_new_ones_are_touched)
{
	struct slot *first = scoreboard_take(&board, 0);
	struct slot *second = scoreboard_take(&board, 0);

	ck_assert_uint_eq(scoreboard_index(&board, first), 0);
	ck_assert_uint_eq(scoreboard_index(&board, second), 1);
	ck_assert_uint_eq(board.used, 2);
	for (int i = 0; i < 3 * SLOTS; i++) {
		scoreboard_release(&board, 0, first, NULL, NULL);
		ck_assert_ptr_eq(scoreboard_take(&board, 0), first);
	}
	ck_assert_uint_eq(board.used, 2);
	scoreboard_release(&board, 0, second, NULL, NULL);
	scoreboard_release(&board, 0, first, NULL, NULL);
	ck_assert_uint_eq(board.free_count, 2);
	ck_assert_uint_eq(board.used, 2);
	/* The last one is still warm in the caches. */
	ck_assert_ptr_eq(scoreboard_take(&board, 0), first);
	ck_assert_ptr_eq(scoreboard_take(&board, 0), second);
	ck_assert_uint_eq(
	    scoreboard_index(&board, scoreboard_take(&board, 0)), 2);
	ck_assert_uint_eq(board.used, 3);
	ck_assert_uint_eq(board.free_count, 0);
}
END_TEST

START_TEST(each_row_has_idle_bits_of_its_own)
{
	for (uint32_t row = 0; row < ROWS; row++)
		for (uint32_t i = 0; i < SLOTS; i++)
			if (i >= row)
				idle_set_add(scoreboard_idle(&board, row), i);
	for (uint32_t row = 0; row < ROWS; row++)
		ck_assert_uint_eq(idle_set_count(scoreboard_idle(&board, row),
				      SLOTS, UINT32_MAX),
		    SLOTS - row);
	/* Beyond the slots, and within the mapping. */
	ck_assert((char *)scoreboard_idle(&board, 0) >=
	    (char *)(board.slots + SLOTS));
	ck_assert((char *)scoreboard_idle(&board, ROWS) <=
	    (char *)board.header + board.size);
}
END_TEST

START_TEST(a_released_slot_is_not_idle)
{
	struct slot *dead, *other;
	idle_word *idle = scoreboard_idle(&board, 1);

	scoreboard_take(&board, 0);
	dead = scoreboard_take(&board, 1);
	other = scoreboard_take(&board, 1);
	idle_set_add(idle, scoreboard_index(&board, dead));
	idle_set_add(idle, scoreboard_index(&board, other));
	/* Killed in accept, its bit is still there. */
	scoreboard_release(&board, 1, dead, NULL, NULL);
	ck_assert(!idle_set_has(idle, 1));
	ck_assert(idle_set_has(idle, 2));
	ck_assert_uint_eq(idle_set_count(idle, SLOTS, UINT32_MAX), 1);
}
END_TEST

START_TEST(one_that_waited_was_idle_then)
{
	struct slot *slot = scoreboard_take(&board, 1);

	open_from(slot, "192.0.2.7", 1);
	ck_assert_int_eq(slot->traffic.moved_ms, slot->accepted_ms);
	slot_waited(slot, 40);
	ck_assert_int_eq(slot->traffic.moved_ms, slot->accepted_ms - 40);
}
END_TEST

START_TEST(a_connection_and_its_last_move_have_a_number)
{
	static const uint64_t connections[] = { 0, 1, 2, INT_MAX - 1, INT_MAX,
		UINT64_MAX };
	static const int64_t moments[] = { 0, 1, 1000, INT_MAX, INT64_MAX, -1,
		INT64_MIN };

	for (size_t i = 0; i < 6; i++)
		for (size_t j = 0; j < 7; j++)
			ck_assert_int_gt(
			    slot_number(connections[i], moments[j]), 0);
	/* Half an hour of one has no moment of the next ones. */
	for (int64_t ms = 4000000; ms < 6000000; ms++)
		for (uint64_t n = 1; n < 6; n++)
			ck_assert_int_ne(
			    slot_number(7, 5000000), slot_number(7 + n, ms));
	ck_assert_int_ne(slot_number(7, 1), slot_number(7, 2));
	ck_assert_int_eq(slot_number(7, 1), slot_number(7, 1));
}
END_TEST

START_TEST(release_adds_all_counters_to_the_row)
{
	struct pool_row *row = &board.rows[1];
	struct slot *slot;

	for (int round = 0; round < 2; round++) {
		slot = scoreboard_take(&board, 1);
		slot->traffic.in = 1;
		slot->traffic.out = 2;
		slot->log_lost = 3;
		slot_waited(slot, 5 + (unsigned)round);
		slot_waited(slot, 4);
		for (int i = 0; i < ENDING_COUNT; i++) {
			open_from(slot, "192.0.2.7", 1);
			slot_end(slot, (enum ending)i);
		}
		scoreboard_release(&board, slot->pool, slot, NULL, NULL);
	}
	ck_assert_uint_eq(row->in, 2);
	ck_assert_uint_eq(row->out, 4);
	ck_assert_uint_eq(row->log_lost, 6);
	ck_assert_uint_eq(row->wait_ms, 19);
	ck_assert_uint_eq(row->longest_wait_ms, 6);
	ck_assert_uint_eq(row->connections, 2 * ENDING_COUNT);
	for (int i = 0; i < ENDING_COUNT; i++)
		ck_assert_uint_eq(row->endings[i], 2);
	ck_assert_uint_eq(board.rows[0].connections, 0);
	ck_assert_uint_eq(board.rows[2].connections, 0);
}
END_TEST

START_TEST(a_released_slot_starts_from_nothing)
{
	struct slot *slot = scoreboard_take(&board, 1), *again;

	open_from(slot, "192.0.2.7", 1);
	slot_end(slot, ENDING_SERVED);
	slot->traffic.in = 5;
	scoreboard_release(&board, slot->pool, slot, NULL, NULL);
	again = scoreboard_take(&board, 1);
	ck_assert_ptr_eq(again, slot);
	ck_assert_uint_eq(again->connections, 0);
	ck_assert_uint_eq(again->traffic.in, 0);
	ck_assert_uint_eq(again->endings[ENDING_SERVED], 0);
	ck_assert_uint_eq(again->last_ending, SCOREBOARD_NO_ENDING);
	ck_assert(!slot_is_open(again));
}
END_TEST

START_TEST(an_open_connection_is_counted_failed)
{
	struct slot *slot = scoreboard_take(&board, 0), last;
	char text[ADDR_STRLEN];
	bool open = false;

	open_from(slot, "192.0.2.7", 1);
	slot_end(slot, ENDING_SERVED);
	open_from(slot, "192.0.2.8", 2);
	scoreboard_release(&board, slot->pool, slot, &open, &last);
	ck_assert(open);
	ck_assert_str_eq(slot_peer(&last, text), "192.0.2.8:2");
	ck_assert_int_eq(last.accepted_ms, 12345);
	ck_assert_uint_eq(board.rows[0].connections, 2);
	ck_assert_uint_eq(board.rows[0].endings[ENDING_SERVED], 1);
	ck_assert_uint_eq(board.rows[0].endings[ENDING_FAILED], 1);
}
END_TEST

START_TEST(a_worker_killed_while_it_wrote_is_released_as_well)
{
	struct slot *slot = scoreboard_take(&board, 0), last;
	bool open = false;

	open_from(slot, "192.0.2.7", 1);
	slot->sequence |= 1;
	scoreboard_release(&board, slot->pool, slot, &open, &last);
	ck_assert(open);
	ck_assert_uint_eq(last.connections, 1);
	ck_assert_uint_eq(board.rows[0].endings[ENDING_FAILED], 1);
}
END_TEST

START_TEST(nothing_is_failed_where_nothing_was_open)
{
	struct slot *slot = scoreboard_take(&board, 0), last;
	bool open = true;

	open_from(slot, "192.0.2.7", 1);
	slot_end(slot, ENDING_RESET);
	scoreboard_release(&board, slot->pool, slot, &open, &last);
	ck_assert(!open);
	ck_assert_uint_eq(last.last_ending, ENDING_RESET);
	ck_assert_uint_eq(board.rows[0].endings[ENDING_FAILED], 0);
}
END_TEST

START_TEST(a_slot_is_open_between_accept_and_ending)
{
	struct slot *slot = scoreboard_take(&board, 0);

	ck_assert(!slot_is_open(slot));
	for (int i = 0; i < ENDING_COUNT; i++) {
		open_from(slot, "192.0.2.7", 1);
		ck_assert(slot_is_open(slot));
		ck_assert_uint_eq(slot->state, SLOT_BUSY);
		slot_end(slot, (enum ending)i);
		ck_assert(!slot_is_open(slot));
		ck_assert_uint_eq(slot->last_ending, (uint32_t)i);
	}
}
END_TEST

START_TEST(open_notes_what_the_traffic_was_before)
{
	struct slot *slot = scoreboard_take(&board, 0), copy;

	slot->traffic.in = 70;
	slot->traffic.out = 80;
	open_from(slot, "192.0.2.7", 1);
	slot->traffic.in = 75;
	ck_assert(scoreboard_read(slot, &copy));
	ck_assert_uint_eq(copy.in_before, 70);
	ck_assert_uint_eq(copy.out_before, 80);
	ck_assert_uint_eq(copy.traffic.in, 75);
	ck_assert_int_eq(copy.accepted_ms, 12345);
	ck_assert_int_eq(copy.since_ms, 12345);
}
END_TEST

static const struct {
	const char *address;
	const char *text;
} peers[] = { { "192.0.2.7", "192.0.2.7:51514" },
	{ "::ffff:192.0.2.7", "192.0.2.7:51514" },
	{ "2001:db8::1", "[2001:db8::1]:51514" }, { "::", "[::]:51514" } };

START_TEST(a_peer_reads_as_it_was_accepted)
{
	struct slot *slot = scoreboard_take(&board, 0), copy;
	char text[ADDR_STRLEN];

	/* What an earlier and longer address left must not shine through. */
	open_from(slot, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535);
	slot_end(slot, ENDING_SERVED);
	open_from(slot, peers[_i].address, 51514);
	ck_assert(scoreboard_read(slot, &copy));
	ck_assert_ptr_eq(slot_peer(&copy, text), text);
	ck_assert_str_eq(text, peers[_i].text);
}
END_TEST

START_TEST(the_scope_of_a_peer_is_kept)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(9),
		.sin6_scope_id = 7 };
	struct slot *slot = scoreboard_take(&board, 0);
	char text[ADDR_STRLEN];

	ck_assert_int_eq(inet_pton(AF_INET6, "fe80::1", &in6.sin6_addr), 1);
	slot_open(slot, (struct sockaddr *)&in6, 1);
	ck_assert_str_eq(slot_peer(slot, text), "[fe80::1%7]:9");
	slot_end(slot, ENDING_SERVED);
	open_from(slot, "2001:db8::1", 9);
	ck_assert_str_eq(slot_peer(slot, text), "[2001:db8::1]:9");
	slot_end(slot, ENDING_SERVED);
	slot_open(slot, (struct sockaddr *)&in6, 1);
	open_from(slot, "192.0.2.7", 9);
	ck_assert_uint_eq(slot->peer_scope, 0);
}
END_TEST

static uint64_t
source_key(const char *text, uint16_t port)
{
	struct slot slot = { 0 };

	open_from(&slot, text, port);
	return slot.source_key;
}

START_TEST(one_source_is_an_ipv4_address_or_an_ipv6_64)
{
	uint64_t v4 = source_key("192.0.2.7", 1);
	uint64_t v6 = source_key("2001:db8:0:1::1", 1);

	ck_assert(source_key("192.0.2.7", 2) == v4);
	ck_assert(source_key("::ffff:192.0.2.7", 1) == v4);
	ck_assert(source_key("192.0.2.8", 1) != v4);
	ck_assert(source_key("193.0.2.7", 1) != v4);
	ck_assert(source_key("2001:db8:0:1:ffff:ffff:ffff:ffff", 2) == v6);
	ck_assert(source_key("2001:db8:0:2::1", 1) != v6);
	ck_assert(source_key("2001:db9:0:1::1", 1) != v6);
	ck_assert(v4 != v6);
}
END_TEST

START_TEST(a_slot_that_is_being_written_cannot_be_read)
{
	struct slot *slot = scoreboard_take(&board, 0), copy;

	open_from(slot, "192.0.2.7", 1);
	ck_assert_uint_eq(slot->sequence % 2, 0);
	ck_assert(scoreboard_read(slot, &copy));
	slot->sequence |= 1;
	ck_assert(!scoreboard_read(slot, &copy));
	ck_assert_uint_eq(copy.connections, 1);
}
END_TEST

/* A peer all of whose bytes come from one number. */
static void
open_numbered(struct slot *slot, uint16_t n)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(n),
		.sin6_scope_id = n };

	for (int i = 0; i < 16; i++)
		in6.sin6_addr.s6_addr[i] =
		    (uint8_t)(i % 2 == 0 ? n >> 8 : n & 0xff);
	slot_open(slot, (struct sockaddr *)&in6, n);
}

static bool
is_whole(const struct slot *copy)
{
	uint16_t n = copy->peer_port;

	for (int i = 0; i < 16; i++)
		if (copy->peer[i] != (uint8_t)(i % 2 == 0 ? n >> 8 : n & 0xff))
			return false;
	return copy->peer_scope == n && copy->accepted_ms == n &&
	    memcmp(&copy->source_key, copy->peer, 8) == 0;
}

START_TEST(a_reader_never_sees_half_of_a_peer)
{
	struct slot *slot = scoreboard_take(&board, 0), copy;
	int64_t deadline = clock_ms() + 2000;
	unsigned good = 0, changes = 0;
	bool torn = false;
	uint16_t last = 1;
	pid_t writer;

	open_numbered(slot, 1);
	writer = fork();
	if (writer == 0)
		for (uint16_t n = 2;; n++)
			open_numbered(slot, n);
	for (int i = 0; i < 2000000 && !torn && clock_ms() < deadline; i++) {
		if (!scoreboard_read(slot, &copy))
			continue;
		torn = !is_whole(&copy);
		good++;
		changes += copy.peer_port != last;
		last = copy.peer_port;
	}
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	ck_assert_msg(!torn, "port %u after %u reads", copy.peer_port, good);
	ck_assert_uint_gt(good, 0);
	ck_assert_uint_gt(changes, 0);
}
END_TEST

START_TEST(a_row_warns_once_in_each_period)
{
	struct pool_row *row = &board.rows[0];

	ck_assert(scoreboard_may_warn(row, 5000, 60000));
	ck_assert(!scoreboard_may_warn(row, 5000, 60000));
	ck_assert(!scoreboard_may_warn(row, 64999, 60000));
	ck_assert(scoreboard_may_warn(&board.rows[1], 5000, 60000));
	ck_assert(scoreboard_may_warn(row, 65000, 60000));
	ck_assert(!scoreboard_may_warn(row, 65001, 60000));
}
END_TEST

START_TEST(one_of_many_processes_may_warn)
{
	pid_t pids[8];
	int status, warned = 0;

	for (int i = 0; i < 8; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(scoreboard_may_warn(&board.rows[0], 5000, 60000));
	}
	for (int i = 0; i < 8; i++) {
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert(WIFEXITED(status));
		warned += WEXITSTATUS(status);
	}
	ck_assert_int_eq(warned, 1);
}
END_TEST

static void
add_slot_tests(Suite *suite)
{
	TCase *tcase = unit_case(suite, "slots");

	tcase_add_checked_fixture(tcase, board_make, board_destroy);
	tcase_add_test(tcase, a_new_board_describes_itself);
	tcase_add_test(tcase, slots_are_taken_until_all_are);
	tcase_add_test(tcase, slots_are_used_again_before_new_ones_are_touched);
	tcase_add_test(tcase, each_row_has_idle_bits_of_its_own);
	tcase_add_test(tcase, a_released_slot_is_not_idle);
	tcase_add_test(tcase, one_that_waited_was_idle_then);
	tcase_add_test(tcase, a_connection_and_its_last_move_have_a_number);
	tcase_add_test(tcase, release_adds_all_counters_to_the_row);
	tcase_add_test(tcase, a_released_slot_starts_from_nothing);
	tcase_add_test(tcase, an_open_connection_is_counted_failed);
	tcase_add_test(
	    tcase, a_worker_killed_while_it_wrote_is_released_as_well);
	tcase_add_test(tcase, nothing_is_failed_where_nothing_was_open);
	tcase_add_test(tcase, a_slot_is_open_between_accept_and_ending);
	tcase_add_test(tcase, open_notes_what_the_traffic_was_before);
}

int
main(void)
{
	Suite *suite = suite_create("scoreboard");
	TCase *tcase;

	add_slot_tests(suite);
	tcase = unit_case(suite, "peers");
	tcase_add_checked_fixture(tcase, board_make, board_destroy);
	tcase_add_loop_test(tcase, a_peer_reads_as_it_was_accepted, 0,
	    (int)(sizeof(peers) / sizeof(peers[0])));
	tcase_add_test(tcase, the_scope_of_a_peer_is_kept);
	tcase_add_test(tcase, one_source_is_an_ipv4_address_or_an_ipv6_64);
	tcase_add_test(tcase, a_slot_that_is_being_written_cannot_be_read);
	tcase_add_test(tcase, a_reader_never_sees_half_of_a_peer);
	tcase_add_test(tcase, a_row_warns_once_in_each_period);
	tcase_add_test(tcase, one_of_many_processes_may_warn);
	return unit_run(suite);
}
