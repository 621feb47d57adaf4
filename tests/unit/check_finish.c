/*
 * Tests of connection/finish: each connection's end, and no RST of ours.
 */
#include <errno.h>
#include <poll.h>
#include <sys/time.h>

#include "connection/finish.h"
#include "unit/tcp_pair.h"
#include "unit/unit.h"

#define LONG_MS 5000 /* far more than a noisy machine adds */

static const char *
ending_after_finish(void)
{
	return ending_name(finish(&io));
}

/* The client reads until our FIN, then sends its own. */
static pid_t
peer_that_closes_after_us(void)
{
	char buffer[64];
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	close(server);
	while (recv(client, buffer, sizeof(buffer), 0) > 0)
		continue;
	_exit(0);
}

START_TEST(a_reply_and_the_peers_fin_are_served)
{
	pid_t peer = peer_that_closes_after_us();

	close(client);
	ck_assert_int_eq(io_send(&io, "hello", 5), 0);
	io.facts.replied = true;
	ck_assert_str_eq(ending_after_finish(), "served");
	ck_assert_int_eq(status_of(peer), 0);
}
END_TEST

START_TEST(the_peers_fin_before_ours_is_peer_closed)
{
	char buffer[16];

	shutdown(client, SHUT_WR);
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), 0);
	ck_assert_str_eq(ending_after_finish(), "peer-closed");
}
END_TEST

START_TEST(a_reset_before_finish_is_reset)
{
	char buffer[16];

	client_resets();
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), -1);
	ck_assert_str_eq(ending_after_finish(), "reset");
}
END_TEST

START_TEST(a_reset_that_nobody_has_read_is_reset)
{
	struct pollfd p = { .fd = server, .events = POLLIN };

	io.facts.replied = true;
	client_resets();
	ck_assert_int_eq(poll(&p, 1, LONG_MS), 1);
	ck_assert_str_eq(ending_after_finish(), "reset");
}
END_TEST

START_TEST(an_idle_peer_that_closes_in_time_is_idle)
{
	pid_t peer = peer_that_closes_after_us();
	char buffer[16];

	close(client);
	limits.idle_ms = 50;
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), -1);
	ck_assert_str_eq(ending_after_finish(), "idle");
	ck_assert_int_eq(status_of(peer), 0);
}
END_TEST

START_TEST(a_stop_and_the_peers_fin_are_stopped)
{
	pid_t peer = peer_that_closes_after_us();
	char buffer[16];

	close(client);
	stopping = 1;
	ck_assert_int_eq(io_recv(&io, buffer, sizeof(buffer)), -1);
	ck_assert_str_eq(ending_after_finish(), "stopped");
	ck_assert_int_eq(status_of(peer), 0);
}
END_TEST

static const enum cause causes[] = { CAUSE_NONE, CAUSE_IDLE, CAUSE_STOPPED };

START_TEST(without_the_peers_fin_the_end_is_lingered)
{
	int64_t start = clock_ms(), took;
	char byte;

	limits.linger_ms = 200;
	io.facts.cause = causes[_i];
	io.facts.replied = true;
	ck_assert_str_eq(ending_after_finish(), "lingered");
	took = clock_ms() - start;
	ck_assert_int_ge(took, 200);
	ck_assert_int_lt(took, LONG_MS);
	/* Our FIN has come, and the socket is still there for a last look. */
	ck_assert_int_eq(recv(client, &byte, 1, 0), 0);
	ck_assert_int_eq(getsockopt(server, SOL_SOCKET, SO_ERROR, &(int){ 0 },
			     &(socklen_t){ sizeof(int) }),
	    0);
}
END_TEST

START_TEST(without_a_linger_timeout_finish_does_not_wait)
{
	int64_t start = clock_ms();
	char byte;

	limits.linger_ms = 0;
	ck_assert_str_eq(ending_after_finish(), "lingered");
	ck_assert_int_lt(clock_ms() - start, LONG_MS);
	ck_assert_int_eq(recv(client, &byte, 1, 0), 0);
}
END_TEST

static void
stop(int signal)
{
	(void)signal;
	stopping = 1;
}

START_TEST(a_stop_shortens_a_wait_that_has_begun)
{
	/* Again and again: one may come before recv has begun. */
	struct itimerval every = { .it_interval.tv_usec = 50000,
		.it_value.tv_usec = 50000 };
	struct sigaction action = { .sa_handler = stop };
	int64_t start = clock_ms(), took;

	limits.stop_linger_ms = 200;
	io.facts.replied = true;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	ck_assert_str_eq(ending_after_finish(), "lingered");
	took = clock_ms() - start;
	ck_assert_int_ge(took, 200);
	ck_assert_int_lt(took, LONG_MS);
}
END_TEST

/* One connection may use it up for all that follow. */
START_TEST(waits_after_a_stop_share_one_limit)
{
	int64_t start = clock_ms(), took;

	stopping = 1;
	limits.stop_linger_ms = 1000;
	ck_assert_str_eq(ending_after_finish(), "lingered");
	ck_assert_int_ge(clock_ms() - start, 1000);
	tcp_pair_close();
	tcp_pair_make();
	limits.stop_linger_ms = 1000;
	start = clock_ms();
	ck_assert_str_eq(ending_after_finish(), "lingered");
	took = clock_ms() - start;
	ck_assert_int_lt(took, 900);
}
END_TEST

START_TEST(a_stalled_peer_is_not_waited_for)
{
	int64_t start = clock_ms();
	char byte;

	io.facts.cause = CAUSE_STALLED;
	ck_assert_str_eq(ending_after_finish(), "stalled");
	ck_assert_int_lt(clock_ms() - start, LONG_MS);
	/* No FIN either: behind unsent data it could not go out. */
	ck_assert_int_eq(recv(client, &byte, 1, MSG_DONTWAIT), -1);
}
END_TEST

#define REPLY "a reply that must arrive\r\n"

static void
send_block(void)
{
	static char block[100000];

	if (send(client, block, sizeof(block), MSG_NOSIGNAL) !=
	    (ssize_t)sizeof(block))
		_exit(2);
}

/* Sends all the time; exits with 0 when it saw the reply and no RST. */
static void
talk_over_the_end(int go)
{
	char reply[64];
	size_t used = 0;
	ssize_t n;

	close(server);
	send_block();
	while ((n = recv(client, reply + used, sizeof(reply) - used, 0)) > 0) {
		used += (size_t)n;
		send_block();
	}
	if (n < 0 || used != strlen(REPLY) || memcmp(reply, REPLY, used) != 0)
		_exit(3);
	for (int i = 0; i < 5; i++)
		send_block();
	if (shutdown(client, SHUT_WR) < 0)
		_exit(4);
	/* A RST could only come now, after the server's close. */
	if (read(go, reply, 1) != 0)
		_exit(5);
	if (recv(client, reply, 1, 0) != 0)
		_exit(6);
	_exit(0);
}

START_TEST(a_peer_that_talks_over_the_end_gets_no_rst)
{
	int go[2];
	pid_t peer;

	ck_assert_int_eq(pipe(go), 0);
	peer = fork();
	if (peer == 0) {
		close(go[1]);
		talk_over_the_end(go[0]);
	}
	close(client);
	server_has(1);
	ck_assert_int_eq(io_send(&io, REPLY, strlen(REPLY)), 0);
	io.facts.replied = true;
	ck_assert_str_eq(ending_after_finish(), "served");
	close(server);
	close(go[1]);
	ck_assert_int_eq(status_of(peer), 0);
	/* At the start, at the reply's one piece, and five at the end. */
	ck_assert_uint_ge(traffic.in, 700000);
}
END_TEST

static const struct {
	enum cause cause;
	const char *word;
} unwanted[] = { { CAUSE_REFUSED, "refused" }, { CAUSE_EVICTED, "evicted" } };

START_TEST(an_end_at_once_reads_what_has_come_and_sends_fin)
{
	static const char bytes[40000];
	int64_t begin = clock_ms();
	char byte;

	ck_assert_int_eq(send(client, bytes, sizeof(bytes), 0), sizeof(bytes));
	server_has(sizeof(bytes));
	ck_assert_str_eq(ending_name(finish_at_once(&io, unwanted[_i].cause)),
	    unwanted[_i].word);
	ck_assert_int_le(clock_ms() - begin, LONG_MS);
	ck_assert_uint_eq(traffic.in, sizeof(bytes));
	ck_assert_int_eq(recv(client, &byte, 1, 0), 0);
	/* With a byte unread, it would send RST. */
	close(server);
	ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
	server = -1;
}
END_TEST

START_TEST(an_end_at_once_of_a_connection_that_was_reset_is_the_same)
{
	struct pollfd p = { .fd = server, .events = POLLIN };

	client_resets();
	ck_assert_int_eq(poll(&p, 1, LONG_MS), 1);
	ck_assert_str_eq(ending_name(finish_at_once(&io, unwanted[_i].cause)),
	    unwanted[_i].word);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("finish");
	TCase *tcase = unit_case(suite, "finish");

	tcase_add_checked_fixture(tcase, tcp_pair_make, tcp_pair_close);
	tcase_add_test(tcase, a_reply_and_the_peers_fin_are_served);
	tcase_add_test(tcase, the_peers_fin_before_ours_is_peer_closed);
	tcase_add_test(tcase, a_reset_before_finish_is_reset);
	tcase_add_test(tcase, a_reset_that_nobody_has_read_is_reset);
	tcase_add_test(tcase, an_idle_peer_that_closes_in_time_is_idle);
	tcase_add_test(tcase, a_stop_and_the_peers_fin_are_stopped);
	tcase_add_loop_test(
	    tcase, without_the_peers_fin_the_end_is_lingered, 0, 3);
	tcase_add_test(tcase, without_a_linger_timeout_finish_does_not_wait);
	tcase_add_test(tcase, a_stop_shortens_a_wait_that_has_begun);
	tcase_add_test(tcase, waits_after_a_stop_share_one_limit);
	tcase_add_test(tcase, a_stalled_peer_is_not_waited_for);
	tcase_add_test(tcase, a_peer_that_talks_over_the_end_gets_no_rst);
	tcase_add_loop_test(
	    tcase, an_end_at_once_reads_what_has_come_and_sends_fin, 0, 2);
	tcase_add_loop_test(tcase,
	    an_end_at_once_of_a_connection_that_was_reset_is_the_same, 0, 2);
	return unit_run(suite);
}
