/*
 * Tests of worker/filter: a process that has entered it.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "unit/child.h"
#include "unit/unit.h"
#include "worker/filter.h"

#ifndef SYS_SECCOMP /* si_code of a trapped call, see sigaction(2) */
#define SYS_SECCOMP 1
#endif

/* The library's calls of syscall(2) come here: an error to give, or 0. */
static long failing_call;
static int failing_error;

long __real_syscall(long number, ...);
long __wrap_syscall(long number, long a, void *b, void *c);

long
__wrap_syscall(long number, long a, void *b, void *c)
{
	if (failing_error != 0 && number == failing_call) {
		errno = failing_error;
		return -1;
	}
	return __real_syscall(number, a, b, c);
}

/* What libseccomp says, where that is not 0; an export may also be empty. */
static enum failing { NOTHING, INIT, SET, ADD, EXPORT, EMPTY } failing;
static int result;

void *__real_seccomp_init(uint32_t action);
void *__wrap_seccomp_init(uint32_t action);
int __real_seccomp_attr_set(void *ctx, int attribute, uint32_t value);
int __wrap_seccomp_attr_set(void *ctx, int attribute, uint32_t value);
int __real_seccomp_rule_add_array(
    void *ctx, uint32_t action, int call, unsigned n, const void *args);
int __wrap_seccomp_rule_add_array(
    void *ctx, uint32_t action, int call, unsigned n, const void *args);
int __real_seccomp_export_bpf(void *ctx, int fd);
int __wrap_seccomp_export_bpf(void *ctx, int fd);

void *
__wrap_seccomp_init(uint32_t action)
{
	return failing == INIT ? NULL : __real_seccomp_init(action);
}

int
__wrap_seccomp_attr_set(void *ctx, int attribute, uint32_t value)
{
	return failing == SET ? result :
				__real_seccomp_attr_set(ctx, attribute, value);
}

int
__wrap_seccomp_rule_add_array(
    void *ctx, uint32_t action, int call, unsigned n, const void *args)
{
	return failing == ADD && call == SYS_exit_group ?
	    result :
	    __real_seccomp_rule_add_array(ctx, action, call, n, args);
}

int
__wrap_seccomp_export_bpf(void *ctx, int fd)
{
	return failing == EXPORT ? result :
	    failing == EMPTY     ? 0 :
				   __real_seccomp_export_bpf(ctx, fd);
}

static struct filter filter;

static void
compile(void)
{
	ck_assert_int_eq(filter_compile(&filter), 0);
}

static void
release(void)
{
	filter_free(&filter);
}

static void
enter(void)
{
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	must(filter_enter(&filter) == 0);
}

/* A sanitizer does more in _exit(2) than the call. */
static void
leave(int status)
{
	__real_syscall(SYS_exit_group, (long)status);
}

static void
send_a_byte(const void *argument)
{
	int pair[2];
	char byte;

	(void)argument;
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	enter();
	must(send(pair[0], "x", 1, 0) == 1);
	must(recv(pair[1], &byte, 1, 0) == 1 && byte == 'x');
	must(fcntl(pair[0], F_GETFL) >= 0);
	must(shutdown(pair[0], SHUT_WR) == 0);
	must(close(pair[0]) == 0);
	leave(0);
}

START_TEST(what_is_allowed_works)
{
	child_must(send_a_byte, NULL);
}
END_TEST

static void
on_sigsys(int signal_number, siginfo_t *info, void *context)
{
	(void)signal_number;
	(void)context;
	must(info->si_code == SYS_SECCOMP);
	must(info->si_syscall == SYS_openat);
	leave(42);
}

static void
open_a_file(const void *with_handler)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO };

	action.sa_sigaction = on_sigsys;
	must(with_handler == NULL || sigaction(SIGSYS, &action, NULL) == 0);
	enter();
	__real_syscall(SYS_openat, (long)AT_FDCWD, "/", O_RDONLY);
}

START_TEST(what_is_forbidden_raises_sigsys_with_its_number)
{
	int status = child_run(open_a_file, "");

	ck_assert_msg(status == 42, "status %d: %s", status, child_said);
}
END_TEST

START_TEST(what_is_forbidden_ends_a_process_without_a_handler)
{
	ck_assert_int_eq(child_run(open_a_file, NULL), -SIGSYS);
}
END_TEST

static void
send_to_an_address(const void *argument)
{
	struct sockaddr address = { .sa_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	(void)argument;
	enter();
	sendto(fd, "x", 1, 0, &address, sizeof(address));
}

START_TEST(a_datagram_to_an_address_ends_the_process)
{
	ck_assert_int_eq(child_run(send_to_an_address, NULL), -SIGSYS);
}
END_TEST

static void
unlock(const void *argument)
{
	(void)argument;
	enter();
	prctl(PR_GET_DUMPABLE);
}

START_TEST(there_is_no_way_back)
{
	ck_assert_int_eq(child_run(unlock, NULL), -SIGSYS);
}
END_TEST

static void
enter_refused(const void *argument)
{
	(void)argument;
	failing_call = SYS_seccomp;
	failing_error = EACCES;
	must(filter_enter(&filter) == -1 && errno == EACCES);
	must(close(open("/", O_RDONLY)) == 0);
}

START_TEST(a_refusal_is_returned)
{
	child_must(enter_refused, NULL);
}
END_TEST

static void
without_seccomp(const void *argument)
{
	struct filter none = { .calls = 1 };

	(void)argument;
	failing_call = SYS_seccomp;
	failing_error = ENOSYS;
	must(filter_compile(&none) == 0);
	must(none.program.filter == NULL && none.calls == 0);
	failing_error = 0;
	must(filter_enter(&none) == 0);
	must(close(open("/", O_RDONLY)) == 0);
	filter_free(&none);
}

START_TEST(a_kernel_without_seccomp_is_no_failure)
{
	child_must(without_seccomp, NULL);
}
END_TEST

static void
without_descriptors(const void *argument)
{
	struct filter none;

	(void)argument;
	while (dup(STDERR_FILENO) >= 0)
		;
	must(filter_compile(&none) == -1 && errno == EMFILE);
	must(none.program.filter == NULL);
}

START_TEST(a_filter_that_cannot_be_compiled_is_an_error)
{
	child_must(without_descriptors, NULL);
}
END_TEST

static const struct {
	enum failing what;
	int result;
	int error; /* 0: none */
} libseccomp[] = {
	{ INIT, 0, ENOMEM },
	{ SET, -ENOMEM, ENOMEM },
	{ SET, -EINVAL, 0 }, /* it knows no trees */
	{ SET, -EEXIST, 0 },
	{ ADD, -EFAULT, EFAULT },
	{ EXPORT, -ECANCELED, ECANCELED },
	{ EMPTY, 0, E2BIG },
};

#define LIBSECCOMP ((int)(sizeof(libseccomp) / sizeof(libseccomp[0])))

START_TEST(an_error_of_libseccomp_is_returned)
{
	int compiled, error = libseccomp[_i].error;
	struct filter other;

	failing = libseccomp[_i].what;
	result = libseccomp[_i].result;
	compiled = filter_compile(&other);
	ck_assert_int_eq(errno, error);
	ck_assert_int_eq(compiled, error == 0 ? 0 : -1);
	ck_assert_int_eq(other.program.filter == NULL, error != 0);
	filter_free(&other);
}
END_TEST

static void
compile_first(const void *argument)
{
	(void)argument;
	close(STDIN_FILENO);
	must(filter_compile(&filter) == 0);
	must(filter.program.filter != NULL);
	must(open("/", O_RDONLY) == STDIN_FILENO);
}

START_TEST(the_first_descriptor_will_do)
{
	child_must(compile_first, NULL);
}
END_TEST

START_TEST(no_descriptor_stays_open)
{
	struct filter other;
	int before = dup(STDERR_FILENO), after;

	close(before);
	ck_assert_int_eq(filter_compile(&other), 0);
	after = dup(STDERR_FILENO);
	close(after);
	ck_assert_int_eq(after, before);
	filter_free(&other);
	ck_assert_ptr_null(other.program.filter);
	ck_assert_uint_eq(other.calls, 0);
	filter_free(&other);
}
END_TEST

START_TEST(a_call_has_a_name_and_a_number)
{
	char text[64], expected[64];

	snprintf(expected, sizeof(expected), "openat (%ld)", (long)SYS_openat);
	ck_assert_ptr_eq(
	    filter_name_call(SYS_openat, text, sizeof(text)), text);
	ck_assert_str_eq(text, expected);
	filter_name_call(99999, text, sizeof(text));
	ck_assert_str_eq(text, "unknown (99999)");
	filter_name_call(UINT32_MAX, text, sizeof(text));
	ck_assert_str_eq(text, "unknown (4294967295)");
	filter_name_call(SYS_openat, text, 4);
	ck_assert_str_eq(text, "ope");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("filter_enter");
	TCase *tcase = unit_case(suite, "enter");

	tcase_add_checked_fixture(tcase, compile, release);
	tcase_add_test(tcase, what_is_allowed_works);
	tcase_add_test(tcase, what_is_forbidden_raises_sigsys_with_its_number);
	tcase_add_test(
	    tcase, what_is_forbidden_ends_a_process_without_a_handler);
	tcase_add_test(tcase, a_datagram_to_an_address_ends_the_process);
	tcase_add_test(tcase, there_is_no_way_back);
	tcase_add_test(tcase, a_refusal_is_returned);
	tcase = unit_case(suite, "compile");
	tcase_add_test(tcase, a_kernel_without_seccomp_is_no_failure);
	tcase_add_test(tcase, a_filter_that_cannot_be_compiled_is_an_error);
	tcase_add_loop_test(
	    tcase, an_error_of_libseccomp_is_returned, 0, LIBSECCOMP);
	tcase_add_test(tcase, the_first_descriptor_will_do);
	tcase_add_test(tcase, no_descriptor_stays_open);
	tcase_add_test(tcase, a_call_has_a_name_and_a_number);
	return unit_run(suite);
}
