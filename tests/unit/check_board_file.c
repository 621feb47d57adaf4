/*
 * master/board_file: a scoreboard's file, and whose file it may replace.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/scoreboard_view.h"
#include "master/board_file.h"
#include "unit/child.h"
#include "unit/dir.h"
#include "unit/unit.h"

#define ROWS 2
#define SLOTS 100

static char why[BOARD_FILE_WHY_SIZE];
static struct scoreboard board;
static const char *path;

static void
setup(void)
{
	path = dir_path("board");
	unlink(path);
}

static int
create(void)
{
	errno = 0;
	*why = '\0';
	return board_file_create(&board, path, ROWS, SLOTS, why);
}

static ino_t
inode_at(const char *at)
{
	struct stat st;

	return lstat(at, &st) == 0 ? st.st_ino : 0;
}

static void
assert_refused(int error, const char *part)
{
	ino_t before = inode_at(path);

	ck_assert_int_eq(create(), -1);
	ck_assert_int_eq(errno, error);
	ck_assert_msg(strstr(why, part) != NULL && strstr(why, "none") != NULL,
	    "\"%s\" without \"%s\"", why, part);
	ck_assert_uint_eq(inode_at(path), before);
}

START_TEST(the_file_is_ours_alone_and_whole)
{
	struct scoreboard view;
	struct stat st;
	mode_t before = umask(0777);

	ck_assert_int_eq(create(), 0);
	umask(before);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode, S_IFREG | 0600);
	ck_assert_uint_eq(st.st_uid, geteuid());
	ck_assert_int_eq(st.st_size, (off_t)scoreboard_size(ROWS, SLOTS));
	/* No block is missing that a store could ask for later. */
	ck_assert_int_ge(st.st_blocks * 512, st.st_size);
	ck_assert(fcntl(board.fd, F_GETFD) & FD_CLOEXEC);
	ck_assert_int_eq(scoreboard_view(&view, board.fd, why), 0);
	ck_assert_uint_eq(view.slot_count, SLOTS);
	scoreboard_unview(&view);
	board_file_remove(board.fd, path);
	ck_assert_uint_eq(inode_at(path), 0);
	scoreboard_destroy(&board);
}
END_TEST

START_TEST(a_second_daemon_is_refused)
{
	struct scoreboard first;

	ck_assert_int_eq(create(), 0);
	first = board;
	assert_refused(EBUSY, "already running");
	scoreboard_destroy(&first);
}
END_TEST

START_TEST(what_a_dead_daemon_left_is_replaced)
{
	struct scoreboard view;
	int reader;

	ck_assert_int_eq(create(), 0);
	board.rows[1].in = 1234;
	scoreboard_destroy(&board);
	reader = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(scoreboard_view(&view, reader, why), 0);
	ck_assert_int_eq(create(), 0);
	ck_assert_uint_eq(board.rows[1].in, 0);
	/* Who reads the old one goes on with it. */
	ck_assert_uint_eq(view.rows[1].in, 1234);
	ck_assert(!scoreboard_is_held(reader));
	/* It is not at the path any more, and so not to be removed. */
	board_file_remove(reader, path);
	ck_assert_uint_ne(inode_at(path), 0);
	scoreboard_unview(&view);
	close(reader);
	scoreboard_destroy(&board);
}
END_TEST

static size_t
whole_size(void)
{
	return scoreboard_size(ROWS, SLOTS);
}

static void
write_zeroes(size_t size, mode_t mode)
{
	dir_write("board", "");
	ck_assert_int_eq(truncate(path, (off_t)size), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

/* Killed at its first step; or the power went before the blocks were there. */
START_TEST(a_beginning_is_replaced)
{
	const size_t sizes[] = { 0, sizeof(uint64_t), whole_size() };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		write_zeroes(sizes[i], 0600);
		ck_assert_msg(create() == 0, "%zu bytes: %s", sizes[i], why);
		scoreboard_destroy(&board);
	}
}
END_TEST

/* A disk image, say: its first sectors may be zero, or all of it. */
START_TEST(zeroes_that_we_did_not_write_are_left_alone)
{
	size_t size = whole_size();
	int fd;

	write_zeroes(100, 0600);
	assert_refused(EEXIST, "is no scoreboard");
	write_zeroes(size - 1, 0600);
	assert_refused(EEXIST, "is no scoreboard");
	write_zeroes(size + 1, 0600);
	assert_refused(EEXIST, "is no scoreboard");
	write_zeroes(size, 0644);
	assert_refused(EEXIST, "is no scoreboard");
	for (size_t at = 8; at < size; at = at * 3 + 1) {
		write_zeroes(size, 0600);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		ck_assert_int_eq(pwrite(fd, "x", 1, (off_t)at), 1);
		close(fd);
		assert_refused(EEXIST, "is no scoreboard");
	}
	write_zeroes(size, 0600);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, "x", 1, (off_t)size - 1), 1);
	close(fd);
	assert_refused(EEXIST, "is no scoreboard");
}
END_TEST

START_TEST(what_is_somebody_elses_is_left_alone)
{
	const char *other = dir_path("other");

	dir_write("board", "# a configuration\n");
	assert_refused(EEXIST, "is no scoreboard");
	unlink(path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	assert_refused(EISDIR, "directory");
	rmdir(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	assert_refused(EEXIST, "something else");
	unlink(path);
	dir_write("other", "");
	ck_assert_int_eq(symlink(other, path), 0);
	assert_refused(ELOOP, "symbolic link");
	unlink(path);
	ck_assert_int_eq(symlink("nowhere", path), 0);
	assert_refused(ELOOP, "symbolic link");
	unlink(path);
	unlink(other);
	path = dir_path("nosuch/board");
	assert_refused(ENOENT, "make its directory");
}
END_TEST

START_TEST(a_file_of_another_user_is_left_alone)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(create(), 0);
	scoreboard_destroy(&board);
	ck_assert_int_eq(chown(path, 1, 1), 0);
	assert_refused(EEXIST, "belongs to uid 1");
}
END_TEST

/* Empty yet, and locked: the one of another daemon, or our own. */
START_TEST(a_pid_file_that_is_locked_is_left_alone)
{
	int fd;

	dir_write("board", "");
	fd = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	assert_refused(EBUSY, "already running");
	close(fd);
}
END_TEST

static void
without_room(const void *argument)
{
	struct rlimit limit = { 4096, 4096 };

	(void)argument;
	signal(SIGXFSZ, SIG_IGN);
	must(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	must(create() == -1);
	must(errno == EFBIG);
	must(strstr(why, "bytes for it: File too large (raise RLIMIT_FSIZE") !=
	    NULL);
	must(inode_at(path) == 0);
}

START_TEST(a_limit_of_files_is_named)
{
	child_must(without_room, NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("board_file");
	TCase *tcase = unit_case(suite, "board_file");

	tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, the_file_is_ours_alone_and_whole);
	tcase_add_test(tcase, a_second_daemon_is_refused);
	tcase_add_test(tcase, what_a_dead_daemon_left_is_replaced);
	tcase_add_test(tcase, a_beginning_is_replaced);
	tcase_add_test(tcase, zeroes_that_we_did_not_write_are_left_alone);
	tcase_add_test(tcase, what_is_somebody_elses_is_left_alone);
	tcase_add_test(tcase, a_file_of_another_user_is_left_alone);
	tcase_add_test(tcase, a_pid_file_that_is_locked_is_left_alone);
	tcase_add_test(tcase, a_limit_of_files_is_named);
	return unit_run(suite);
}
