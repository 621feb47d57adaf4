/*
 * Tests of master/evict: whose connections are ended, each rule by an example,
 * and all of them against a slow twin over random pools.
 */
#include <stdlib.h>
#include <string.h>

#include "master/evict.h"
#include "unit/unit.h"

#define NOW 100000
#define MOST 64

static struct evict_connection pool[MOST];
static size_t count;
static struct evict_choice choice;

static void
add(uint64_t source, int64_t idle_ms, bool closing)
{
	pool[count] = (struct evict_connection){ .source = source,
		.idle_since = NOW - idle_ms,
		.closing = closing,
		.worker = (uint32_t)count,
		.number = (int)(100 + count) };
	count++;
}

static void
add_all(uint64_t source, size_t n, int64_t idle_ms)
{
	while (n-- > 0)
		add(source, idle_ms, false);
}

static void
choose(size_t waiting)
{
	choice = evict_choose(pool, count, waiting, NOW);
}

static size_t
victims_of(uint64_t source)
{
	size_t n = 0;

	for (size_t i = 0; i < choice.victims; i++)
		n += pool[i].source == source;
	return n;
}

static void
empty(void)
{
	count = 0;
}

START_TEST(the_oldest_of_the_heaviest_source_goes)
{
	add(1, 9000, false);
	add(2, 1000, false);
	add(2, 3000, false);
	add(2, 2000, false);
	choose(1);
	ck_assert_uint_eq(choice.victims, 1);
	ck_assert_uint_eq(pool[0].worker, 2);
	ck_assert_int_eq(pool[0].number, 102);
	ck_assert_uint_eq(choice.heaviest, 3);
	ck_assert_uint_ge(choice.worker, 1);
}
END_TEST

START_TEST(of_equal_sources_the_oldest_goes)
{
	add(1, 1000, false);
	add(2, 3000, false);
	add(3, 2000, false);
	choose(2);
	ck_assert_uint_eq(choice.victims, 2);
	ck_assert_uint_eq(pool[0].worker, 1);
	ck_assert_uint_eq(pool[1].worker, 2);
	ck_assert_uint_eq(choice.heaviest, 1);
}
END_TEST

START_TEST(of_equal_age_the_first_worker_goes)
{
	add_all(1, 3, 1000);
	choose(1);
	ck_assert_uint_eq(pool[0].worker, 0);
}
END_TEST

START_TEST(no_more_go_than_wait)
{
	add_all(1, 10, 1000);
	choose(0);
	ck_assert_uint_eq(choice.victims, 0);
	choose(3);
	ck_assert_uint_eq(choice.victims, 3);
}
END_TEST

START_TEST(one_source_alone_may_lose_all)
{
	add_all(1, 10, 1000);
	choose(100);
	ck_assert_uint_eq(choice.victims, 10);
}
END_TEST

START_TEST(a_turn_takes_from_the_heaviest_until_it_is_as_light_as_the_next)
{
	add_all(1, 4, 9000);
	add_all(2, 9, 1000);
	add_all(3, 1, 9000);
	choose(100);
	ck_assert_uint_eq(victims_of(2), 5);
	ck_assert_uint_eq(choice.victims, 5);
}
END_TEST

START_TEST(sources_as_heavy_as_each_other_go_down_together)
{
	add_all(1, 1, 9000);
	add_all(2, 6, 1000);
	add_all(3, 3, 9000);
	add_all(4, 6, 2000);
	choose(3);
	ck_assert_uint_eq(victims_of(4), 2);
	ck_assert_uint_eq(victims_of(2), 1);
	/* The older one first, then the other, which has more then. */
	ck_assert_uint_eq(pool[0].source, 4);
	ck_assert_uint_eq(pool[1].source, 2);
	choose(100);
	ck_assert_uint_eq(victims_of(2), 3);
	ck_assert_uint_eq(victims_of(4), 3);
	ck_assert_uint_eq(choice.victims, 6);
}
END_TEST

START_TEST(one_that_is_active_stays_while_another_is_idle)
{
	add(1, EVICT_GRACE_MS - 1, false);
	add(1, EVICT_GRACE_MS, false);
	add(1, 0, false);
	choose(3);
	ck_assert_uint_eq(choice.victims, 1);
	ck_assert_uint_eq(pool[0].worker, 1);
	ck_assert_uint_eq(choice.heaviest, 3);
}
END_TEST

START_TEST(a_source_that_is_active_costs_no_lighter_one)
{
	add_all(1, 9, 10);
	add_all(2, 2, 9000);
	choose(5);
	ck_assert_uint_eq(choice.victims, 0);
	ck_assert_int_eq(choice.look_at, NOW + EVICT_GRACE_MS - 10);
}
END_TEST

START_TEST(one_that_closes_has_a_grace_of_its_own)
{
	add(1, EVICT_CLOSING_MS, true);
	add(2, EVICT_CLOSING_MS - 1, true);
	add(3, EVICT_CLOSING_MS, false);
	choose(3);
	ck_assert_uint_eq(choice.victims, 1);
	ck_assert_uint_eq(pool[0].worker, 0);
}
END_TEST

static const struct {
	int64_t idle;
	bool closing;
	int64_t look_in;
} looks[] = {
	{ 0, false, EVICT_GRACE_MS },
	{ 100, false, EVICT_GRACE_MS - 100 },
	{ 0, true, EVICT_CLOSING_MS },
	{ EVICT_GRACE_MS - 1, false, EVICT_PERIOD_MS },
	{ EVICT_GRACE_MS, false, EVICT_PERIOD_MS }, /* a victim */
	{ NOW, false, EVICT_PERIOD_MS },
};

START_TEST(it_looks_again_when_the_next_is_ripe)
{
	add(1, looks[_i].idle, looks[_i].closing);
	choose(1);
	ck_assert_int_eq(choice.look_at, NOW + looks[_i].look_in);
}
END_TEST

/* Ripe ones that are spared are no reason to look sooner. */
START_TEST(who_is_spared_is_not_looked_for)
{
	add_all(1, 3, 100);
	add(2, 9000, false);
	choose(9);
	ck_assert_uint_eq(choice.victims, 0);
	ck_assert_int_eq(choice.look_at, NOW + EVICT_GRACE_MS - 100);
}
END_TEST

/*
 * The rule word by word: as long as somebody waits, of the sources that have a
 * ripe connection the one with the most, unless it has come down to what the
 * next lighter ones than the heaviest had; its oldest ripe one.
 */
static size_t
slow_choice(
    const struct evict_connection *c, size_t n, size_t waiting, bool gone[MOST])
{
	size_t heaviest = 0, next = 0, victims = 0, has[MOST];

	memset(gone, 0, MOST * sizeof(*gone));
	for (;; victims++) {
		size_t best = n;

		for (size_t i = 0; i < n; i++) {
			has[i] = 0;
			for (size_t j = 0; j < n; j++)
				has[i] +=
				    !gone[j] && c[j].source == c[i].source;
			if (victims == 0 && has[i] > heaviest)
				heaviest = has[i];
		}
		for (size_t i = 0; i < n && victims == 0; i++)
			if (has[i] < heaviest && has[i] > next)
				next = has[i];
		for (size_t i = 0; i < n; i++) {
			int64_t grace =
			    c[i].closing ? EVICT_CLOSING_MS : EVICT_GRACE_MS;

			if (gone[i] || NOW - c[i].idle_since < grace ||
			    has[i] <= next)
				continue;
			if (best == n || has[i] > has[best] ||
			    (has[i] == has[best] &&
				c[i].idle_since < c[best].idle_since))
				best = i;
		}
		if (victims == waiting || best == n)
			return victims;
		gone[best] = true;
	}
}

START_TEST(a_slow_twin_chooses_the_same)
{
	struct evict_connection before[MOST];
	bool gone[MOST];
	size_t waiting, n;

	srandom((unsigned)_i);
	for (int round = 0; round < 200; round++) {
		long sources = 1 + random() % 12;
		long ages = 1 + random() % 900;

		empty();
		n = 1 + (size_t)random() % MOST;
		while (count < n)
			add((uint64_t)(random() % sources * random() % sources),
			    random() % ages, random() % 4 == 0);
		memcpy(before, pool, sizeof(before));
		waiting = (size_t)random() % (MOST + 8);
		choose(waiting);
		ck_assert_uint_eq(
		    slow_choice(before, n, waiting, gone), choice.victims);
		for (size_t i = 0; i < n; i++) {
			ck_assert_int_eq(
			    pool[i].number, before[pool[i].worker].number);
			ck_assert_int_eq(
			    gone[pool[i].worker], i < choice.victims);
			gone[pool[i].worker] = i < choice.victims;
		}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("evict");
	TCase *tcase = unit_case(suite, "evict");

	tcase_add_checked_fixture(tcase, empty, NULL);
	tcase_add_test(tcase, the_oldest_of_the_heaviest_source_goes);
	tcase_add_test(tcase, of_equal_sources_the_oldest_goes);
	tcase_add_test(tcase, of_equal_age_the_first_worker_goes);
	tcase_add_test(tcase, no_more_go_than_wait);
	tcase_add_test(tcase, one_source_alone_may_lose_all);
	tcase_add_test(tcase,
	    a_turn_takes_from_the_heaviest_until_it_is_as_light_as_the_next);
	tcase_add_test(tcase, sources_as_heavy_as_each_other_go_down_together);
	tcase_add_test(tcase, one_that_is_active_stays_while_another_is_idle);
	tcase_add_test(tcase, a_source_that_is_active_costs_no_lighter_one);
	tcase_add_test(tcase, one_that_closes_has_a_grace_of_its_own);
	tcase_add_loop_test(tcase, it_looks_again_when_the_next_is_ripe, 0,
	    sizeof(looks) / sizeof(looks[0]));
	tcase_add_test(tcase, who_is_spared_is_not_looked_for);
	tcase_add_loop_test(tcase, a_slow_twin_chooses_the_same, 0, 20);
	return unit_run(suite);
}
