#include "worker/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* No more than the kernel takes; ours has some 60 instructions. */
#define MOST_BYTES (BPF_MAXINSNS * sizeof(struct sock_filter))

/* Decide at the same time on all calls, not one after the other. */
#define AS_TREE 2

/*
 * All that a worker needs once it is in accept. Where only one use of a call
 * is ours, only that is allowed: arguments are compared as the kernel gets
 * them, and a worker that was taken over finds no other use.
 */
struct allowed {
	int call;
	unsigned conditions; /* of when[], all of them */
	struct scmp_arg_cmp when[2];
};

/* An int in argument n; the upper half of the register is the caller's. */
#define ARG(n, value)                                                          \
	((struct scmp_arg_cmp){ (n), SCMP_CMP_MASKED_EQ, UINT32_MAX, (value) })
#define NULL_ARG(n) ((struct scmp_arg_cmp){ (n), SCMP_CMP_EQ, 0, 0 })

#define CALL(name)                                                             \
	{                                                                      \
		.call = SCMP_SYS(name)                                         \
	}
#define CALL_IF(name, first)                                                   \
	{                                                                      \
		.call = SCMP_SYS(name), .conditions = 1, .when = { first }     \
	}
#define CALL_IF_BOTH(name, first, second)                                      \
	{                                                                      \
		.call = SCMP_SYS(name), .conditions = 2, .when = {             \
			first,                                                 \
			second                                                 \
		}                                                              \
	}

static const struct allowed list[] = {
	/* takes a connection */
	CALL(accept4),
	/* the log line: wait, rtt, retrans, local, unacked */
	CALL_IF_BOTH(getsockopt, ARG(1, IPPROTO_TCP), ARG(2, TCP_INFO)),
	CALL(getsockname),
	CALL_IF(ioctl, ARG(1, SIOCOUTQ)),
	/* idle-timeout; and off the listener, should one have set it */
	CALL_IF_BOTH(setsockopt, ARG(1, SOL_SOCKET), ARG(2, SO_RCVTIMEO)),
	/* bytes in and out, to the peer and to the log, never to an address */
	CALL(recvfrom),
	CALL(recv),
	CALL_IF(sendto, NULL_ARG(4)),
	CALL(send),
	CALL(write),
	/* room in a buffer, the peer's FIN, a pause; after SIGCONT again */
	CALL(poll),
	CALL(ppoll),
	CALL(ppoll_time64),
	CALL(restart_syscall),
	/* our FIN; the end of a connection, and of the listener at QUIT */
	CALL_IF(shutdown, ARG(1, SHUT_WR)),
	CALL(close),
	/* has the master set O_NONBLOCK at a stop? */
	CALL_IF(fcntl, ARG(1, F_GETFL)),
	CALL_IF(fcntl64, ARG(1, F_GETFL)),
	/* the end of a handler, and of the worker */
	CALL(rt_sigreturn),
	CALL(sigreturn),
	CALL(exit_group),
	/* log lines; clocks where the vDSO cannot tell the time */
	CALL(getpid),
	CALL(clock_gettime),
	CALL(clock_gettime64),
	CALL(gettimeofday),
	CALL(time),
};

#define CALLS (sizeof(list) / sizeof(list[0]))

/*
 * Numbers below zero are libseccomp's, for calls that this machine does not
 * have. socketcall(2) is such a case the other way round: where it is the
 * only way, libseccomp turns the calls above into its first argument, and
 * cannot look at the others.
 */
static bool
exists(int call)
{
	return call >= 0 || call == SCMP_SYS(recv) || call == SCMP_SYS(send);
}

static int
allow(scmp_filter_ctx ctx, const struct allowed *a)
{
	int error = seccomp_rule_add_array(
	    ctx, SCMP_ACT_ALLOW, a->call, a->conditions, a->when);

#ifdef SYS_socketcall
	/* It takes conditions off where they would look into memory. */
	if (error == -EINVAL)
		error = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, a->call, 0);
#endif
	return error;
}

static int
add_rules(scmp_filter_ctx ctx, unsigned *calls)
{
	int error;

	error = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, AS_TREE);
	/* An old libseccomp makes a list: slower, and the same. */
	if (error < 0 && error != -EINVAL && error != -EEXIST)
		return error;
	*calls = 0;
	for (size_t i = 0; i < CALLS; i++) {
		if (!exists(list[i].call))
			continue;
		error = allow(ctx, &list[i]);
		if (error < 0)
			return error;
		*calls += list[i].call >= 0;
	}
	return 0;
}

/* libseccomp writes to a descriptor: into memory that has one. */
static int export(scmp_filter_ctx ctx, struct sock_fprog *program)
{
	int fd = memfd_create("preforkd-filter", MFD_CLOEXEC), error;
	void *code = NULL;
	off_t size = 0;

	if (fd < 0)
		return -errno;
	error = seccomp_export_bpf(ctx, fd);
	if (error == 0 && (size = lseek(fd, 0, SEEK_END)) < 0)
		error = -errno;
	if (error == 0 && (size == 0 || (size_t)size > MOST_BYTES))
		error = -E2BIG;
	if (error == 0 && (code = malloc((size_t)size)) == NULL)
		error = -ENOMEM;
	if (error == 0 && pread(fd, code, (size_t)size, 0) != size)
		error = -EIO;
	close(fd);
	if (error != 0) {
		free(code);
		return error;
	}
	program->filter = code;
	program->len =
	    (unsigned short)((size_t)size / sizeof(*program->filter));
	return 0;
}

/* -1: nothing tells. EPERM: a container whose filter does not know the call. */
static int
kernel_has_seccomp(void)
{
	uint32_t action = SECCOMP_RET_TRAP;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0U, &action) == 0)
		return 1;
	return errno == ENOSYS || errno == EINVAL || errno == EOPNOTSUPP ||
		errno == EPERM ?
	    0 :
	    -1;
}

int
filter_compile(struct filter *filter)
{
	scmp_filter_ctx ctx;
	int error;

	memset(filter, 0, sizeof(*filter));
	error = kernel_has_seccomp();
	if (error <= 0)
		return error;
	ctx = seccomp_init(SCMP_ACT_TRAP);
	if (ctx == NULL) {
		errno = ENOMEM;
		return -1;
	}
	error = add_rules(ctx, &filter->calls);
	if (error == 0)
		error = export(ctx, &filter->program);
	seccomp_release(ctx);
	errno = -error;
	return error == 0 ? 0 : -1;
}

void
filter_free(struct filter *filter)
{
	free(filter->program.filter);
	memset(filter, 0, sizeof(*filter));
}

int
filter_enter(const struct filter *filter)
{
	if (filter->program.filter == NULL)
		return 0;
	return (int)syscall(
	    SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0U, &filter->program);
}

char *
filter_name_call(unsigned number, char *text, size_t size)
{
	char *name =
	    seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)number);

	snprintf(
	    text, size, "%s (%u)", name == NULL ? "unknown" : name, number);
	free(name);
	return text;
}
