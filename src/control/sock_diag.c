#include "control/sock_diag.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
/* The kernel's struct tcp_info; the one of netinet/tcp.h is shorter. */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"

#define LIMIT_MS 10000

#define STATES                                                                 \
	(1U << SOCK_ESTABLISHED | 1U << SOCK_FIN_WAIT_1 |                      \
	    1U << SOCK_FIN_WAIT_2 | 1U << SOCK_CLOSE_WAIT |                    \
	    1U << SOCK_LAST_ACK | 1U << SOCK_CLOSING)

/*
 * A port in the kernel's filter: when it is equal go on at the jump, which
 * accepts by leading to the end; else go on behind that.
 */
struct condition {
	struct inet_diag_bc_op equal;
	struct inet_diag_bc_op port;
	struct inet_diag_bc_op accept;
};

struct request {
	struct nlmsghdr head;
	struct inet_diag_req_v2 diag;
	struct rtattr filter;
	struct condition conditions[SOCK_DIAG_PORTS_MAX];
};

/* One step beyond the end of the program is no. */
static void
make_filter(struct condition *conditions, const uint16_t *ports, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t left = (count - i) * sizeof(*conditions);
		uint16_t next = sizeof(*conditions);

		if (i + 1 == count)
			next = (uint16_t)(left + sizeof(conditions->equal));
		conditions[i] = (struct condition){
			.equal = { INET_DIAG_BC_S_EQ,
			    offsetof(struct condition, accept), next },
			.port = { .no = ports[i] },
			.accept = { INET_DIAG_BC_JMP,
			    sizeof(conditions->accept),
			    (uint16_t)(left -
				offsetof(struct condition, accept)) }
		};
	}
}

static const struct nlmsghdr *
make_request(uint8_t family, const uint16_t *ports, size_t count)
{
	static struct request request; /* too large for the stack */
	size_t filter = count * sizeof(struct condition);

	memset(&request, 0, sizeof(request));
	request.head.nlmsg_len =
	    (uint32_t)(offsetof(struct request, conditions) + filter);
	request.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request.diag.sdiag_family = family;
	request.diag.sdiag_protocol = IPPROTO_TCP;
	request.diag.idiag_ext = 1 << (INET_DIAG_INFO - 1);
	request.diag.idiag_states = STATES;
	request.filter.rta_type = INET_DIAG_REQ_BYTECODE;
	request.filter.rta_len = (uint16_t)RTA_LENGTH(filter);
	make_filter(request.conditions, ports, count);
	return &request.head;
}

/* IPv4 mapped into IPv6, RFC 4291, 2.5.5.2. */
static void
copy_address(uint8_t to[16], uint8_t family, const __be32 from[4])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (family == AF_INET) {
		memcpy(to, mapped, sizeof(mapped));
		memcpy(to + sizeof(mapped), from, 4);
	} else {
		memcpy(to, from, 16);
	}
}

/* An older kernel's is shorter: what it does not tell is 0. */
static void
copy_info(struct sock *sock, const struct nlmsghdr *head)
{
	const struct inet_diag_msg *msg = NLMSG_DATA(head);
	const struct rtattr *attr = (const void *)(msg + 1);
	unsigned left =
	    (unsigned)(head->nlmsg_len - NLMSG_LENGTH(sizeof(*msg)));
	struct tcp_info info;
	size_t length;

	for (; RTA_OK(attr, left); attr = RTA_NEXT(attr, left)) {
		if (attr->rta_type != INET_DIAG_INFO)
			continue;
		memset(&info, 0, sizeof(info));
		length = RTA_PAYLOAD(attr);
		memcpy(&info, RTA_DATA(attr),
		    length < sizeof(info) ? length : sizeof(info));
		sock->rtt_us = info.tcpi_rtt;
		sock->retrans = info.tcpi_total_retrans;
	}
}

static int
take(const struct nlmsghdr *head, void *table)
{
	const struct inet_diag_msg *msg = NLMSG_DATA(head);
	struct sock sock = { .inode = msg->idiag_inode,
		.state = msg->idiag_state,
		.timer = msg->idiag_timer,
		.timer_count = msg->idiag_retrans,
		.timer_ms = msg->idiag_expires,
		.unacked = msg->idiag_wqueue };

	copy_address(sock.key.peer, msg->idiag_family, msg->id.idiag_dst);
	copy_address(sock.local, msg->idiag_family, msg->id.idiag_src);
	sock.key.peer_port = ntohs(msg->id.idiag_dport);
	sock.key.local_port = ntohs(msg->id.idiag_sport);
	copy_info(&sock, head);
	return sock_table_add(table, &sock);
}

int
sock_diag(struct sock_table *table, const uint16_t *ports, size_t count,
    char why[SOCK_DIAG_WHY_SIZE])
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	int result = 0;

	memset(table, 0, sizeof(*table));
	if (count == 0)
		return 0;
	if (count > SOCK_DIAG_PORTS_MAX)
		count = SOCK_DIAG_PORTS_MAX;
	for (size_t i = 0; result == 0 && i < sizeof(families); i++)
		result = netlink_dump(make_request(families[i], ports, count),
		    clock_ms() + LIMIT_MS, take, table, why);
	if (result < 0)
		sock_table_free(table);
	sock_table_sort(table);
	return result;
}
