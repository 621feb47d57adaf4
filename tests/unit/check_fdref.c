/*
 * Tests of common/fdref: who holds a shared descriptor.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/fdref.h"
#include "unit/unit.h"

#define HOLDERS 4

static int
open_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void
assert_open(int fd)
{
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
}

static void
assert_closed(int fd)
{
	errno = 0;
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	ck_assert_int_eq(errno, EBADF);
}

/* The configuration and three workers, by pid. */
static struct fdref *
four_holders(struct fdref_holder *holders[HOLDERS])
{
	static struct fdref_holder workers[HOLDERS];
	struct fdref *ref =
	    fdref_new(open_fd(), FDREF_CONFIGURATION, 0, &holders[0]);

	ck_assert_ptr_nonnull(ref);
	for (int i = 1; i < HOLDERS; i++) {
		holders[i] = &workers[i];
		fdref_hold(ref, holders[i], FDREF_WORKER, 4240 + i);
	}
	return ref;
}

static void
drop_all(struct fdref *ref, struct fdref_holder *holders[HOLDERS])
{
	for (int i = 0; i < HOLDERS; i++)
		fdref_drop(ref, holders[i]);
}

START_TEST(a_new_one_has_one_holder)
{
	struct fdref_holder *first = NULL;
	int fd = open_fd();
	struct fdref *ref = fdref_new(fd, FDREF_CONFIGURATION, 0, &first);
	char text[64];

	ck_assert_ptr_nonnull(ref);
	ck_assert_ptr_nonnull(first);
	ck_assert_int_eq(fdref_fd(ref), fd);
	ck_assert_uint_eq(fdref_count(ref), 1);
	ck_assert_str_eq(
	    fdref_describe(ref, text, sizeof(text)), "configuration");
	fdref_drop(ref, first);
}
END_TEST

START_TEST(each_hold_counts_one_more_and_each_drop_one_less)
{
	struct fdref_holder *holders[HOLDERS];
	struct fdref *ref = four_holders(holders);
	int fd = fdref_fd(ref);

	for (size_t left = HOLDERS; left > 0; left--) {
		ck_assert_uint_eq(fdref_count(ref), left);
		assert_open(fd);
		ck_assert_uint_eq(fdref_drop(ref, holders[left - 1]), left - 1);
	}
	assert_closed(fd);
}
END_TEST

START_TEST(holders_are_named_oldest_first)
{
	struct fdref_holder *holders[HOLDERS];
	struct fdref *ref = four_holders(holders);
	char text[64];

	ck_assert_str_eq(fdref_describe(ref, text, sizeof(text)),
	    "configuration,4241,4242,4243");
	fdref_drop(ref, holders[0]);
	fdref_drop(ref, holders[2]);
	ck_assert_str_eq(fdref_describe(ref, text, sizeof(text)), "4241,4243");
	fdref_drop(ref, holders[1]);
	fdref_drop(ref, holders[3]);
}
END_TEST

START_TEST(a_holder_can_be_named_after_the_fork)
{
	struct fdref_holder *first;
	struct fdref *ref = fdref_new(open_fd(), FDREF_WORKER, 0, &first);
	char text[64];

	fdref_name(first, 777);
	ck_assert_str_eq(fdref_describe(ref, text, sizeof(text)), "777");
	fdref_drop(ref, first);
}
END_TEST

START_TEST(the_hold_of_systemd_is_one_like_others)
{
	struct fdref_holder *first;
	struct fdref *ref =
	    fdref_new(open_fd(), FDREF_CONFIGURATION, 0, &first);
	int fd = fdref_fd(ref);
	char text[64];

	ck_assert(!fdref_is_with_systemd(ref));
	fdref_drop_by_systemd(ref);
	fdref_hold_by_systemd(ref);
	fdref_hold_by_systemd(ref);
	ck_assert(fdref_is_with_systemd(ref));
	ck_assert_uint_eq(fdref_count(ref), 2);
	ck_assert_str_eq(
	    fdref_describe(ref, text, sizeof(text)), "configuration,systemd");
	fdref_drop_by_systemd(ref);
	ck_assert(!fdref_is_with_systemd(ref));
	assert_open(fd);
	ck_assert_uint_eq(fdref_drop(ref, first), 0);
	assert_closed(fd);
}
END_TEST

/* All orders of four drops: _i counts them in the factorial number system. */
START_TEST(whoever_drops_last_closes)
{
	struct fdref_holder *holders[HOLDERS];
	struct fdref *ref = four_holders(holders);
	int fd = fdref_fd(ref), order = _i;

	for (int left = HOLDERS; left > 0; left--) {
		int pick = order % left;

		order /= left;
		assert_open(fd);
		ck_assert_uint_eq(
		    fdref_drop(ref, holders[pick]), (size_t)left - 1);
		holders[pick] = holders[left - 1];
	}
	assert_closed(fd);
}
END_TEST

START_TEST(a_text_with_just_enough_room_is_whole)
{
	static const char whole[] = "configuration,4241,4242,4243";
	struct fdref_holder *holders[HOLDERS];
	struct fdref *ref = four_holders(holders);
	char text[sizeof(whole)];

	ck_assert_str_eq(fdref_describe(ref, text, sizeof(text)), whole);
	drop_all(ref, holders);
}
END_TEST

START_TEST(a_text_without_room_is_cut_behind_a_holder)
{
	struct fdref_holder *holders[HOLDERS];
	struct fdref *ref = four_holders(holders);
	char text[sizeof("configuration,4241,...")];

	ck_assert_str_eq(
	    fdref_describe(ref, text, sizeof(text)), "configuration,4241,...");
	/* One byte less, and the last name before the cut goes as well. */
	ck_assert_str_eq(
	    fdref_describe(ref, text, sizeof(text) - 1), "configuration,...");
	drop_all(ref, holders);
}
END_TEST

START_TEST(no_size_is_ever_written_past)
{
	struct fdref_holder *holders[HOLDERS];
	struct fdref *ref = four_holders(holders);
	char text[40];

	for (size_t size = 1; size < sizeof(text); size++) {
		memset(text, 'x', sizeof(text));
		fdref_describe(ref, text, size);
		ck_assert_msg(strnlen(text, size) < size, "size %zu", size);
		for (size_t i = size; i < sizeof(text); i++)
			ck_assert_msg(text[i] == 'x', "size %zu", size);
	}
	drop_all(ref, holders);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fdref");
	TCase *tcase = unit_case(suite, "fdref");

	tcase_add_test(tcase, a_new_one_has_one_holder);
	tcase_add_test(tcase, each_hold_counts_one_more_and_each_drop_one_less);
	tcase_add_test(tcase, holders_are_named_oldest_first);
	tcase_add_test(tcase, a_holder_can_be_named_after_the_fork);
	tcase_add_test(tcase, the_hold_of_systemd_is_one_like_others);
	tcase_add_loop_test(tcase, whoever_drops_last_closes, 0, 24);
	tcase_add_test(tcase, a_text_with_just_enough_room_is_whole);
	tcase_add_test(tcase, a_text_without_room_is_cut_behind_a_holder);
	tcase_add_test(tcase, no_size_is_ever_written_past);
	return unit_run(suite);
}
