/*
 * Tests of common/capability: what a process has left, as the kernel shows it.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "common/capability.h"
#include "unit/caps.h"
#include "unit/child.h"
#include "unit/unit.h"

/* Some of each half of the kernel's sets. */
#define SOME                                                                   \
	(CAPABILITY_BIT(CAP_KILL) | CAPABILITY_BIT(CAP_SETPCAP) |              \
	    CAPABILITY_BIT(CAP_CHECKPOINT_RESTORE))
#define KILL CAPABILITY_BIT(CAP_KILL)

/* The library's calls of these come here: a call to fail, with an error. */
static long failing_call;
static int failing_option;
static int failing_error;
static int ambient_result = -1; /* of the last PR_CAP_AMBIENT */

long __real_syscall(long number, ...);
long __wrap_syscall(long number, void *a, void *b);
int __real_prctl(int option, ...);
int __wrap_prctl(int option, unsigned long a, unsigned long b, unsigned long c,
    unsigned long d);

long
__wrap_syscall(long number, void *a, void *b)
{
	if (failing_call != 0 && number == failing_call) {
		errno = EPERM;
		return -1;
	}
	return __real_syscall(number, a, b);
}

int
__wrap_prctl(int option, unsigned long a, unsigned long b, unsigned long c,
    unsigned long d)
{
	if (failing_option != 0 && option == failing_option) {
		errno = failing_error;
		return -1;
	}
	if (option == PR_CAP_AMBIENT)
		return ambient_result = __real_prctl(option, a, b, c, d);
	return __real_prctl(option, a, b, c, d);
}

static uint64_t
all(void)
{
	return caps_of(CAPS_PERMITTED);
}

static void
keep_some(const void *argument)
{
	(void)argument;
	must(capability_limit(SOME) == 0);
	/* What is left is read as it was written. */
	must(capability_limit(SOME) == 0);
	must(caps_of(CAPS_EFFECTIVE) == SOME);
	must(caps_of(CAPS_PERMITTED) == SOME);
	must(caps_of(CAPS_INHERITABLE) == SOME);
	must(caps_of(CAPS_BOUNDING) == 0);
	must(caps_of(CAPS_AMBIENT) == 0);
}

START_TEST(just_what_is_kept_is_left)
{
	child_must(keep_some, NULL);
}
END_TEST

static void
keep_more(const void *argument)
{
	(void)argument;
	must(capability_limit(KILL) == 0);
	must(capability_limit(UINT64_MAX) == 0);
	must(caps_of(CAPS_EFFECTIVE) == KILL);
	must(caps_of(CAPS_PERMITTED) == KILL);
}

START_TEST(nothing_comes_back)
{
	child_must(keep_more, NULL);
}
END_TEST

static void
keep_nothing(const void *argument)
{
	(void)argument;
	must(capability_limit(0) == 0);
	for (int set = 0; set < CAPS_SETS; set++)
		must(caps_of(set) == 0);
	must(chroot("/") == -1 && errno == EPERM);
	must(setuid(1) == -1 && errno == EPERM);
}

START_TEST(nothing_may_be_kept)
{
	child_must(keep_nothing, NULL);
}
END_TEST

static void
keep_without_setpcap(const void *argument)
{
	(void)argument;
	caps_set(all() & ~CAPABILITY_BIT(CAP_SETPCAP), all(), 0);
	must(capability_limit(SOME) == 0);
	must(caps_of(CAPS_BOUNDING) != 0);
	/* What is permitted and was not effective is so, as it is kept. */
	must(caps_of(CAPS_EFFECTIVE) == SOME);
}

START_TEST(without_setpcap_the_bounding_set_stays)
{
	child_must(keep_without_setpcap, NULL);
}
END_TEST

static void
keep_inherited(const void *argument)
{
	(void)argument;
	caps_set(all(), all(), KILL | SOME);
	must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0) == 0);
	must(caps_of(CAPS_AMBIENT) == KILL);
	ambient_result = -1;
	must(capability_limit(SOME) == 0);
	must(ambient_result == 0);
	must(caps_of(CAPS_INHERITABLE) == SOME);
	must(caps_of(CAPS_AMBIENT) == 0);
	must(caps_of(CAPS_BOUNDING) == 0);
	must(caps_of(CAPS_PERMITTED) == SOME);
}

START_TEST(nothing_else_is_left_to_inherit)
{
	child_must(keep_inherited, NULL);
}
END_TEST

static void
keep_as_user(const void *argument)
{
	(void)argument;
	must(setresuid(65534, 65534, 65534) == 0);
	must(capability_limit(SOME) == 0);
	must(caps_of(CAPS_EFFECTIVE) == 0);
	must(caps_of(CAPS_PERMITTED) == 0);
	must(capability_limit(0) == 0);
}

START_TEST(who_is_not_root_gains_nothing)
{
	child_must(keep_as_user, NULL);
}
END_TEST

static void
look(const void *argument)
{
	uint64_t set = 0;

	(void)argument;
	must(capability_effective(&set) == 0);
	must(set == caps_of(CAPS_EFFECTIVE) && set != 0);
	caps_set(SOME, all(), 0);
	must(capability_effective(&set) == 0 && set == SOME);
	failing_call = SYS_capget;
	must(capability_effective(&set) == -1 && errno == EPERM);
}

START_TEST(the_effective_set_can_be_read)
{
	child_must(look, NULL);
}
END_TEST

static const struct {
	long call;
	int option;
	int error;
	int result;
} failures[] = {
	{ SYS_capget, 0, 0, -1 }, { SYS_capset, 0, 0, -1 },
	{ 0, PR_CAPBSET_DROP, EPERM, -1 },
	{ 0, PR_CAPBSET_DROP, EINVAL, 0 }, /* past the last one */
	{ 0, PR_CAP_AMBIENT, EPERM, -1 },
	{ 0, PR_CAP_AMBIENT, EINVAL, 0 }, /* there are no ambient sets */
};

#define FAILURES ((int)(sizeof(failures) / sizeof(failures[0])))

static void
limit_failing(const void *argument)
{
	int i = *(const int *)argument;

	failing_call = failures[i].call;
	failing_option = failures[i].option;
	failing_error = failures[i].error;
	must(capability_limit(KILL) == failures[i].result);
	must(failures[i].result == 0 || errno == EPERM);
	failing_call = 0;
	must((caps_of(CAPS_PERMITTED) == KILL) == (failures[i].result == 0));
}

START_TEST(a_failure_is_returned)
{
	child_must(limit_failing, &_i);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("capability");
	TCase *tcase = unit_case(suite, "capability");

	if ((caps_of(CAPS_EFFECTIVE) & SOME) != SOME) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	tcase_add_test(tcase, just_what_is_kept_is_left);
	tcase_add_test(tcase, nothing_comes_back);
	tcase_add_test(tcase, nothing_may_be_kept);
	tcase_add_test(tcase, without_setpcap_the_bounding_set_stays);
	tcase_add_test(tcase, nothing_else_is_left_to_inherit);
	tcase_add_test(tcase, who_is_not_root_gains_nothing);
	tcase_add_test(tcase, the_effective_set_can_be_read);
	tcase_add_loop_test(tcase, a_failure_is_returned, 0, FAILURES);
	return unit_run(suite);
}
