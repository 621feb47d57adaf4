#include "control/netlink.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

#define BUFFER_SIZE 65536

static int
fail(int error, const char *what, char why[NETLINK_WHY_SIZE])
{
	snprintf(
	    why, NETLINK_WHY_SIZE, "sock_diag: %s: %s", what, strerror(error));
	return -1;
}

/* The number that NLMSG_DONE and NLMSG_ERROR begin with: 0, or -errno. */
static int
error_of(const struct nlmsghdr *head)
{
	int error;

	if (head->nlmsg_len < NLMSG_LENGTH(sizeof(error)))
		return head->nlmsg_type == NLMSG_DONE ? 0 : EPROTO;
	memcpy(&error, NLMSG_DATA(head), sizeof(error));
	return -error;
}

/* One batch of messages: 1 for more to come, 0 at the end, or -1. */
static int
take_all(const struct nlmsghdr *head, size_t size, netlink_take *take,
    void *context, char why[NETLINK_WHY_SIZE])
{
	int error;

	for (; NLMSG_OK(head, size); head = NLMSG_NEXT(head, size)) {
		/* What it went through is another table by now. */
		if (head->nlmsg_flags & NLM_F_DUMP_INTR)
			return fail(EINTR, "the kernel", why);
		if (head->nlmsg_type == NLMSG_DONE ||
		    head->nlmsg_type == NLMSG_ERROR) {
			error = error_of(head);
			return error == 0 ? 0 : fail(error, "the kernel", why);
		}
		if (head->nlmsg_type != SOCK_DIAG_BY_FAMILY)
			continue;
		if (head->nlmsg_len <
		    NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
			return fail(EPROTO, "the kernel", why);
		if (take(head, context) < 0)
			return fail(errno, "memory", why);
	}
	return 1;
}

int
netlink_receive(int fd, int64_t deadline, netlink_take *take, void *context,
    char why[NETLINK_WHY_SIZE])
{
	static union {
		struct nlmsghdr head;
		char bytes[BUFFER_SIZE];
	} buffer;
	int more = 1;
	ssize_t n;

	while (more > 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (poll(&p, 1, clock_left(deadline, clock_ms())) == 0)
			return fail(ETIMEDOUT, "answer", why);
		n = recv(fd, &buffer, sizeof(buffer), MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return fail(errno, "answer", why);
		if (n == 0 || (size_t)n > sizeof(buffer))
			return fail(EPROTO, "answer", why);
		more = take_all(&buffer.head, (size_t)n, take, context, why);
	}
	return more;
}

int
netlink_dump(const struct nlmsghdr *request, int64_t deadline,
    netlink_take *take, void *context, char why[NETLINK_WHY_SIZE])
{
	/* One for each: the rest of a dump that failed is in no other. */
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int result;

	if (fd < 0)
		return fail(errno, "socket", why);
	if (send(fd, request, request->nlmsg_len, 0) < 0)
		result = fail(errno, "request", why);
	else
		result = netlink_receive(fd, deadline, take, context, why);
	close(fd);
	return result;
}
