/*
 * Tests of common/idle_set: a bit a worker, in memory that processes share.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/idle_set.h"
#include "unit/unit.h"

#define SLOTS 200
#define WORDS 4 /* so many bits */

static idle_word *set;

static void
make(void)
{
	set = mmap(NULL, WORDS * sizeof(*set), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(set, MAP_FAILED);
}

static void
destroy(void)
{
	munmap((void *)set, WORDS * sizeof(*set));
}

START_TEST(a_set_has_whole_words)
{
	static const struct {
		uint32_t slots;
		size_t words;
	} sizes[] = { { 0, 0 }, { 1, 1 }, { 63, 1 }, { 64, 1 }, { 65, 2 },
		{ 128, 2 }, { 129, 3 }, { UINT32_MAX, 1 << 26 } };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		ck_assert_msg(idle_set_words(sizes[i].slots) == sizes[i].words,
		    "%u slots", sizes[i].slots);
}
END_TEST

START_TEST(each_slot_has_a_bit_of_its_own)
{
	for (uint32_t i = 0; i < SLOTS; i++) {
		ck_assert(!idle_set_has(set, i));
		idle_set_add(set, i);
		for (uint32_t j = 0; j < SLOTS; j++)
			ck_assert_msg(
			    idle_set_has(set, j) == (j == i), "%u, %u", i, j);
		ck_assert_uint_eq(idle_set_count(set, SLOTS, UINT32_MAX), 1);
		idle_set_remove(set, i);
		ck_assert_uint_eq(idle_set_count(set, SLOTS, UINT32_MAX), 0);
	}
}
END_TEST

START_TEST(adding_and_removing_twice_is_as_once)
{
	idle_set_add(set, 70);
	idle_set_add(set, 70);
	idle_set_add(set, 71);
	ck_assert_uint_eq(idle_set_count(set, SLOTS, UINT32_MAX), 2);
	idle_set_remove(set, 70);
	idle_set_remove(set, 70);
	ck_assert(!idle_set_has(set, 70));
	ck_assert(idle_set_has(set, 71));
	ck_assert_uint_eq(idle_set_count(set, SLOTS, UINT32_MAX), 1);
}
END_TEST

START_TEST(all_are_counted_up_to_the_last_word)
{
	for (uint32_t i = 0; i < SLOTS; i++)
		idle_set_add(set, i);
	ck_assert_uint_eq(idle_set_count(set, SLOTS, UINT32_MAX), SLOTS);
	ck_assert_uint_eq(idle_set_count(set, 0, UINT32_MAX), 0);
	/* Words are counted whole: bits beyond the slots are never set. */
	ck_assert_uint_eq(idle_set_count(set, 64, UINT32_MAX), 64);
	ck_assert_uint_eq(idle_set_count(set, 65, UINT32_MAX), 128);
}
END_TEST

START_TEST(counting_stops_at_enough)
{
	for (uint32_t i = 0; i < SLOTS; i++)
		idle_set_add(set, i);
	ck_assert_uint_eq(idle_set_count(set, SLOTS, 0), 0);
	ck_assert_uint_eq(idle_set_count(set, SLOTS, 1), 64);
	ck_assert_uint_eq(idle_set_count(set, SLOTS, 64), 64);
	ck_assert_uint_eq(idle_set_count(set, SLOTS, 65), 128);
	idle_set_remove(set, 5);
	ck_assert_uint_eq(idle_set_count(set, SLOTS, 64), 127);
}
END_TEST

/* Each adds and removes bits of words that all of them write to. */
static void
work(uint32_t self, uint32_t processes)
{
	for (int round = 0; round < 2001; round++)
		for (uint32_t i = self; i < SLOTS; i += processes)
			if (round % 2 == 0)
				idle_set_add(set, i);
			else
				idle_set_remove(set, i);
}

START_TEST(processes_do_not_lose_each_others_bits)
{
	pid_t pids[4];
	int status;

	for (uint32_t i = 0; i < 4; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] == 0) {
			work(i, 4);
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_uint_eq(idle_set_count(set, SLOTS, UINT32_MAX), SLOTS);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("idle_set");
	TCase *tcase = unit_case(suite, "idle_set");

	tcase_add_checked_fixture(tcase, make, destroy);
	tcase_add_test(tcase, a_set_has_whole_words);
	tcase_add_test(tcase, each_slot_has_a_bit_of_its_own);
	tcase_add_test(tcase, adding_and_removing_twice_is_as_once);
	tcase_add_test(tcase, all_are_counted_up_to_the_last_word);
	tcase_add_test(tcase, counting_stops_at_enough);
	tcase_add_test(tcase, processes_do_not_lose_each_others_bits);
	return unit_run(suite);
}
