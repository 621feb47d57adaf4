/*
 * Tests of probe/bisect: firewalls with any limit, a network that loses, and
 * the search between them.
 */
#include <stdlib.h>

#include "probe/bisect.h"
#include "unit/unit.h"

#define GAMES 5000
#define LATE_MS 30 /* a machine wakes up so much later */

/* A game: a firewall, a machine, and what goes wrong. */
struct game {
	struct bisect b;
	int64_t limit_ms;
	int64_t slack_ms;       /* it forgets so much later, now and then */
	int64_t late_ms;        /* at most */
	unsigned int bad_round; /* in which it all goes wrong, from 1 */
	unsigned int bad_one;   /* or this connection alone, from 1 */
	unsigned int asked;     /* connections */
	int64_t took_ms;        /* all rounds, by their longest */
};

static uint64_t state;

static void
set_up(void)
{
	state = 1;
}

/* splitmix64: the same games each time. */
static int64_t
chance(int64_t from, int64_t to)
{
	uint64_t x = (state += UINT64_C(0x9e3779b97f4a7c15));

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	x ^= x >> 31;
	return from + (int64_t)(x % (uint64_t)(to - from + 1));
}

static void
random_game(struct game *g)
{
	int64_t max = chance(100, 86400000), precision = chance(100, 60000);

	*g = (struct game){ .late_ms = LATE_MS };
	if (chance(0, 2) == 0)
		max = chance(1000, 60000);
	if (precision > max)
		precision = max;
	bisect_init(&g->b, max, precision,
	    (size_t)chance(1, chance(1, BISECT_PARALLEL_MAX)));
	g->limit_ms = chance(1, max + max / 10);
	if (chance(0, 2) == 0)
		g->limit_ms = chance(1, max / 50 + 1);
}

static bool
survives(struct game *g, int64_t ms)
{
	g->asked++;
	if (g->bad_round == g->b.rounds + 1 || g->bad_one == g->asked)
		return false;
	return ms <
	    g->limit_ms + (g->slack_ms == 0 ? 0 : chance(0, g->slack_ms));
}

/* One round; false when there is no other. */
static bool
play(struct game *g)
{
	struct bisect_result results[BISECT_PARALLEL_MAX];
	int64_t times[BISECT_PARALLEL_MAX];
	size_t n = bisect_plan(&g->b, times), came = 0;
	int64_t last = 0;

	ck_assert_uint_le(n, g->b.parallel);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_gt(times[i], last);
		ck_assert_int_le(
		    times[i], g->b.max_ms + g->b.rounds * g->late_ms);
		last = times[i];
		results[came].idle_ms = times[i] + chance(0, g->late_ms);
		results[came].alive = survives(g, results[came].idle_ms);
		/* Those that idle for longer are not waited for. */
		if (!results[came++].alive && chance(0, 1) == 0)
			break;
	}
	g->took_ms += last;
	if (n > 0)
		bisect_learn(&g->b, results, came);
	return n > 0;
}

static void
play_all(struct game *g)
{
	while (play(g))
		;
}

static void
expect_right(const struct game *g)
{
	const struct bisect *b = &g->b;

	if (bisect_has_none(b)) {
		ck_assert_int_ge(g->limit_ms, b->max_ms);
		return;
	}
	ck_assert_msg(bisect_has_found(b),
	    "not found: limit %lld in %lld to %lld, suspect %lld, max %lld, precision %lld, parallel %zu, %u rounds of %u",
	    (long long)g->limit_ms, (long long)b->alive_ms,
	    (long long)b->dead_ms, (long long)b->suspect_ms,
	    (long long)b->max_ms, (long long)b->precision_ms, b->parallel,
	    b->rounds, b->rounds_max);
	ck_assert_int_lt(b->alive_ms, g->limit_ms);
	ck_assert_int_ge(b->dead_ms, g->limit_ms);
	ck_assert_int_le(b->dead_ms - b->alive_ms, b->precision_ms);
}

START_TEST(any_limit_is_found_within_precision)
{
	struct game g;

	for (int i = 0; i < GAMES; i++) {
		random_game(&g);
		/* Else a gap of less than that may need one round more. */
		g.late_ms = g.b.precision_ms / 20;
		play_all(&g);
		expect_right(&g);
		ck_assert_uint_le(g.b.rounds,
		    bisect_rounds(g.b.max_ms, g.b.precision_ms, g.b.parallel));
	}
}
END_TEST

START_TEST(a_machine_that_is_late_costs_no_more_than_rounds)
{
	struct game g;

	for (int i = 0; i < GAMES; i++) {
		random_game(&g);
		g.late_ms = g.b.precision_ms / 4;
		play_all(&g);
		expect_right(&g);
	}
}
END_TEST

START_TEST(one_lost_by_bad_luck_is_asked_again)
{
	struct game g;

	for (int i = 0; i < GAMES; i++) {
		random_game(&g);
		g.bad_one = (unsigned int)chance(1, 3 * (int)g.b.parallel);
		play_all(&g);
		expect_right(&g);
	}
}
END_TEST

START_TEST(a_round_without_a_network_is_asked_again)
{
	struct game g;

	for (int i = 0; i < GAMES; i++) {
		random_game(&g);
		g.bad_round = (unsigned int)chance(1, 6);
		play_all(&g);
		expect_right(&g);
	}
}
END_TEST

/* Its limit is the one from which on it may forget. */
START_TEST(a_firewall_that_looks_now_and_then_never_beats_the_advice)
{
	unsigned int idle, interval, advised = 0;
	struct game g;

	for (int i = 0; i < GAMES; i++) {
		random_game(&g);
		g.slack_ms = g.limit_ms / 2 + 1;
		play_all(&g);
		if (!bisect_has_found(&g.b))
			continue;
		ck_assert_int_ge(g.b.dead_ms, g.limit_ms);
		/* No keepalive is fine enough for less. */
		if (g.limit_ms < 2000 ||
		    !bisect_advice(g.b.alive_ms, &idle, &interval))
			continue;
		ck_assert_int_le(idle * INT64_C(1000), g.limit_ms);
		advised++;
	}
	ck_assert_uint_gt(advised, GAMES / 4);
}
END_TEST

/* All is lost at random: it ends all the same. */
START_TEST(there_is_always_an_end)
{
	struct bisect_result results[BISECT_PARALLEL_MAX];
	int64_t times[BISECT_PARALLEL_MAX];
	unsigned int rounds;
	struct game g;
	size_t n;

	for (int i = 0; i < GAMES; i++) {
		random_game(&g);
		for (rounds = 0; (n = bisect_plan(&g.b, times)) > 0; rounds++) {
			for (size_t j = 0; j < n; j++) {
				results[j].idle_ms = times[j];
				results[j].alive = chance(0, 1) == 0;
			}
			bisect_learn(&g.b, results, n);
			ck_assert_uint_le(rounds, g.b.rounds_max);
		}
	}
}
END_TEST

static const struct {
	int64_t max_s, limit_s;
	size_t parallel;
	unsigned int rounds;
} usual[] = {
	{ 600, 5, 8, 4 },
	{ 600, 60, 8, 5 },
	{ 600, 300, 8, 5 },
	{ 600, 350, 8, 5 },
	{ 3600, 900, 8, 5 },
	{ 600, 1000, 8, 1 },
	{ 86400, 7200, 16, 5 },
	{ 600, 1000, 1, 5 },
};

/* Doubling and halving with one connection would be 20 rounds. */
START_TEST(usual_limits_take_few_rounds)
{
	struct game g = { .limit_ms = usual[_i].limit_s * 1000 };

	bisect_init(&g.b, usual[_i].max_s * 1000, 1000, usual[_i].parallel);
	play_all(&g);
	expect_right(&g);
	ck_assert_uint_le(g.b.rounds, usual[_i].rounds);
}
END_TEST

/* With one connection, those that are short come first. */
START_TEST(a_short_limit_does_not_wait_for_a_long_one)
{
	struct game g = { .limit_ms = 5000 };

	bisect_init(&g.b, 3600000, 1000, 1);
	play_all(&g);
	expect_right(&g);
	ck_assert_int_lt(g.took_ms, 15 * g.limit_ms);
}
END_TEST

START_TEST(nothing_is_found_before_it_is_asked_again)
{
	struct bisect_result dead = { .idle_ms = 1000 };
	struct bisect b;

	bisect_init(&b, 1000, 1000, 1);
	bisect_learn(&b, &dead, 1);
	ck_assert(!bisect_has_found(&b));
	ck_assert_int_eq(b.suspect_ms, 1000);
	bisect_learn(&b, &dead, 1);
	ck_assert(bisect_has_found(&b));
	ck_assert_int_eq(b.dead_ms, 1000);
}
END_TEST

START_TEST(one_that_survives_for_longer_clears_nobody)
{
	struct bisect_result first[] = { { 5000, true }, { 10000, false },
		{ 20000, true } };
	struct bisect_result again[] = { { 7000, true }, { 10000, false } };
	struct bisect b;

	bisect_init(&b, 40000, 1000, 4);
	bisect_learn(&b, first, 3);
	ck_assert_int_eq(b.alive_ms, 5000);
	ck_assert_int_eq(b.suspect_ms, 10000);
	bisect_learn(&b, again, 2);
	ck_assert_int_eq(b.alive_ms, 7000);
	ck_assert_int_eq(b.dead_ms, 10000);
	ck_assert_int_eq(b.suspect_ms, 0);
}
END_TEST

static const struct {
	int64_t alive_ms;
	bool possible;
	unsigned int idle_s, interval_s;
} advice[] = {
	{ 900, false, 1, 1 },
	{ 1100, false, 1, 1 },
	{ 1200, true, 1, 1 },
	{ 4500, true, 2, 1 },
	{ 16500, true, 8, 2 },
	{ 60500, true, 30, 10 },
	{ 350000, true, 175, 58 },
	{ 86400000, true, 32767, 14400 },
};

START_TEST(the_advice_is_in_time)
{
	unsigned int idle, interval;

	ck_assert_int_eq(bisect_advice(advice[_i].alive_ms, &idle, &interval),
	    advice[_i].possible);
	ck_assert_uint_eq(idle, advice[_i].idle_s);
	ck_assert_uint_eq(interval, advice[_i].interval_s);
}
END_TEST

/* One probe that is lost, of a timer that is an eighth late, costs nothing. */
START_TEST(the_advice_has_a_second_probe)
{
	unsigned int idle, interval;

	for (int64_t ms = 2500; ms < 86400000; ms += ms / 7) {
		ck_assert(bisect_advice(ms, &idle, &interval));
		ck_assert_int_le((idle + interval) * INT64_C(1125), ms);
	}
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

int
main(void)
{
	Suite *suite = suite_create("bisect");
	TCase *tcase = unit_case(suite, "search");

	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, any_limit_is_found_within_precision);
	tcase_add_test(tcase, a_machine_that_is_late_costs_no_more_than_rounds);
	tcase_add_test(tcase, one_lost_by_bad_luck_is_asked_again);
	tcase_add_test(tcase, a_round_without_a_network_is_asked_again);
	tcase_add_test(
	    tcase, a_firewall_that_looks_now_and_then_never_beats_the_advice);
	tcase_add_test(tcase, there_is_always_an_end);
	tcase_add_loop_test(
	    tcase, usual_limits_take_few_rounds, 0, ROWS(usual));
	tcase_add_test(tcase, a_short_limit_does_not_wait_for_a_long_one);
	tcase_add_test(tcase, nothing_is_found_before_it_is_asked_again);
	tcase_add_test(tcase, one_that_survives_for_longer_clears_nobody);
	tcase = unit_case(suite, "advice");
	tcase_add_loop_test(tcase, the_advice_is_in_time, 0, ROWS(advice));
	tcase_add_test(tcase, the_advice_has_a_second_probe);
	return unit_run(suite);
}
