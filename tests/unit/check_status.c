/*
 * Tests of common/status: counting the slots of a row, and its line.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/status.h"
#define ROWS 2
#define SLOTS 12

#include "unit/board.h"
#include "unit/status_head.h"

/* A worker of that row in that state, with a first connection behind it. */
static struct slot *
add_worker(uint32_t row, enum slot_state state)
{
	struct sockaddr_in peer = { .sin_family = AF_INET };
	struct slot *slot = scoreboard_take(&board, row);

	ck_assert_ptr_nonnull(slot);
	slot_open(slot, (struct sockaddr *)&peer, 1);
	slot_end(slot, ENDING_SERVED);
	slot->traffic.in = 10;
	slot->traffic.out = 100;
	slot->log_lost = 1;
	slot_waited(slot, 30);
	slot_set_state(slot, state, 1);
	return slot;
}

START_TEST(a_row_without_workers_counts_nothing)
{
	struct status_row row;

	memset(&row, 0xff, sizeof(row));
	status_count(&board, 0, &row);
	ck_assert_uint_eq(row.busy + row.idle + row.other, 0);
	ck_assert_uint_eq(row.connections, 0);
	ck_assert_uint_eq(row.in, 0);
	ck_assert_uint_eq(row.out, 0);
	ck_assert_uint_eq(row.log_lost, 0);
	ck_assert_uint_eq(row.wait_ms, 0);
	ck_assert_uint_eq(row.longest_wait_ms, 0);
	ck_assert_uint_eq(status_mean_wait(&row), 0);
	for (int i = 0; i < ENDING_COUNT; i++)
		ck_assert_uint_eq(row.endings[i], 0);
}
END_TEST

START_TEST(each_state_counts_where_it_belongs)
{
	struct status_row row;

	add_worker(1, SLOT_IDLE);
	add_worker(1, SLOT_IDLE);
	add_worker(1, SLOT_IDLE);
	add_worker(1, SLOT_BUSY);
	add_worker(1, SLOT_CLOSING);
	add_worker(1, SLOT_STARTING);
	status_count(&board, 1, &row);
	ck_assert_uint_eq(row.idle, 3);
	ck_assert_uint_eq(row.busy, 2);
	ck_assert_uint_eq(row.other, 1);
	add_worker(1, SLOT_PAUSED);
	status_count(&board, 1, &row);
	ck_assert_uint_eq(row.other, 2);
}
END_TEST

START_TEST(only_the_slots_of_the_row_count)
{
	struct status_row row;

	add_worker(0, SLOT_IDLE);
	add_worker(1, SLOT_BUSY);
	add_worker(1, SLOT_BUSY);
	status_count(&board, 0, &row);
	ck_assert_uint_eq(row.idle, 1);
	ck_assert_uint_eq(row.busy, 0);
	ck_assert_uint_eq(row.connections, 1);
	status_count(&board, 1, &row);
	ck_assert_uint_eq(row.busy, 2);
	ck_assert_uint_eq(row.idle, 0);
	ck_assert_uint_eq(row.connections, 2);
}
END_TEST

START_TEST(reaped_and_living_workers_are_added_up)
{
	struct slot *slot = add_worker(0, SLOT_IDLE);
	struct status_row row;

	add_worker(0, SLOT_IDLE);
	slot_end(slot, ENDING_RESET);
	slot->connections++;
	scoreboard_release(&board, slot->pool, slot, NULL, NULL);
	status_count(&board, 0, &row);
	ck_assert_uint_eq(row.idle, 1);
	ck_assert_uint_eq(row.connections, 3);
	ck_assert_uint_eq(row.in, 20);
	ck_assert_uint_eq(row.out, 200);
	ck_assert_uint_eq(row.log_lost, 2);
	ck_assert_uint_eq(row.endings[ENDING_SERVED], 2);
	ck_assert_uint_eq(row.endings[ENDING_RESET], 1);
}
END_TEST

START_TEST(waits_of_all_have_a_mean_and_a_longest)
{
	struct slot *reaped = add_worker(0, SLOT_IDLE);
	struct slot *living = add_worker(0, SLOT_IDLE);
	struct status_row row;

	slot_waited(living, 40);
	slot_waited(reaped, 50);
	slot_waited(reaped, 10);
	status_count(&board, 0, &row);
	ck_assert_uint_eq(row.longest_wait_ms, 50);
	scoreboard_release(&board, reaped->pool, reaped, NULL, NULL);
	status_count(&board, 0, &row);
	ck_assert_uint_eq(row.wait_ms, 160);
	ck_assert_uint_eq(row.longest_wait_ms, 50);
	ck_assert_uint_eq(status_mean_wait(&row), 80);
	slot_waited(living, 51);
	status_count(&board, 0, &row);
	ck_assert_uint_eq(row.longest_wait_ms, 51);
}
END_TEST

START_TEST(a_worker_killed_while_it_wrote_still_counts)
{
	struct slot *slot = add_worker(0, SLOT_BUSY);
	struct status_row row;

	slot->sequence |= 1;
	status_count(&board, 0, &row);
	ck_assert_uint_eq(row.busy, 1);
	ck_assert_uint_eq(row.connections, 1);
	ck_assert_uint_eq(row.in, 10);
}
END_TEST

static const struct status_row serving = { .service = "echo",
	.address = "[::]:7",
	.state = "serving",
	.holders = "configuration,4241,4242",
	.busy = 1,
	.idle = 2,
	.other = 3,
	.workers = 6,
	.max = 1024,
	.queue_length = 5,
	.queue_limit = 128,
	.backlog = 4096,
	.overflows = 9,
	.new_overflows = 2,
	.raise = "net.core.somaxconn",
	.wait_ms = UINT64_MAX,
	.longest_wait_ms = 1250,
	.connections = UINT64_MAX,
	.in = 6,
	.out = 7,
	.log_lost = 8 };

#define FRONT                                                                  \
	"service=echo listen=[::]:7 state=serving busy=1 idle=2 other=3 "      \
	"workers=6 max=1024 queue=5/128 backlog=4096 overflows=9 "             \
	"raise=net.core.somaxconn mean-wait=0.001 longest-wait=1.250 "         \
	"connections=18446744073709551615 in=6 out=7 log-lost=8 endings="
#define BACK " holders=configuration,4241,4242"

START_TEST(a_line_leaves_out_endings_that_never_were)
{
	char line[STATUS_LINE_SIZE];

	ck_assert_str_eq(
	    status_format(&serving, line, sizeof(line)), FRONT "-" BACK);
}
END_TEST

START_TEST(a_line_has_all_endings_that_were)
{
	struct status_row row = serving;
	char line[STATUS_LINE_SIZE];

	for (unsigned i = 0; i < ENDING_COUNT; i++)
		row.endings[i] = i + 1;
	row.endings[ENDING_STALLED] = 0;
	ck_assert_str_eq(status_format(&row, line, sizeof(line)),
	    FRONT "served:1,peer-closed:2,reset:3,dead-peer:4,unreachable:6,"
		  "idle:7,lingered:8,stopped:9,failed:10,refused:11,"
		  "evicted:12" BACK);
}
END_TEST

START_TEST(a_line_that_does_not_fit_is_cut)
{
	struct status_row row = serving;
	char line[STATUS_LINE_SIZE], whole[STATUS_LINE_SIZE];

	row.endings[ENDING_SERVED] = row.endings[ENDING_FAILED] = 1;
	status_format(&row, whole, sizeof(whole));
	for (size_t size = 1; size <= strlen(whole); size++) {
		memset(line, 'x', sizeof(line));
		ck_assert_ptr_eq(status_format(&row, line, size), line);
		ck_assert_msg(strnlen(line, size) == size - 1 &&
			strncmp(line, whole, size - 1) == 0,
		    "size %zu: %.*s", size, (int)size, line);
		ck_assert_msg(line[size] == 'x', "size %zu", size);
	}
}
END_TEST

static const char *
table(const struct status_row *rows, uint32_t count)
{
	static char text[1 << 16];
	size_t size = status_table_size(count);

	ck_assert_uint_lt(size, sizeof(text));
	memset(text, 'x', sizeof(text));
	ck_assert_ptr_eq(status_table(rows, count, text), text);
	ck_assert_uint_lt(strlen(text), size);
	return text;
}

START_TEST(a_table_is_as_wide_as_its_widest_fields)
{
	struct status_row rows[] = { serving, serving };

	rows[0].connections = 1;
	rows[0].endings[ENDING_PEER_CLOSED] = 1;
	rows[1].service = "daytime";
	rows[1].busy = 100000;
	rows[1].connections = 2;
	rows[1].holders = "configuration";
	rows[1].raise = NULL;
	rows[1].wait_ms = 13;
	ck_assert_str_eq(table(rows, 2),
	    "service listen state   busy   idle other max  queue backlog "
	    "half-open overflows raise              mean-wait             "
	    "longest-wait connections endings       holders\n"
	    "echo    [::]:7 serving 1      2    3     1024 5/128 4096    "
	    "-         9         net.core.somaxconn 18446744073709551.615 "
	    "1.250        1           peer-closed:1 configuration,4241,4242\n"
	    "daytime [::]:7 serving 100000 2    3     1024 5/128 4096    "
	    "-         9         -                  0.006                 "
	    "1.250        2           -             configuration\n");
}
END_TEST

START_TEST(a_table_may_have_no_row)
{
	ck_assert_str_eq(table(NULL, 0),
	    "service listen state busy idle other max queue backlog half-open "
	    "overflows raise mean-wait longest-wait connections endings "
	    "holders\n");
}
END_TEST

/* Every counter at its largest, and holders that were cut to their room. */
START_TEST(the_largest_table_has_room)
{
	char holders[STATUS_FIELD_SIZE];
	struct status_row rows[3];
	const char *text;

	memset(holders, 'h', sizeof(holders) - 1);
	holders[sizeof(holders) - 1] = '\0';
	for (int i = 0; i < 3; i++) {
		rows[i] = serving;
		rows[i].holders = holders;
		for (int e = 0; e < ENDING_COUNT; e++)
			rows[i].endings[e] = UINT64_MAX;
	}
	text = table(rows, 3);
	ck_assert_ptr_nonnull(strstr(text, ",evicted:18446744073709551615 hh"));
	ck_assert_ptr_nonnull(strstr(text, holders));
}
END_TEST

static const char *
json(const struct status_row *rows, uint32_t count)
{
	static char text[1 << 16];
	size_t size = status_json_size(count);

	ck_assert_uint_lt(size, sizeof(text));
	memset(text, 'x', sizeof(text));
	ck_assert_ptr_eq(status_json(&head, rows, count, text), text);
	ck_assert_uint_lt(strlen(text), size - 1);
	return text;
}

START_TEST(json_has_a_listener_a_line)
{
	struct status_row rows[] = { serving, serving };

	rows[0].wait_ms = 13;
	rows[0].connections = 2;
	rows[0].endings[ENDING_SERVED] = 2;
	rows[1].raise = NULL;
	ck_assert_ptr_nonnull(strstr(json(rows, 2),
	    "\"raise\":\"net.core.somaxconn\",\"mean_wait\":0.006,"
	    "\"longest_wait\":1.250,"));
	ck_assert_ptr_nonnull(strstr(json(rows, 2), "\"raise\":null,"));
	ck_assert_ptr_nonnull(strstr(json(rows, 2),
	    "\"evicted\":0},\"holders\":[\"configuration\",\"4241\","
	    "\"4242\"]}\n]}\n"));
}
END_TEST

START_TEST(json_may_have_no_listener)
{
	ck_assert_str_eq(json(NULL, 0),
	    "{\"daemon\":{\"version\":\"1.2.3\",\"pid\":4242,"
	    "\"running\":true,\"log_level\":\"info\",\"log_lost\":5,"
	    "\"started_at\":1700000000,\"uptime\":1.500},"
	    "\"listeners\":[\n]}\n");
}
END_TEST

/* As in a file: what only the master knows is not 0, but not known. */
START_TEST(what_is_not_known_is_null)
{
	const struct status_head file = { .pid = 4242,
		.log_lost = STATUS_UNKNOWN,
		.started_at = 1700000000,
		.uptime_ms = -1 };
	const struct status_row row = { .service = "echo",
		.address = "[::]:7",
		.max = STATUS_UNKNOWN,
		.queue_length = STATUS_UNKNOWN,
		.queue_limit = STATUS_UNKNOWN,
		.backlog = STATUS_UNKNOWN,
		.overflows = STATUS_UNKNOWN,
		.new_overflows = STATUS_UNKNOWN };
	char *text = malloc(status_json_size(1));

	ck_assert_ptr_nonnull(text);
	status_json(&file, &row, 1, text);
	ck_assert_ptr_nonnull(strstr(text,
	    "{\"version\":null,\"pid\":4242,\"running\":false,"
	    "\"log_level\":null,\"log_lost\":null,"
	    "\"started_at\":1700000000,\"uptime\":null}"));
	ck_assert_ptr_nonnull(strstr(text,
	    "\"state\":null,\"busy\":0,\"idle\":0,\"other\":0,"
	    "\"workers\":0,\"max\":null,\"queue\":null,"
	    "\"queue_limit\":null,\"backlog\":null,\"half_open\":null,"
	    "\"overflows\":null,\"new_overflows\":null,\"raise\":null,"));
	ck_assert_ptr_nonnull(strstr(text, "\"holders\":null}"));
	free(text);
	ck_assert_ptr_nonnull(strstr(table(&row, 1),
	    " -     0    0    0     -   -     -       -         -         -  "));
}
END_TEST

/* The holders are the worst: each may be a digit, and gets two quotes. */
START_TEST(the_largest_json_has_room)
{
	char holders[STATUS_FIELD_SIZE];
	struct status_row row = serving;

	for (size_t i = 0; i < sizeof(holders) - 1; i++)
		holders[i] = i % 2 == 0 ? '1' : ',';
	holders[sizeof(holders) - 1] = '\0';
	row.holders = holders;
	row.longest_wait_ms = row.overflows = row.new_overflows = UINT64_MAX;
	row.in = row.out = row.log_lost = UINT64_MAX;
	for (int e = 0; e < ENDING_COUNT; e++)
		row.endings[e] = UINT64_MAX;
	ck_assert_ptr_nonnull(strstr(json(&row, 1), "\"1\",\"1\"]}\n]}\n"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("status");
	TCase *tcase = unit_case(suite, "count");

	tcase_add_checked_fixture(tcase, board_make, board_destroy);
	tcase_add_test(tcase, a_row_without_workers_counts_nothing);
	tcase_add_test(tcase, each_state_counts_where_it_belongs);
	tcase_add_test(tcase, only_the_slots_of_the_row_count);
	tcase_add_test(tcase, reaped_and_living_workers_are_added_up);
	tcase_add_test(tcase, waits_of_all_have_a_mean_and_a_longest);
	tcase_add_test(tcase, a_worker_killed_while_it_wrote_still_counts);
	tcase = unit_case(suite, "format");
	tcase_add_test(tcase, a_line_leaves_out_endings_that_never_were);
	tcase_add_test(tcase, a_line_has_all_endings_that_were);
	tcase_add_test(tcase, a_line_that_does_not_fit_is_cut);
	tcase = unit_case(suite, "table");
	tcase_add_test(tcase, a_table_is_as_wide_as_its_widest_fields);
	tcase_add_test(tcase, a_table_may_have_no_row);
	tcase_add_test(tcase, the_largest_table_has_room);
	tcase = unit_case(suite, "json");
	tcase_add_test(tcase, json_has_a_listener_a_line);
	tcase_add_test(tcase, json_may_have_no_listener);
	tcase_add_test(tcase, what_is_not_known_is_null);
	tcase_add_test(tcase, the_largest_json_has_room);
	return unit_run(suite);
}
