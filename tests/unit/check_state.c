/*
 * master/state: what one master hands to the next, and what is not taken.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/master.h"
#include "unit/unit.h"

#define ROWS 8
#define SLOTS 32

static struct master master;
static struct conf conf;
static char why[STATE_WHY_SIZE];
static int open_fd; /* that listeners here have; nobody closes it */

static void
make_master(void)
{
	memset(&master, 0, sizeof(master));
	memset(&conf, 0, sizeof(conf));
	TAILQ_INIT(&master.pools);
	ck_assert_int_eq(scoreboard_create(&master.board, ROWS, SLOTS), 0);
	ck_assert_int_eq(child_table_init(&master.children, SLOTS), 0);
	master.conf = &conf;
	master.control = control_new(-1);
	ck_assert_ptr_nonnull(master.control);
	master.control_socket.fd = -1;
	master.wake_fd = 101;
	master.pidfile_fd = 102;
	master.pid_file = strdup("/run/a file with blanks.pid");
	master.board_file = strdup("/run/a file with blanks.board");
	open_fd = 200;
}

static void
free_master(void)
{
	struct pool *pool;

	/* Not pools_remove, which would close what was never open. */
	while ((pool = TAILQ_FIRST(&master.pools)) != NULL) {
		TAILQ_REMOVE(&master.pools, pool, entry);
		free(pool);
	}
	control_free(master.control);
	child_table_free(&master.children);
	scoreboard_destroy(&master.board);
	free(master.pid_file);
	free(master.board_file);
}

static struct pool *
add_pool(const char *service, const char *address, uint64_t forks)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	ck_assert_ptr_nonnull(pool);
	ck_assert_int_eq(
	    listener_inherit(&pool->listener, open_fd++, address), 0);
	pool->plan.service = service_find(service);
	ck_assert_ptr_nonnull(pool->plan.service);
	pool->forks = forks;
	ck_assert_int_eq(
	    scoreboard_take_row(&master.board, address, &pool->row), 0);
	TAILQ_INSERT_TAIL(&master.pools, pool, entry);
	return pool;
}

static struct child *
add_child(struct pool *pool, pid_t pid, int64_t started_ms)
{
	struct slot *slot = scoreboard_take(&master.board, pool->row);
	struct child *child =
	    &master.children.places[scoreboard_index(&master.board, slot)];

	child->pid = pid;
	child->pool = pool;
	child->slot = slot;
	child->started_ms = started_ms;
	return child;
}

/* What state_write writes, in memory; the caller's to free. */
static char *
written(void)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(file);
	state_write(&master, file);
	ck_assert_int_eq(fclose(file), 0);
	return text;
}

static int
read_text(struct state *state, const char *text)
{
	FILE *file = fmemopen((void *)text, strlen(text), "r");
	int result;

	ck_assert_ptr_nonnull(file);
	why[0] = '\0';
	result = state_read(state, file, why);
	fclose(file);
	return result;
}

START_TEST(what_is_written_is_read)
{
	struct pool *echo = add_pool("echo", "*:7", UINT64_MAX);
	struct pool *daytime = add_pool("daytime", "[::1]:13", 0);
	struct state state;
	char *text;

	conf.by_default = true;
	master.log_lost_before = UINT64_MAX - 1;
	master.control_socket.fd = 103;
	master.control_socket.device = 44;
	master.control_socket.inode = UINT32_MAX;
	strlcpy(master.control_socket.at.sun_path, "/run/with blanks/socket",
	    sizeof(master.control_socket.at.sun_path));
	daytime->removed = daytime->closed = true;
	add_child(echo, 1001, 5)->ready = true;
	add_child(daytime, 1002, INT64_MAX)->leaving = true;
	scoreboard_release(&master.board, echo->row,
	    add_child(echo, 1003, 0)->slot, NULL, NULL);
	master.children.places[2].pid = 0;
	text = written();
	ck_assert_msg(read_text(&state, text) == 0, "%s", why);
	ck_assert_int_eq(state.board_fd, master.board.fd);
	ck_assert_uint_eq(state.rows, ROWS);
	ck_assert_uint_eq(state.slots, SLOTS);
	ck_assert_uint_eq(state.used, 3);
	ck_assert_uint_eq(state.log_lost, UINT64_MAX - 1);
	ck_assert_int_eq(state.wake_fd, 101);
	ck_assert_int_eq(state.pidfile_fd, 102);
	ck_assert_str_eq(state.pid_file, "/run/a file with blanks.pid");
	ck_assert_str_eq(state.board_file, "/run/a file with blanks.board");
	ck_assert(state.by_default);
	ck_assert_int_eq(state.control.fd, 103);
	ck_assert_uint_eq(state.control.device, 44);
	ck_assert_uint_eq(state.control.inode, UINT32_MAX);
	ck_assert_int_eq(state.control.at.sun_family, AF_UNIX);
	ck_assert_str_eq(state.control.at.sun_path, "/run/with blanks/socket");
	ck_assert_uint_eq(state.waiter_count, 0);
	ck_assert(!state.pools[0].stored && !state.pools[1].stored);
	ck_assert_uint_eq(state.pool_count, 2);
	ck_assert_str_eq(state.pools[0].service, "echo");
	ck_assert_str_eq(state.pools[0].address, "*:7");
	ck_assert_int_eq(state.pools[0].fd, 200);
	ck_assert(state.pools[0].forks == UINT64_MAX);
	ck_assert(!state.pools[0].removed && !state.pools[0].closed);
	ck_assert_str_eq(state.pools[1].address, "[::1]:13");
	ck_assert_uint_eq(state.pools[1].row, daytime->row);
	ck_assert(state.pools[1].removed && state.pools[1].closed);
	ck_assert_uint_eq(state.child_count, 2);
	ck_assert_int_eq(state.children[0].pid, 1001);
	ck_assert_uint_eq(state.children[0].slot, 0);
	ck_assert(state.children[0].ready && !state.children[0].leaving);
	ck_assert_int_eq(state.children[0].started_ms, 5);
	ck_assert_uint_eq(state.children[1].row, daytime->row);
	ck_assert(!state.children[1].ready && state.children[1].leaving);
	ck_assert(state.children[1].started_ms == INT64_MAX);
	state_free(&state);
	free(text);
}
END_TEST

START_TEST(one_without_workers_and_pid_file_is_read)
{
	struct state state;
	char *text;

	free(master.pid_file);
	master.pid_file = strdup("none");
	master.pidfile_fd = -1;
	text = written();
	ck_assert_msg(read_text(&state, text) == 0, "%s", why);
	ck_assert_int_eq(state.pidfile_fd, -1);
	ck_assert_str_eq(state.pid_file, "none");
	ck_assert_uint_eq(state.pool_count, 0);
	ck_assert_uint_eq(state.child_count, 0);
	ck_assert(!state.by_default);
	ck_assert_int_eq(state.control.fd, -1);
	state_free(&state);
	free(text);
}
END_TEST

static int seen[8];
static size_t seen_count;

static void
note_fd(int fd, void *context)
{
	ck_assert_ptr_eq(context, &seen_count);
	seen[seen_count++] = fd;
}

START_TEST(each_descriptor_is_named)
{
	struct state state;
	char *text;

	add_pool("echo", "*:7", 0);
	add_pool("echo", "*:8", 0);
	text = written();
	ck_assert_int_eq(read_text(&state, text), 0);
	seen_count = 0;
	state_each_fd(&state, note_fd, &seen_count);
	ck_assert_uint_eq(seen_count, 5);
	ck_assert_int_eq(seen[0], master.board.fd);
	ck_assert_int_eq(seen[1], 101);
	ck_assert_int_eq(seen[2], 102);
	ck_assert_int_eq(seen[3], 200);
	ck_assert_int_eq(seen[4], 201);
	state_free(&state);
	free(text);
}
END_TEST

/* Of a state that can be read, one line is replaced; BOARD is its layout. */
static const char good[] = "preforkd-state 2\n"
			   "board 5 8 32 4 BOARD\n"
			   "scoreboard /run/b\n"
			   "default 0\n"
			   "wake 6\n"
			   "pidfile 7 /run/p\n"
			   "pool 0 8 0 0 10 echo *:7\n"
			   "pool 3 9 1 0 10 daytime *:13\n"
			   "child 100 0 0 1 0 1000\n"
			   "child 101 2 3 1 0 1000\n"
			   "end\n";

#define LAYOUT "BOARD"

static const struct {
	const char *line; /* begins with this */
	const char *by;
	const char *why; /* has this in it */
} bad[] = {
	{ "preforkd-state", "", "none" },
	{ "preforkd-state", "preforkd-stete 1\n", "none" },
	{ "preforkd-state", "preforkd-state x\n", "none" },
	{ "preforkd-state", "preforkd-state 0\n", "version is 0" },
	{ "preforkd-state", "preforkd-state 1\n", "version is 1" },
	{ "preforkd-state", "preforkd-state 3\n", "version is 3" },
	{ "scoreboard", "", "missing" },
	{ "scoreboard", "scoreboard\n", "scoreboard" },
	{ "scoreboard", "scoreboard \n", "scoreboard" },
	{ "wake", "scoreboard /run/b\n", "scoreboard /run/b" },
	{ "board", "", "pool 0 8" }, /* it has no rows yet */
	{ "board", "board\n", "board" },
	{ "board", "board 5 8 32\n", "board 5 8 32" },
	{ "board", "board 2 8 32 4 " LAYOUT "\n", "board 2" },
	{ "board", "board 1048576 8 32 4 " LAYOUT "\n", "board 1048576" },
	{ "board", "board 5 0 32 4 " LAYOUT "\n", "board 5 0" },
	{ "board", "board 5 65537 32 4 " LAYOUT "\n", "board 5 65537" },
	{ "board", "board 5 8 32 33 " LAYOUT "\n", "board 5 8 32 33" },
	{ "board", "board 5 8 32 4 9 9 9 9\n", "another layout" },
	{ "wake", "board 5 8 32 4 " LAYOUT "\n", "board 5" },
	{ "wake", "", "missing" },
	{ "wake", "wake\n", "wake" },
	{ "wake", "wake x\n", "wake x" },
	{ "wake", "wake 2\n", "wake 2" },
	{ "wake", "wake -1\n", "wake -1" },
	{ "wake", "awake 6\n", "awake 6" },
	{ "wake", "log-lost x\n", "log-lost x" },
	{ "wake", "\n", "" },
	{ "default", "default x\n", "default x" },
	{ "pidfile", "", "missing" },
	{ "pidfile", "pidfile\n", "pidfile" },
	{ "pidfile", "pidfile 7\n", "pidfile 7" },
	{ "pidfile", "pidfile x none\n", "pidfile x" },
	{ "pidfile", "pidfile  none\n", "pidfile" },
	{ "pidfile", "pidfile -2 none\n", "pidfile -2" },
	{ "pidfile", "pidfile 2 none\n", "pidfile 2" },
	{ "pidfile", "pidfile 1048576 none\n", "pidfile 1048576" },
	{ "wake", "pidfile 7 /run/p\n", "pidfile 7" },
	{ "pool 0", "pool\n", "pool" },
	{ "pool 0", "pool 0 8 0 0 10 echo\n", "pool 0 8" },
	{ "pool 0", "pool 8 8 0 0 10 echo *:7\n", "pool 8" },
	{ "pool 0", "pool 0 2 0 0 10 echo *:7\n", "pool 0 2" },
	{ "pool 0", "pool 0 x 0 0 10 echo *:7\n", "pool 0 x" },
	{ "pool 3", "pool 0 9 0 0 10 echo *:8\n", "there twice" },
	{ "pool 3", "pool 3 8 0 0 10 echo *:8\n", "there twice" },
	{ "child 100", "child\n", "child" },
	{ "child 100", "child 100 0 0 1 0\n", "child 100" },
	{ "child 100", "child 1 0 0 1 0 1000\n", "child 1 " },
	{ "child 100", "child -7 0 0 1 0 1000\n", "child -7" },
	{ "child 100", "child 100 4 0 1 0 1000\n", "child 100 4" },
	{ "child 100", "child 100 0 1 1 0 1000\n", "child 100 0 1" },
	{ "child 101", "child 101 0 3 1 0 1000\n", "there twice" },
	{ "child 100", "child 100 3 0 1 0 1000\n", "there twice" },
	{ "end", "control 2 1 1 /run/socket\nend\n", "control 2" },
	{ "end", "control 3 1 1\nend\n", "control 3" },
	{ "end", "control 3 1 1 socket\nend\n", "control 3" },
	{ "end", "control 3 x 1 /run/socket\nend\n", "control 3 x" },
	{ "end", "control 3 1 1 /a\ncontrol 4 1 1 /b\nend\n", "control 4" },
	{ "end", "waiter 2\nend\n", "waiter 2" },
	{ "end", "waiter x\nend\n", "waiter x" },
	{ "end", "passed 0\nend\n", "passed 0" },
	{ "end", "passed 1 name\nend\n", "passed 1" },
	{ "end", "stored\nend\n", "stored" },
	{ "end", "stored x\nend\n", "stored x" },
	{ "end", "stored 7\nend\n", "stored 7" },
	{ "end", "stored 0 name\nend\n", "stored 0" },
	{ "end", "", "cut off" },
	{ "end", "end", "en" },
	{ "end", "end \n", "end" },
	{ "end",
	    "child 102 3 3 1 0 1\nchild 103 3 3 1 0 1\nchild 104 3 3 1 0 1\n",
	    "there twice" },
};

/* good with that line replaced, and with our layout; the caller's to free. */
static char *
with(const char *line, const char *by)
{
	struct scoreboard_layout layout = scoreboard_layout();
	char *text = NULL, *at;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	char numbers[64], *one = NULL;
	FILE *from = fmemopen((void *)good, strlen(good), "r");
	size_t room = 0;

	snprintf(numbers, sizeof(numbers), "%u %u %u %u", layout.version,
	    layout.header_size, layout.row_size, layout.slot_size);
	while (getline(&one, &room, from) > 0) {
		const char *out =
		    line != NULL && strncmp(one, line, strlen(line)) == 0 ? by :
									    one;

		at = strstr(out, LAYOUT);
		if (at == NULL)
			fputs(out, to);
		else
			fprintf(to, "%.*s%s\n", (int)(at - out), out, numbers);
	}
	free(one);
	fclose(from);
	fclose(to);
	return text;
}

START_TEST(the_good_one_is_good)
{
	struct state state;
	char *text = with(NULL, NULL);

	ck_assert_msg(read_text(&state, text) == 0, "%s", why);
	ck_assert_uint_eq(state.child_count, 2);
	state_free(&state);
	free(text);
}
END_TEST

START_TEST(a_bad_line_is_refused_with_its_reason)
{
	struct state state;
	char *text = with(bad[_i].line, bad[_i].by);

	ck_assert_msg(read_text(&state, text) == -1, "%d was read", _i);
	ck_assert_msg(strstr(why, bad[_i].why) != NULL, "%d: %s", _i, why);
	ck_assert_ptr_null(state.pools);
	ck_assert_ptr_null(state.children);
	ck_assert_ptr_null(state.pid_file);
	free(text);
}
END_TEST

/* Wherever it is cut, it is refused: the end is its last line. */
START_TEST(one_that_is_cut_off_is_refused)
{
	struct state state;
	char *text = with(NULL, NULL);

	for (size_t n = strlen(text) - 1; n > 0; n--) {
		text[n] = '\0';
		ck_assert_msg(
		    read_text(&state, text) == -1, "%zu bytes were read", n);
	}
	free(text);
}
END_TEST

START_TEST(what_systemd_and_clients_have_is_read)
{
	struct state state;
	char *text = with("end",
	    "control 10 1 2 /run/socket\nwaiter 11 reload\nwaiter 12 upgrade\n"
	    "passed 0 an echo.socket\nstored 3\nend\n");

	ck_assert_msg(read_text(&state, text) == 0, "%s", why);
	ck_assert_str_eq(state.control.at.sun_path, "/run/socket");
	ck_assert_uint_eq(state.waiter_count, 2);
	ck_assert_int_eq(state.waiters[0].fd, 11);
	ck_assert_int_eq(state.waiters[0].what, CONTROL_RELOAD_NEXT);
	ck_assert_int_eq(state.waiters[1].fd, 12);
	ck_assert_int_eq(state.waiters[1].what, CONTROL_UPGRADE);
	ck_assert_str_eq(state.pools[0].passed, "an echo.socket");
	ck_assert(!state.pools[0].stored);
	ck_assert_str_eq(state.pools[1].passed, "");
	ck_assert(state.pools[1].stored);
	state_free(&state);
	free(text);
}
END_TEST

/* There is room for so many, and for no path that is longer. */
START_TEST(more_than_there_is_room_for_is_refused)
{
	char line[4096] = "control 10 1 2 /", *text;
	struct state state;

	memset(line + strlen(line), 'a', 200);
	strlcat(line, "\nend\n", sizeof(line));
	text = with("end", line);
	ck_assert_int_eq(read_text(&state, text), -1);
	ck_assert_ptr_nonnull(strstr(why, "control 10"));
	free(text);
	line[0] = '\0';
	for (int i = 0; i <= CONTROL_CLIENTS; i++)
		strlcat(line, "waiter 11\n", sizeof(line));
	strlcat(line, "end\n", sizeof(line));
	text = with("end", line);
	ck_assert_int_eq(read_text(&state, text), -1);
	ck_assert_ptr_nonnull(strstr(why, "waiter 11"));
	free(text);
}
END_TEST

/* A worker more than slots were used: one in each of them, and one. */
START_TEST(more_workers_than_slots_are_refused)
{
	struct state state;
	char *text = with("child 101",
	    "child 101 1 0 1 0 1\nchild 102 2 0 1 0 1\nchild 103 3 0 1 0 1\n"
	    "child 104 3 0 1 0 1\n");

	ck_assert_int_eq(read_text(&state, text), -1);
	ck_assert_str_eq(why, "too many workers");
	free(text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("state");
	TCase *tcase = unit_case(suite, "writing");

	tcase_add_checked_fixture(tcase, make_master, free_master);
	tcase_add_test(tcase, what_is_written_is_read);
	tcase_add_test(tcase, one_without_workers_and_pid_file_is_read);
	tcase_add_test(tcase, each_descriptor_is_named);
	tcase = unit_case(suite, "reading");
	tcase_add_test(tcase, the_good_one_is_good);
	tcase_add_loop_test(tcase, a_bad_line_is_refused_with_its_reason, 0,
	    (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(tcase, one_that_is_cut_off_is_refused);
	tcase_add_test(tcase, what_systemd_and_clients_have_is_read);
	tcase_add_test(tcase, more_than_there_is_room_for_is_refused);
	tcase_add_test(tcase, more_workers_than_slots_are_refused);
	return unit_run(suite);
}
