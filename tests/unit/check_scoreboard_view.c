/*
 * common/scoreboard_view: what is read as a scoreboard, and that nothing that
 * a file can hold does harm, whatever preforkctl(8) does with it.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS 3
#define SLOTS 20

#include "common/clock.h"
#include "common/scoreboard_view.h"
#include "common/status.h"
#include "control/connections.h"
#include "unit/board.h"
#include "unit/dir.h"

#define MUTANTS 20000

static char why[SCOREBOARD_WHY_SIZE];
static struct scoreboard view;
static char *good; /* the bytes of a scoreboard in use */
static size_t size;
static int fd;

static void
make(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	char address[24];
	uint32_t row;

	board_make();
	for (uint32_t i = 0; i < ROWS - 1; i++) {
		snprintf(address, sizeof(address), "127.0.0.%" PRIu32 ":7", i);
		ck_assert_int_eq(scoreboard_take_row(&board, address, &row), 0);
		strcpy(board.rows[row].service, "echo");
	}
	for (uint16_t i = 0; i < SLOTS - 5; i++) {
		struct slot *slot = scoreboard_take(&board, i % (ROWS - 1));

		slot->pid = 100 + i;
		in.sin_addr.s_addr = htonl(0xc0000200U + i);
		in.sin_port = htons((uint16_t)(50000 + i));
		slot_open(slot, (struct sockaddr *)&in, clock_ms());
		slot->traffic.in = i;
	}
	size = board.size;
	good = malloc(size);
	ck_assert_ptr_nonnull(good);
	memcpy(good, board.header, size);
	fd = open(
	    dir_path("board"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, good, size, 0), (ssize_t)size);
}

static void
unmake(void)
{
	close(fd);
	free(good);
	board_destroy();
}

/* Everything that preforkctl does with one. */
static void
use(void)
{
	FILE *null = fopen("/dev/null", "w");
	struct connections connections;
	struct sock_table table = { 0 };
	struct status_row row;
	uint16_t ports[8];
	char line[STATUS_LINE_SIZE];

	ck_assert_ptr_nonnull(null);
	ck_assert_int_eq(connections_collect(
			     &connections, &view, connections_last_ms(&view)),
	    0);
	connections_ports(&connections, ports, 8);
	connections_join(&connections, &table, true, NULL, NULL);
	connections_print(&connections, null);
	connections_print_json(&connections, null);
	connections_free(&connections);
	for (uint32_t i = 0; i < view.row_count; i++) {
		row = (struct status_row){ .service = "-",
			.address = "-",
			.state = "-",
			.holders = "-" };
		status_count(&view, i, &row);
		status_format(&row, line, sizeof(line));
	}
	fclose(null);
}

START_TEST(what_the_daemon_has_is_seen)
{
	struct slot copy;

	ck_assert_int_eq(scoreboard_view(&view, board.fd, why), 0);
	ck_assert_uint_eq(view.row_count, ROWS);
	ck_assert_uint_eq(view.slot_count, SLOTS);
	ck_assert_uint_eq(view.used, SLOTS - 5);
	ck_assert_str_eq(view.rows[1].service, "echo");
	ck_assert(scoreboard_read(&view.slots[3], &copy));
	ck_assert_uint_eq(copy.peer_port, 50003);
	ck_assert_uint_eq(copy.traffic.in, 3);
	/* What is taken later is seen by the next reader. */
	scoreboard_take(&board, 0);
	scoreboard_unview(&view);
	ck_assert_int_eq(scoreboard_view(&view, board.fd, why), 0);
	ck_assert_uint_eq(view.used, SLOTS - 4);
	use();
	scoreboard_unview(&view);
}
END_TEST

static const struct {
	size_t offset;
	uint64_t value;
	size_t bytes;
	const char *why;
} wrongs[] = {
	{ 0, 0, 8, "no scoreboard" },
	{ 0, 0x1234, 2, "no scoreboard" },
	{ offsetof(struct scoreboard_header, version), 0, 4, "version 0" },
	{ offsetof(struct scoreboard_header, version), SCOREBOARD_VERSION + 1,
	    4, "of that daemon" },
	{ offsetof(struct scoreboard_header, header_size), 128, 4,
	    "another layout" },
	{ offsetof(struct scoreboard_header, row_size), 0, 4,
	    "another layout" },
	{ offsetof(struct scoreboard_header, slot_size), 512, 4,
	    "another layout" },
	{ offsetof(struct scoreboard_header, rows), 0, 4, "damaged: 0 rows" },
	{ offsetof(struct scoreboard_header, rows), ROWS + 1, 4, "damaged" },
	{ offsetof(struct scoreboard_header, rows), UINT32_MAX, 4, "damaged" },
	{ offsetof(struct scoreboard_header, slots), 0, 4, "damaged" },
	{ offsetof(struct scoreboard_header, slots), SLOTS + 1, 4, "damaged" },
	{ offsetof(struct scoreboard_header, slots), UINT32_MAX, 4, "damaged" },
};

START_TEST(a_header_that_is_wrong_is_refused)
{
	ck_assert_int_eq(pwrite(fd, &wrongs[_i].value, wrongs[_i].bytes,
			     (off_t)wrongs[_i].offset),
	    (ssize_t)wrongs[_i].bytes);
	ck_assert_int_eq(scoreboard_view(&view, fd, why), -1);
	ck_assert_msg(strstr(why, wrongs[_i].why) != NULL, "%s", why);
}
END_TEST

START_TEST(a_file_of_any_other_length_is_refused)
{
	for (size_t length = 0; length <= size + 4096; length += 7) {
		if (length == size)
			continue;
		ck_assert_int_eq(ftruncate(fd, (off_t)length), 0);
		ck_assert_int_eq(scoreboard_view(&view, fd, why), -1);
		ck_assert_int_eq(pwrite(fd, good, size, 0), (ssize_t)size);
	}
	ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
	ck_assert_int_eq(scoreboard_view(&view, fd, why), 0);
	scoreboard_unview(&view);
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(scoreboard_view(&view, ends[0], why), -1);
	ck_assert_ptr_nonnull(strstr(why, "no file"));
	ck_assert_int_eq(scoreboard_view(&view, -1, why), -1);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* A few bytes of any value anywhere, most often where they matter. */
static void
mutate(char *bytes)
{
	int count = 1 + rand() % 8;

	while (count-- > 0) {
		size_t at = (size_t)rand() %
		    (rand() % 2 == 0 ? size : sizeof(struct scoreboard_header));

		switch (rand() % 3) {
		case 0:
			bytes[at] = (char)rand();
			break;
		case 1:
			bytes[at] = (char)0xff;
			break;
		default:
			memset(bytes + at, rand() % 2 == 0 ? 0xff : 'x',
			    (size_t)rand() % (size - at));
		}
	}
}

/* The seed is the case's, so that what fails fails again. */
START_TEST(no_bytes_do_harm)
{
	char *bytes = malloc(size);
	unsigned seen = 0;

	ck_assert_ptr_nonnull(bytes);
	srand(1);
	for (int i = 0; i < MUTANTS; i++) {
		memcpy(bytes, good, size);
		mutate(bytes);
		/* Half of them get past the door. */
		if (i % 2 == 0)
			memcpy(bytes, good,
			    offsetof(struct scoreboard_header, master));
		ck_assert_int_eq(pwrite(fd, bytes, size, 0), (ssize_t)size);
		if (scoreboard_view(&view, fd, why) < 0)
			continue;
		seen++;
		use();
		scoreboard_unview(&view);
	}
	free(bytes);
	ck_assert_uint_ge(seen, MUTANTS / 2);
	ck_assert_uint_lt(seen, MUTANTS);
}
END_TEST

START_TEST(text_ends_and_can_be_printed)
{
	char text[8];

	ck_assert_str_eq(scoreboard_text(text, 8, "echo\0xx", 7), "echo");
	ck_assert_str_eq(scoreboard_text(text, 8, "abcdefghij", 10), "abcdefg");
	ck_assert_str_eq(scoreboard_text(text, 8, "abcdefghij", 3), "abc");
	ck_assert_str_eq(scoreboard_text(text, 8, "a b\033\xff", 5), "a?b??");
	ck_assert_str_eq(scoreboard_text(text, 8, "", 0), "");
}
END_TEST

START_TEST(it_is_held_until_the_last_descriptor_is_closed)
{
	int other = open(dir_path("board"), O_RDWR | O_CLOEXEC);
	int reader = open(dir_path("board"), O_RDONLY | O_CLOEXEC), copy;

	ck_assert(!scoreboard_is_held(reader));
	ck_assert_int_eq(scoreboard_hold(fd), 0);
	ck_assert(scoreboard_is_held(reader));
	ck_assert_int_eq(scoreboard_hold(other), -1);
	/* Who has it may take it again, as after an upgrade. */
	ck_assert_int_eq(scoreboard_hold(fd), 0);
	copy = dup(fd);
	close(fd);
	ck_assert(scoreboard_is_held(reader));
	close(copy);
	ck_assert(!scoreboard_is_held(reader));
	ck_assert_int_eq(scoreboard_hold(other), 0);
	close(other);
	fd = reader;
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scoreboard_view");
	TCase *tcase = unit_case(suite, "view");

	tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
	tcase_add_checked_fixture(tcase, make, unmake);
	tcase_add_test(tcase, what_the_daemon_has_is_seen);
	tcase_add_loop_test(tcase, a_header_that_is_wrong_is_refused, 0,
	    sizeof(wrongs) / sizeof(wrongs[0]));
	tcase_add_test(tcase, a_file_of_any_other_length_is_refused);
	tcase_add_test(tcase, what_is_no_file_is_refused);
	tcase_add_test(tcase, no_bytes_do_harm);
	tcase_add_test(tcase, text_ends_and_can_be_printed);
	tcase_add_test(tcase, it_is_held_until_the_last_descriptor_is_closed);
	return unit_run(suite);
}
