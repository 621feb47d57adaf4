#include "control/half_open.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/addr.h"

#define LISTEN_STATE 10 /* TCP_LISTEN; netinet/tcp.h and linux/tcp.h clash */
#define SYN_RECV_STATE 3
#define ANSWER_MS 2000
#define BUFFER_SIZE 65536

/* A listening socket in our network namespace. */
struct listening {
	struct in6_addr address; /* IPv4 is mapped */
	uint16_t port;           /* network byte order */
	uint32_t inode;
	unsigned half_open;
	bool masters;
	char text[ADDR_STRLEN];
};

struct view {
	struct listening *sockets;
	size_t count;
};

typedef void seen_fn(struct view *view, const struct inet_diag_msg *seen);

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

static void
see_listening(struct view *view, const struct inet_diag_msg *seen)
{
	struct listening *more = reallocarray(
	    view->sockets, view->count + 1, sizeof(*view->sockets));
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = seen->id.idiag_sport };

	if (more == NULL)
		return;
	view->sockets = more;
	more += view->count++;
	*more = (struct listening){ .address = mapped(seen),
		.port = seen->id.idiag_sport,
		.inode = seen->idiag_inode };
	in6.sin6_addr = more->address;
	if (IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr))
		in6.sin6_scope_id = seen->id.idiag_if;
	addr_format((struct sockaddr *)&in6, more->text, sizeof(more->text));
}

static struct listening *
find_at(const struct view *view, const struct in6_addr *address, uint16_t port)
{
	for (size_t i = 0; i < view->count; i++)
		if (view->sockets[i].port == port &&
		    IN6_ARE_ADDR_EQUAL(&view->sockets[i].address, address))
			return &view->sockets[i];
	return NULL;
}

/* It belongs to the socket of its address, or else to one of every address. */
static void
see_half_open(struct view *view, const struct inet_diag_msg *seen)
{
	static const struct in6_addr every4 = {
		.s6_addr = { [10] = 0xff, [11] = 0xff }
	};
	const struct in6_addr address = mapped(seen);
	uint16_t port = seen->id.idiag_sport;
	struct listening *of = find_at(view, &address, port);

	if (of == NULL && IN6_IS_ADDR_V4MAPPED(&address))
		of = find_at(view, &every4, port);
	if (of == NULL)
		of = find_at(view, &in6addr_any, port);
	if (of != NULL)
		of->half_open++;
}

/* Returns false at the end of the dump, or after an error. */
static bool
read_part(struct view *view, char *buffer, ssize_t length, seen_fn *see)
{
	struct nlmsghdr *head = (struct nlmsghdr *)(void *)buffer;
	unsigned left = (unsigned)length;

	for (; NLMSG_OK(head, left); head = NLMSG_NEXT(head, left)) {
		if (head->nlmsg_type == NLMSG_DONE ||
		    head->nlmsg_type == NLMSG_ERROR)
			return false;
		see(view, NLMSG_DATA(head));
	}
	return true;
}

static void
dump(int fd, struct view *view, uint8_t family, int state, seen_fn *see)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 what;
	} request = { { .nlmsg_len = sizeof(request),
			  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		{ .sdiag_family = family,
		    .sdiag_protocol = IPPROTO_TCP,
		    .idiag_states = 1U << state } };
	static char buffer[BUFFER_SIZE] __attribute__((aligned(8)));
	ssize_t n;

	if (send(fd, &request, sizeof(request), 0) < 0)
		return;
	do
		n = recv(fd, buffer, sizeof(buffer), 0);
	while ((n < 0 && errno == EINTR) ||
	    (n > 0 && read_part(view, buffer, n, see)));
}

/* Which of them the process has open. */
static void
mark_masters(struct view *view, int pid)
{
	char path[64], link[64];
	struct dirent *entry;
	unsigned inode;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		n = readlinkat(
		    dirfd(dir), entry->d_name, link, sizeof(link) - 1);
		if (n < 0)
			continue;
		link[n] = '\0';
		if (sscanf(link, "socket:[%u]", &inode) != 1)
			continue;
		for (size_t i = 0; i < view->count; i++)
			if (view->sockets[i].inode == inode)
				view->sockets[i].masters = true;
	}
	if (dir != NULL)
		closedir(dir);
}

static void
look(struct view *view, int pid)
{
	static const struct timeval limit = { ANSWER_MS / 1000, 0 };
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	int fd =
	    socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd < 0)
		return;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0)
		for (size_t i = 0; i < 2; i++)
			dump(
			    fd, view, families[i], LISTEN_STATE, see_listening);
	mark_masters(view, pid);
	for (size_t i = 0; i < 2 && view->count > 0; i++)
		dump(fd, view, families[i], SYN_RECV_STATE, see_half_open);
	close(fd);
}

/* "*:7" is a socket for both families, or for IPv4 where there is no other. */
static bool
is_at(const struct listening *socket, const char *address, size_t length)
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

static const struct listening *
find(const struct view *view, const char *address, size_t length)
{
	for (size_t i = 0; i < view->count; i++)
		if (view->sockets[i].masters &&
		    is_at(&view->sockets[i], address, length))
			return &view->sockets[i];
	return NULL;
}

/* A line of the table: the number goes over its "-", and what is padded. */
static void
print_row(const struct view *view, char *line, size_t at, FILE *to)
{
	const char *address = line + strcspn(line, " ");
	const struct listening *socket;
	char number[16];

	address += strspn(address, " ");
	socket = find(view, address, strcspn(address, " "));
	if (socket != NULL && strlen(line) > at + sizeof(number)) {
		snprintf(number, sizeof(number), "%u", socket->half_open);
		memcpy(line + at, number, strlen(number));
	}
	fputs(line, to);
}

/* A line of JSON: the same for its null. */
static void
print_object(const struct view *view, const char *line, FILE *to)
{
	static const char listen[] = "\"listen\":\"";
	static const char half_open[] = "\"half_open\":";
	const char *address = strstr(line, listen);
	const char *null = strstr(line, half_open);
	const struct listening *socket;

	if (address == NULL || null == NULL) {
		fputs(line, to);
		return;
	}
	address += strlen(listen);
	null += strlen(half_open);
	socket = find(view, address, strcspn(address, "\""));
	if (socket == NULL)
		fputs(line, to);
	else
		fprintf(to, "%.*s%u%s", (int)(null - line), line,
		    socket->half_open, null + strlen("null"));
}

/* The master's PID, of the first line; 0 where that is neither of the two. */
static int
master_of(const char *status)
{
	const char *pid = strstr(status, ": master ");
	int number = 0;

	if (status[0] == '{')
		pid = strstr(status, "\"pid\":");
	if (pid != NULL && sscanf(pid, "%*[^0-9]%d", &number) != 1)
		return 0;
	return number;
}

void
half_open_print(const char *status, FILE *to)
{
	struct view view = { 0 };
	const char *end, *column;
	size_t at = 0;
	char *line;

	if (master_of(status) > 0)
		look(&view, master_of(status));
	for (; *status != '\0'; status = end) {
		end = status + strcspn(status, "\n");
		end += *end == '\n';
		line = strndup(status, (size_t)(end - status));
		if (line == NULL)
			break;
		column = strstr(line, " half-open ");
		if (at > 0)
			print_row(&view, line, at, to);
		else
			print_object(&view, line, to);
		if (column != NULL)
			at = (size_t)(column + 1 - line);
		free(line);
	}
	fputs(status, to);
	free(view.sockets);
}
