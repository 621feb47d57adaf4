/*
 * Tests of common/scoreboard: rows that come and go, and a master that takes
 * over what another one has created.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define ROWS 3
#define SLOTS 5

#include "unit/board.h"

/* A row for a listening socket at that address, as the master takes one. */
static uint32_t
take(const char *address)
{
	uint32_t row;

	ck_assert_int_eq(scoreboard_take_row(&board, address, &row), 0);
	strlcpy(board.rows[row].address, address, ADDR_STRLEN);
	return row;
}

START_TEST(each_row_is_taken_once)
{
	uint32_t row;

	ck_assert_uint_eq(take("*:1"), 0);
	ck_assert_uint_eq(take("*:2"), 1);
	ck_assert_uint_eq(take("*:3"), 2);
	errno = 0;
	ck_assert_int_eq(scoreboard_take_row(&board, "*:4", &row), -1);
	ck_assert_int_eq(errno, ENOSPC);
	scoreboard_release_row(&board, 1);
	ck_assert_uint_eq(take("*:4"), 1);
	ck_assert_int_eq(scoreboard_take_row(&board, "*:2", &row), -1);
}
END_TEST

/* Whoever counts connections finds no fewer than before. */
START_TEST(an_address_that_comes_again_goes_on_counting)
{
	uint32_t row = take("*:1"), other = take("*:2");

	board.rows[row].connections = 7;
	board.rows[row].overflows = 8;
	board.rows[row].drops = 8;
	board.rows[row].full_ms = 9;
	board.rows[row].looks[LOOK_LOG].at_ms = 10;
	board.rows[row].looks[LOOK_LOG].overflows = 5;
	board.rows[row].want_short = 1;
	idle_set_add(scoreboard_idle(&board, row), SLOTS - 1);
	idle_set_add(scoreboard_idle(&board, other), 0);
	scoreboard_release_row(&board, row);
	ck_assert_uint_eq(take("*:3"), 2); /* one that nobody has had */
	ck_assert_uint_eq(take("*:1"), row);
	ck_assert_uint_eq(board.rows[row].connections, 7);
	ck_assert_uint_eq(board.rows[row].overflows, 8);
	/* Those that were looked at are not new again. */
	ck_assert_uint_eq(board.rows[row].looks[LOOK_LOG].overflows, 5);
	/* But the socket is a new one, and so are its workers. */
	ck_assert_uint_eq(board.rows[row].drops, 0);
	ck_assert_int_eq(board.rows[row].full_ms, 0);
	ck_assert_int_eq(board.rows[row].looks[LOOK_LOG].at_ms, 0);
	ck_assert_uint_eq(board.rows[row].want_short, 0);
	ck_assert_uint_eq(
	    idle_set_count(scoreboard_idle(&board, row), SLOTS, SLOTS), 0);
	/* Its neighbour has kept what it had. */
	ck_assert(idle_set_has(scoreboard_idle(&board, other), 0));
}
END_TEST

START_TEST(a_row_that_another_address_takes_is_all_zero)
{
	static const struct pool_row zero = { .taken = true };
	uint32_t row = take("*:1");

	take("*:2");
	take("*:3");
	memset(&board.rows[row].in, 0xff,
	    sizeof(zero) - offsetof(struct pool_row, in));
	scoreboard_release_row(&board, row);
	ck_assert_int_eq(scoreboard_take_row(&board, "*:4", &row), 0);
	ck_assert_mem_eq(&board.rows[row], &zero, sizeof(zero));
}
END_TEST

START_TEST(one_that_ends_leaves_its_counters_to_its_successor)
{
	uint32_t old = take("*:1"), new = take("*:1");
	struct pool_row *row = &board.rows[old];

	ck_assert_uint_ne(old, new);
	row->in = 1;
	row->out = 2;
	row->connections = 3;
	row->log_lost = 4;
	row->wait_ms = 5;
	row->longest_wait_ms = 6;
	row->overflows = 7;
	row->looks[LOOK_STATUS].overflows = 6;
	for (uint64_t i = 0; i < SCOREBOARD_ENDINGS; i++)
		row->endings[i] = 8 + i;
	board.rows[new] = *row;
	board.rows[new].longest_wait_ms = 5;
	scoreboard_release_row(&board, old);
	row = &board.rows[new];
	ck_assert_uint_eq(row->in, 2);
	ck_assert_uint_eq(row->out, 4);
	ck_assert_uint_eq(row->connections, 6);
	ck_assert_uint_eq(row->log_lost, 8);
	ck_assert_uint_eq(row->wait_ms, 10);
	ck_assert_uint_eq(row->longest_wait_ms, 6);
	ck_assert_uint_eq(row->overflows, 14);
	ck_assert_uint_eq(row->looks[LOOK_STATUS].overflows, 12);
	for (uint64_t i = 0; i < SCOREBOARD_ENDINGS; i++)
		ck_assert_uint_eq(row->endings[i], 16 + 2 * i);
	/* They are there once. */
	ck_assert_uint_eq(take("*:1"), old);
	ck_assert_uint_eq(board.rows[old].connections, 0);
}
END_TEST

START_TEST(the_next_master_sees_what_is_there)
{
	struct slot *slot = scoreboard_take(&board, 1);
	struct scoreboard next;
	uint32_t row;

	slot_count(&slot->connections, 7);
	board.rows[1].in = 1234;
	idle_set_add(scoreboard_idle(&board, 1), 0);
	ck_assert_int_eq(
	    scoreboard_attach(&next, dup(board.fd), ROWS, SLOTS, 3), 0);
	ck_assert_uint_eq(next.slot_count, SLOTS);
	ck_assert_uint_eq(next.row_count, ROWS);
	ck_assert_uint_eq(next.used, 3);
	ck_assert(next.slots[0].connections == 7);
	ck_assert(next.rows[1].in == 1234);
	ck_assert(idle_set_has(scoreboard_idle(&next, 1), 0));
	/* Rows that are there are claimed; the others can be taken. */
	scoreboard_claim_row(&next, 0);
	scoreboard_claim_row(&next, 1);
	ck_assert_int_eq(scoreboard_take_row(&next, "*:9", &row), 0);
	ck_assert_uint_eq(row, 2);
	ck_assert_int_eq(scoreboard_take_row(&next, "*:9", &row), -1);
	scoreboard_destroy(&next);
}
END_TEST

START_TEST(slots_below_used_are_taken_until_they_are_freed)
{
	struct scoreboard next;

	ck_assert_int_eq(
	    scoreboard_attach(&next, dup(board.fd), ROWS, SLOTS, 3), 0);
	scoreboard_free_slot(&next, 2);
	scoreboard_free_slot(&next, 0);
	ck_assert_ptr_eq(scoreboard_take(&next, 0), &next.slots[0]);
	ck_assert_ptr_eq(scoreboard_take(&next, 0), &next.slots[2]);
	ck_assert_ptr_eq(scoreboard_take(&next, 0), &next.slots[3]);
	ck_assert_ptr_eq(scoreboard_take(&next, 0), &next.slots[4]);
	ck_assert_ptr_null(scoreboard_take(&next, 0));
	scoreboard_destroy(&next);
}
END_TEST

/* Workers can write to all of it, and one that was taken over does. */
START_TEST(what_the_header_says_is_not_looked_at)
{
	struct scoreboard_header before = *board.header;
	struct scoreboard next;

	memset(board.header, 0xff, sizeof(*board.header));
	ck_assert_int_eq(
	    scoreboard_attach(&next, dup(board.fd), ROWS, SLOTS, 0), 0);
	ck_assert_uint_eq(next.slot_count, SLOTS);
	ck_assert_uint_eq(next.row_count, ROWS);
	ck_assert_uint_eq(scoreboard_index(&next, &next.slots[4]), 4);
	/* A trial leaves it alone; who goes on with it says who it is. */
	ck_assert(board.header->magic != SCOREBOARD_MAGIC);
	scoreboard_sign(&next);
	ck_assert_mem_eq(board.header, &before,
	    offsetof(struct scoreboard_header, log_level));
	scoreboard_destroy(&next);
}
END_TEST

START_TEST(one_of_another_size_is_refused)
{
	static const uint32_t sizes[][2] = { { ROWS + 1, SLOTS },
		{ ROWS, SLOTS + 1 }, { 1, 1 }, { UINT16_MAX, UINT32_MAX } };
	struct scoreboard next;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		errno = 0;
		ck_assert_int_eq(scoreboard_attach(&next, board.fd, sizes[i][0],
				     sizes[i][1], 0),
		    -1);
		ck_assert_int_eq(errno, EPROTO);
	}
	errno = 0;
	ck_assert_int_eq(scoreboard_attach(&next, -1, ROWS, SLOTS, 0), -1);
	ck_assert_int_eq(errno, EBADF);
	/* Nobody has closed it. */
	ck_assert_int_eq(
	    scoreboard_attach(&next, dup(board.fd), ROWS, SLOTS, 0), 0);
	scoreboard_destroy(&next);
}
END_TEST

START_TEST(the_layout_is_that_of_the_header)
{
	struct scoreboard_layout layout = scoreboard_layout();

	ck_assert_uint_eq(layout.version, board.header->version);
	ck_assert_uint_eq(layout.header_size, board.header->header_size);
	ck_assert_uint_eq(layout.row_size, board.header->row_size);
	ck_assert_uint_eq(layout.slot_size, board.header->slot_size);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scoreboard");
	TCase *tcase = unit_case(suite, "rows");

	tcase_add_checked_fixture(tcase, board_make, board_destroy);
	tcase_add_test(tcase, each_row_is_taken_once);
	tcase_add_test(tcase, an_address_that_comes_again_goes_on_counting);
	tcase_add_test(tcase, a_row_that_another_address_takes_is_all_zero);
	tcase_add_test(
	    tcase, one_that_ends_leaves_its_counters_to_its_successor);
	tcase = unit_case(suite, "attach");
	tcase_add_checked_fixture(tcase, board_make, board_destroy);
	tcase_add_test(tcase, the_next_master_sees_what_is_there);
	tcase_add_test(tcase, slots_below_used_are_taken_until_they_are_freed);
	tcase_add_test(tcase, what_the_header_says_is_not_looked_at);
	tcase_add_test(tcase, one_of_another_size_is_refused);
	tcase_add_test(tcase, the_layout_is_that_of_the_header);
	return unit_run(suite);
}
