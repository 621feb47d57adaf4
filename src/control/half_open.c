#include "control/half_open.h"

#include <dirent.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/clock.h"
#include "control/netlink.h"

#define LISTEN_STATE 10 /* TCP_LISTEN; netinet/tcp.h and linux/tcp.h clash */
#define SYN_RECV_STATE 3
#define ANSWER_MS 2000

static struct in6_addr
mapped(const struct inet_diag_msg *seen)
{
	struct in6_addr address = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (seen->idiag_family == AF_INET6)
		memcpy(&address, seen->id.idiag_src, sizeof(address));
	else
		memcpy(address.s6_addr + 12, seen->id.idiag_src, 4);
	return address;
}

static int
see_listening(const struct nlmsghdr *head, void *context)
{
	const struct inet_diag_msg *seen = NLMSG_DATA(head);
	struct half_open *half_open = context;
	struct half_open_socket *more = reallocarray(half_open->sockets,
	    half_open->count + 1, sizeof(*half_open->sockets));
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = seen->id.idiag_sport };

	if (more == NULL)
		return -1;
	half_open->sockets = more;
	more += half_open->count++;
	*more = (struct half_open_socket){ .address = mapped(seen),
		.port = seen->id.idiag_sport,
		.inode = seen->idiag_inode };
	in6.sin6_addr = more->address;
	if (IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr))
		in6.sin6_scope_id = seen->id.idiag_if;
	addr_format((struct sockaddr *)&in6, more->text, sizeof(more->text));
	return 0;
}

static struct half_open_socket *
find_at(const struct half_open *half_open, const struct in6_addr *address,
    uint16_t port)
{
	for (size_t i = 0; i < half_open->count; i++)
		if (half_open->sockets[i].port == port &&
		    IN6_ARE_ADDR_EQUAL(&half_open->sockets[i].address, address))
			return &half_open->sockets[i];
	return NULL;
}

/* It belongs to the socket of its address, or else to one of every address. */
static int
see_half_open(const struct nlmsghdr *head, void *context)
{
	const struct inet_diag_msg *seen = NLMSG_DATA(head);
	const struct half_open *half_open = context;
	static const struct in6_addr every4 = {
		.s6_addr = { [10] = 0xff, [11] = 0xff }
	};
	const struct in6_addr address = mapped(seen);
	uint16_t port = seen->id.idiag_sport;
	struct half_open_socket *of = find_at(half_open, &address, port);

	if (of == NULL && IN6_IS_ADDR_V4MAPPED(&address))
		of = find_at(half_open, &every4, port);
	if (of == NULL)
		of = find_at(half_open, &in6addr_any, port);
	if (of != NULL)
		of->half_open++;
	return 0;
}

static int
dump(struct half_open *half_open, int state, netlink_take *see)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 what;
	} request = { { .nlmsg_len = sizeof(request),
			  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		{ .sdiag_protocol = IPPROTO_TCP,
		    .idiag_states = 1U << state } };
	char why[NETLINK_WHY_SIZE];
	int result = 0;

	for (size_t i = 0; result == 0 && i < sizeof(families); i++) {
		request.what.sdiag_family = families[i];
		result = netlink_dump(
		    &request.head, clock_ms() + ANSWER_MS, see, half_open, why);
	}
	return result;
}

/* Which of them the process has open. */
static void
mark_masters(struct half_open *half_open, pid_t pid)
{
	char path[64], link[64];
	struct dirent *entry;
	unsigned inode;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		n = readlinkat(
		    dirfd(dir), entry->d_name, link, sizeof(link) - 1);
		if (n < 0)
			continue;
		link[n] = '\0';
		if (sscanf(link, "socket:[%u]", &inode) != 1)
			continue;
		for (size_t i = 0; i < half_open->count; i++)
			if (half_open->sockets[i].inode == inode)
				half_open->sockets[i].masters = true;
	}
	if (dir != NULL)
		closedir(dir);
}

/* What was counted up to a failure is no number: nothing is known then. */
static void
look(struct half_open *half_open, pid_t pid)
{
	int result = dump(half_open, LISTEN_STATE, see_listening);

	mark_masters(half_open, pid);
	if (result == 0 && half_open->count > 0)
		result = dump(half_open, SYN_RECV_STATE, see_half_open);
	if (result < 0)
		half_open->count = 0;
}

/* "*:7" is a socket for both families, or for IPv4 where there is no other. */
static bool
is_at(const struct half_open_socket *socket, const char *address, size_t length)
{
	const char *port = strrchr(socket->text, ':');

	if (length > 2 && strncmp(address, "*:", 2) == 0)
		return strncmp(address + 1, port, length - 1) == 0 &&
		    port[length - 1] == '\0' &&
		    (strncmp(socket->text, "[::]:", 5) == 0 ||
			strncmp(socket->text, "0.0.0.0:", 8) == 0);
	return strncmp(address, socket->text, length) == 0 &&
	    socket->text[length] == '\0';
}

void
half_open_look(struct half_open *half_open, pid_t master)
{
	memset(half_open, 0, sizeof(*half_open));
	if (master > 0)
		look(half_open, master);
}

int64_t
half_open_at(
    const struct half_open *half_open, const char *address, size_t length)
{
	for (size_t i = 0; i < half_open->count; i++)
		if (half_open->sockets[i].masters &&
		    is_at(&half_open->sockets[i], address, length))
			return half_open->sockets[i].half_open;
	return -1;
}

void
half_open_free(struct half_open *half_open)
{
	free(half_open->sockets);
}
