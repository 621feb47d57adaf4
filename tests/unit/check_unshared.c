/*
 * Tests of common/unshared: memory that ends at a fork.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/unshared.h"
#include "unit/child.h"
#include "unit/unit.h"

#define COUNT 1000
#define SIZE 17

/* Without a report of a sanitizer, or a core. */
static void
die_plainly(void)
{
	static const struct rlimit none;

	setrlimit(RLIMIT_CORE, &none);
	signal(SIGSEGV, SIG_DFL);
}

static void
read_byte(const void *byte)
{
	die_plainly();
	_exit(*(const volatile char *)byte);
}

static void
write_byte(const void *byte)
{
	die_plainly();
	*(volatile char *)(uintptr_t)byte = 1;
}

START_TEST(it_is_zero_and_keeps_what_is_written)
{
	unsigned char *memory = unshared_alloc(COUNT, SIZE);

	ck_assert_ptr_nonnull(memory);
	for (size_t i = 0; i < COUNT * SIZE; i++)
		ck_assert_uint_eq(memory[i], 0);
	for (size_t i = 0; i < COUNT * SIZE; i++)
		memory[i] = (unsigned char)i;
	for (size_t i = 0; i < COUNT * SIZE; i++)
		ck_assert_uint_eq(memory[i], (unsigned char)i);
	unshared_free(memory, COUNT, SIZE);
}
END_TEST

START_TEST(a_child_does_not_have_it)
{
	char *memory = unshared_alloc(COUNT, SIZE);

	ck_assert_ptr_nonnull(memory);
	memory[0] = memory[COUNT * SIZE - 1] = 7;
	ck_assert_int_eq(child_run(read_byte, memory), -SIGSEGV);
	ck_assert_int_eq(
	    child_run(read_byte, memory + COUNT * SIZE - 1), -SIGSEGV);
	ck_assert_int_eq(child_run(write_byte, memory), -SIGSEGV);
	ck_assert_int_eq(memory[0], 7);
	ck_assert_int_eq(memory[COUNT * SIZE - 1], 7);
	unshared_free(memory, COUNT, SIZE);
}
END_TEST

START_TEST(freed_memory_is_gone)
{
	char *memory = unshared_alloc(COUNT, SIZE);
	unsigned char resident;

	ck_assert_ptr_nonnull(memory);
	unshared_free(memory, COUNT, SIZE);
	for (size_t i = 0; i < COUNT * SIZE; i += (size_t)getpagesize()) {
		ck_assert_int_eq(mincore(memory + i, 1, &resident), -1);
		ck_assert_int_eq(errno, ENOMEM);
	}
	unshared_free(NULL, COUNT, SIZE);
}
END_TEST

static const size_t too_much[][2] = { { SIZE_MAX, 2 }, { 2, SIZE_MAX },
	{ SIZE_MAX / 16 + 1, 16 }, { SIZE_MAX / 2 + 2, 2 } };

START_TEST(more_than_there_can_be_is_enomem)
{
	errno = 0;
	ck_assert_ptr_null(unshared_alloc(too_much[_i][0], too_much[_i][1]));
	ck_assert_int_eq(errno, ENOMEM);
}
END_TEST

START_TEST(errors_of_the_kernel_are_passed_on)
{
	errno = 0;
	ck_assert_ptr_null(unshared_alloc(0, 8)); /* mmap(2) has no such */
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_null(unshared_alloc(8, 0));
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_null(unshared_alloc(SIZE_MAX / 2, 2));
	ck_assert_int_eq(errno, ENOMEM);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("unshared");
	TCase *tcase = unit_case(suite, "unshared");

	tcase_add_test(tcase, it_is_zero_and_keeps_what_is_written);
	tcase_add_test(tcase, a_child_does_not_have_it);
	tcase_add_test(tcase, freed_memory_is_gone);
	tcase_add_loop_test(tcase, more_than_there_can_be_is_enomem, 0,
	    (int)(sizeof(too_much) / sizeof(too_much[0])));
	tcase_add_test(tcase, errors_of_the_kernel_are_passed_on);
	return unit_run(suite);
}
