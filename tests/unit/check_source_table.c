/*
 * Tests of common/source_table: one source never pays for another.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/source_table.h"
#include "unit/unit.h"

#define SETS 64
#define ROOM (SETS * SOURCE_WAYS)

static struct source_table table;
static const struct bucket_rate two = { .interval_us = 1000000, .burst = 2 };

static void
make(void)
{
	ck_assert_int_eq(source_table_create(&table, SETS), 0);
}

static void
drop(void)
{
	source_table_destroy(&table);
}

static bool
take(uint64_t source, uint64_t now)
{
	return source_table_take(&table, source, &two, now, SOURCE_FORGET);
}

START_TEST(each_source_has_a_bucket_of_its_own)
{
	/* So few that no set is full, but by a chance of one in millions. */
	for (uint64_t source = 0; source < 32; source++) {
		ck_assert(take(source, 7));
		ck_assert(take(source, 7));
		ck_assert(!take(source, 7));
	}
	for (uint64_t source = 0; source < 32; source++) {
		ck_assert(!take(source, 1000006));
		ck_assert(take(source, 1000007));
		ck_assert(!take(source, 1000007));
	}
}
END_TEST

START_TEST(who_is_new_is_let_in_however_many_there_are)
{
	for (uint64_t source = 0; source < 100 * ROOM; source++)
		ck_assert(take(source << 32, 7));
}
END_TEST

START_TEST(who_owes_most_is_remembered_among_many)
{
	ck_assert(take(1, 7));
	ck_assert(take(1, 7));
	/* Each owes one token, and is forgotten before it. */
	for (uint64_t source = 2; source < 100 * ROOM; source++) {
		take(source << 32, 7);
		ck_assert(!take(1, 7));
	}
}
END_TEST

START_TEST(kept_ones_are_as_many_as_there_is_room)
{
	unsigned first = 0, again = 0, later = 0;

	for (uint64_t source = 0; source < 100 * ROOM; source++)
		first += source_table_take(
		    &table, source << 32, &two, 7, SOURCE_KEEP);
	ck_assert_uint_le(first, ROOM);
	ck_assert_uint_gt(first, ROOM - ROOM / 10);
	/* And those: each has its second token, and nobody else has one. */
	for (uint64_t source = 0; source < 100 * ROOM; source++)
		again += source_table_take(
		    &table, source << 32, &two, 7, SOURCE_KEEP);
	ck_assert_uint_eq(again, first);
	/* Once nobody owes anything, there is room for others. */
	for (uint64_t source = 1; source < ROOM; source++)
		later += source_table_take(
		    &table, source, &two, 7 + 2000000, SOURCE_KEEP);
	ck_assert_uint_gt(later, ROOM / 2);
}
END_TEST

START_TEST(the_key_is_another_one_each_time)
{
	struct source_table other = { .set_count = 0 };

	ck_assert_int_eq(source_table_create(&other, SETS), 0);
	ck_assert_uint_ne(table.key[0], other.key[0]);
	ck_assert_uint_ne(table.key[1], other.key[1]);
	ck_assert_uint_ne(source_table_salt(&table, "echo"),
	    source_table_salt(&other, "echo"));
	ck_assert_uint_ne(source_table_salt(&table, "echo"),
	    source_table_salt(&table, "time"));
	ck_assert_uint_eq(source_table_salt(&table, "echo"),
	    source_table_salt(&table, "echo"));
	source_table_destroy(&other);
}
END_TEST

/* Sources one after the other are in all sets, and none has many of them. */
START_TEST(sources_are_spread)
{
	unsigned good = 0;

	for (uint64_t source = 0; source < ROOM / 4; source++) {
		take(source, 7);
		take(source, 7);
	}
	for (uint64_t source = 0; source < ROOM / 4; source++)
		good += !take(source, 7);
	ck_assert_uint_ge(good, ROOM / 4 - 2);
}
END_TEST

#define PROCESSES 4
#define TOKENS 1000000

/* Each takes until there is none; some are killed while they do. */
START_TEST(many_at_once_share_one_bucket)
{
	const struct bucket_rate rate = { .interval_us = 1000000,
		.burst = TOKENS };
	_Atomic unsigned *taken = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[PROCESSES];

	ck_assert_ptr_ne(taken, MAP_FAILED);
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] != 0)
			continue;
		while (source_table_take(&table, 42, &rate, 7, SOURCE_FORGET))
			atomic_fetch_add(taken, 1);
		_exit(0);
	}
	if (_i == 1)
		kill(pids[0], SIGKILL);
	for (int i = 0; i < PROCESSES; i++)
		ck_assert_int_eq(waitpid(pids[i], NULL, 0), pids[i]);
	ck_assert_uint_ge(*taken, TOKENS - 1);
	/* One that had begun before another is one that nobody finds; and one
	   that has given up has a token. */
	ck_assert_uint_le(*taken, TOKENS + PROCESSES + TOKENS / 10000);
	munmap((void *)taken, 4096);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("source_table");
	TCase *tcase = unit_case(suite, "table");

	tcase_add_checked_fixture(tcase, make, drop);
	tcase_add_test(tcase, each_source_has_a_bucket_of_its_own);
	tcase_add_test(tcase, who_is_new_is_let_in_however_many_there_are);
	tcase_add_test(tcase, who_owes_most_is_remembered_among_many);
	tcase_add_test(tcase, kept_ones_are_as_many_as_there_is_room);
	tcase_add_test(tcase, the_key_is_another_one_each_time);
	tcase_add_test(tcase, sources_are_spread);
	tcase_add_loop_test(tcase, many_at_once_share_one_bucket, 0, 2);
	return unit_run(suite);
}
