/*
 * Tests of probe/report, text and stats: what is said of what was seen.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "probe/report.h"
#include "probe/text.h"
#include "unit/unit.h"

static char *said;
static size_t said_length;
static FILE *out;
static struct report report;

static void
set_up(void)
{
	out = open_memstream(&said, &said_length);
	ck_assert_ptr_nonnull(out);
	report_init(&report, out, "echo", "host", 7);
}

static void
tear_down(void)
{
	fclose(out);
	free(said);
}

static void
expect(const char *expected)
{
	fflush(out);
	ck_assert_str_eq(said, expected);
}

static const struct {
	const char *bytes;
	size_t length;
	const char *json;
	const char *plain;
} strings[] = {
	{ "plain", 5, "\"plain\"", "plain" },
	{ "", 0, "\"\"", "" },
	{ "a\"b\\c", 5, "\"a\\\"b\\\\c\"", "a\"b\\c" },
	{ "\r\n\t", 3, "\"\\u000d\\u000a\\u0009\"", "\\x0d\\x0a\\x09" },
	{ "\0x\x1f", 3, "\"\\u0000x\\u001f\"", "\\x00x\\x1f" },
	{ "\x1b[2J\x7f", 5, "\"\\u001b[2J\\u007f\"", "\\x1b[2J\\x7f" },
	/* UTF-8, of two, three and four bytes. */
	{ "\xc3\xa9", 2, "\"\xc3\xa9\"", "\\xc3\\xa9" },
	{ "\xe2\x82\xac", 3, "\"\xe2\x82\xac\"", "\\xe2\\x82\\xac" },
	{ "\xf0\x9f\x98\x80", 4, "\"\xf0\x9f\x98\x80\"",
	    "\\xf0\\x9f\\x98\\x80" },
	{ "\xf4\x8f\xbf\xbf", 4, "\"\xf4\x8f\xbf\xbf\"",
	    "\\xf4\\x8f\\xbf\\xbf" },
	/* No UTF-8: cut short, alone, overlong, a surrogate, too large. */
	{ "\xc3", 1, "\"\\ufffd\"", "\\xc3" },
	{ "\xc3x", 2, "\"\\ufffdx\"", "\\xc3x" },
	{ "\x80", 1, "\"\\ufffd\"", "\\x80" },
	{ "\xff", 1, "\"\\ufffd\"", "\\xff" },
	{ "\xe2\x82", 2, "\"\\ufffd\\ufffd\"", "\\xe2\\x82" },
	{ "\xc0\x80", 2, "\"\\ufffd\\ufffd\"", "\\xc0\\x80" },
	{ "\xe0\x9f\xbf", 3, "\"\\ufffd\\ufffd\\ufffd\"", "\\xe0\\x9f\\xbf" },
	{ "\xed\xa0\x80", 3, "\"\\ufffd\\ufffd\\ufffd\"", "\\xed\\xa0\\x80" },
	{ "\xf0\x8f\xbf\xbf", 4, "\"\\ufffd\\ufffd\\ufffd\\ufffd\"",
	    "\\xf0\\x8f\\xbf\\xbf" },
	{ "\xf4\x90\x80\x80", 4, "\"\\ufffd\\ufffd\\ufffd\\ufffd\"",
	    "\\xf4\\x90\\x80\\x80" },
};

#define STRINGS ((int)(sizeof(strings) / sizeof(strings[0])))

START_TEST(any_bytes_are_a_json_string)
{
	text_json(out, strings[_i].bytes, strings[_i].length);
	expect(strings[_i].json);
}
END_TEST

START_TEST(no_byte_commands_a_terminal)
{
	text_plain(out, strings[_i].bytes, strings[_i].length);
	expect(strings[_i].plain);
}
END_TEST

START_TEST(times_have_a_least_a_mean_and_a_most)
{
	struct stats stats = { 0 };

	ck_assert_double_eq(stats_deviation(&stats), 0);
	stats_add(&stats, 2000);
	ck_assert_int_eq(stats.min, 2000);
	ck_assert_int_eq(stats.max, 2000);
	ck_assert_double_eq(stats_deviation(&stats), 0);
	stats_add(&stats, 4000);
	stats_add(&stats, 9000);
	ck_assert_uint_eq(stats.count, 3);
	ck_assert_int_eq(stats.min, 2000);
	ck_assert_int_eq(stats.max, 9000);
	ck_assert_double_eq_tol(stats.mean, 5000, 1e-6);
	/* sqrt((9 + 1 + 16) / 3) thousand */
	ck_assert_double_eq_tol(
	    stats_deviation(&stats), 1000 * sqrt(26.0 / 3), 1e-6);
}
END_TEST

/* A day each, one microsecond apart. */
START_TEST(small_differences_of_long_times_are_kept)
{
	struct stats stats = { 0 };

	for (int i = 0; i < 100000; i++)
		stats_add(&stats, INT64_C(86400000000) + i % 2);
	ck_assert_double_eq_tol(stats_deviation(&stats), 0.5, 1e-3);
}
END_TEST

static void
everything(void)
{
	struct verdict_facts facts = { .stage = STAGE_DONE };

	report.began_us = 0;
	report_connected(&report, "192.0.2.2:5", "192.0.2.1:7", 1500);
	report.asked = 2;
	report_trip(&report, 1, 64, 100, 250);
	report_trip(&report, 2, 64, 100, 350);
	report_fin(&report, 75);
	report_summary(&report, VERDICT_OK, &facts, NULL);
	fflush(out);
}

/* The last number is the time. */
static void
expect_but_time(const char *expected)
{
	ck_assert_msg(strncmp(said, expected, strlen(expected)) == 0,
	    "%s is not %s", said, expected);
}

START_TEST(people_get_text)
{
	everything();
	expect_but_time(
	    "connected to 192.0.2.1:7 from 192.0.2.2:5: handshake 1.500 ms\n"
	    "64 bytes: seq=1 first byte 0.100 ms, time 0.250 ms\n"
	    "64 bytes: seq=2 first byte 0.100 ms, time 0.350 ms\n"
	    "FIN: 0.075 ms\n"
	    "\n"
	    "echo host port 7: ok\n"
	    "2 asked, 2 answered, 0.0% loss, time ");
	ck_assert_ptr_nonnull(
	    strstr(said, "\nmin/avg/max/mdev = 0.250/0.300/0.350/0.050 ms\n"));
}
END_TEST

START_TEST(programs_get_an_object_a_line)
{
	report.json = true;
	everything();
	expect_but_time(
	    "{\"event\":\"connected\",\"local\":\"192.0.2.2:5\",\"remote\":\"192.0.2.1:7\",\"handshake_ms\":1.500}\n"
	    "{\"event\":\"reply\",\"seq\":1,\"bytes\":64,\"first_byte_ms\":0.100,\"ms\":0.250}\n"
	    "{\"event\":\"reply\",\"seq\":2,\"bytes\":64,\"first_byte_ms\":0.100,\"ms\":0.350}\n"
	    "{\"event\":\"fin\",\"ms\":0.075}\n"
	    "{\"event\":\"summary\",\"mode\":\"echo\",\"host\":\"host\",\"port\":7,\"verdict\":\"ok\",\"error\":null,\"hint\":null,\"asked\":2,\"answered\":2,\"loss_percent\":0.0,\"min_ms\":0.250,\"avg_ms\":0.300,\"max_ms\":0.350,\"mdev_ms\":0.050,\"total_ms\":");
	ck_assert_str_eq(said + said_length - 2, "}\n");
}
END_TEST

START_TEST(quiet_is_the_summary_alone)
{
	report.quiet = true;
	everything();
	expect_but_time("echo host port 7: ok\n");
}
END_TEST

START_TEST(quiet_json_is_one_object)
{
	report.quiet = report.json = true;
	everything();
	expect_but_time("{\"event\":\"summary\",");
	ck_assert_ptr_eq(strchr(said, '\n'), said + said_length - 1);
}
END_TEST

START_TEST(a_line_of_a_stranger_is_harmless)
{
	report_line(&report, "\x1b]0;x\a", 6, 1000, 2000);
	expect("it is \\x1b]0;x\\x07: first byte 1.000 ms, time 2.000 ms\n");
}
END_TEST

START_TEST(a_failure_has_its_evidence_and_its_sentence)
{
	struct verdict_facts facts = {
		.stage = STAGE_TALK, .sent = 65, .acked = 1, .retrans = 4
	};

	report.asked = 1;
	report_summary(
	    &report, VERDICT_HALF_ESTABLISHED, &facts, "Connection reset");
	fflush(out);
	expect_but_time(
	    "\necho host port 7: half-established (Connection reset)\n"
	    "1 asked, 0 answered, 100.0% loss, time ");
	ck_assert_ptr_nonnull(strstr(said,
	    "\nsent up to sequence 65, acknowledged up to 1, 4 segments sent again\n"));
	ck_assert_ptr_nonnull(
	    strstr(said, verdict_hint(VERDICT_HALF_ESTABLISHED)));
	ck_assert_ptr_null(strstr(said, "min/avg"));
}
END_TEST

START_TEST(a_failed_address_says_who_said_so)
{
	struct dial_attempt a = {
		.error = EHOSTUNREACH, .took_us = 1250, .sender = "192.0.2.254"
	};
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(7),
		.sin_addr.s_addr = htonl(0xc0000201) };

	memcpy(&a.to.addr, &in, sizeof(in));
	report_attempt(&report, &a, VERDICT_PROHIBITED);
	a.error = 0;
	a.sender[0] = '\0';
	report_attempt(&report, &a, VERDICT_TIMED_OUT);
	report.json = true;
	report_attempt(&report, &a, VERDICT_TIMED_OUT);
	expect(
	    "192.0.2.1:7: prohibited after 1.250 ms: No route to host (ICMP from 192.0.2.254)\n"
	    "192.0.2.1:7: timed-out after 1.250 ms: no answer in time\n"
	    "{\"event\":\"attempt\",\"remote\":\"192.0.2.1:7\",\"verdict\":\"timed-out\",\"error\":\"no answer in time\",\"icmp_from\":null,\"ms\":1.250}\n");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("report");
	TCase *tcase = unit_case(suite, "report");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, any_bytes_are_a_json_string, 0, STRINGS);
	tcase_add_loop_test(tcase, no_byte_commands_a_terminal, 0, STRINGS);
	tcase_add_test(tcase, times_have_a_least_a_mean_and_a_most);
	tcase_add_test(tcase, small_differences_of_long_times_are_kept);
	tcase_add_test(tcase, people_get_text);
	tcase_add_test(tcase, programs_get_an_object_a_line);
	tcase_add_test(tcase, quiet_is_the_summary_alone);
	tcase_add_test(tcase, quiet_json_is_one_object);
	tcase_add_test(tcase, a_line_of_a_stranger_is_harmless);
	tcase_add_test(tcase, a_failure_has_its_evidence_and_its_sentence);
	tcase_add_test(tcase, a_failed_address_says_who_said_so);
	return unit_run(suite);
}
