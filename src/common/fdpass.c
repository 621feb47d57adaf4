#include "common/fdpass.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for one descriptor; aligned as cmsg(3) has it. */
union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

ssize_t
fdpass_send(int fd, const void *data, size_t size, int passed, int flags)
{
	struct iovec part = { .iov_base = (void *)data, .iov_len = size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	union control control;
	struct cmsghdr *head;

	if (passed < 0)
		return send(fd, data, size, flags);
	memset(&control, 0, sizeof(control));
	message.msg_control = control.bytes;
	message.msg_controllen = sizeof(control.bytes);
	head = CMSG_FIRSTHDR(&message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &passed, sizeof(int));
	return sendmsg(fd, &message, flags);
}

/*
 * The room for one has place for two, for it is rounded up; what is beyond that
 * the kernel closes.
 */
static void
take(struct msghdr *message, int *passed)
{
	struct cmsghdr *head = CMSG_FIRSTHDR(message);
	int fd;

	if (head == NULL || head->cmsg_level != SOL_SOCKET ||
	    head->cmsg_type != SCM_RIGHTS)
		return;
	for (size_t at = CMSG_LEN(0); at + sizeof(fd) <= head->cmsg_len;
	     at += sizeof(fd)) {
		memcpy(&fd, (const char *)head + at, sizeof(fd));
		if (passed != NULL && *passed < 0)
			*passed = fd;
		else
			close(fd);
	}
}

ssize_t
fdpass_receive(int fd, void *data, size_t size, int *passed)
{
	struct iovec part = { .iov_base = data, .iov_len = size };
	union control control;
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);

	if (n >= 0)
		take(&message, passed);
	return n;
}
