/*
 * Tests of connection/ending: which word each set of facts becomes.
 */
#include <errno.h>

#include "connection/ending.h"
#include "unit/unit.h"

#define CAUSES 6

static const char *const cause_names[CAUSES] = { "none", "idle", "stalled",
	"stopped", "refused", "evicted" };

/* Without an error: by cause, fin_received and replied. */
static const enum ending without_error[CAUSES][2][2] = {
	[CAUSE_NONE] = { { ENDING_LINGERED, ENDING_LINGERED },
	    { ENDING_PEER_CLOSED, ENDING_SERVED } },
	[CAUSE_IDLE] = { { ENDING_LINGERED, ENDING_LINGERED },
	    { ENDING_IDLE, ENDING_IDLE } },
	/* see a_peer_that_is_given_up_is_silent_or_stalled */
	[CAUSE_STALLED] = { { ENDING_STALLED, ENDING_STALLED },
	    { ENDING_STALLED, ENDING_STALLED } },
	[CAUSE_STOPPED] = { { ENDING_LINGERED, ENDING_LINGERED },
	    { ENDING_STOPPED, ENDING_STOPPED } },
	[CAUSE_REFUSED] = { { ENDING_REFUSED, ENDING_REFUSED },
	    { ENDING_REFUSED, ENDING_REFUSED } },
	[CAUSE_EVICTED] = { { ENDING_EVICTED, ENDING_EVICTED },
	    { ENDING_EVICTED, ENDING_EVICTED } },
};

static const struct {
	int error;
	enum ending ending;
} with_error[] = {
	{ ECONNRESET, ENDING_RESET },
	{ EPIPE, ENDING_RESET },
	{ EHOSTUNREACH, ENDING_UNREACHABLE },
	{ ENETUNREACH, ENDING_UNREACHABLE },
	{ EHOSTDOWN, ENDING_UNREACHABLE },
	{ ENETDOWN, ENDING_UNREACHABLE },
	{ ENONET, ENDING_UNREACHABLE },
	{ ECONNREFUSED, ENDING_UNREACHABLE },
	{ ENOPROTOOPT, ENDING_UNREACHABLE },
	{ EPROTO, ENDING_UNREACHABLE },
	{ EBADF, ENDING_FAILED },
	{ EINVAL, ENDING_FAILED },
	{ EIO, ENDING_FAILED },
	{ ENOBUFS, ENDING_FAILED },
	{ ENOMEM, ENDING_FAILED },
	{ ENOTCONN, ENDING_FAILED },
	{ EACCES, ENDING_FAILED },
	{ ECONNABORTED, ENDING_FAILED },
	{ -1, ENDING_FAILED },
};

#define ERRORS ((int)(sizeof(with_error) / sizeof(with_error[0])))

static void
expect(int cause, int error, int fin, int replied, enum ending expected)
{
	struct ending_facts facts = { .cause = (enum cause)cause,
		.error = error,
		.waited_ms = 1000,
		.silent_ms = 500,
		.fin_received = fin != 0,
		.replied = replied != 0 };
	enum ending is = ending_decide(&facts);

	ck_assert_msg(is == expected,
	    "cause %s, error %d, fin %d, replied %d: %s, not %s",
	    cause_names[cause], error, fin, replied, ending_name(is),
	    ending_name(expected));
}

START_TEST(without_an_error_cause_and_fin_decide)
{
	for (int cause = 0; cause < CAUSES; cause++)
		for (int fin = 0; fin < 2; fin++)
			for (int replied = 0; replied < 2; replied++)
				expect(cause, 0, fin, replied,
				    without_error[cause][fin][replied]);
}
END_TEST

START_TEST(an_error_tells_more_than_all_else)
{
	static const int causes[] = { CAUSE_NONE, CAUSE_IDLE, CAUSE_STOPPED };

	for (int i = 0; i < 3; i++)
		for (int fin = 0; fin < 2; fin++)
			for (int replied = 0; replied < 2; replied++)
				expect(causes[i], with_error[_i].error, fin,
				    replied, with_error[_i].ending);
}
END_TEST

START_TEST(a_stalled_peer_stays_stalled_whatever_the_error)
{
	for (int fin = 0; fin < 2; fin++)
		for (int replied = 0; replied < 2; replied++)
			expect(CAUSE_STALLED, with_error[_i].error, fin,
			    replied, ENDING_STALLED);
}
END_TEST

START_TEST(one_that_we_did_not_want_is_that_whatever_the_error)
{
	static const int errors[] = { 0, ECONNRESET, ETIMEDOUT, EHOSTUNREACH,
		ENOTCONN };

	for (int fin = 0; fin < 2; fin++)
		for (int replied = 0; replied < 2; replied++) {
			expect(CAUSE_REFUSED, errors[_i], fin, replied,
			    ENDING_REFUSED);
			expect(CAUSE_EVICTED, errors[_i], fin, replied,
			    ENDING_EVICTED);
		}
}
END_TEST

/* How long it was waited, how long the peer was silent, and the word. */
static const struct {
	int64_t waited;
	int64_t silent;
	enum ending ending;
} given_up[] = {
	/* nothing was heard since before the wait */
	{ 10000, 10000, ENDING_DEAD_PEER },
	{ 10000, 3600000, ENDING_DEAD_PEER },
	{ 10000, 7500, ENDING_DEAD_PEER },
	/* probes are answered, which back off */
	{ 10000, 7499, ENDING_STALLED },
	{ 10000, 5100, ENDING_STALLED },
	{ 10000, 0, ENDING_STALLED },
	{ 2, 1, ENDING_STALLED },
	{ 1, 1, ENDING_DEAD_PEER },
	/* probes that the kernel counted: none was answered */
	{ 0, 0, ENDING_DEAD_PEER },
	{ 0, LEDGER_UNKNOWN, ENDING_DEAD_PEER },
	/* it cannot be told who is to blame: what was seen is that it took
	   nothing */
	{ 10000, LEDGER_UNKNOWN, ENDING_STALLED },
	{ INT64_MAX, INT64_MAX, ENDING_DEAD_PEER },
};

#define GIVEN_UP ((int)(sizeof(given_up) / sizeof(given_up[0])))

static const struct {
	enum cause cause;
	int error;
} how_given_up[] = {
	{ CAUSE_STALLED, 0 },
	{ CAUSE_STALLED, ECONNRESET },
	{ CAUSE_STALLED, ETIMEDOUT },
	{ CAUSE_NONE, ETIMEDOUT },
	{ CAUSE_IDLE, ETIMEDOUT },
	{ CAUSE_STOPPED, ETIMEDOUT },
};

#define HOW ((int)(sizeof(how_given_up) / sizeof(how_given_up[0])))

START_TEST(a_peer_that_is_given_up_is_silent_or_stalled)
{
	struct ending_facts facts = { .cause = how_given_up[_i % HOW].cause,
		.error = how_given_up[_i % HOW].error,
		.waited_ms = given_up[_i / HOW].waited,
		.silent_ms = given_up[_i / HOW].silent };

	for (int i = 0; i < 4; i++) {
		facts.fin_received = i & 1;
		facts.replied = i & 2;
		ck_assert_str_eq(ending_name(ending_decide(&facts)),
		    ending_name(given_up[_i / HOW].ending));
	}
}
END_TEST

/* Linux answers the first probe, and not the second: 0.4 s is too soon. */
static const struct {
	int64_t waited;
	int64_t silent;
	int64_t probes;
	enum cause cause;
	enum ending ending;
} short_waits[] = {
	{ 1000, 1000, 1, CAUSE_STALLED, ENDING_STALLED },
	{ 1999, 1999, 1, CAUSE_STALLED, ENDING_STALLED },
	{ 1000, 0, 2, CAUSE_STALLED, ENDING_STALLED },
	{ 1999, 1999, 0, CAUSE_STALLED, ENDING_DEAD_PEER },
	{ 1999, 1999, 2, CAUSE_STALLED, ENDING_DEAD_PEER },
	{ 1999, 1999, LEDGER_UNKNOWN, CAUSE_STALLED, ENDING_DEAD_PEER },
	{ 2000, 1500, 1, CAUSE_STALLED, ENDING_DEAD_PEER },
	{ 0, 0, 1, CAUSE_STALLED, ENDING_DEAD_PEER },
	/* of keepalive */
	{ 1000, 1000, 1, CAUSE_NONE, ENDING_DEAD_PEER },
};

#define SHORT_WAITS ((int)(sizeof(short_waits) / sizeof(short_waits[0])))

START_TEST(in_a_short_wait_one_lost_answer_says_nothing)
{
	struct ending_facts facts = { .cause = short_waits[_i].cause,
		.error = ETIMEDOUT,
		.waited_ms = short_waits[_i].waited,
		.silent_ms = short_waits[_i].silent,
		.probes = short_waits[_i].probes };

	ck_assert_str_eq(ending_name(ending_decide(&facts)),
	    ending_name(short_waits[_i].ending));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ending");
	TCase *tcase = unit_case(suite, "ending");

	tcase_add_test(tcase, without_an_error_cause_and_fin_decide);
	tcase_add_loop_test(
	    tcase, an_error_tells_more_than_all_else, 0, ERRORS);
	tcase_add_loop_test(
	    tcase, a_stalled_peer_stays_stalled_whatever_the_error, 0, ERRORS);
	tcase_add_loop_test(
	    tcase, one_that_we_did_not_want_is_that_whatever_the_error, 0, 5);
	tcase_add_loop_test(tcase, a_peer_that_is_given_up_is_silent_or_stalled,
	    0, GIVEN_UP * HOW);
	tcase_add_loop_test(tcase, in_a_short_wait_one_lost_answer_says_nothing,
	    0, SHORT_WAITS);
	return unit_run(suite);
}
