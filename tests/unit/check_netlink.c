/*
 * control/netlink: a dump is whole or none, whatever the kernel says in it.
 */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "control/netlink.h"
#include "unit/unit.h"

#define SOON_MS 50
#define TOO_LONG 70000 /* bytes: more than there is room for */

static int ours, kernels;
static int taken;
static char why[NETLINK_WHY_SIZE];

static void
setup(void)
{
	int pair[2];

	/* It keeps datagrams apart, as a netlink socket does. */
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	ours = pair[0];
	kernels = pair[1];
	taken = 0;
	*why = '\0';
}

static void
teardown(void)
{
	close(ours);
	if (kernels >= 0)
		close(kernels);
}

static void
say(uint16_t type, uint16_t flags, const void *data, size_t length)
{
	static union {
		struct nlmsghdr head;
		char bytes[TOO_LONG];
	} message;

	memset(&message, 0, sizeof(message));
	message.head.nlmsg_len = (uint32_t)NLMSG_LENGTH(length);
	message.head.nlmsg_type = type;
	message.head.nlmsg_flags = flags;
	if (data != NULL)
		memcpy(NLMSG_DATA(&message.head), data, length);
	ck_assert_int_eq(send(kernels, &message, message.head.nlmsg_len, 0),
	    (ssize_t)message.head.nlmsg_len);
}

static void
say_socket(uint16_t flags)
{
	const struct inet_diag_msg msg = { .idiag_family = AF_INET };

	say(SOCK_DIAG_BY_FAMILY, flags, &msg, sizeof(msg));
}

static void
say_number(uint16_t type, uint16_t flags, int number)
{
	say(type, flags, &number, sizeof(number));
}

static int
take(const struct nlmsghdr *head, void *context)
{
	ck_assert_ptr_eq(context, &taken);
	ck_assert_uint_eq(head->nlmsg_type, SOCK_DIAG_BY_FAMILY);
	taken++;
	return 0;
}

static int
refuse(const struct nlmsghdr *head, void *context)
{
	(void)head;
	(void)context;
	errno = ENOMEM;
	return -1;
}

static int
receive(netlink_take *with)
{
	return netlink_receive(ours, clock_ms() + SOON_MS, with, &taken, why);
}

static void
assert_fails(const char *said)
{
	ck_assert_int_eq(receive(take), -1);
	ck_assert_str_eq(why, said);
}

START_TEST(all_of_it_is_taken)
{
	say_socket(NLM_F_MULTI);
	say_socket(NLM_F_MULTI);
	say(NLMSG_NOOP, 0, NULL, 0);
	say_socket(NLM_F_MULTI);
	say_number(NLMSG_DONE, NLM_F_MULTI, 0);
	ck_assert_int_eq(receive(take), 0);
	ck_assert_int_eq(taken, 3);
}
END_TEST

START_TEST(an_end_may_have_no_number)
{
	say_socket(NLM_F_MULTI);
	say(NLMSG_DONE, NLM_F_MULTI, NULL, 0);
	ck_assert_int_eq(receive(take), 0);
	ck_assert_int_eq(taken, 1);
}
END_TEST

START_TEST(an_end_that_is_an_error_is_none)
{
	say_socket(NLM_F_MULTI);
	say_number(NLMSG_DONE, NLM_F_MULTI, -ENOMEM);
	assert_fails("sock_diag: the kernel: Cannot allocate memory");
}
END_TEST

START_TEST(an_error_in_between_is_said)
{
	say_socket(NLM_F_MULTI);
	say_number(NLMSG_ERROR, 0, -EPERM);
	say_number(NLMSG_DONE, NLM_F_MULTI, 0);
	assert_fails("sock_diag: the kernel: Operation not permitted");
}
END_TEST

START_TEST(an_error_without_a_number_is_one)
{
	say(NLMSG_ERROR, 0, NULL, 0);
	assert_fails("sock_diag: the kernel: Protocol error");
}
END_TEST

/* Sockets came and went so that some were passed over. */
START_TEST(an_interrupted_one_is_not_whole)
{
	say_socket(NLM_F_MULTI);
	say_socket(NLM_F_MULTI | NLM_F_DUMP_INTR);
	say_number(NLMSG_DONE, NLM_F_MULTI, 0);
	assert_fails("sock_diag: the kernel: Interrupted system call");
}
END_TEST

START_TEST(an_end_may_say_that_it_was_interrupted)
{
	say_socket(NLM_F_MULTI);
	say_number(NLMSG_DONE, NLM_F_MULTI | NLM_F_DUMP_INTR, 0);
	assert_fails("sock_diag: the kernel: Interrupted system call");
}
END_TEST

START_TEST(one_without_an_end_is_not_whole)
{
	say_socket(NLM_F_MULTI);
	assert_fails("sock_diag: answer: Connection timed out");
	ck_assert_int_eq(taken, 1);
}
END_TEST

START_TEST(one_that_breaks_off_is_not_whole)
{
	say_socket(NLM_F_MULTI);
	close(kernels);
	kernels = -1;
	assert_fails("sock_diag: answer: Protocol error");
}
END_TEST

/* The rest of it would be lost. */
START_TEST(what_has_no_room_is_not_whole)
{
	say(NLMSG_NOOP, 0, NULL, TOO_LONG - NLMSG_HDRLEN);
	say_number(NLMSG_DONE, NLM_F_MULTI, 0);
	assert_fails("sock_diag: answer: Protocol error");
}
END_TEST

START_TEST(a_message_that_is_too_short_is_not_taken)
{
	say_number(SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, 0);
	say_number(NLMSG_DONE, NLM_F_MULTI, 0);
	assert_fails("sock_diag: the kernel: Protocol error");
	ck_assert_int_eq(taken, 0);
}
END_TEST

START_TEST(what_cannot_be_taken_is_missing)
{
	say_socket(NLM_F_MULTI);
	say_number(NLMSG_DONE, NLM_F_MULTI, 0);
	ck_assert_int_eq(receive(refuse), -1);
	ck_assert_str_eq(why, "sock_diag: memory: Cannot allocate memory");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("netlink");
	TCase *tcase = unit_case(suite, "netlink");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, all_of_it_is_taken);
	tcase_add_test(tcase, an_end_may_have_no_number);
	tcase_add_test(tcase, an_end_that_is_an_error_is_none);
	tcase_add_test(tcase, an_error_in_between_is_said);
	tcase_add_test(tcase, an_error_without_a_number_is_one);
	tcase_add_test(tcase, an_interrupted_one_is_not_whole);
	tcase_add_test(tcase, an_end_may_say_that_it_was_interrupted);
	tcase_add_test(tcase, one_without_an_end_is_not_whole);
	tcase_add_test(tcase, one_that_breaks_off_is_not_whole);
	tcase_add_test(tcase, what_has_no_room_is_not_whole);
	tcase_add_test(tcase, a_message_that_is_too_short_is_not_taken);
	tcase_add_test(tcase, what_cannot_be_taken_is_missing);
	return unit_run(suite);
}
