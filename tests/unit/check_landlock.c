/*
 * Tests of worker/landlock: what is denied in a process that has entered it,
 * and what is asked of kernels of all ages.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "unit/child.h"
#include "unit/dir.h"
#include "unit/unit.h"
#include "worker/landlock.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#ifndef SYS_landlock_restrict_self
#define SYS_landlock_restrict_self 446
#endif

/* The library's calls of syscall(2) come here. */
static int kernel_version; /* what it says that it has; 0: the truth */
static int version_error;  /* or the error that it gives */
static int ruleset_error;
static struct {
	size_t size;
	uint64_t words[3];
} asked;

long __real_syscall(long number, ...);
long __wrap_syscall(long number, const void *a, size_t b, unsigned c);

static long
failure(int error)
{
	errno = error;
	return -1;
}

long
__wrap_syscall(long number, const void *a, size_t b, unsigned c)
{
	if (number != SYS_landlock_create_ruleset)
		return __real_syscall(number, a, b, c);
	if (a == NULL) {
		ck_assert_uint_eq(b, 0);
		ck_assert_uint_eq(c, 1); /* LANDLOCK_CREATE_RULESET_VERSION */
		if (version_error != 0)
			return failure(version_error);
		return kernel_version > 0 ? kernel_version :
					    __real_syscall(number, a, b, c);
	}
	ck_assert_uint_eq(c, 0);
	ck_assert_uint_le(b, sizeof(asked.words));
	memset(&asked, 0, sizeof(asked));
	asked.size = b;
	memcpy(asked.words, a, b);
	if (ruleset_error != 0)
		return failure(ruleset_error);
	/* Any descriptor will do where no kernel of that age is at hand. */
	return kernel_version > 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC) :
				    __real_syscall(number, a, b, c);
}

static struct landlock landlock;

static bool
has_landlock(void)
{
	return __real_syscall(
		   SYS_landlock_create_ruleset, NULL, (size_t)0, 1U) > 0;
}

static void
prepare(void)
{
	ck_assert_int_eq(landlock_prepare(&landlock), 0);
	ck_assert_int_gt(landlock.version, 0);
}

static void
enter(void)
{
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	must(landlock_enter(&landlock) == 0);
}

static bool
is_denied(long result, int error)
{
	return result == -1 && errno == error;
}

static void
use_files(const void *path)
{
	const char *file = path;
	int fd = open(file, O_RDWR);
	char byte;

	must(fd >= 0);
	enter();
	must(is_denied(open(file, O_RDONLY), EACCES));
	must(is_denied(open(file, O_WRONLY), EACCES));
	must(is_denied(open("/", O_RDONLY | O_DIRECTORY), EACCES));
	must(
	    is_denied(open(dir_path("new"), O_WRONLY | O_CREAT, 0600), EACCES));
	must(is_denied(mkdir(dir_path("new"), 0700), EACCES));
	must(is_denied(mkfifo(dir_path("new"), 0600), EACCES));
	must(is_denied(symlink("x", dir_path("new")), EACCES));
	must(is_denied(rmdir(dir_path("empty")), EACCES));
	must(is_denied(unlink(file), EACCES));
	if (landlock.version >= 3)
		must(is_denied(truncate(file, 0), EACCES));
	/* What was open before stays so. */
	must(pread(fd, &byte, 1, 0) == 1 && byte == 'x');
	must(pwrite(fd, "y", 1, 0) == 1);
}

START_TEST(no_file_can_be_opened_made_or_removed)
{
	const char *path = dir_write("file", "x");

	ck_assert_int_eq(mkdir(dir_path("empty"), 0700), 0);
	child_must(use_files, path);
}
END_TEST

static void
execute(const void *argument)
{
	(void)argument;
	enter();
	must(is_denied(execl("/proc/self/exe", "x", (char *)NULL), EACCES));
}

START_TEST(no_program_can_be_executed)
{
	child_must(execute, NULL);
}
END_TEST

static void
use_tcp(const void *argument)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct sockaddr *a = (struct sockaddr *)&address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)argument;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons(9);
	must(fd >= 0);
	enter();
	must(is_denied(connect(fd, a, sizeof(address)), EACCES));
	must(is_denied(bind(fd, a, sizeof(address)), EACCES));
}

START_TEST(no_tcp_port_can_be_bound_or_connected_to)
{
	if (landlock.version >= 4)
		child_must(use_tcp, NULL);
}
END_TEST

static void
signal_the_parent(const void *argument)
{
	pid_t parent = getppid();

	(void)argument;
	must(kill(parent, 0) == 0);
	enter();
	must(is_denied(kill(parent, 0), EPERM));
	must(kill(getpid(), 0) == 0);
}

START_TEST(no_signal_reaches_another_process)
{
	if (landlock.version >= 6)
		child_must(signal_the_parent, NULL);
}
END_TEST

static void
prepare_first(const void *argument)
{
	(void)argument;
	close(STDIN_FILENO);
	must(landlock_prepare(&landlock) == 0 && landlock.ruleset == 0);
	enter();
	must(is_denied(open("/", O_RDONLY | O_DIRECTORY), EACCES));
}

START_TEST(the_first_descriptor_is_a_rule_set_too)
{
	child_must(prepare_first, NULL);
}
END_TEST

START_TEST(the_rule_set_is_closed_on_exec)
{
	ck_assert_int_ge(landlock.ruleset, 0);
	ck_assert_int_eq(fcntl(landlock.ruleset, F_GETFD), FD_CLOEXEC);
}
END_TEST

static void
enter_nothing(const void *argument)
{
	const struct landlock none = { .version = 0, .ruleset = -1 };
	const struct landlock bad = { .version = 1, .ruleset = 1000000 };

	(void)argument;
	must(landlock_enter(&none) == 0);
	must(close(open("/", O_RDONLY)) == 0);
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	must(landlock_enter(&bad) == -1);
}

START_TEST(without_a_rule_set_nothing_is_denied)
{
	child_must(enter_nothing, NULL);
}
END_TEST

/* What each version is asked to deny: all that it can, and no more. */
static const struct {
	int version;
	size_t size;
	uint64_t words[3];
} versions[] = {
	{ 1, 8, { 0x1fff, 0, 0 } },
	{ 2, 8, { 0x3fff, 0, 0 } },
	{ 3, 8, { 0x7fff, 0, 0 } },
	{ 4, 16, { 0x7fff, 3, 0 } },
	{ 5, 16, { 0xffff, 3, 0 } },
	{ 6, 24, { 0xffff, 3, 3 } },
	{ 7, 24, { 0xffff, 3, 3 } },
	{ 99, 24, { 0xffff, 3, 3 } },
};

#define VERSIONS ((int)(sizeof(versions) / sizeof(versions[0])))

START_TEST(a_kernel_is_asked_for_what_it_knows)
{
	kernel_version = versions[_i].version;
	ck_assert_int_eq(landlock_prepare(&landlock), 0);
	ck_assert_int_eq(landlock.version, versions[_i].version);
	ck_assert_int_ge(landlock.ruleset, 0);
	ck_assert_uint_eq(asked.size, versions[_i].size);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(asked.words[i], versions[_i].words[i]);
}
END_TEST

static const int none[] = { ENOSYS, EOPNOTSUPP, EPERM };

START_TEST(a_kernel_without_landlock_is_no_failure)
{
	version_error = none[_i];
	landlock.version = landlock.ruleset = 5;
	ck_assert_int_eq(landlock_prepare(&landlock), 0);
	ck_assert_int_eq(landlock.version, 0);
	ck_assert_int_eq(landlock.ruleset, -1);
}
END_TEST

START_TEST(other_errors_are_failures)
{
	version_error = EINVAL;
	ck_assert_int_eq(landlock_prepare(&landlock), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(landlock.ruleset, -1);
	version_error = 0;
	kernel_version = 1;
	ruleset_error = EMFILE;
	ck_assert_int_eq(landlock_prepare(&landlock), -1);
	ck_assert_int_eq(errno, EMFILE);
	ck_assert_int_eq(landlock.ruleset, -1);
	ck_assert_int_eq(landlock.version, 0);
}
END_TEST

#define NET ", no TCP bind or connect"
#define SCOPE ", no signal to others"

static const struct {
	int version;
	const char *text;
} texts[] = {
	{ 0, "no Landlock in this kernel or container" },
	{ 1, "Landlock version 1: no file" },
	{ 3, "Landlock version 3: no file" },
	{ 4, "Landlock version 4: no file" NET },
	{ 5, "Landlock version 5: no file" NET },
	{ 6, "Landlock version 6: no file" NET SCOPE },
	{ 7, "Landlock version 7: no file" NET SCOPE },
};

#define TEXTS ((int)(sizeof(texts) / sizeof(texts[0])))

START_TEST(a_version_is_described)
{
	const struct landlock l = { .version = texts[_i].version };
	char text[128];

	ck_assert_ptr_eq(landlock_describe(&l, text, sizeof(text)), text);
	ck_assert_str_eq(text, texts[_i].text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("landlock");
	TCase *tcase = unit_case(suite, "versions");

	tcase_add_loop_test(
	    tcase, a_kernel_is_asked_for_what_it_knows, 0, VERSIONS);
	tcase_add_loop_test(
	    tcase, a_kernel_without_landlock_is_no_failure, 0, 3);
	tcase_add_test(tcase, other_errors_are_failures);
	tcase_add_loop_test(tcase, a_version_is_described, 0, TEXTS);
	tcase_add_test(tcase, without_a_rule_set_nothing_is_denied);
	if (has_landlock()) {
		tcase = unit_case(suite, "enter");
		tcase_add_checked_fixture(tcase, prepare, NULL);
		tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
		tcase_add_test(tcase, no_file_can_be_opened_made_or_removed);
		tcase_add_test(tcase, no_program_can_be_executed);
		tcase_add_test(tcase, no_tcp_port_can_be_bound_or_connected_to);
		tcase_add_test(tcase, no_signal_reaches_another_process);
		tcase_add_test(tcase, the_first_descriptor_is_a_rule_set_too);
		tcase_add_test(tcase, the_rule_set_is_closed_on_exec);
	} else
		printf("# Landlock is not entered: this kernel has none\n");
	return unit_run(suite);
}
