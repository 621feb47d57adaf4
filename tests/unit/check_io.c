/*
 * Tests of connection/io: receiving, sending and draining under deadlines.
 */
#include <errno.h>
#include <sys/time.h>

#include "unit/tcp_pair.h"
#include "unit/unit.h"

#define LONG_MS 5000 /* far more than a noisy machine adds */

static void
assert_facts(enum cause cause, int error, bool fin_received)
{
	ck_assert_int_eq((int)io.facts.cause, (int)cause);
	ck_assert_int_eq(io.facts.error, error);
	ck_assert_int_eq(io.facts.fin_received, fin_received);
	ck_assert(!io.facts.replied);
}

START_TEST(recv_gives_what_came_and_counts_it)
{
	char buffer[16] = "";

	client_sends("hello");
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), 5);
	ck_assert_str_eq(buffer, "hello");
	client_sends("again");
	ck_assert_int_eq(io_recv(&io, buffer, 2), 2);
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), 3);
	ck_assert_uint_eq(traffic.in, 10);
	ck_assert_uint_eq(traffic.out, 0);
	assert_facts(CAUSE_NONE, 0, false);
}
END_TEST

/* The kernel does not hold bytes back for longer than 200 ms, see send(2). */
START_TEST(the_last_bytes_wait_for_the_fin)
{
	int64_t start = clock_ms();
	char buffer[16] = "";
	ssize_t n;

	ck_assert_int_eq(io_send_last(&io, "last\r\n", 6), 0);
	ck_assert_uint_eq(traffic.out, 6);
	n = recv(client, buffer, sizeof(buffer), MSG_DONTWAIT);
	ck_assert(n < 0 || clock_ms() - start > 100);
	if (n < 0) {
		ck_assert_int_eq(shutdown(server, SHUT_WR), 0);
		ck_assert_int_eq(recv(client, buffer, sizeof(buffer), 0), 6);
	}
	ck_assert_str_eq(buffer, "last\r\n");
	assert_facts(CAUSE_NONE, 0, false);
}
END_TEST

START_TEST(recv_gives_0_at_the_fin)
{
	char buffer[16];

	client_sends("x");
	shutdown(client, SHUT_WR);
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), 1);
	assert_facts(CAUSE_NONE, 0, false);
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), 0);
	assert_facts(CAUSE_NONE, 0, true);
}
END_TEST

START_TEST(recv_ends_idle_when_nothing_comes)
{
	int64_t start = clock_ms(), took;
	char buffer[16];

	limits.idle_ms = 200;
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), -1);
	took = clock_ms() - start;
	assert_facts(CAUSE_IDLE, 0, false);
	ck_assert_int_ge(took, 190);
	ck_assert_int_lt(took, LONG_MS);
}
END_TEST

START_TEST(the_idle_limit_is_the_sockets_own)
{
	static const int64_t limits_ms[] = { 0, 1, 1500, 86400000 };
	/* What the listener had, should somebody have set it there. */
	struct timeval tv = { .tv_sec = 7 };
	socklen_t size = sizeof(tv);
	char buffer[16];

	must(setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &tv, size) == 0);
	limits.idle_ms = limits_ms[_i];
	client_sends("x");
	server_has(1);
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), 1);
	ck_assert_int_eq(
	    getsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &tv, &size), 0);
	/* The kernel counts in ticks and rounds up. */
	ck_assert_int_ge(tv.tv_sec * 1000 + tv.tv_usec / 1000, limits_ms[_i]);
	ck_assert_int_le(
	    tv.tv_sec * 1000 + tv.tv_usec / 1000, limits_ms[_i] + 11);
	ck_assert(limits_ms[_i] != 0 || (tv.tv_sec == 0 && tv.tv_usec == 0));
}
END_TEST

START_TEST(once_stopping_recv_waits_a_little_for_first_bytes)
{
	int64_t start = clock_ms(), took;
	char buffer[16];

	stopping = 1;
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), -1);
	assert_facts(CAUSE_STOPPED, 0, false);
	took = clock_ms() - start;
	ck_assert_int_ge(took, IO_FIRST_MS - 1);
	ck_assert_int_lt(took, LONG_MS);
}
END_TEST

/* Those of a worker, one after the other. */
START_TEST(connections_share_the_wait_for_first_bytes)
{
	int64_t start = clock_ms(), took;
	char buffer[16];

	limits.idle_ms = 0; /* so that nothing else ends a wait */
	stopping = 1;
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), -1);
		assert_facts(CAUSE_STOPPED, 0, false);
		tcp_pair_close();
		tcp_pair_make();
		limits.idle_ms = 0;
	}
	took = clock_ms() - start;
	ck_assert_int_ge(took, IO_FIRST_SUM_MS - 1);
	ck_assert_int_lt(took, LONG_MS);
}
END_TEST

static void
send_late(int signal)
{
	(void)signal;
	send(client, "late", 4, 0);
}

START_TEST(first_bytes_that_a_stop_overtook_are_received)
{
	struct itimerval once = { .it_value.tv_usec = 20000 };
	struct sigaction action = { .sa_handler = send_late };
	char buffer[16];

	sigaction(SIGALRM, &action, NULL);
	stopping = 1;
	setitimer(ITIMER_REAL, &once, NULL);
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), 4);
	/* And further ones are not waited for. */
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), -1);
	assert_facts(CAUSE_STOPPED, 0, false);
}
END_TEST

START_TEST(once_stopping_recv_still_takes_what_has_arrived)
{
	char buffer[16];

	client_sends("hello");
	server_has(5);
	stopping = 1;
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), 5);
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), -1);
	assert_facts(CAUSE_STOPPED, 0, false);
}
END_TEST

static void
stop(int signal)
{
	(void)signal;
	stopping = 1;
}

START_TEST(a_signal_stops_a_recv_that_waits)
{
	/* Again and again: one may come before recv has begun. */
	struct itimerval every = { .it_interval.tv_usec = 20000,
		.it_value.tv_usec = 20000 };
	struct sigaction action = { .sa_handler = stop };
	int64_t start = clock_ms();
	char buffer[16];

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), -1);
	assert_facts(CAUSE_STOPPED, 0, false);
	ck_assert_int_lt(clock_ms() - start, LONG_MS);
}
END_TEST

static volatile sig_atomic_t signals;

static void
count(int signal)
{
	(void)signal;
	signals = signals + 1;
}

START_TEST(signals_do_not_prolong_an_idle_recv)
{
	struct itimerval every = { .it_interval.tv_usec = 50000,
		.it_value.tv_usec = 50000 };
	struct sigaction action = { .sa_handler = count };
	int64_t start = clock_ms(), took;
	char buffer[16];

	limits.idle_ms = 300;
	client_sends("x");
	server_has(1);
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), 1);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), -1);
	took = clock_ms() - start;
	assert_facts(CAUSE_IDLE, 0, false);
	ck_assert_int_gt(signals, 0);
	ck_assert_int_ge(took, 290);
	ck_assert_int_lt(took, LONG_MS);
}
END_TEST

START_TEST(what_comes_after_a_signal_gets_the_idle_limit_anew)
{
	struct itimerval once = { .it_value.tv_usec = 250000 };
	struct sigaction action = { .sa_handler = count };
	struct timeval tv;
	socklen_t size = sizeof(tv);
	char buffer[16];
	pid_t peer = fork();

	limits.idle_ms = 1000;
	if (peer == 0) {
		usleep(400000); /* after the signal */
		client_sends("x");
		client_sends("y");
		_exit(0);
	}
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &once, NULL);
	ck_assert_int_eq(io_recv(&io, buffer, 1), 1);
	ck_assert_int_eq(signals, 1);
	ck_assert_int_eq(io_recv(&io, buffer, 1), 1);
	must(getsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &tv, &size) == 0);
	ck_assert_int_ge(tv.tv_sec * 1000 + tv.tv_usec / 1000, 1000);
	ck_assert_int_eq(status_of(peer), 0);
}
END_TEST

/* As SIGSTOP does it: what comes, comes while we do not run. */
static void
send_and_sleep(int signal)
{
	(void)signal;
	send(client, "late", 4, 0);
	usleep(400000);
}

static void
leave_and_sleep(int signal)
{
	(void)signal;
	shutdown(client, SHUT_WR);
	usleep(400000);
}

static void
only_sleep(int signal)
{
	(void)signal;
	usleep(400000);
}

static ssize_t
recv_and_sleep(void (*handler)(int))
{
	struct itimerval once = { .it_value.tv_usec = 50000 };
	struct sigaction action = { .sa_handler = handler };
	char buffer[16];

	limits.idle_ms = 200;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &once, NULL);
	return io_recv(&io, buffer, sizeof(buffer));
}

START_TEST(what_came_while_we_did_not_run_is_received)
{
	ck_assert_int_eq(recv_and_sleep(send_and_sleep), 4);
	assert_facts(CAUSE_NONE, 0, false);
}
END_TEST

START_TEST(a_fin_that_came_while_we_did_not_run_is_seen)
{
	ck_assert_int_eq(recv_and_sleep(leave_and_sleep), 0);
	assert_facts(CAUSE_NONE, 0, true);
}
END_TEST

START_TEST(nothing_came_while_we_did_not_run_is_idle)
{
	ck_assert_int_eq(recv_and_sleep(only_sleep), -1);
	assert_facts(CAUSE_IDLE, 0, false);
}
END_TEST

START_TEST(recv_tells_a_reset)
{
	char buffer[16];

	client_resets();
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), -1);
	assert_facts(CAUSE_NONE, ECONNRESET, false);
}
END_TEST

START_TEST(send_tells_a_reset_without_a_signal)
{
	char buffer[16] = "x";

	client_resets();
	server_has(1); /* reads the reset off the socket */
	ck_assert_int_eq(io_send(&io, buffer, 1), -1);
	assert_facts(CAUSE_NONE, EPIPE, false);
	ck_assert_uint_eq(traffic.out, 0);
}
END_TEST

static char
pattern(size_t at)
{
	return (char)(at % 251);
}

/* Reads at that pace; exits with 0 when just that many good bytes came. */
static void
read_slowly(size_t chunk, useconds_t pause, size_t expected)
{
	char buffer[16384];
	size_t total = 0;
	ssize_t n;

	close(server);
	while ((n = recv(client, buffer, chunk, 0)) > 0) {
		for (ssize_t i = 0; i < n; i++, total++)
			if (buffer[i] != pattern(total))
				_exit(2);
		usleep(pause);
	}
	_exit(n == 0 && total == expected ? 0 : 1);
}

static char *
patterned(size_t size)
{
	char *bytes = malloc(size);

	must(bytes != NULL);
	for (size_t i = 0; i < size; i++)
		bytes[i] = pattern(i);
	return bytes;
}

START_TEST(send_gets_all_through_a_small_buffer)
{
	const size_t size = 1 << 20;
	char *bytes = patterned(size);
	pid_t reader;

	tcp_pair_close();
	tcp_pair_sized(8192, 8192);
	reader = fork();
	if (reader == 0)
		read_slowly(16384, 1000, size);
	ck_assert_int_eq(io_send(&io, bytes, size), 0);
	ck_assert_uint_eq(traffic.out, size);
	assert_facts(CAUSE_NONE, 0, false);
	shutdown(server, SHUT_WR);
	ck_assert_int_eq(status_of(reader), 0);
	free(bytes);
}
END_TEST

START_TEST(send_stalls_on_a_peer_that_never_reads)
{
	const size_t size = 8 << 20;
	char *bytes = patterned(size);
	int64_t start, took;

	tcp_pair_close();
	tcp_pair_sized(8192, 8192);
	limits.send_ms = 300;
	start = clock_ms();
	ck_assert_int_eq(io_send(&io, bytes, size), -1);
	took = clock_ms() - start;
	assert_facts(CAUSE_STALLED, 0, false);
	ck_assert_int_ge(took, 300);
	ck_assert_int_lt(took, LONG_MS);
	ck_assert_uint_gt(traffic.out, 0);
	ck_assert_uint_lt(traffic.out, size);
	free(bytes);
}
END_TEST

START_TEST(a_slow_reader_is_not_stalled_while_it_goes_on)
{
	const size_t size = 600000;
	char *bytes = patterned(size);
	int64_t start = clock_ms();
	pid_t reader;

	tcp_pair_close();
	/*
	 * A small window is acknowledged in small steps, and much of a large
	 * buffer has to go before the socket is called writable again.
	 */
	tcp_pair_sized(200000, 8192);
	limits.send_ms = 500;
	reader = fork();
	if (reader == 0)
		read_slowly(4096, 50000, size);
	ck_assert_int_eq(io_send(&io, bytes, size), 0);
	/* Otherwise this would have been no test of the limit. */
	ck_assert_int_gt(clock_ms() - start, limits.send_ms);
	assert_facts(CAUSE_NONE, 0, false);
	end_process(reader);
	free(bytes);
}
END_TEST

START_TEST(drain_takes_all_until_the_fin)
{
	char byte;

	client_sends("hello");
	shutdown(client, SHUT_WR);
	io_drain(&io, clock_ms() + 20000);
	assert_facts(CAUSE_NONE, 0, true);
	ck_assert_uint_eq(traffic.in, 5);
	ck_assert_int_eq(recv(server, &byte, 1, MSG_DONTWAIT), 0);
}
END_TEST

START_TEST(drain_leaves_a_silent_peer_at_the_deadline)
{
	int64_t start = clock_ms(), took;

	io_drain(&io, start + 200);
	took = clock_ms() - start;
	assert_facts(CAUSE_NONE, 0, false);
	ck_assert_int_ge(took, 200);
	ck_assert_int_lt(took, LONG_MS);
}
END_TEST

static void
flood(void)
{
	static char block[65536];

	close(server);
	while (send(client, block, sizeof(block), MSG_NOSIGNAL) > 0)
		continue;
	_exit(0);
}

START_TEST(drain_leaves_a_flooding_peer_at_the_deadline)
{
	int64_t start = clock_ms(), took;
	pid_t peer = fork();

	if (peer == 0)
		flood();
	io_drain(&io, start + 200);
	took = clock_ms() - start;
	end_process(peer);
	assert_facts(CAUSE_NONE, 0, false);
	ck_assert_int_ge(took, 200);
	ck_assert_int_lt(took, LONG_MS);
	ck_assert_uint_gt(traffic.in, 65536);
}
END_TEST

START_TEST(drain_tells_a_reset_and_keeps_the_cause)
{
	io.facts.cause = CAUSE_STOPPED;
	client_resets();
	io_drain(&io, clock_ms() + 20000);
	assert_facts(CAUSE_STOPPED, ECONNRESET, false);
}
END_TEST

START_TEST(a_passed_deadline_takes_what_is_there)
{
	int64_t start = clock_ms();
	char byte;

	client_sends("hello");
	server_has(5);
	io_drain(&io, start - 1);
	ck_assert_uint_eq(traffic.in, 5);
	assert_facts(CAUSE_NONE, 0, false);
	ck_assert_int_eq(recv(server, &byte, 1, MSG_DONTWAIT), -1);
	io_drain(&io, start - 1);
	assert_facts(CAUSE_NONE, 0, false);
	ck_assert_int_lt(clock_ms() - start, LONG_MS);
}
END_TEST

/* What is there may be more than one buffer, and a FIN behind it. */
START_TEST(a_passed_deadline_takes_the_fin_that_is_there)
{
	static const size_t sizes[] = { 0, 5, 40000 };
	static char block[40000];

	ck_assert_int_eq(send(client, block, sizes[_i], 0), (ssize_t)sizes[_i]);
	shutdown(client, SHUT_WR);
	/* One byte more than there are: waits for the FIN. */
	server_has(sizes[_i] + 1);
	io_drain(&io, clock_ms() - 1);
	ck_assert_uint_eq(traffic.in, sizes[_i]);
	assert_facts(CAUSE_NONE, 0, true);
}
END_TEST

static void
add_recv_tests(Suite *suite)
{
	TCase *tcase = unit_case(suite, "recv");

	tcase_add_checked_fixture(tcase, tcp_pair_make, tcp_pair_close);
	tcase_add_test(tcase, recv_gives_what_came_and_counts_it);
	tcase_add_test(tcase, the_last_bytes_wait_for_the_fin);
	tcase_add_test(tcase, recv_gives_0_at_the_fin);
	tcase_add_test(tcase, recv_ends_idle_when_nothing_comes);
	tcase_add_loop_test(tcase, the_idle_limit_is_the_sockets_own, 0, 4);
	tcase_add_test(
	    tcase, once_stopping_recv_waits_a_little_for_first_bytes);
	tcase_add_test(tcase, connections_share_the_wait_for_first_bytes);
	tcase_add_test(tcase, first_bytes_that_a_stop_overtook_are_received);
	tcase_add_test(tcase, once_stopping_recv_still_takes_what_has_arrived);
	tcase_add_test(tcase, a_signal_stops_a_recv_that_waits);
	tcase_add_test(tcase, signals_do_not_prolong_an_idle_recv);
	tcase_add_test(
	    tcase, what_comes_after_a_signal_gets_the_idle_limit_anew);
	tcase_add_test(tcase, what_came_while_we_did_not_run_is_received);
	tcase_add_test(tcase, a_fin_that_came_while_we_did_not_run_is_seen);
	tcase_add_test(tcase, nothing_came_while_we_did_not_run_is_idle);
	tcase_add_test(tcase, recv_tells_a_reset);
}

static void
add_drain_tests(Suite *suite)
{
	TCase *tcase = unit_case(suite, "drain");

	tcase_add_checked_fixture(tcase, tcp_pair_make, tcp_pair_close);
	tcase_add_test(tcase, drain_takes_all_until_the_fin);
	tcase_add_test(tcase, drain_leaves_a_silent_peer_at_the_deadline);
	tcase_add_test(tcase, drain_leaves_a_flooding_peer_at_the_deadline);
	tcase_add_test(tcase, drain_tells_a_reset_and_keeps_the_cause);
	tcase_add_test(tcase, a_passed_deadline_takes_what_is_there);
	tcase_add_loop_test(
	    tcase, a_passed_deadline_takes_the_fin_that_is_there, 0, 3);
}

int
main(void)
{
	Suite *suite = suite_create("io");
	TCase *tcase;

	add_recv_tests(suite);
	tcase = unit_case(suite, "send");
	tcase_add_checked_fixture(tcase, tcp_pair_make, tcp_pair_close);
	tcase_add_test(tcase, send_tells_a_reset_without_a_signal);
	tcase_add_test(tcase, send_gets_all_through_a_small_buffer);
	tcase_add_test(tcase, send_stalls_on_a_peer_that_never_reads);
	tcase_add_test(tcase, a_slow_reader_is_not_stalled_while_it_goes_on);
	add_drain_tests(suite);
	return unit_run(suite);
}
