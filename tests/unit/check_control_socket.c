/*
 * master/control_socket: what may be at the path, and what is left there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "master/control_socket.h"
#include "unit/dir.h"
#include "unit/unit.h"

static struct control_socket ours;
static char why[CONTROL_SOCKET_WHY_SIZE];

static bool
says(const char *part)
{
	return strstr(why, part) != NULL;
}

static void
assert_fails(const char *path, const char *reason)
{
	ck_assert_int_eq(
	    control_socket_open(&ours, path, why), CONTROL_SOCKET_FAILED);
	ck_assert_int_eq(ours.fd, -1);
	ck_assert_msg(says(reason), "\"%s\" without \"%s\"", why, reason);
	ck_assert_msg(says("name another path"), "no remedy: %s", why);
}

static bool
answers(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	bool yes;

	strcpy(at.sun_path, path);
	yes = connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
	close(fd);
	return yes;
}

START_TEST(it_answers_at_its_path_and_leaves_nothing)
{
	const char *path = dir_path("new");

	ck_assert_int_eq(
	    control_socket_open(&ours, path, why), CONTROL_SOCKET_OPEN);
	ck_assert(answers(path));
	ck_assert_int_eq(fcntl(ours.fd, F_GETFD), FD_CLOEXEC);
	ck_assert(fcntl(ours.fd, F_GETFL) & O_NONBLOCK);
	control_socket_close(&ours);
	ck_assert_int_eq(ours.fd, -1);
	ck_assert_int_eq(access(path, F_OK), -1);
	control_socket_close(&ours); /* nothing */
}
END_TEST

START_TEST(nobody_else_can_connect_whatever_the_umask)
{
	const char *path = dir_path("mode");
	struct stat st;

	umask(_i == 0 ? 0 : 077);
	ck_assert_int_eq(
	    control_socket_open(&ours, path, why), CONTROL_SOCKET_OPEN);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(umask(022), _i == 0 ? 0 : 077);
	control_socket_close(&ours);
}
END_TEST

START_TEST(the_socket_of_a_dead_daemon_is_replaced)
{
	const char *path = dir_path("stale");

	ck_assert_int_eq(
	    control_socket_open(&ours, path, why), CONTROL_SOCKET_OPEN);
	close(ours.fd);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_eq(
	    control_socket_open(&ours, path, why), CONTROL_SOCKET_OPEN);
	ck_assert(answers(path));
	control_socket_close(&ours);
}
END_TEST

START_TEST(that_of_a_living_one_is_not)
{
	const char *path = dir_path("living");
	struct control_socket other;

	ck_assert_int_eq(
	    control_socket_open(&other, path, why), CONTROL_SOCKET_OPEN);
	ck_assert_int_eq(
	    control_socket_open(&ours, path, why), CONTROL_SOCKET_TAKEN);
	ck_assert_msg(says("already running"), "%s", why);
	ck_assert_int_eq(ours.fd, -1);
	control_socket_close(&ours);
	ck_assert(answers(path));
	control_socket_close(&other);
}
END_TEST

START_TEST(nor_where_its_queue_is_full)
{
	const char *path = dir_path("full");
	struct control_socket other;
	int waiting[200], n = 0;
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	ck_assert_int_eq(
	    control_socket_open(&other, path, why), CONTROL_SOCKET_OPEN);
	strcpy(at.sun_path, path);
	do
		waiting[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	while (connect(waiting[n++], (struct sockaddr *)&at, sizeof(at)) == 0 &&
	    n < 200);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(
	    control_socket_open(&ours, path, why), CONTROL_SOCKET_TAKEN);
	while (n > 0)
		close(waiting[--n]);
	control_socket_close(&other);
}
END_TEST

START_TEST(another_file_is_left_alone)
{
	const char *path = dir_write("file", "precious"), *link;
	struct stat st;

	assert_fails(path, "something else than a socket");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 8);
	assert_fails(dir_name, "something else than a socket");
	link = dir_path("link");
	ck_assert_int_eq(symlink("/nowhere", link), 0);
	assert_fails(link, "something else than a socket");
	ck_assert_int_eq(lstat(link, &st), 0);
}
END_TEST

START_TEST(a_directory_that_is_missing_is_named)
{
	char path[DIR_PATH_SIZE];

	strcpy(path, dir_path("no/socket"));
	assert_fails(path, "No such file or directory");
	ck_assert_msg(says("make its directory"), "%s", why);
	control_socket_make_directory(path);
	ck_assert_int_eq(
	    control_socket_open(&ours, path, why), CONTROL_SOCKET_OPEN);
	control_socket_close(&ours);
	control_socket_make_directory("/nosuchsocket");
}
END_TEST

START_TEST(a_directory_is_made_for_all_to_see)
{
	char path[DIR_PATH_SIZE];
	struct stat st;

	umask(077);
	strcpy(path, dir_path("made/socket"));
	control_socket_make_directory(path);
	ck_assert_int_eq(stat(dir_path("made"), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0755);
	ck_assert_int_eq(umask(022), 077);
}
END_TEST

START_TEST(what_has_taken_our_place_stays)
{
	const char *path = dir_path("taken");
	struct control_socket other;

	ck_assert_int_eq(
	    control_socket_open(&ours, path, why), CONTROL_SOCKET_OPEN);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(
	    control_socket_open(&other, path, why), CONTROL_SOCKET_OPEN);
	control_socket_close(&ours);
	ck_assert(answers(path));
	control_socket_close(&other);
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(a_lock_of_somebody_does_not_hold_us_up)
{
	int fd = open(dir_name, O_RDONLY | O_DIRECTORY);

	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	ck_assert_int_eq(control_socket_open(&ours, dir_path("locked"), why),
	    CONTROL_SOCKET_OPEN);
	control_socket_close(&ours);
	close(fd);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("control_socket");
	TCase *tcase = unit_case(suite, "path");

	tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
	tcase_add_test(tcase, it_answers_at_its_path_and_leaves_nothing);
	tcase_add_loop_test(
	    tcase, nobody_else_can_connect_whatever_the_umask, 0, 2);
	tcase_add_test(tcase, the_socket_of_a_dead_daemon_is_replaced);
	tcase_add_test(tcase, that_of_a_living_one_is_not);
	tcase_add_test(tcase, nor_where_its_queue_is_full);
	tcase_add_test(tcase, another_file_is_left_alone);
	tcase_add_test(tcase, a_directory_that_is_missing_is_named);
	tcase_add_test(tcase, a_directory_is_made_for_all_to_see);
	tcase_add_test(tcase, what_has_taken_our_place_stays);
	tcase_add_test(tcase, a_lock_of_somebody_does_not_hold_us_up);
	return unit_run(suite);
}
