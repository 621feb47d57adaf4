/*
 * Tests of probe/dial: the order of addresses, and who is connected to.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/clock.h"
#include "probe/dial.h"
#include "unit/unit.h"

#define LONG_MS 5000 /* far more than a noisy machine adds */

static struct resolve_list list;
static struct dial call;

static void
add(int family, uint32_t host, uint16_t port)
{
	struct resolve_address *a = &list.all[list.count++];
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(host) };

	memset(a, 0, sizeof(*a));
	if (family == AF_INET6) {
		in6.sin6_addr.s6_addr[15] = (uint8_t)host;
		memcpy(&a->addr, &in6, a->length = sizeof(in6));
	} else {
		memcpy(&a->addr, &in, a->length = sizeof(in));
	}
}

/* From letters: 4 and 6 are the families, and each has a port of its own. */
static void
order_is(const char *before, const char *expected)
{
	char is[RESOLVE_MAX + 1] = "";
	uint16_t last[2] = { 0, 0 }, port;

	list.count = 0;
	for (const char *c = before; *c != '\0'; c++)
		add(*c == '4' ? AF_INET : AF_INET6, 1,
		    (uint16_t)list.count + 1);
	dial_order(&list);
	for (size_t i = 0; i < list.count; i++) {
		bool v6 = list.all[i].addr.ss_family == AF_INET6;

		is[i] = v6 ? '6' : '4';
		/* The port is at the same place in both. */
		port =
		    ntohs(((struct sockaddr_in *)&list.all[i].addr)->sin_port);
		ck_assert_msg(port > last[v6], "%s: order in a family", before);
		last[v6] = port;
	}
	ck_assert_str_eq(is, expected);
}

START_TEST(families_take_turns)
{
	order_is("", "");
	order_is("4", "4");
	order_is("44", "44");
	order_is("64", "64");
	order_is("46", "46");
	order_is("6644", "6464");
	order_is("4466", "4646");
	order_is("66664", "64666");
	order_is("44446666", "46464646");
	order_is("46666", "46666");
	order_is("66666666666666666666666666666664",
	    "64666666666666666666666666666666");
}
END_TEST

/* Listens on that address of 127/8, or on none: then its port is free. */
static int
listener(uint32_t host, uint16_t *port, bool listens)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(host) };
	socklen_t size = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	in.sin_port = htons(*port);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	if (listens)
		ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &size), 0);
	*port = ntohs(in.sin_port);
	return fd;
}

static int
try_all(int64_t ms)
{
	dial_init(&call, &list, NULL);
	return dial(&call, clock_ms() + ms);
}

START_TEST(it_connects_and_does_not_block)
{
	uint16_t port = 0;
	int l = listener(INADDR_LOOPBACK, &port, true), fd;

	list.count = 0;
	add(AF_INET, INADDR_LOOPBACK, port);
	fd = try_all(LONG_MS);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq((int)call.attempts[0].state, DIAL_CONNECTED);
	ck_assert_int_gt(call.attempts[0].took_us, 0);
	close(fd);
	close(l);
}
END_TEST

/* poll(2) has no FD_SETSIZE. */
START_TEST(descriptors_may_be_above_1024)
{
	struct rlimit files;
	uint16_t port = 0;
	int l, fd, high = 0;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max < 4096 ? files.rlim_max : 4096;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	while (high < 1500)
		ck_assert_int_ge(high = open("/dev/null", O_RDONLY), 0);
	l = listener(INADDR_LOOPBACK, &port, true);
	list.count = 0;
	add(AF_INET, INADDR_LOOPBACK, port);
	fd = try_all(LONG_MS);
	ck_assert_int_gt(fd, 1024);
	close(fd);
	close(l);
}
END_TEST

START_TEST(who_refuses_is_followed_by_the_next_at_once)
{
	uint16_t port = 0;
	int l = listener(INADDR_LOOPBACK, &port, true), fd;
	int64_t start = clock_ms();

	list.count = 0;
	for (uint32_t i = 4; i > 0; i--)
		add(AF_INET, INADDR_LOOPBACK + i - 1, port);
	fd = try_all(LONG_MS);
	ck_assert_int_ge(fd, 0);
	ck_assert_uint_eq(call.winner, 3);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq((int)call.attempts[i].state, DIAL_FAILED);
		ck_assert_int_eq(call.attempts[i].error, ECONNREFUSED);
		ck_assert_int_eq(call.attempts[i].fd, -1);
	}
	ck_assert_int_lt(clock_ms() - start, 3 * DIAL_DELAY_MS);
	close(fd);
	close(l);
}
END_TEST

/* Its queue is full, so that it does not answer a SYN. */
static int
silent(uint32_t host, uint16_t *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(host) };
	int l = listener(host, port, false);

	ck_assert_int_eq(listen(l, 0), 0);
	in.sin_port = htons(*port);
	for (int i = 0; i < 2; i++) {
		int fd = socket(
		    AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		struct pollfd p = { .fd = fd, .events = POLLOUT };

		connect(fd, (struct sockaddr *)&in, sizeof(in));
		poll(&p, 1, i == 0 ? LONG_MS : 100);
	}
	return l;
}

START_TEST(who_is_silent_is_given_a_quarter_of_a_second)
{
	uint16_t port = 0;
	int s = silent(INADDR_LOOPBACK + 1, &port), l, fd;
	int64_t start, took;

	l = listener(INADDR_LOOPBACK, &port, true);
	list.count = 0;
	add(AF_INET, INADDR_LOOPBACK + 1, port);
	add(AF_INET, INADDR_LOOPBACK, port);
	start = clock_ms();
	fd = try_all(LONG_MS);
	took = clock_ms() - start;
	ck_assert_int_ge(fd, 0);
	ck_assert_uint_eq(call.winner, 1);
	ck_assert_int_eq((int)call.attempts[0].state, DIAL_LEFT);
	ck_assert_int_eq(call.attempts[0].fd, -1);
	ck_assert_int_ge(took, DIAL_DELAY_MS - 1);
	ck_assert_int_lt(took, LONG_MS / 2);
	close(fd);
	close(l);
	close(s);
}
END_TEST

/* Not even begun, or never answered: one deadline is for all. */
START_TEST(one_deadline_is_for_all_of_them)
{
	uint16_t port = 0;
	int s = silent(INADDR_LOOPBACK, &port);
	int64_t start;

	list.count = 0;
	for (int i = 0; i < 8; i++)
		add(AF_INET, INADDR_LOOPBACK, port);
	start = clock_ms();
	ck_assert_int_eq(try_all(600), -1);
	ck_assert_int_ge(clock_ms() - start, 599);
	ck_assert_int_lt(clock_ms() - start, 600 + LONG_MS / 2);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq((int)call.attempts[i].state, DIAL_FAILED);
		ck_assert_int_eq(call.attempts[i].error, 0);
	}
	ck_assert_int_eq((int)call.attempts[7].state, DIAL_WAITING);
	close(s);
}
END_TEST

START_TEST(a_deadline_that_has_passed_is_no_wait_at_all)
{
	uint16_t port = 0;
	int s = silent(INADDR_LOOPBACK, &port);
	int64_t start = clock_ms();

	list.count = 0;
	add(AF_INET, INADDR_LOOPBACK, port);
	ck_assert_int_eq(try_all(-1000), -1);
	ck_assert_int_lt(clock_ms() - start, LONG_MS);
	list.count = 0;
	ck_assert_int_eq(try_all(LONG_MS), -1);
	ck_assert_int_lt(clock_ms() - start, LONG_MS);
	close(s);
}
END_TEST

/* Both ends of one socket: nobody listens, whatever the kernel calls it. */
START_TEST(we_are_not_our_own_server)
{
	struct resolve_address source;
	uint16_t port = 0;
	int l = listener(INADDR_LOOPBACK, &port, false);

	close(l);
	list.count = 0;
	add(AF_INET, INADDR_LOOPBACK, port);
	source = list.all[0];
	dial_init(&call, &list, &source);
	ck_assert_int_eq(dial(&call, clock_ms() + LONG_MS), -1);
	ck_assert_int_eq(call.attempts[0].error, ECONNREFUSED);
}
END_TEST

START_TEST(it_connects_from_the_source)
{
	uint16_t port = 0, none = 0;
	int l = listener(INADDR_LOOPBACK, &port, true), fd;
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct resolve_address source;
	socklen_t size = sizeof(in);

	list.count = 0;
	add(AF_INET, INADDR_LOOPBACK + 8, none);
	source = list.all[0];
	ck_assert_int_eq(dial_check_source(&source), 0);
	list.count = 0;
	add(AF_INET, INADDR_LOOPBACK, port);
	dial_init(&call, &list, &source);
	fd = dial(&call, clock_ms() + LONG_MS);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &size), 0);
	ck_assert_uint_eq(ntohl(in.sin_addr.s_addr), INADDR_LOOPBACK + 8);
	close(fd);
	close(l);
	/* RFC 5737: an address of nobody. */
	list.count = 0;
	add(AF_INET, 0xc0000201, 0);
	ck_assert_int_eq(dial_check_source(&list.all[0]), -1);
	ck_assert_int_eq(errno, EADDRNOTAVAIL);
}
END_TEST

START_TEST(addresses_are_found_without_asking_anybody)
{
	ck_assert_int_eq(
	    resolve(&list, "127.0.0.1", 7, AF_UNSPEC, clock_ms() - 1), 0);
	ck_assert_uint_eq(list.count, 1);
	ck_assert_int_eq(
	    resolve(&list, "::1", 7, AF_UNSPEC, clock_ms() - 1), 0);
	ck_assert_uint_eq(list.count, 1);
	ck_assert_int_eq(list.all[0].addr.ss_family, AF_INET6);
	ck_assert_int_ne(resolve(&list, "::1", 7, AF_INET, clock_ms() + 1), 0);
}
END_TEST

START_TEST(names_are_found_in_time_or_not)
{
	int64_t start = clock_ms();

	ck_assert_int_eq(
	    resolve(&list, "localhost", 7, AF_INET, start + LONG_MS), 0);
	ck_assert_uint_ge(list.count, 1);
	ck_assert_int_eq(
	    resolve(&list, "localhost", 7, AF_INET, start - 1), RESOLVE_LATE);
	ck_assert_str_eq(resolve_error(RESOLVE_LATE), "no answer in time");
	ck_assert_uint_gt(strlen(resolve_error(
			      resolve(&list, "", 7, AF_INET, start + LONG_MS))),
	    0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("dial");
	TCase *tcase = unit_case(suite, "dial");

	tcase_add_test(tcase, families_take_turns);
	tcase_add_test(tcase, it_connects_and_does_not_block);
	tcase_add_test(tcase, descriptors_may_be_above_1024);
	tcase_add_test(tcase, who_refuses_is_followed_by_the_next_at_once);
	tcase_add_test(tcase, who_is_silent_is_given_a_quarter_of_a_second);
	tcase_add_test(tcase, one_deadline_is_for_all_of_them);
	tcase_add_test(tcase, a_deadline_that_has_passed_is_no_wait_at_all);
	tcase_add_test(tcase, we_are_not_our_own_server);
	tcase_add_test(tcase, it_connects_from_the_source);
	tcase_add_test(tcase, addresses_are_found_without_asking_anybody);
	tcase_add_test(tcase, names_are_found_in_time_or_not);
	return unit_run(suite);
}
