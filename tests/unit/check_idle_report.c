/*
 * Tests of probe/idle_report: each answer, in words and as JSON.
 */
#include <stdlib.h>
#include <string.h>

#include "probe/idle_report.h"
#include "unit/unit.h"

static char *said;
static size_t said_length;
static FILE *out;

static void
set_up(void)
{
	out = open_memstream(&said, &said_length);
	ck_assert_ptr_nonnull(out);
}

static void
tear_down(void)
{
	fclose(out);
	free(said);
}

#define FOUND                                                                  \
	.limit = IDLE_FOUND, .alive_ms = 4659, .dead_ms = 5434, .took_ms = 1

static const struct {
	struct idle_answer answer;
	const char *words; /* somewhere in the text */
	const char *json;
} answers[] = {
	{ { FOUND, .how = VERDICT_TIMED_OUT, .advised = true, .idle_s = 2,
	      .interval_s = 1, .held_ms = 16302, .proved = true },
	    "after 4.659 s one was there, after 5.434 s one was not, and what it sent was dropped without a word.\nSet keepalive-idle 2s and keepalive-interval 1s in preforkd.conf.\nWith these, a connection was idle for 16.302 s and still answered.\n",
	    ",\"limit\":\"found\",\"alive_ms\":4659.000,\"gone_ms\":5434.000,\"ended_ms\":null,\"gone\":\"timed-out\",\"kept_alive\":false,\"keepalive_idle_s\":2,\"keepalive_interval_s\":1,\"held_ms\":16302.000,\"proved\":true" },
	{ { FOUND, .how = VERDICT_RESET, .advised = true, .idle_s = 2,
	      .interval_s = 1, .held_ms = 9000 },
	    "was answered with RST.\nSet keepalive-idle 2s and keepalive-interval 1s in preforkd.conf.\nBut with these, a connection did not last for 9.000 s: ",
	    ",\"limit\":\"found\",\"alive_ms\":4659.000,\"gone_ms\":5434.000,\"ended_ms\":null,\"gone\":\"reset\",\"kept_alive\":false,\"keepalive_idle_s\":2,\"keepalive_interval_s\":1,\"held_ms\":9000.000,\"proved\":false" },
	{ { FOUND, .how = VERDICT_RESET, .advised = true, .idle_s = 2,
	      .interval_s = 1 },
	    "Set keepalive-idle 2s and keepalive-interval 1s in preforkd.conf.\ntime 0.001 s\n",
	    ",\"limit\":\"found\",\"alive_ms\":4659.000,\"gone_ms\":5434.000,\"ended_ms\":null,\"gone\":\"reset\",\"kept_alive\":false,\"keepalive_idle_s\":2,\"keepalive_interval_s\":1,\"held_ms\":null,\"proved\":null" },
	{ { FOUND, .how = VERDICT_STALLED },
	    "lost (stalled).\nToo short for keepalive",
	    ",\"limit\":\"found\",\"alive_ms\":4659.000,\"gone_ms\":5434.000,\"ended_ms\":null,\"gone\":\"stalled\",\"kept_alive\":false,\"keepalive_idle_s\":null,\"keepalive_interval_s\":null,\"held_ms\":null,\"proved\":null" },
	{ { .limit = IDLE_NONE, .alive_ms = 600001, .kept = true },
	    "No limit was found: idle connections are kept for at least 600.001 s.\nThe far end sent something in between",
	    ",\"limit\":\"none\",\"alive_ms\":600001.000,\"gone_ms\":null,\"ended_ms\":null,\"gone\":null,\"kept_alive\":true,\"keepalive_idle_s\":null,\"keepalive_interval_s\":null,\"held_ms\":null,\"proved\":null" },
	{ { .limit = IDLE_ENDED, .alive_ms = 2003, .ended_ms = 2003 },
	    "The far end itself ends idle connections, with FIN, after 2.003 s",
	    ",\"limit\":\"server\",\"alive_ms\":2003.000,\"gone_ms\":null,\"ended_ms\":2003.000,\"gone\":null,\"kept_alive\":false,\"keepalive_idle_s\":null,\"keepalive_interval_s\":null,\"held_ms\":null,\"proved\":null" },
	{ { .limit = IDLE_UNKNOWN, .alive_ms = 3000 },
	    "Until then, 3.000 s idle were survived.\n",
	    ",\"limit\":\"unknown\",\"alive_ms\":3000.000,\"gone_ms\":null,\"ended_ms\":null,\"gone\":null,\"kept_alive\":false,\"keepalive_idle_s\":null,\"keepalive_interval_s\":null,\"held_ms\":null,\"proved\":null" },
};

#define ANSWERS (int)(sizeof(answers) / sizeof(answers[0]))

START_TEST(each_answer_in_words)
{
	idle_report_text(out, &answers[_i].answer);
	fflush(out);
	ck_assert_msg(strstr(said, answers[_i].words) != NULL, "%s", said);
}
END_TEST

START_TEST(each_answer_as_json)
{
	idle_report_json(out, &answers[_i].answer);
	fflush(out);
	ck_assert_str_eq(said, answers[_i].json);
}
END_TEST

static const struct {
	int64_t ms;
	const char *words;
} durations[] = {
	{ 1, "at most 1 s," },
	{ 119001, "at most 2 min," },
	{ 119000, "at most 119 s," },
	{ 600000, "at most 10 min," },
	{ 600001, "at most 11 min," },
	{ 7200000, "at most 2 h 0 min," },
	{ 8000000, "at most 2 h 14 min," },
};

/* Never less than it is. */
START_TEST(the_estimate_is_rounded_up)
{
	struct report report;
	struct bisect search;

	report_init(&report, out, "idle", "host", 7);
	bisect_init(&search, 600000, 1000, 8);
	idle_report_search(&report, &search, durations[_i].ms);
	fflush(out);
	ck_assert_msg(strstr(said, durations[_i].words) != NULL, "%s", said);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("idle_report");
	TCase *tcase = unit_case(suite, "answers");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, each_answer_in_words, 0, ANSWERS);
	tcase_add_loop_test(tcase, each_answer_as_json, 0, ANSWERS);
	tcase_add_loop_test(tcase, the_estimate_is_rounded_up, 0,
	    (int)(sizeof(durations) / sizeof(durations[0])));
	return unit_run(suite);
}
