/*
 * Tests of common/scoreboard: how many connections a source has open.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROWS 2
#define SLOTS 8

#include "common/clock.h"
#include "unit/board.h"

#define ECHO 1
#define TIME 5

static struct slot *
open_in(uint32_t row, uint16_t service, const char *text)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct slot *slot = scoreboard_take(&board, row);

	ck_assert_ptr_nonnull(slot);
	ck_assert_int_eq(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	slot->service = service;
	slot_open(slot, (struct sockaddr *)&in6, 1);
	return slot;
}

static uint32_t
count(const struct slot *slot)
{
	return scoreboard_count_source(&board, slot);
}

START_TEST(those_of_one_source_and_service_count)
{
	struct slot *first = open_in(0, ECHO, "2001:db8::1");
	struct slot *other = open_in(0, ECHO, "2001:db8:0:1::1");

	ck_assert_uint_eq(count(first), 1);
	/* The same /64, on another listening socket. */
	open_in(1, ECHO, "2001:db8::ffff:0:0:2");
	ck_assert_uint_eq(count(first), 2);
	open_in(1, TIME, "2001:db8::1");
	ck_assert_uint_eq(count(first), 2);
	ck_assert_uint_eq(count(other), 1);
}
END_TEST

START_TEST(what_has_ended_does_not_count)
{
	struct slot *first = open_in(0, ECHO, "::ffff:192.0.2.1");
	struct slot *second = open_in(0, ECHO, "::ffff:192.0.2.1");

	ck_assert_uint_eq(count(first), 2);
	slot_end(second, ENDING_RESET);
	ck_assert_uint_eq(count(first), 1);
	slot_end(first, ENDING_REFUSED);
	ck_assert_uint_eq(count(second), 0);
}
END_TEST

START_TEST(a_worker_that_died_counts_until_it_is_released)
{
	struct slot *first = open_in(0, ECHO, "::ffff:192.0.2.1");
	struct slot *dead = open_in(0, ECHO, "::ffff:192.0.2.1");

	dead->sequence++; /* in the middle of a write */
	ck_assert_uint_eq(count(first), 2);
	scoreboard_release(&board, 0, dead, NULL, NULL);
	ck_assert_uint_eq(count(first), 1);
}
END_TEST

START_TEST(a_header_that_lies_leads_nowhere)
{
	struct slot *first = open_in(0, ECHO, "::ffff:192.0.2.1");

	board.header->used = UINT32_MAX;
	ck_assert_uint_eq(count(first), 1);
	board.header->used = 0;
	ck_assert_uint_eq(count(first), 0);
}
END_TEST

struct meeting {
	_Atomic uint32_t arrived[2] __attribute__((aligned(64)));
	_Atomic uint32_t seen[2] __attribute__((aligned(64)));
	_Atomic uint32_t both_missed __attribute__((aligned(64)));
};

/* Both come here at the same instant, as near as can be. */
static void
meet(struct meeting *meeting, int who, uint32_t round)
{
	meeting->arrived[who] = round;
	for (int i = 0; meeting->arrived[1 - who] < round; i++)
		if (i > 1000)
			sched_yield();
}

static void
open_in_step(struct meeting *meeting, int who, struct slot *slot)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	for (uint32_t round = 1;; round++) {
		meet(meeting, who, 3 * round);
		slot_open(slot, (struct sockaddr *)&in6, 1);
		meeting->seen[who] = count(slot);
		meet(meeting, who, 3 * round + 1);
		if (meeting->seen[0] < 2 && meeting->seen[1] < 2)
			meeting->both_missed = round;
		slot_end(slot, ENDING_SERVED);
		meet(meeting, who, 3 * round + 2);
	}
}

START_TEST(of_two_at_once_one_sees_both)
{
	struct slot *slots[2] = { scoreboard_take(&board, 0),
		scoreboard_take(&board, 0) };
	struct meeting *meeting = mmap(NULL, sizeof(*meeting),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int64_t deadline = clock_ms() + 3000;
	pid_t pids[2];

	ck_assert_ptr_ne(meeting, MAP_FAILED);
	for (int i = 0; i < 2; i++) {
		slots[i]->service = ECHO;
		pids[i] = fork();
		if (pids[i] == 0)
			open_in_step(meeting, i, slots[i]);
	}
	while (clock_ms() < deadline && meeting->arrived[0] < 3000000 &&
	    meeting->both_missed == 0)
		usleep(1000);
	for (int i = 0; i < 2; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	ck_assert_msg(meeting->both_missed == 0,
	    "in round %u neither has seen the other", meeting->both_missed);
	ck_assert_uint_gt(meeting->arrived[0], 3);
	munmap(meeting, sizeof(*meeting));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scoreboard_source");
	TCase *tcase = unit_case(suite, "sources");

	tcase_add_checked_fixture(tcase, board_make, board_destroy);
	tcase_add_test(tcase, those_of_one_source_and_service_count);
	tcase_add_test(tcase, what_has_ended_does_not_count);
	tcase_add_test(tcase, a_worker_that_died_counts_until_it_is_released);
	tcase_add_test(tcase, a_header_that_lies_leads_nowhere);
	tcase_add_test(tcase, of_two_at_once_one_sees_both);
	return unit_run(suite);
}
