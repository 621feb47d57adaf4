/*
 * netlink: a dump of sock_diag(7), all of it or none: a part of one is never
 * taken for the whole.
 */
#ifndef CONTROL_NETLINK_H
#define CONTROL_NETLINK_H

#include <linux/netlink.h>
#include <stdint.h>

#define NETLINK_WHY_SIZE 256

/* Takes a message that begins with a struct inet_diag_msg. Returns 0, or -1
 * with errno set. */
typedef int netlink_take(const struct nlmsghdr *head, void *context);

/*
 * Sends the request to the kernel and hands each message of its answer to take,
 * until deadline (clock_ms) at most. Returns 0 when the whole has come; else -1
 * with what is wrong in why: what was taken until then is but a part.
 */
int netlink_dump(const struct nlmsghdr *request, int64_t deadline,
    netlink_take *take, void *context, char why[NETLINK_WHY_SIZE]);

/* The same of an answer that is on its way, from fd. */
int netlink_receive(int fd, int64_t deadline, netlink_take *take, void *context,
    char why[NETLINK_WHY_SIZE]);

#endif
