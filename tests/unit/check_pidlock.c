/*
 * Tests of master/pidlock: one daemon to a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "master/pidlock.h"
#include "unit/dir.h"
#include "unit/unit.h"

static const char *replaced; /* a path whose file goes before each lock */
static int replacements;     /* how often it shall */

/*
 * Stands in for the C library's, so that what another process does between
 * open and lock can be done for certain and not by chance.
 */
int
flock(int fd, int operation)
{
	if (replacements > 0) {
		replacements--;
		unlink(replaced);
	}
	return (int)syscall(SYS_flock, fd, operation);
}

static int
take(const char *path)
{
	pid_t holder = -1;
	int fd = pidlock_take(path, &holder);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(holder, 0);
	return fd;
}

/* True when another process is refused and told this holder. */
static bool
is_refused_elsewhere(const char *path, pid_t expected)
{
	pid_t holder = -1, pid = fork();
	int status;

	if (pid == 0)
		_exit(pidlock_take(path, &holder) == -1 &&
			    errno == EWOULDBLOCK && holder == expected ?
			0 :
			1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
assert_content(const char *path, const char *expected)
{
	char text[64] = "";
	FILE *file = fopen(path, "r");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(
	    fread(text, 1, sizeof(text) - 1, file), strlen(expected));
	ck_assert_str_eq(text, expected);
	fclose(file);
}

START_TEST(a_lock_makes_the_file_and_closes_on_exec)
{
	const char *path = dir_path("new");
	int fd = take(path);

	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	pidlock_release(fd, path);
}
END_TEST

START_TEST(the_pid_is_written_as_one_line)
{
	const char *path = dir_write("old", "2099999999\n");
	int fd = take(path);
	char expected[32];

	ck_assert_int_eq(pidlock_write(fd, path), 0);
	snprintf(expected, sizeof(expected), "%d\n", (int)getpid());
	assert_content(path, expected);
	pidlock_release(fd, path);
}
END_TEST

START_TEST(a_second_process_is_told_the_holder)
{
	const char *path = dir_path("second");
	int fd = take(path);

	ck_assert_int_eq(pidlock_write(fd, path), 0);
	ck_assert(is_refused_elsewhere(path, getpid()));
	pidlock_release(fd, path);
}
END_TEST

static const char *const no_pids[] = { "", "\n", "x\n", "-5\n", "0\n", "12x\n",
	"99999999999999999999\n" };

START_TEST(a_file_without_a_pid_has_holder_0)
{
	const char *path = dir_path("nobody");
	int fd = take(path);

	dir_write("nobody", no_pids[_i]);
	ck_assert(is_refused_elsewhere(path, 0));
	pidlock_release(fd, path);
}
END_TEST

START_TEST(release_removes_the_file_and_the_lock)
{
	const char *path = dir_path("released");
	int fd = take(path);

	pidlock_release(fd, path);
	ck_assert_int_eq(access(path, F_OK), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	fd = take(path);
	pidlock_release(fd, path);
}
END_TEST

START_TEST(the_lock_lives_while_a_forked_process_has_it)
{
	const char *path = dir_path("forked");
	int fd = take(path), end[2], again;
	pid_t pid, holder;
	char byte;

	ck_assert_int_eq(pipe(end), 0);
	pid = fork();
	if (pid == 0) {
		/* Ends when the parent lets go of the pipe, or dies. */
		close(end[1]);
		_exit(read(end[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(end[0]);
	close(fd);
	ck_assert_int_eq(pidlock_take(path, &holder), -1);
	ck_assert_int_eq(errno, EWOULDBLOCK);
	close(end[1]);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	again = take(path);
	pidlock_release(again, path);
}
END_TEST

START_TEST(a_symbolic_link_is_refused)
{
	const char *path = dir_path("link"), *target = dir_path("target");
	pid_t holder = -1;

	ck_assert_int_eq(symlink(target, path), 0);
	ck_assert_int_eq(pidlock_take(path, &holder), -1);
	ck_assert_int_eq(errno, ELOOP);
	ck_assert_int_eq(holder, 0);
	ck_assert_int_eq(access(target, F_OK), -1);
}
END_TEST

START_TEST(a_file_of_somebody_else_is_left_alone)
{
	static const char text[] = "service echo {\n";
	const char *path = dir_write("f.conf", text);
	char read[64] = "";
	pid_t holder = -1;
	FILE *file;

	ck_assert_int_eq(pidlock_take(path, &holder), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(holder, 0);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(read, sizeof(read), file));
	ck_assert_str_eq(read, text);
	fclose(file);
}
END_TEST

START_TEST(a_missing_directory_is_an_error)
{
	pid_t holder = -1;

	ck_assert_int_eq(pidlock_take(dir_path("no/such"), &holder), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(holder, 0);
}
END_TEST

START_TEST(a_file_replaced_before_the_lock_is_not_taken_for_ours)
{
	const char *path = dir_path("replaced");
	int fd;

	replaced = path;
	replacements = 3;
	fd = take(path);
	ck_assert_int_eq(replacements, 0);
	/* The file that is there now is the one that is locked. */
	ck_assert(is_refused_elsewhere(path, 0));
	pidlock_release(fd, path);
}
END_TEST

START_TEST(a_file_that_is_replaced_for_ever_is_given_up)
{
	const char *path = dir_path("restless");
	pid_t holder = -1;

	replaced = path;
	replacements = 1000;
	ck_assert_int_eq(pidlock_take(path, &holder), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_gt(replacements, 0);
}
END_TEST

START_TEST(a_pid_that_cannot_be_written_leaves_no_file)
{
	const char *path = dir_write("unwritable", "");
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pidlock_write(fd, path), -1);
	ck_assert(errno == EINVAL || errno == EBADF);
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pidlock");
	TCase *tcase = unit_case(suite, "pidlock");

	tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
	tcase_add_test(tcase, a_lock_makes_the_file_and_closes_on_exec);
	tcase_add_test(tcase, the_pid_is_written_as_one_line);
	tcase_add_test(tcase, a_second_process_is_told_the_holder);
	tcase_add_loop_test(tcase, a_file_without_a_pid_has_holder_0, 0,
	    (int)(sizeof(no_pids) / sizeof(no_pids[0])));
	tcase_add_test(tcase, release_removes_the_file_and_the_lock);
	tcase_add_test(tcase, the_lock_lives_while_a_forked_process_has_it);
	tcase_add_test(tcase, a_symbolic_link_is_refused);
	tcase_add_test(tcase, a_file_of_somebody_else_is_left_alone);
	tcase_add_test(tcase, a_missing_directory_is_an_error);
	tcase_add_test(
	    tcase, a_file_replaced_before_the_lock_is_not_taken_for_ours);
	tcase_add_test(tcase, a_file_that_is_replaced_for_ever_is_given_up);
	tcase_add_test(tcase, a_pid_that_cannot_be_written_leaves_no_file);
	return unit_run(suite);
}
