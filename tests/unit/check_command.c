/*
 * master/command: requests, and what is answered before anything is done.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fdpass.h"
#include "common/log.h"
#include "master/command.h"
#define ROWS 1
#define SLOTS 1
#include "unit/board.h"

static struct conf conf = { .stop_timeout = 1000 };
static struct master master;

static void
make(void)
{
	board_make();
	memset(&master, 0, sizeof(master));
	master.conf = &conf;
	master.board = board;
	master.control = control_new(-1);
	RB_INIT(&master.children.all);
	ck_assert_ptr_nonnull(master.control);
}

static void
destroy(void)
{
	control_free(master.control);
	board_destroy();
}

static int came = -1; /* a descriptor, with an answer */

/* What a client is told that sends this line; "" where it has to wait. */
static const char *
told(const char *line)
{
	static char text[8192];
	struct pollfd fds[CONTROL_FDS];
	int64_t wake = CLOCK_NEVER;
	size_t used = 0;
	ssize_t n;
	int pair[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	control_admit(master.control, pair[0], clock_ms());
	ck_assert_int_gt(write(pair[1], line, strlen(line)), 0);
	ck_assert_int_eq(
	    poll(fds, control_prepare(master.control, fds, clock_ms(), &wake),
		0),
	    1);
	control_serve(master.control, fds, clock_ms(), command_run, &master);
	while ((n = fdpass_receive(
		    pair[1], text + used, sizeof(text) - 1 - used, &came)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	close(pair[1]);
	return text;
}

#define LIST                                                                   \
	"; the commands are: status [-j], metrics, scoreboard, reload, upgrade, stop, log-level LEVEL\n"

static const struct {
	const char *line;
	const char *reply;
} refused[] = {
	{ "nosuch\n", "error\nunknown command: nosuch" LIST },
	{ "Status\n", "error\nunknown command: Status" LIST },
	{ "status now\n", "error\nstatus takes -j, for JSON, or nothing\n" },
	{ "metrics now\n", "error\ntakes no argument: metrics" LIST },
	{ "log-level\n", "error\nan argument is missing: log-level" LIST },
	{ "\n", "error\na command is a word, and at most one more" LIST },
	{ " \t\n", "error\na command is a word, and at most one more" LIST },
	{ "log-level debug now\n",
	    "error\na command is a word, and at most one more" LIST },
	{ "log-level loud\n",
	    "error\nlog-level loud: must be error, warning, notice, info or "
	    "debug\n" },
};

START_TEST(what_cannot_be_done_says_why)
{
	ck_assert_str_eq(told(refused[_i].line), refused[_i].reply);
	ck_assert(!master.stop.begun);
}
END_TEST

/* Whoever may ask may read, and that is all. */
START_TEST(the_scoreboard_comes_to_be_read)
{
	const char *answer = told("scoreboard\n");
	void *map;

	ck_assert_str_eq(
	    answer, "ok\nthe scoreboard comes with this, see preforkctl(8)\n");
	ck_assert_int_ge(came, 0);
	ck_assert_int_eq(fcntl(came, F_GETFL) & O_ACCMODE, O_RDONLY);
	ck_assert_ptr_eq(
	    mmap(NULL, board.size, PROT_READ | PROT_WRITE, MAP_SHARED, came, 0),
	    MAP_FAILED);
	ck_assert_int_eq(ftruncate(came, 0), -1);
	map = mmap(NULL, board.size, PROT_READ, MAP_SHARED, came, 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	board.header->log_level = LOG_DEBUG;
	ck_assert_mem_eq(map, board.header, board.size);
	munmap(map, board.size);
	close(came);
}
END_TEST

START_TEST(a_level_is_for_the_master_and_its_workers)
{
	ck_assert_str_eq(
	    told("  log-level\twarning \n"), "ok\nlog-level warning\n");
	ck_assert_int_eq(log_level(), LOG_WARNING);
	ck_assert_uint_eq(board.header->log_level, LOG_WARNING);
	ck_assert_str_eq(told("log-level debug\n"), "ok\nlog-level debug\n");
	ck_assert_int_eq(log_level(), LOG_DEBUG);
	ck_assert_uint_eq(board.header->log_level, LOG_DEBUG);
}
END_TEST

START_TEST(a_reload_is_answered_later)
{
	ck_assert_str_eq(told("reload\n"), "");
	ck_assert(master.reload.wanted);
}
END_TEST

START_TEST(an_upgrade_is_answered_later)
{
	ck_assert_str_eq(told("upgrade\n"), "");
	ck_assert(master.upgrade.wanted);
}
END_TEST

START_TEST(while_it_stops_neither_is_begun)
{
	master.stop.begun = true;
	ck_assert_str_eq(told("reload\n"), "error\nthe daemon stops\n");
	ck_assert_str_eq(told("upgrade\n"), "error\nthe daemon stops\n");
	ck_assert(!master.reload.wanted);
	ck_assert(!master.upgrade.wanted);
}
END_TEST

START_TEST(a_stop_begins_and_is_answered_later)
{
	ck_assert_str_eq(told("stop\n"), "");
	ck_assert(master.stop.begun);
	ck_assert(!master.stop.killed);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("command");
	TCase *tcase = unit_case(suite, "requests");

	tcase_add_checked_fixture(tcase, make, destroy);
	tcase_add_loop_test(tcase, what_cannot_be_done_says_why, 0,
	    sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tcase, the_scoreboard_comes_to_be_read);
	tcase_add_test(tcase, a_level_is_for_the_master_and_its_workers);
	tcase_add_test(tcase, a_reload_is_answered_later);
	tcase_add_test(tcase, an_upgrade_is_answered_later);
	tcase_add_test(tcase, while_it_stops_neither_is_begun);
	tcase_add_test(tcase, a_stop_begins_and_is_answered_later);
	return unit_run(suite);
}
