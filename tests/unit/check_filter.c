/*
 * Tests of worker/filter: what the compiled filter says to each call, as the
 * kernel would run it.
 */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "unit/unit.h"
#include "worker/filter.h"

/* Above all numbers that are given out. */
#define NUMBERS 4096
#define X32_BIT 0x40000000

#define NO_MATTER UINT64_C(0xa5a5a5a5deadbeef)
#define UPPER_HALF UINT64_C(0xffffffff00000000)

/* What a call without conditions may cost. */
#define MOST_STEPS 13

/* check writes each assertion down; of millions only those that fail. */
#define MUST(true_here, ...)                                                   \
	do {                                                                   \
		if (!(true_here))                                              \
			ck_abort_msg(__VA_ARGS__);                             \
	} while (0)

static struct filter filter;
static uint32_t native;
static unsigned steps;

/* A load reads a word of struct seccomp_data; nothing else is readable. */
static uint32_t
load(const struct seccomp_data *data, uint32_t offset)
{
	uint32_t word;

	MUST(offset % 4 == 0 && offset <= sizeof(*data) - sizeof(word),
	    "load of %u", offset);
	memcpy(&word, (const char *)data + offset, sizeof(word));
	return word;
}

static bool
jumps(uint16_t code, uint32_t a, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGT:
		return a > k;
	case BPF_JGE:
		return a >= k;
	case BPF_JSET:
		return (a & k) != 0;
	default:
		ck_abort_msg("jump %#x", code);
	}
}

/* The action for this call; steps is how many instructions it took. */
static uint32_t
run(const struct seccomp_data *data)
{
	const struct sock_filter *at = filter.program.filter;
	uint32_t a = 0;

	for (steps = 1;; at++, steps++) {
		MUST(at < filter.program.filter + filter.program.len,
		    "past the end");
		switch (at->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			a = load(data, at->k);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= at->k;
			break;
		case BPF_JMP | BPF_JA:
			at += at->k;
			break;
		case BPF_RET | BPF_K:
			return at->k;
		default:
			MUST(BPF_CLASS(at->code) == BPF_JMP &&
				BPF_SRC(at->code) == BPF_K,
			    "code %#x", at->code);
			at += jumps(at->code, a, at->k) ? at->jt : at->jf;
		}
	}
}

/* The only use of a call: the bits of args that are compared. */
static const struct only {
	long call;
	struct {
		unsigned n;
		uint64_t value;
		uint64_t mask;
	} args[2];
	unsigned count;
} only[] = {
#ifndef SYS_socketcall
	{ SYS_getsockopt,
	    { { 1, IPPROTO_TCP, UINT32_MAX }, { 2, TCP_INFO, UINT32_MAX } },
	    2 },
	{ SYS_setsockopt,
	    { { 1, SOL_SOCKET, UINT32_MAX }, { 2, SO_RCVTIMEO, UINT32_MAX } },
	    2 },
	{ SYS_sendto, { { 4, 0, UINT64_MAX } }, 1 },
	{ SYS_shutdown, { { 1, SHUT_WR, UINT32_MAX } }, 1 },
#endif
	{ SYS_ioctl, { { 1, SIOCOUTQ, UINT32_MAX } }, 1 },
	{ SYS_fcntl, { { 1, F_GETFL, UINT32_MAX } }, 1 },
};

#define ONLY ((int)(sizeof(only) / sizeof(only[0])))

/* A call with the arguments that it is allowed with, if it is. */
static struct seccomp_data
call(long number)
{
	struct seccomp_data data = { .nr = (int)number, .arch = native };

	for (int i = 0; i < 6; i++)
		data.args[i] = NO_MATTER;
	for (int i = 0; i < ONLY; i++)
		for (unsigned j = 0;
		     only[i].call == number && j < only[i].count; j++)
			data.args[only[i].args[j].n] = only[i].args[j].value;
	return data;
}

static bool
is_narrowed(long number)
{
	for (int i = 0; i < ONLY; i++)
		if (only[i].call == number)
			return true;
	return false;
}

static uint32_t
run_call(long number)
{
	struct seccomp_data data = call(number);

	return run(&data);
}

static void
compile(void)
{
	ck_assert_int_eq(filter_compile(&filter), 0);
	ck_assert_ptr_nonnull(filter.program.filter);
	/* The first instructions look at the architecture. */
	ck_assert_uint_eq(
	    filter.program.filter[0].k, offsetof(struct seccomp_data, arch));
	native = filter.program.filter[1].k;
}

static void
release(void)
{
	filter_free(&filter);
}

#ifdef __x86_64__
static const int allowed[] = { SYS_write, SYS_close, SYS_poll, SYS_rt_sigreturn,
	SYS_ioctl, SYS_getpid, SYS_sendto, SYS_recvfrom, SYS_shutdown,
	SYS_getsockname, SYS_setsockopt, SYS_getsockopt, SYS_fcntl,
	SYS_gettimeofday, SYS_time, SYS_restart_syscall, SYS_clock_gettime,
	SYS_exit_group, SYS_ppoll, SYS_accept4 };

static bool
is_in_table(long number)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (allowed[i] == number)
			return true;
	return false;
}

START_TEST(these_calls_are_allowed_and_no_other)
{
	for (long n = 0; n < NUMBERS; n++)
		MUST((run_call(n) == SECCOMP_RET_ALLOW) == is_in_table(n),
		    "call %ld: %#x", n, run_call(n));
	ck_assert_uint_eq(filter.calls, sizeof(allowed) / sizeof(allowed[0]));
}
END_TEST

START_TEST(the_architecture_is_ours)
{
	ck_assert_uint_eq(native, AUDIT_ARCH_X86_64);
}
END_TEST
#endif

START_TEST(a_call_is_allowed_or_trapped)
{
	unsigned count = 0;

	for (long n = 0; n < NUMBERS; n++) {
		uint32_t action = run_call(n);

		MUST(action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_TRAP,
		    "call %ld: %#x", n, action);
		count += action == SECCOMP_RET_ALLOW;
	}
	ck_assert_uint_eq(filter.calls, count);
}
END_TEST

START_TEST(numbers_that_no_call_has_are_trapped)
{
	static const long numbers[] = { -1, -2, -101, -10000, INT32_MIN,
		INT32_MAX };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		MUST(run_call(numbers[i]) != SECCOMP_RET_ALLOW, "call %ld",
		    numbers[i]);
	/* What a tracer that skips a call leaves, see seccomp(2). */
	ck_assert_uint_eq(run_call(-1), SECCOMP_RET_TRAP);
}
END_TEST

/* Their numbers mean other calls. */
START_TEST(nothing_is_allowed_to_a_foreign_architecture)
{
	static const uint32_t foreign[] = { AUDIT_ARCH_I386, AUDIT_ARCH_X86_64,
		AUDIT_ARCH_ARM, AUDIT_ARCH_AARCH64, 0, UINT32_MAX };

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		for (long n = -1; n < NUMBERS && foreign[i] != native; n++) {
			struct seccomp_data data = call(n);

			data.arch = foreign[i];
			MUST(run(&data) == SECCOMP_RET_TRAP ||
				run(&data) == SECCOMP_RET_KILL_THREAD ||
				run(&data) == SECCOMP_RET_KILL_PROCESS,
			    "call %ld of %#x", n, foreign[i]);
		}
}
END_TEST

START_TEST(nothing_is_allowed_to_x32)
{
	for (long n = 0; n < NUMBERS; n++) {
		struct seccomp_data data = call(n);

		data.nr |= X32_BIT;
		MUST(run(&data) == SECCOMP_RET_TRAP ||
			run(&data) == SECCOMP_RET_KILL_THREAD ||
			run(&data) == SECCOMP_RET_KILL_PROCESS,
		    "call %ld", n);
	}
}
END_TEST

START_TEST(the_one_use_of_a_call_is_allowed)
{
	ck_assert_uint_eq(run_call(only[_i].call), SECCOMP_RET_ALLOW);
}
END_TEST

START_TEST(an_int_is_compared_without_the_upper_half)
{
	struct seccomp_data data = call(only[_i].call);

	for (unsigned j = 0; j < only[_i].count; j++)
		data.args[only[_i].args[j].n] |=
		    UPPER_HALF & ~only[_i].args[j].mask;
	ck_assert_uint_eq(run(&data), SECCOMP_RET_ALLOW);
}
END_TEST

/* Traps what differs from the right value in a bit that is compared. */
static void
assert_argument(
    struct seccomp_data data, unsigned n, uint64_t value, uint64_t mask)
{
	bool differs = ((value ^ data.args[n]) & mask) != 0;

	data.args[n] = value;
	MUST(run(&data) == (differs ? SECCOMP_RET_TRAP : SECCOMP_RET_ALLOW),
	    "argument %u is %#llx", n, (unsigned long long)value);
}

START_TEST(another_use_of_a_call_is_trapped)
{
	struct seccomp_data data = call(only[_i].call);

	for (unsigned j = 0; j < only[_i].count; j++) {
		unsigned n = only[_i].args[j].n;
		uint64_t mask = only[_i].args[j].mask;

		for (int bit = 0; bit < 64; bit++)
			assert_argument(
			    data, n, data.args[n] ^ UINT64_C(1) << bit, mask);
		for (uint64_t value = 0; value < 0x10000; value++)
			assert_argument(data, n, value, mask);
	}
}
END_TEST

/* That is what a tree is for: a list asks for one call after the other. */
START_TEST(a_call_is_found_in_few_steps)
{
	for (long n = 0; n < NUMBERS; n++) {
		uint32_t action = run_call(n);

		if (action == SECCOMP_RET_ALLOW && !is_narrowed(n))
			MUST(steps <= MOST_STEPS,
			    "call %ld takes %u instructions", n, steps);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("filter");
	TCase *tcase = unit_case(suite, "filter");

	tcase_add_checked_fixture(tcase, compile, release);
#ifdef __x86_64__
	tcase_add_test(tcase, these_calls_are_allowed_and_no_other);
	tcase_add_test(tcase, the_architecture_is_ours);
#endif
	tcase_add_test(tcase, a_call_is_allowed_or_trapped);
	tcase_add_test(tcase, numbers_that_no_call_has_are_trapped);
	tcase_add_test(tcase, nothing_is_allowed_to_a_foreign_architecture);
	tcase_add_test(tcase, nothing_is_allowed_to_x32);
	tcase_add_loop_test(tcase, the_one_use_of_a_call_is_allowed, 0, ONLY);
	tcase_add_loop_test(
	    tcase, an_int_is_compared_without_the_upper_half, 0, ONLY);
	tcase_add_loop_test(tcase, another_use_of_a_call_is_trapped, 0, ONLY);
	tcase_add_test(tcase, a_call_is_found_in_few_steps);
	return unit_run(suite);
}
