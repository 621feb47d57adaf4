/*
 * common/fdpass: a descriptor over a socket; and none that stays open unseen.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fdpass.h"
#include "unit/unit.h"

static int ends[2], file[2];
static char data[8];

static void
make(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	ck_assert_int_eq(pipe(file), 0);
	memset(data, 0, sizeof(data));
}

static void
unmake(void)
{
	close(ends[0]);
	close(ends[1]);
	close(file[0]);
	close(file[1]);
}

/* The lowest number that is free. */
static int
next_free(void)
{
	int fd = dup(ends[0]);

	close(fd);
	return fd;
}

START_TEST(it_comes_with_the_bytes)
{
	int passed = -1;

	ck_assert_int_eq(fdpass_send(ends[0], "abc", 3, file[1], 0), 3);
	ck_assert_int_eq(
	    fdpass_receive(ends[1], data, sizeof(data), &passed), 3);
	ck_assert_str_eq(data, "abc");
	ck_assert_int_ge(passed, 0);
	ck_assert(fcntl(passed, F_GETFD) & FD_CLOEXEC);
	ck_assert_int_eq(write(passed, "x", 1), 1);
	ck_assert_int_eq(read(file[0], data, 1), 1);
	ck_assert_int_eq(data[0], 'x');
	close(passed);
}
END_TEST

START_TEST(none_is_bytes_alone)
{
	int passed = -1;

	ck_assert_int_eq(fdpass_send(ends[0], "abc", 3, -1, 0), 3);
	ck_assert_int_eq(
	    fdpass_receive(ends[1], data, sizeof(data), &passed), 3);
	ck_assert_int_eq(passed, -1);
}
END_TEST

START_TEST(one_that_nobody_wants_is_closed)
{
	int passed = -1, before;

	before = next_free();
	ck_assert_int_eq(fdpass_send(ends[0], "abc", 3, file[1], 0), 3);
	ck_assert_int_eq(fdpass_receive(ends[1], data, sizeof(data), NULL), 3);
	ck_assert_int_eq(next_free(), before);
	/* The second one. */
	ck_assert_int_eq(fdpass_send(ends[0], "a", 1, file[1], 0), 1);
	ck_assert_int_eq(fdpass_receive(ends[1], data, 1, &passed), 1);
	before = next_free();
	ck_assert_int_eq(fdpass_send(ends[0], "b", 1, file[0], 0), 1);
	ck_assert_int_eq(fdpass_receive(ends[1], data, 1, &passed), 1);
	ck_assert_int_eq(next_free(), before);
	close(passed);
}
END_TEST

/* Two in one message: what has no room is not left open. */
START_TEST(more_than_one_at_once_is_none)
{
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec part = { .iov_base = data, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	int passed = -1, before = next_free();

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(head), file, 2 * sizeof(int));
	ck_assert_int_eq(sendmsg(ends[0], &message, 0), 1);
	ck_assert_int_eq(fdpass_receive(ends[1], data, 1, &passed), 1);
	if (passed >= 0)
		close(passed);
	ck_assert_int_eq(next_free(), before);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fdpass");
	TCase *tcase = unit_case(suite, "fdpass");

	tcase_add_checked_fixture(tcase, make, unmake);
	tcase_add_test(tcase, it_comes_with_the_bytes);
	tcase_add_test(tcase, none_is_bytes_alone);
	tcase_add_test(tcase, one_that_nobody_wants_is_closed);
	tcase_add_test(tcase, more_than_one_at_once_is_none);
	return unit_run(suite);
}
