/*
 * master/stop: who is signalled, and when.
 */
#include <signal.h>
#include <string.h>

#include "master/stop.h"
#include "unit/unit.h"

#define BEGAN 5000

static int terms, kills;
static struct conf conf = { .stop_timeout = 1000 };
static struct child child = { .pid = 1 };

/* Stands in for the C library's: here no process is to end. */
int
kill(pid_t pid, int signal_number)
{
	ck_assert_int_eq(pid, child.pid);
	terms += signal_number == SIGTERM;
	kills += signal_number == SIGKILL;
	return 0;
}

static void
begin(struct master *master)
{
	memset(master, 0, sizeof(*master));
	master->conf = &conf;
	TAILQ_INIT(&master->pools);
	ck_assert_int_eq(child_table_init(&master->children, 1), 0);
	child_add(&master->children, &child);
	terms = kills = 0;
	stop_request(master, BEGAN);
	ck_assert_int_eq(terms, 1);
}

START_TEST(term_is_repeated_ever_more_rarely)
{
	struct master master;

	begin(&master);
	ck_assert_int_eq(stop_turn(&master, BEGAN + 49), BEGAN + 50);
	ck_assert_int_eq(terms, 1);
	ck_assert_int_eq(stop_turn(&master, BEGAN + 50), BEGAN + 150);
	ck_assert_int_eq(terms, 2);
	ck_assert_int_eq(stop_turn(&master, BEGAN + 150), BEGAN + 350);
	ck_assert_int_eq(terms, 3);
	ck_assert_int_eq(stop_turn(&master, BEGAN + 350), BEGAN + 750);
	/* The deadline comes before the next step. */
	ck_assert_int_eq(stop_turn(&master, BEGAN + 750), BEGAN + 1000);
	ck_assert_int_eq(kills, 0);
}
END_TEST

START_TEST(after_stop_timeout_workers_are_killed)
{
	struct master master;

	begin(&master);
	stop_turn(&master, BEGAN + 999);
	ck_assert_int_eq(kills, 0);
	ck_assert_int_eq(stop_turn(&master, BEGAN + 1000), BEGAN + 2000);
	ck_assert_int_eq(kills, 1);
	stop_turn(&master, BEGAN + 1999);
	ck_assert_int_eq(kills, 1);
	stop_turn(&master, BEGAN + 2000);
	ck_assert_int_eq(kills, 2);
}
END_TEST

START_TEST(a_second_request_kills_at_once)
{
	struct master master;

	begin(&master);
	stop_request(&master, BEGAN + STOP_SAME_MS);
	ck_assert_int_eq(kills, 1);
}
END_TEST

START_TEST(a_request_within_a_moment_is_the_same)
{
	struct master master;

	begin(&master);
	stop_request(&master, BEGAN + STOP_SAME_MS - 1);
	ck_assert_int_eq(kills, 0);
	ck_assert_int_eq(terms, 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("stop");
	TCase *tcase = unit_case(suite, "stop");

	tcase_add_test(tcase, term_is_repeated_ever_more_rarely);
	tcase_add_test(tcase, after_stop_timeout_workers_are_killed);
	tcase_add_test(tcase, a_second_request_kills_at_once);
	tcase_add_test(tcase, a_request_within_a_moment_is_the_same);
	return unit_run(suite);
}
