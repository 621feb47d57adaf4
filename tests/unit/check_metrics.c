/*
 * Tests of common/metrics and common/append: what a scraper reads.
 */
#include <string.h>

#include "common/append.h"
#include "common/metrics.h"
#include "unit/status_head.h"
#include "unit/unit.h"

#define MOST_ROWS 4

static struct status_row rows[MOST_ROWS];

static void
make(void)
{
	for (uint64_t i = 0; i < MOST_ROWS; i++) {
		rows[i] = (struct status_row){ .service = "echo",
			.address = "*:7",
			.state = "serving",
			.holders = "configuration",
			.busy = 1,
			.idle = 2,
			.other = 3,
			.max = 64,
			.queue_length = 4,
			.queue_limit = 128,
			.backlog = 4096,
			.overflows = 10,
			.wait_ms = 1500,
			.longest_wait_ms = 20 + (unsigned)i,
			.connections = 100,
			.in = 1000,
			.out = 2000,
			.log_lost = 1 };
		rows[i].endings[ENDING_RESET] = 7;
	}
}

static const char *
metrics(uint32_t count)
{
	static char text[1 << 17];

	ck_assert_uint_lt(metrics_size(count), sizeof(text));
	memset(text, 'x', sizeof(text));
	ck_assert_ptr_eq(metrics_format(&head, rows, count, text), text);
	ck_assert_uint_lt(strlen(text), metrics_size(count) - 1);
	return text;
}

static unsigned
times(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what)) != NULL) {
		text++;
		n++;
	}
	return n;
}

static void
has(const char *text, const char *line)
{
	ck_assert_msg(times(text, line) == 1, "%s\nin:\n%s", line, text);
}

#define ECHO "{service=\"echo\",listen=\"*:7\""

START_TEST(each_figure_is_there)
{
	const char *text = metrics(1);

	has(text, "\npreforkd_build_info{version=\"1.2.3\"} 1\n");
	has(text, "\npreforkd_start_time_seconds 1700000000\n");
	has(text, "\npreforkd_log_lines_lost_total 5\n");
	has(text, "\npreforkd_listener_state" ECHO ",state=\"serving\"} 1\n");
	has(text, "\npreforkd_listener_state" ECHO ",state=\"degraded\"} 0\n");
	has(text, "\npreforkd_workers" ECHO ",state=\"busy\"} 1\n");
	has(text, "\npreforkd_workers" ECHO ",state=\"idle\"} 2\n");
	has(text, "\npreforkd_workers" ECHO ",state=\"other\"} 3\n");
	has(text, "\npreforkd_workers_max" ECHO "} 64\n");
	has(text, "\npreforkd_accept_queue_length" ECHO "} 4\n");
	has(text, "\npreforkd_accept_queue_limit" ECHO "} 128\n");
	has(text, "\npreforkd_backlog" ECHO "} 4096\n");
	has(text, "\npreforkd_overflows_total" ECHO "} 10\n");
	has(text, "\npreforkd_accept_wait_seconds_sum" ECHO "} 1.500\n");
	has(text, "\npreforkd_accept_wait_seconds_count" ECHO "} 100\n");
	has(text, "\npreforkd_accept_wait_longest_seconds" ECHO "} 0.020\n");
	has(text, "\npreforkd_connections_total" ECHO "} 100\n");
	has(text, "\npreforkd_endings_total" ECHO ",ending=\"reset\"} 7\n");
	has(text, "\npreforkd_endings_total" ECHO ",ending=\"served\"} 0\n");
	has(text, "\npreforkd_received_bytes_total" ECHO "} 1000\n");
	has(text, "\npreforkd_sent_bytes_total" ECHO "} 2000\n");
	has(text, "\npreforkd_worker_log_lines_lost_total" ECHO "} 1\n");
	ck_assert_str_eq(text + strlen(text) - 7, "\n# EOF\n");
}
END_TEST

/* While one is removed and another one is there, a series is there once. */
START_TEST(two_of_the_same_address_are_one)
{
	const char *text;

	rows[0].state = "removed";
	rows[0].backlog = 1;
	rows[1].service = "daytime";
	rows[3].longest_wait_ms = 1;
	text = metrics(4);
	has(text, "\npreforkd_connections_total" ECHO "} 300\n");
	has(text, "\npreforkd_accept_wait_longest_seconds" ECHO "} 0.022\n");
	has(text, "\npreforkd_endings_total" ECHO ",ending=\"reset\"} 21\n");
	has(text, "\npreforkd_overflows_total" ECHO "} 30\n");
	has(text, "\npreforkd_listener_state" ECHO ",state=\"serving\"} 1\n");
	has(text, "\npreforkd_listener_state" ECHO ",state=\"removed\"} 0\n");
	has(text, "\npreforkd_backlog" ECHO "} 4096\n");
	has(text,
	    "\npreforkd_connections_total{service=\"daytime\",listen=\"*:7\"} "
	    "100\n");
	ck_assert_uint_eq(times(text, "\npreforkd_connections_total{"), 2);
}
END_TEST

START_TEST(the_largest_figures_have_room)
{
	static const char longest[] =
	    "[fe80:1111:2222:3333:4444:5555:6666:7777%fifteen-letters]:65535";

	_Static_assert(sizeof(longest) <= ADDR_STRLEN, "as long as it can be");
	for (int i = 0; i < MOST_ROWS; i++) {
		rows[i].service = i % 2 == 0 ? "fifteen-letters" : "echo";
		rows[i].address = i < 2 ? "*:7" : longest;
		rows[i].busy = rows[i].idle = rows[i].other = UINT32_MAX;
		rows[i].max = rows[i].queue_length = UINT32_MAX;
		rows[i].queue_limit = UINT32_MAX;
		rows[i].overflows = rows[i].wait_ms = UINT64_MAX;
		rows[i].longest_wait_ms = rows[i].connections = UINT64_MAX;
		rows[i].in = rows[i].out = rows[i].log_lost = UINT64_MAX;
		for (int e = 0; e < ENDING_COUNT; e++)
			rows[i].endings[e] = UINT64_MAX;
	}
	ck_assert_uint_eq(
	    times(metrics(MOST_ROWS), "\npreforkd_sent_bytes_total{"),
	    MOST_ROWS);
}
END_TEST

START_TEST(what_does_not_fit_is_cut)
{
	char text[8];
	struct append to;

	memset(text, 'x', sizeof(text));
	append_init(&to, text, 6);
	ck_assert_str_eq(text, "");
	append(&to, "%d", 123);
	append(&to, "%s", "");
	append(&to, "%d", 456);
	ck_assert_str_eq(text, "12345");
	append(&to, "7");
	ck_assert_str_eq(text, "12345");
	ck_assert_mem_eq(text + 6, "xx", 2);
}
END_TEST

START_TEST(a_string_cannot_end_itself)
{
	char text[64];
	struct append to;

	append_init(&to, text, sizeof(text));
	append_quoted(&to, "a\"b\\c\nd\xc3\xa4");
	ck_assert_str_eq(text, "\"a\\\"b\\\\c?d\xc3\xa4\"");
}
END_TEST

START_TEST(seconds_have_three_decimals)
{
	char text[64];
	struct append to;

	append_init(&to, text, sizeof(text));
	append_seconds(&to, 0);
	append(&to, " ");
	append_seconds(&to, 1002);
	append(&to, " ");
	append_seconds(&to, UINT64_MAX);
	ck_assert_str_eq(text, "0.000 1.002 18446744073709551.615");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tcase = unit_case(suite, "metrics");

	tcase_add_checked_fixture(tcase, make, NULL);
	tcase_add_test(tcase, each_figure_is_there);
	tcase_add_test(tcase, two_of_the_same_address_are_one);
	tcase_add_test(tcase, the_largest_figures_have_room);
	tcase = unit_case(suite, "append");
	tcase_add_test(tcase, what_does_not_fit_is_cut);
	tcase_add_test(tcase, a_string_cannot_end_itself);
	tcase_add_test(tcase, seconds_have_three_decimals);
	return unit_run(suite);
}
