/*
 * master/activation, master/notify and master/watchdog: what a service manager
 * has put into the environment, and what is then said to it.
 *
 * An input is lines NAME=value, by the variable's first two letters as "LP=",
 * in which "self" is our pid; the line "KD=" has the kind of each descriptor
 * that was passed, and "SE=" what each message comes to. They are numbers
 * here: no real descriptor is touched.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "fuzz/fuzz.h"
#include "master/notify.h"
#include "master/pools.h"
#include "master/watchdog.h"
/* For its table, which a daemon fills but once. */
#include "master/activation.c"

#define OPEN_MAX_HERE 64
#define OUR_FD 1000 /* of a socket that a message leaves by */
#define MONTH_US INT64_C(2592000000000)

enum variable { LP, LF, LN, NS, WU, WP, VARIABLES };

static const struct {
	char key[3];
	const char *name;
} variables[VARIABLES] = { { "LP", "LISTEN_PID" }, { "LF", "LISTEN_FDS" },
	{ "LN", "LISTEN_FDNAMES" }, { "NS", "NOTIFY_SOCKET" },
	{ "WU", "WATCHDOG_USEC" }, { "WP", "WATCHDOG_PID" } };

/* What a descriptor is, a letter each: see kinds. */
static struct passed {
	char kind;
	bool cloexec;
	bool closed;
} passed[OPEN_MAX_HERE];
static char *values[VARIABLES]; /* or NULL */
static struct fuzz_input errors;
static unsigned messages;

static const struct kind {
	char letter;
	int family;
	int type;
	int protocol;
	bool listens;
} kinds[] = { { '4', AF_INET, SOCK_STREAM, IPPROTO_TCP, true },
	{ '6', AF_INET6, SOCK_STREAM, IPPROTO_TCP, true },
	{ '*', AF_INET6, SOCK_STREAM, IPPROTO_TCP, true },
	{ 'c', AF_INET, SOCK_STREAM, IPPROTO_TCP, false },
	{ 'm', AF_INET, SOCK_STREAM, 262, true }, /* MPTCP */
	{ 'u', AF_INET, SOCK_DGRAM, IPPROTO_UDP, false },
	{ 'x', AF_UNIX, SOCK_STREAM, 0, true } };

int
__wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *length);
int __wrap_getsockname(int fd, struct sockaddr *addr, socklen_t *length);
int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_socket(int family, int type, int protocol);
long __real_sysconf(int name);
long __wrap_sysconf(int name);
ssize_t __wrap_sendto(int fd, const void *text, size_t size, int flags,
    const struct sockaddr *to, socklen_t length);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);

/* NULL for a descriptor that is no socket, or not open. */
static const struct kind *
kind_of(int fd)
{
	FUZZ_CHECK(fd >= FIRST_FD && fd < FIRST_FD + OPEN_MAX_HERE);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].letter == passed[fd - FIRST_FD].kind)
			return &kinds[i];
	return NULL;
}

static bool
is_open(int fd)
{
	FUZZ_CHECK(fd >= FIRST_FD && fd < FIRST_FD + OPEN_MAX_HERE);
	return passed[fd - FIRST_FD].kind != '\0';
}

int
__wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
	const struct kind *kind = kind_of(fd);
	int number;

	FUZZ_CHECK(*length >= sizeof(number));
	if (kind == NULL) {
		errno = is_open(fd) ? ENOTSOCK : EBADF;
		return -1;
	}
	if (level == IPPROTO_IPV6)
		number = kind->letter != '*';
	else
		number = name == SO_DOMAIN ? kind->family :
		    name == SO_TYPE        ? kind->type :
		    name == SO_PROTOCOL    ? kind->protocol :
					     kind->listens;
	memcpy(value, &number, sizeof(number));
	return 0;
}

int
__wrap_getsockname(int fd, struct sockaddr *addr, socklen_t *length)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)(1000 + fd)) };
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = in6.sin6_port };
	bool six = kind_of(fd)->family == AF_INET6;

	FUZZ_CHECK(*length >= sizeof(in6));
	*length = six ? sizeof(in6) : sizeof(in);
	memcpy(addr, six ? (void *)&in6 : (void *)&in, *length);
	return 0;
}

int
__wrap_fcntl(int fd, int command, ...)
{
	va_list args;
	int value;

	va_start(args, command);
	value = va_arg(args, int);
	va_end(args);
	if (!fuzz_is_running)
		return __real_fcntl(fd, command, value);
	if (!is_open(fd)) {
		errno = EBADF;
		return -1;
	}
	if (command == F_SETFD)
		passed[fd - FIRST_FD].cloexec = value == FD_CLOEXEC;
	return 0;
}

int
__wrap_close(int fd)
{
	if (!fuzz_is_running)
		return __real_close(fd);
	if (fd == OUR_FD)
		return 0;
	if (!is_open(fd)) {
		errno = EBADF;
		return -1;
	}
	FUZZ_CHECK(!passed[fd - FIRST_FD].closed);
	passed[fd - FIRST_FD].closed = true;
	return 0;
}

int
__wrap_socket(int family, int type, int protocol)
{
	FUZZ_CHECK(family == AF_UNIX && protocol == 0);
	FUZZ_CHECK(type == (SOCK_DGRAM | SOCK_CLOEXEC));
	return OUR_FD;
}

long
__wrap_sysconf(int name)
{
	if (!fuzz_is_running)
		return __real_sysconf(name);
	FUZZ_CHECK(name == _SC_OPEN_MAX);
	return OPEN_MAX_HERE;
}

/* Never waits; goes where NOTIFY_SOCKET says; and each line is NAME=value. */
static ssize_t
message(const char *text, size_t size, const struct sockaddr_un *to,
    socklen_t length, int flags)
{
	static const int results[] = { 0, EAGAIN, ECONNREFUSED, ENOENT, ENOBUFS,
		EMFILE };
	size_t named = strlen(values[NS]);

	FUZZ_CHECK(flags == (MSG_DONTWAIT | MSG_NOSIGNAL));
	FUZZ_CHECK(length == offsetof(struct sockaddr_un, sun_path) + named);
	FUZZ_CHECK(length <= sizeof(*to) && to->sun_family == AF_UNIX);
	FUZZ_CHECK(to->sun_path[0] == (*values[NS] == '@' ? '\0' : '/'));
	FUZZ_CHECK(memcmp(to->sun_path + 1, values[NS] + 1, named - 1) == 0);
	for (const char *line = text; line < text + size; line++) {
		const char *end =
		    memchr(line, '\n', (size_t)(text + size - line));

		if (end == NULL)
			end = text + size;
		FUZZ_CHECK(*line >= 'A' && *line <= 'Z');
		FUZZ_CHECK(memchr(line, '=', (size_t)(end - line)) != NULL);
		line = end;
	}
	messages++;
	errno = results[fuzz_byte(&errors) % 6];
	return errno == 0 ? (ssize_t)size : -1;
}

ssize_t
__wrap_sendto(int fd, const void *text, size_t size, int flags,
    const struct sockaddr *to, socklen_t length)
{
	FUZZ_CHECK(fd == OUR_FD);
	return message(
	    text, size, (const struct sockaddr_un *)to, length, flags);
}

ssize_t
__wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(m);

	FUZZ_CHECK(fd == OUR_FD && m->msg_iovlen == 1 && header != NULL);
	FUZZ_CHECK(header->cmsg_len == CMSG_LEN(sizeof(int)));
	return message(m->msg_iov->iov_base, m->msg_iov->iov_len, m->msg_name,
	    m->msg_namelen, flags);
}

/* As strtonum(3), by another way. */
static bool
is_number(const char *text, int64_t least, int64_t most, int64_t *number)
{
	char *end;

	if (text == NULL)
		return false;
	errno = 0;
	*number = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *number >= least &&
	    *number <= most;
}

static void
set_variable(enum variable v, const char *value)
{
	char pid[16];

	free(values[v]);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	values[v] = strdup(strcmp(value, "self") == 0 ? pid : value);
	FUZZ_CHECK(values[v] != NULL);
	FUZZ_CHECK(setenv(variables[v].name, values[v], 1) == 0);
}

static void
take_line(char *line, size_t length)
{
	if (length < 3 || line[2] != '=')
		return;
	if (strncmp(line, "KD", 2) == 0)
		for (size_t i = 0; line[3 + i] != '\0' && i < OPEN_MAX_HERE;
		     i++)
			passed[i].kind =
			    line[3 + i] == '-' ? '\0' : line[3 + i];
	for (int v = 0; v < VARIABLES; v++)
		if (strncmp(line, variables[v].key, 2) == 0)
			set_variable((enum variable)v, line + 3);
}

static void
read_input(struct fuzz_input input)
{
	for (int v = 0; v < VARIABLES; v++) {
		free(values[v]);
		values[v] = NULL;
		unsetenv(variables[v].name);
	}
	memset(passed, 0, sizeof(passed));
	errors.left = 0;
	while (input.left > 0) {
		size_t length;
		const uint8_t *from = fuzz_until(&input, '\n', &length);
		char *line = strndup((const char *)from, length);

		FUZZ_CHECK(line != NULL);
		if (strncmp(line, "SE=", 3) == 0)
			errors = (struct fuzz_input){ from + 3, length - 3 };
		take_line(line, strlen(line));
		free(line);
	}
}

/* A worker shall not find any of them, whatever was in them. */
static void
check_environment(void)
{
	for (int v = 0; v < VARIABLES; v++)
		FUZZ_CHECK(getenv(variables[v].name) == NULL);
}

/* One TCP socket that listens is of use, and nothing else is. */
static void
check_socket(const struct activation_socket *socket, int i)
{
	char kind = passed[i].kind;
	bool good = kind != '\0' && strchr("46*", kind) != NULL;

	FUZZ_CHECK(socket->fd == FIRST_FD + i && socket->name != NULL);
	FUZZ_CHECK((socket->wrong == NULL) == good);
	FUZZ_CHECK((*socket->address != '\0') == good);
	FUZZ_CHECK(kind == '\0' || passed[i].cloexec);
	FUZZ_CHECK(strchr(socket->name, ':') == NULL);
}

/* Each can be had, once: by a name that a line has, or by a line without. */
static void
check_reach(const struct conf *conf, int count)
{
	struct activation_socket *socket = NULL;
	int unnamed = 0, stored = 0, named = 0;

	activation_claim(conf);
	while ((socket = activation_next("", socket)) != NULL)
		unnamed++;
	while ((socket = activation_next("echo", socket)) != NULL)
		named++;
	while ((socket = activation_next_stored(socket)) != NULL)
		stored++;
	FUZZ_CHECK(unnamed + named + stored == count);
}

static void
check_activation(const struct conf *conf)
{
	int64_t pid, count;
	int taken = activation_take();

	if (!is_number(values[LP], 0, INT_MAX, &pid) || pid != getpid() ||
	    !is_number(values[LF], 0, OPEN_MAX_HERE - FIRST_FD, &count))
		count = 0;
	FUZZ_CHECK(taken == count && socket_count == count);
	for (int i = 0; i < OPEN_MAX_HERE; i++)
		if (i < taken)
			check_socket(&sockets[i], i);
		else
			FUZZ_CHECK(!passed[i].cloexec);
	check_reach(conf, taken);
	for (int i = 0; i < taken; i += 2)
		sockets[i].taken = sockets[i].wrong == NULL;
	for (int i = 0; i < taken; i++)
		if (sockets[i].taken && !sockets[i].stored)
			FUZZ_CHECK(activation_name(sockets[i].address) != NULL);
	activation_close_rest();
	for (int i = 0; i < taken; i++) {
		bool ours = sockets[i].stored ||
		    (i % 2 == 0 && sockets[i].wrong == NULL);

		FUZZ_CHECK(ours || passed[i].kind == '\0' || passed[i].closed);
		FUZZ_CHECK(!ours || !passed[i].closed);
		free(sockets[i].name);
	}
	free(sockets);
	sockets = NULL;
	socket_count = 0;
}

/* Pings come before the manager's time is over, and not in a busy loop. */
static void
check_watchdog(struct notify *notify)
{
	struct watchdog watchdog;
	int64_t usec, pid, now = 1000, next;
	bool ours = values[WP] == NULL ||
	    (is_number(values[WP], 1, INT_MAX, &pid) && pid == getpid());

	watchdog_open(&watchdog);
	if (!is_number(values[WU], 1, 12 * MONTH_US + MONTH_US / 6, &usec) ||
	    !ours)
		usec = 0;
	FUZZ_CHECK((watchdog.period > 0) == (usec > 0));
	FUZZ_CHECK(usec < 2000 || watchdog.period * 2 <= usec / 1000);
	for (int i = 0; i < 4; i++) {
		messages = 0;
		next = watchdog_turn(&watchdog, notify, now);
		FUZZ_CHECK((next == CLOCK_NEVER) ==
		    (usec == 0 || notify->length == 0));
		if (next == CLOCK_NEVER)
			break;
		FUZZ_CHECK(messages == 1);
		FUZZ_CHECK(next > now && next <= now + watchdog.period + 1);
		FUZZ_CHECK(watchdog_turn(&watchdog, notify, next - 1) == next);
		FUZZ_CHECK(messages == 1);
		now = next;
	}
}

/* Pools whose words are as long as names of the input make them. */
static void
check_serving(struct notify *notify)
{
	static struct pool pools[20];
	struct pool_list list = TAILQ_HEAD_INITIALIZER(list);
	const char *words = values[LN] == NULL ? "*:7" : values[LN];
	char text[NOTIFY_STATUS_SIZE];

	memset(pools, 0, sizeof(pools));
	for (size_t i = 0; i < strlen(words) && i < 20; i++) {
		snprintf(pools[i].listener.address,
		    sizeof(pools[i].listener.address), "%s", words + i);
		for (char *p = pools[i].listener.address; *p != '\0'; p++)
			if (*p < ' ' || *p > '~')
				*p = '?';
		pools[i].plan.service = &service_table[i % service_table_rows];
		pools[i].state.alive = i % 3 == 0 ? UINT32_MAX : 0;
		pools[i].state.wanted = pools[i].state.alive;
		pools[i].removed = words[i] == '-';
		TAILQ_INSERT_TAIL(&list, &pools[i], entry);
	}
	notify_format(&list, text, sizeof(text));
	FUZZ_CHECK(strlen(text) < sizeof(text));
	for (int64_t now = 1000; now < 10000; now += 1500) {
		int64_t next = notify_serving(notify, &list, now);

		FUZZ_CHECK(next == CLOCK_NEVER || next > now);
	}
	notify_refused(notify, "reload", words);
	for (char *p = notify->refused; *p != '\0'; p++)
		if (*p == '\n')
			*p = ' ';
	notify_reloading(notify, 20000);
	notify_serving(notify, &list, 30000);
	notify_stopping(notify, INT64_C(3600000));
}

static void
check_notify(struct notify *notify)
{
	const char *name = values[NS];
	size_t length = name == NULL ? 0 : strlen(name);
	bool good = length > 1 && (*name == '/' || *name == '@') &&
	    length <= sizeof(notify->to.sun_path);

	notify_open(notify);
	FUZZ_CHECK((notify->length > 0) == good);
	messages = 0;
	if (good)
		FUZZ_CHECK(notify_send(notify, "FDSTORE=1\nFDNAME=x", 3) <=
		    NOTIFY_FAILED);
	check_serving(notify);
	FUZZ_CHECK(good == (messages > 0));
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_keep_stderr();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_listen systemd = { .systemd = true,
		.host = (char[]){ "" } };
	struct conf_listen echo = { .systemd = true,
		.host = (char[]){ "echo" } };
	struct conf_service service;
	struct notify notify;
	struct conf conf;

	TAILQ_INIT(&conf.services);
	TAILQ_INSERT_TAIL(&conf.services, &service, entry);
	TAILQ_INIT(&service.listens);
	TAILQ_INSERT_TAIL(&service.listens, &systemd, entry);
	TAILQ_INSERT_TAIL(&service.listens, &echo, entry);
	read_input((struct fuzz_input){ data, size });
	fuzz_is_running = true;
	check_activation(&conf);
	check_notify(&notify);
	check_watchdog(&notify);
	fuzz_is_running = false;
	check_environment();
	return 0;
}
