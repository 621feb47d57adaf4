/*
 * Tests of connection/io and connection/finish: a connection that is to be
 * evicted, wherever it waits; and since when it is idle.
 */
#include <sys/time.h>

#include "connection/finish.h"
#include "unit/tcp_pair.h"
#include "unit/unit.h"

#define LONG_MS 5000 /* far more than a noisy machine adds */
#define CONNECTIONS 7

static volatile sig_atomic_t evicted;
static int64_t start;

static void
make(void)
{
	tcp_pair_make();
	limits.evicted = &evicted;
	limits.connections = CONNECTIONS;
	traffic.moved_ms = 1;
	evicted = 0;
	start = clock_ms();
}

/* As the master sees it now. */
static void
order(void)
{
	evicted = slot_number(CONNECTIONS, traffic.moved_ms);
}

static void
evict(int signal)
{
	(void)signal;
	order();
}

static void
evict_another(int signal)
{
	(void)signal;
	evicted = slot_number(CONNECTIONS - 1, traffic.moved_ms);
}

static int late_order;

static void
evict_late(int signal)
{
	(void)signal;
	evicted = late_order;
}

static void
evict_and_talk(int signal)
{
	(void)signal;
	send(client, "x", 1, 0);
	order();
}

/* Again and again: one may come before the wait has begun. */
static void
every_20_ms(void (*handler)(int))
{
	struct itimerval every = { .it_interval.tv_usec = 20000,
		.it_value.tv_usec = 20000 };
	struct sigaction action = { .sa_handler = handler };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
}

static void
assert_evicted_soon(void)
{
	ck_assert_int_eq((int)io.facts.cause, CAUSE_EVICTED);
	ck_assert_int_eq(io.facts.error, 0);
	ck_assert_int_lt(clock_ms() - start, LONG_MS);
}

START_TEST(an_order_ends_a_recv_that_waits)
{
	char buffer[16];

	every_20_ms(evict);
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), -1);
	assert_evicted_soon();
}
END_TEST

START_TEST(the_order_for_another_connection_is_none)
{
	char buffer[16];

	limits.idle_ms = 200;
	every_20_ms(evict_another);
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), -1);
	ck_assert_int_eq((int)io.facts.cause, CAUSE_IDLE);
	ck_assert_int_ge(clock_ms() - start, 190);
}
END_TEST

/* Both were idle when it was given: until something came, or since before. */
START_TEST(an_order_that_bytes_have_overtaken_is_void)
{
	char buffer[16];

	limits.idle_ms = 200;
	late_order = slot_number(CONNECTIONS, traffic.moved_ms);
	if (_i == 0)
		evicted = late_order;
	client_sends("hello");
	server_has(5);
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), 5);
	every_20_ms(evict_late);
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), -1);
	ck_assert_int_eq((int)io.facts.cause, CAUSE_IDLE);
	ck_assert_int_eq(evicted, late_order);
}
END_TEST

START_TEST(bytes_that_come_with_the_order_are_received)
{
	char buffer[16];

	every_20_ms(evict_and_talk);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(io_recv(&io, buffer, 1), 1);
	ck_assert_int_eq((int)io.facts.cause, CAUSE_NONE);
}
END_TEST

START_TEST(a_fin_that_has_come_is_one)
{
	char buffer[16];

	shutdown(client, SHUT_WR);
	server_has(1);
	order();
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), 0);
	ck_assert(io.facts.fin_received);
	ck_assert_int_eq((int)io.facts.cause, CAUSE_NONE);
}
END_TEST

START_TEST(a_stop_goes_before)
{
	char buffer[16];

	stopping = 1;
	order();
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), -1);
	ck_assert_int_eq((int)io.facts.cause, CAUSE_STOPPED);
}
END_TEST

START_TEST(an_order_ends_a_send_that_waits)
{
	const size_t size = 8 << 20;
	char *bytes = calloc(1, size);

	must(bytes != NULL);
	tcp_pair_close();
	tcp_pair_sized(8192, 8192);
	limits.send_ms = _i == 0 ? 0 : 20000;
	every_20_ms(evict);
	ck_assert_int_eq(io_send(&io, bytes, size), -1);
	assert_evicted_soon();
	free(bytes);
}
END_TEST

START_TEST(an_order_ends_a_drain_that_waits)
{
	every_20_ms(evict);
	io_drain(&io, clock_ms() + 20000);
	assert_evicted_soon();
}
END_TEST

/* That it came to the drain at all is news that the order did not know. */
START_TEST(an_order_from_before_the_drain_is_void)
{
	order();
	io_drain(&io, clock_ms() + 200);
	ck_assert_int_ge(clock_ms() - start, 200);
	ck_assert_int_eq((int)io.facts.cause, CAUSE_NONE);
}
END_TEST

static void
close_and_evict(int signal)
{
	(void)signal;
	shutdown(client, SHUT_WR);
	server_has(1);
	order();
}

START_TEST(a_fin_in_time_is_no_eviction)
{
	every_20_ms(close_and_evict);
	io.facts.replied = true;
	ck_assert_str_eq(ending_name(finish(&io)), "served");
}
END_TEST

START_TEST(the_end_of_one_is_a_fin_at_once)
{
	char byte;

	client_sends("unread");
	server_has(6);
	io.facts.cause = CAUSE_EVICTED;
	ck_assert_str_eq(ending_name(finish(&io)), "evicted");
	ck_assert_int_lt(clock_ms() - start, LONG_MS);
	ck_assert_uint_eq(traffic.in, 6);
	close(server);
	server = -1;
	/* Nothing was unread, so it is no RST. */
	ck_assert_int_eq(recv(client, &byte, 1, 0), 0);
	ck_assert_int_eq(recv(client, &byte, 1, 0), 0);
}
END_TEST

START_TEST(a_linger_that_is_evicted_is_evicted)
{
	every_20_ms(evict);
	io.facts.replied = true;
	ck_assert_str_eq(ending_name(finish(&io)), "evicted");
	ck_assert_int_lt(clock_ms() - start, LONG_MS);
}
END_TEST

/* Idle since then, as the slot tells the master. */
static void
assert_moved(void)
{
	ck_assert_int_ge(traffic.moved_ms, start);
	ck_assert_int_le(traffic.moved_ms, clock_ms());
	traffic.moved_ms = 1;
}

START_TEST(it_is_idle_since_bytes_moved)
{
	char buffer[16];

	traffic.moved_ms = 1;
	client_sends("hello");
	ck_assert_int_eq(io_recv(&io, buffer, 2), 2);
	/* Since the handshake until then, which io does not know. */
	ck_assert_int_eq(traffic.moved_ms, 1);
	ck_assert_int_eq(io_recv(&io, buffer, 3), 3);
	assert_moved();
	ck_assert(io_discard(&io));
	assert_moved();
	io_drain(&io, 0);
	assert_moved();
}
END_TEST

START_TEST(a_peer_that_reads_is_not_idle)
{
	const size_t size = 1 << 20;
	char *bytes = calloc(1, size);
	char buffer[16384];
	pid_t reader;

	must(bytes != NULL);
	tcp_pair_close();
	tcp_pair_sized(8192, 8192);
	reader = fork();
	if (reader == 0) {
		close(server);
		while (recv(client, buffer, sizeof(buffer), 0) > 0)
			usleep(1000);
		_exit(0);
	}
	traffic.moved_ms = 1;
	ck_assert_int_eq(io_send(&io, bytes, size), 0);
	assert_moved();
	shutdown(server, SHUT_WR);
	ck_assert_int_eq(status_of(reader), 0);
	free(bytes);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("io_evict");
	TCase *tcase = unit_case(suite, "io");

	tcase_add_checked_fixture(tcase, make, tcp_pair_close);
	tcase_add_test(tcase, an_order_ends_a_recv_that_waits);
	tcase_add_test(tcase, the_order_for_another_connection_is_none);
	tcase_add_loop_test(
	    tcase, an_order_that_bytes_have_overtaken_is_void, 0, 2);
	tcase_add_test(tcase, bytes_that_come_with_the_order_are_received);
	tcase_add_test(tcase, a_fin_that_has_come_is_one);
	tcase_add_test(tcase, a_stop_goes_before);
	tcase_add_loop_test(tcase, an_order_ends_a_send_that_waits, 0, 2);
	tcase_add_test(tcase, an_order_ends_a_drain_that_waits);
	tcase_add_test(tcase, an_order_from_before_the_drain_is_void);
	tcase_add_test(tcase, it_is_idle_since_bytes_moved);
	tcase_add_test(tcase, a_peer_that_reads_is_not_idle);
	tcase = unit_case(suite, "finish");
	tcase_add_checked_fixture(tcase, make, tcp_pair_close);
	tcase_add_test(tcase, a_fin_in_time_is_no_eviction);
	tcase_add_test(tcase, the_end_of_one_is_a_fin_at_once);
	tcase_add_test(tcase, a_linger_that_is_evicted_is_evicted);
	return unit_run(suite);
}
