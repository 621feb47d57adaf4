/*
 * master/notify and master/watchdog: what the service manager is told, and
 * when.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "master/master.h"
#include "master/notify.h"
#include "unit/dir.h"
#include "unit/unit.h"

#define NOW 5000

static struct notify notify;
static int manager; /* the service manager's end */
static int send_error;

ssize_t __real_sendto(int fd, const void *bytes, size_t length, int flags,
    const struct sockaddr *to, socklen_t to_length);
ssize_t __wrap_sendto(int fd, const void *bytes, size_t length, int flags,
    const struct sockaddr *to, socklen_t to_length);

ssize_t
__wrap_sendto(int fd, const void *bytes, size_t length, int flags,
    const struct sockaddr *to, socklen_t to_length)
{
	if (send_error == 0)
		return __real_sendto(fd, bytes, length, flags, to, to_length);
	errno = send_error;
	return -1;
}

static struct pool
pool_of(const char *service, const char *address, unsigned wanted)
{
	struct pool pool = { .plan.service = service_find(service) };
	const struct pool_limits limits = { .start = wanted,
		.min_spare = wanted,
		.max_spare = wanted,
		.max = 2 * wanted };

	pool_init(&pool.state, &limits);
	pool.state.trial = false;
	pool.state.alive = wanted;
	pool.idle = wanted;
	snprintf(pool.listener.address, sizeof(pool.listener.address), "%s",
	    address);
	return pool;
}

static void
degrade(struct pool *pool, unsigned alive)
{
	pool->state.alive = alive;
	pool->state.trial = true;
	pool->state.backoff.failures = 1;
}

/* Those of an array, as a list. */
static const struct pool_list *
list_of(struct pool *pools, uint32_t count)
{
	static struct pool_list list;

	TAILQ_INIT(&list);
	for (uint32_t i = 0; i < count; i++)
		TAILQ_INSERT_TAIL(&list, &pools[i], entry);
	return &list;
}

static const char *
format(struct pool *pools, uint32_t count)
{
	static char text[NOTIFY_STATUS_SIZE];

	return notify_format(list_of(pools, count), text, sizeof(text));
}

/* name is a path, or "@" and a name. */
static void
manage(const char *name)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t length = strlen(name);

	memcpy(to.sun_path, name, length);
	if (name[0] == '@')
		to.sun_path[0] = '\0';
	unlink(name);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(
	    bind(manager, (struct sockaddr *)&to,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
	    0);
	setenv("NOTIFY_SOCKET", name, 1);
	notify_open(&notify);
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
}

/* The next message, or "" when there is none. */
static const char *
told(void)
{
	static char text[2048];
	ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static const char *
ready_message(const char *status)
{
	static char text[1024];

	snprintf(text, sizeof(text),
	    "READY=1\nMAINPID=%d\nSTATUS=%s; 0 busy, 4 idle", (int)getpid(),
	    status);
	return text;
}

static int64_t
serve(struct pool *pool, int64_t now)
{
	return notify_serving(&notify, list_of(pool, 1), now);
}

static long long
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (long long)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* What is logged from here on can be read from the descriptor returned. */
static int
watch_stderr(void)
{
	int end[2];

	ck_assert_int_eq(pipe2(end, O_NONBLOCK), 0);
	ck_assert_int_ge(dup2(end[1], STDERR_FILENO), 0);
	close(end[1]);
	return end[0];
}

static const char *
logged(int fd)
{
	static char text[4096];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static unsigned
lines_of(const char *text)
{
	unsigned lines = 0;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

START_TEST(the_status_names_what_is_served)
{
	struct pool pools[] = { pool_of("echo", "*:7", 4),
		pool_of("daytime", "*:13", 4) };

	ck_assert_str_eq(format(pools, 1), "serving echo *:7");
	ck_assert_str_eq(format(pools, 2), "serving echo *:7, daytime *:13");
}
END_TEST

START_TEST(the_status_names_only_what_is_degraded)
{
	struct pool pools[] = { pool_of("echo", "*:7", 4),
		pool_of("daytime", "*:13", 4), pool_of("echo", "[::1]:7", 2) };

	degrade(&pools[1], 3);
	ck_assert_str_eq(
	    format(pools, 3), "degraded: daytime *:13 3 of 4 workers");
	degrade(&pools[2], 0);
	ck_assert_str_eq(format(pools, 3),
	    "degraded: daytime *:13 3 of 4 workers, "
	    "echo [::1]:7 0 of 2 workers");
}
END_TEST

/* Every size, so that the cut falls on every byte of a pool. */
/* Nobody waits for the workers that it lacks. */
START_TEST(the_status_does_not_name_what_was_removed)
{
	struct pool pools[] = { pool_of("echo", "*:7", 4),
		pool_of("daytime", "*:13", 4) };

	pools[0].removed = true;
	ck_assert_str_eq(format(pools, 2), "serving daytime *:13");
	degrade(&pools[0], 1);
	ck_assert_str_eq(format(pools, 2), "serving daytime *:13");
}
END_TEST

START_TEST(a_status_that_is_too_long_ends_after_a_whole_pool)
{
	static const char serving[] = ", echo 127.0.0.1:17007, ...";
	static const char degraded[] = " 9 of 10 workers, ...";
	struct pool pools[100];
	char text[NOTIFY_STATUS_SIZE];

	for (int i = 0; i < 100; i++)
		pools[i] = pool_of("echo", "127.0.0.1:17007", 10);
	for (size_t size = 160; size <= sizeof(text); size++) {
		notify_format(list_of(pools, 100), text, size);
		ck_assert_uint_lt(strlen(text), size);
		ck_assert_uint_gt(strlen(text), size - 40);
		ck_assert_str_eq(
		    text + strlen(text) - strlen(serving), serving);
	}
	for (int i = 0; i < 100; i++)
		degrade(&pools[i], 9);
	for (size_t size = 160; size <= sizeof(text); size++) {
		notify_format(list_of(pools, 100), text, size);
		ck_assert_uint_lt(strlen(text), size);
		ck_assert_str_eq(
		    text + strlen(text) - strlen(degraded), degraded);
	}
}
END_TEST

START_TEST(without_a_socket_nothing_is_sent)
{
	struct pool pool = pool_of("echo", "*:7", 4);
	int log = watch_stderr();

	unsetenv("NOTIFY_SOCKET");
	notify_open(&notify);
	ck_assert_int_eq(notify.length, 0);
	ck_assert_int_eq(serve(&pool, NOW), CLOCK_NEVER);
	notify_stopping(&notify, 1000);
	ck_assert_str_eq(logged(log), "");
}
END_TEST

START_TEST(ready_is_said_once_and_then_what_changes)
{
	struct pool pool = pool_of("echo", "*:7", 4);

	manage(dir_path("socket"));
	ck_assert_int_eq(serve(&pool, NOW), CLOCK_NEVER);
	ck_assert_str_eq(told(), ready_message("serving echo *:7"));
	ck_assert_int_eq(serve(&pool, NOW), CLOCK_NEVER);
	ck_assert_str_eq(told(), "");
	degrade(&pool, 3);
	serve(&pool, NOW);
	ck_assert_str_eq(
	    told(), "STATUS=degraded: echo *:7 3 of 4 workers; 0 busy, 3 idle");
	serve(&pool, NOW);
	ck_assert_str_eq(told(), "");
	close(manager);
}
END_TEST

START_TEST(counts_alone_are_said_once_a_second)
{
	struct pool pool = pool_of("echo", "*:7", 4);

	manage(dir_path("socket"));
	serve(&pool, NOW);
	told();
	pool.idle = 3;
	ck_assert_int_eq(serve(&pool, NOW + NOTIFY_COUNTS_MS - 1), CLOCK_NEVER);
	ck_assert_str_eq(told(), "");
	ck_assert_int_eq(serve(&pool, NOW + NOTIFY_COUNTS_MS), CLOCK_NEVER);
	ck_assert_str_eq(told(), "STATUS=serving echo *:7; 1 busy, 3 idle");
	serve(&pool, NOW + 3 * NOTIFY_COUNTS_MS);
	ck_assert_str_eq(told(), "");
	pool.state.starting = 1;
	pool.state.leaving = 2;
	serve(&pool, NOW + 4 * NOTIFY_COUNTS_MS);
	ck_assert_str_eq(told(), "STATUS=serving echo *:7; 2 busy, 3 idle");
	close(manager);
}
END_TEST

/* A queue that is full must not wake an idle daemon for a count. */
START_TEST(counts_alone_are_not_tried_again)
{
	struct pool pool = pool_of("echo", "*:7", 4);

	manage(dir_path("socket"));
	serve(&pool, NOW);
	told();
	pool.idle = 3;
	send_error = EAGAIN;
	ck_assert_int_eq(serve(&pool, NOW + NOTIFY_COUNTS_MS), CLOCK_NEVER);
	ck_assert_int_eq(serve(&pool, NOW + NOTIFY_COUNTS_MS + 1), CLOCK_NEVER);
	send_error = 0;
	close(manager);
}
END_TEST

static void
set_watchdog(struct watchdog *watchdog, const char *usec, const char *pid)
{
	setenv("WATCHDOG_USEC", usec, 1);
	if (pid == NULL)
		unsetenv("WATCHDOG_PID");
	else
		setenv("WATCHDOG_PID", pid, 1);
	watchdog_open(watchdog);
	ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
	ck_assert_ptr_null(getenv("WATCHDOG_PID"));
}

START_TEST(the_watchdog_is_told_at_half_of_its_time)
{
	struct watchdog watchdog;

	manage(dir_path("socket"));
	set_watchdog(&watchdog, "2000000", NULL);
	ck_assert_int_eq(watchdog_turn(&watchdog, &notify, NOW), NOW + 1000);
	ck_assert_str_eq(told(), "WATCHDOG=1");
	ck_assert_int_eq(
	    watchdog_turn(&watchdog, &notify, NOW + 999), NOW + 1000);
	ck_assert_str_eq(told(), "");
	send_error = EAGAIN;
	ck_assert_int_eq(
	    watchdog_turn(&watchdog, &notify, NOW + 1000), NOW + 1126);
	send_error = 0;
	ck_assert_int_eq(
	    watchdog_turn(&watchdog, &notify, NOW + 1126), NOW + 2126);
	ck_assert_str_eq(told(), "WATCHDOG=1");
	close(manager);
}
END_TEST

START_TEST(nobody_is_woken_for_a_watchdog_that_is_not_there)
{
	struct watchdog watchdog;
	char pid[16];
	int log = watch_stderr();

	manage(dir_path("socket"));
	unsetenv("WATCHDOG_USEC");
	watchdog_open(&watchdog);
	ck_assert_int_eq(watchdog_turn(&watchdog, &notify, NOW), CLOCK_NEVER);
	set_watchdog(&watchdog, "2000000", "1");
	ck_assert_int_eq(watchdog_turn(&watchdog, &notify, NOW), CLOCK_NEVER);
	ck_assert_str_eq(logged(log), "");
	set_watchdog(&watchdog, "2s", NULL);
	ck_assert_int_eq(watchdog_turn(&watchdog, &notify, NOW), CLOCK_NEVER);
	ck_assert_ptr_nonnull(strstr(logged(log), "WATCHDOG_USEC=2s: must be"));
	ck_assert_str_eq(told(), "");
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	set_watchdog(&watchdog, "1", pid);
	ck_assert_int_eq(watchdog_turn(&watchdog, &notify, NOW), NOW + 1);
	close(manager);
}
END_TEST

START_TEST(an_abstract_socket_is_told_as_well)
{
	struct pool pool = pool_of("echo", "*:7", 4);
	char name[64];

	snprintf(name, sizeof(name), "@preforkd-unit-%d", (int)getpid());
	manage(name);
	serve(&pool, NOW);
	ck_assert_str_eq(told(), ready_message("serving echo *:7"));
	close(manager);
}
END_TEST

START_TEST(a_name_may_fill_the_whole_address)
{
	struct pool pool = pool_of("echo", "*:7", 4);
	char name[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];

	memset(name, 'x', sizeof(name) - 1);
	name[0] = '@';
	name[sizeof(name) - 1] = '\0';
	manage(name);
	serve(&pool, NOW);
	ck_assert_str_ne(told(), "");
	close(manager);
}
END_TEST

/* Two and a bit are 109 bytes: sun_path has 108. */
#define FIFTY "/0123456789/0123456789/0123456789/0123456789012345"

/* Values of NOTIFY_SOCKET that are no socket's name. */
static const char *const bad_names[] = { "", "@", "/", "run/notify",
	"vsock:2:1234", FIFTY FIFTY "/01234567" };

START_TEST(a_bad_name_is_said_once_and_harmless)
{
	struct pool pool = pool_of("echo", "*:7", 4);
	int log = watch_stderr();
	const char *text;

	setenv("NOTIFY_SOCKET", bad_names[_i], 1);
	notify_open(&notify);
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	ck_assert_int_eq(notify.length, 0);
	ck_assert_int_eq(serve(&pool, NOW), CLOCK_NEVER);
	notify_stopping(&notify, 1000);
	text = logged(log);
	ck_assert_uint_eq(lines_of(text), 1);
	ck_assert_ptr_nonnull(strstr(text, "NOTIFY_SOCKET"));
	ck_assert_ptr_nonnull(strstr(text, bad_names[_i]));
}
END_TEST

START_TEST(a_manager_that_is_gone_is_said_once_and_harmless)
{
	struct pool pool = pool_of("echo", "*:7", 4);
	int log = watch_stderr();
	const char *text;

	manage(dir_path("gone"));
	close(manager);
	ck_assert_int_eq(serve(&pool, NOW), CLOCK_NEVER);
	ck_assert_int_eq(serve(&pool, NOW), CLOCK_NEVER);
	degrade(&pool, 3);
	ck_assert_int_eq(serve(&pool, NOW), CLOCK_NEVER);
	notify_stopping(&notify, 1000);
	text = logged(log);
	ck_assert_uint_eq(lines_of(text), 1);
	ck_assert_ptr_nonnull(strstr(text, "gone: the service manager"));
	ck_assert_ptr_nonnull(strstr(text, strerror(ECONNREFUSED)));
}
END_TEST

/* The manager is told "x" until its queue takes no more. */
static void
stuff(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	while (sendto(fd, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&notify.to,
		   notify.length) == 1)
		;
	ck_assert_int_eq(errno, EAGAIN);
	close(fd);
}

static void
empty(void)
{
	while (strcmp(told(), "x") == 0)
		;
}

START_TEST(a_full_queue_is_tried_again_later)
{
	struct pool pool = pool_of("echo", "*:7", 4);
	int log = watch_stderr();

	manage(dir_path("full"));
	stuff();
	ck_assert_int_eq(serve(&pool, NOW), NOW + BACKOFF_FIRST_MS);
	empty();
	ck_assert_int_eq(serve(&pool, NOW + 1), NOW + BACKOFF_FIRST_MS);
	ck_assert_str_eq(told(), "");
	ck_assert_int_eq(serve(&pool, NOW + BACKOFF_FIRST_MS), CLOCK_NEVER);
	ck_assert_str_eq(told(), ready_message("serving echo *:7"));
	ck_assert_str_eq(logged(log), "");
	close(manager);
}
END_TEST

/* Each turn of a stop is another attempt. */
START_TEST(a_stop_is_told_when_the_queue_has_room)
{
	int log = watch_stderr();

	manage(dir_path("busy"));
	stuff();
	notify_stopping(&notify, 10000);
	empty();
	notify_stopping(&notify, 10000);
	ck_assert_str_eq(told(),
	    "STOPPING=1\nSTATUS=stopping\nEXTEND_TIMEOUT_USEC=15000000");
	notify_stopping(&notify, 10000);
	ck_assert_str_eq(told(), "");
	ck_assert_str_eq(logged(log), "");
	close(manager);
}
END_TEST

/* What send(2) fails with; those of memory and descriptors pass as well. */
static const struct {
	int error;
	bool passes;
} failures[] = { { EAGAIN, true }, { ENOBUFS, true }, { ENOMEM, true },
	{ EMFILE, true }, { ENFILE, true }, { ECONNREFUSED, false },
	{ ENOENT, false }, { EACCES, false } };

START_TEST(what_passes_is_said_again)
{
	struct pool pool = pool_of("echo", "*:7", 4);
	bool passes = failures[_i].passes;
	char name[] = "again0";

	name[5] += (char)_i;
	watch_stderr();
	manage(dir_path(name));
	send_error = failures[_i].error;
	ck_assert_int_eq(
	    serve(&pool, NOW), passes ? NOW + BACKOFF_FIRST_MS : CLOCK_NEVER);
	notify_stopping(&notify, 10000);
	ck_assert_int_eq(notify.stopping, !passes);
	send_error = 0;
	serve(&pool, NOW + BACKOFF_FIRST_MS);
	ck_assert_str_eq(
	    told(), passes ? ready_message("serving echo *:7") : "");
	notify_stopping(&notify, 10000);
	ck_assert_int_eq(strncmp(told(), "STOPPING=1", 10) == 0, passes);
	close(manager);
}
END_TEST

START_TEST(no_descriptor_is_kept)
{
	struct pool pool = pool_of("echo", "*:7", 4);
	int before, after;

	manage(dir_path("kept"));
	before = dup(STDERR_FILENO);
	close(before);
	serve(&pool, NOW);
	notify_stopping(&notify, 1000);
	after = dup(STDERR_FILENO);
	ck_assert_int_eq(before, after);
	close(after);
	close(manager);
}
END_TEST

/* Not before the signal that asked for it: the manager compares. */
START_TEST(a_reload_is_told_with_its_time)
{
	struct pool pool = pool_of("echo", "*:7", 4);
	long long before, told_at, after;
	const char *message;

	manage(dir_path("notify"));
	for (int i = 0; i < 100; i++) {
		before = now_us();
		notify_reloading(&notify, NOW);
		after = now_us();
		message = told();
		ck_assert_int_eq(sscanf(message,
				     "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS="
				     "reloading",
				     &told_at),
		    1);
		ck_assert_int_ge(told_at, before);
		ck_assert_int_le(told_at, after);
	}
	serve(&pool, NOW);
	ck_assert_str_eq(told(), ready_message("serving echo *:7"));
}
END_TEST

/* Or the manager would wait for it, and never take READY=1 for its end. */
START_TEST(a_reload_is_told_before_its_end_when_the_queue_has_room)
{
	struct pool pool = pool_of("echo", "*:7", 4);
	long long before, told_at, after;
	int log = watch_stderr();

	manage(dir_path("late"));
	serve(&pool, NOW);
	told();
	stuff();
	before = now_us();
	notify_reloading(&notify, NOW);
	after = now_us();
	ck_assert_int_eq(serve(&pool, NOW), NOW + BACKOFF_FIRST_MS);
	empty();
	ck_assert_int_eq(serve(&pool, NOW + BACKOFF_FIRST_MS), CLOCK_NEVER);
	ck_assert_int_eq(
	    sscanf(told(), "RELOADING=1\nMONOTONIC_USEC=%lld\n", &told_at), 1);
	ck_assert_int_ge(told_at, before);
	ck_assert_int_le(told_at, after);
	ck_assert_str_eq(told(), ready_message("serving echo *:7"));
	ck_assert_str_eq(told(), "");
	ck_assert_str_eq(logged(log), "");
	close(manager);
}
END_TEST

static const char *
status_message(const char *refused)
{
	static char text[1024];

	snprintf(text, sizeof(text),
	    "STATUS=serving echo *:7; 0 busy, 4 idle%s", refused);
	return text;
}

START_TEST(what_was_refused_is_in_the_status_until_the_next_reload)
{
	struct pool pool = pool_of("echo", "*:7", 4);

	manage(dir_path("refused"));
	serve(&pool, NOW);
	told();
	notify_refused(&notify, "upgrade", "no");
	serve(&pool, NOW);
	ck_assert_str_eq(told(), status_message("; upgrade refused: no"));
	serve(&pool, NOW);
	ck_assert_str_eq(told(), "");
	notify_refused(&notify, "reload", "a:1: what");
	serve(&pool, NOW);
	ck_assert_str_eq(told(), status_message("; reload refused: a:1: what"));
	notify_reloading(&notify, NOW);
	told();
	serve(&pool, NOW);
	ck_assert_str_eq(told(), ready_message("serving echo *:7"));
	close(manager);
}
END_TEST

/* Room for all of the longest, and it ends there. */
START_TEST(what_was_refused_is_cut_where_it_is_too_long)
{
	struct pool pools[100];
	char why[2000];
	const char *status;

	for (int i = 0; i < 100; i++)
		pools[i] = pool_of("echo", "127.0.0.1:17007", 10);
	memset(why, 'x', sizeof(why) - 1);
	why[sizeof(why) - 1] = '\0';
	manage(dir_path("long"));
	notify_serving(&notify, list_of(pools, 100), NOW);
	told();
	notify_refused(&notify, "reload", why);
	notify_serving(&notify, list_of(pools, 100), NOW);
	status = strstr(told(), ", ...; 0 busy, 1000 idle; reload refused: x");
	ck_assert_ptr_nonnull(status);
	ck_assert_uint_eq(
	    strlen(strstr(status, "; reload")), NOTIFY_REFUSED_SIZE - 1);
	close(manager);
}
END_TEST

START_TEST(a_stop_asks_for_its_time)
{
	manage(dir_path("stop"));
	notify_stopping(&notify, 10000);
	ck_assert_str_eq(told(),
	    "STOPPING=1\nSTATUS=stopping\nEXTEND_TIMEOUT_USEC=15000000");
	ck_assert_str_eq(told(), "");
	close(manager);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("notify");
	TCase *tcase = unit_case(suite, "notify");

	tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
	tcase_add_test(tcase, the_status_names_what_is_served);
	tcase_add_test(tcase, the_status_names_only_what_is_degraded);
	tcase_add_test(tcase, the_status_does_not_name_what_was_removed);
	tcase_add_test(
	    tcase, a_status_that_is_too_long_ends_after_a_whole_pool);
	tcase_add_test(tcase, without_a_socket_nothing_is_sent);
	tcase_add_test(tcase, ready_is_said_once_and_then_what_changes);
	tcase_add_test(tcase, counts_alone_are_said_once_a_second);
	tcase_add_test(tcase, counts_alone_are_not_tried_again);
	tcase_add_test(tcase, the_watchdog_is_told_at_half_of_its_time);
	tcase_add_test(tcase, nobody_is_woken_for_a_watchdog_that_is_not_there);
	tcase_add_test(tcase, an_abstract_socket_is_told_as_well);
	tcase_add_test(tcase, a_name_may_fill_the_whole_address);
	tcase_add_loop_test(tcase, a_bad_name_is_said_once_and_harmless, 0,
	    sizeof(bad_names) / sizeof(bad_names[0]));
	tcase_add_test(tcase, a_manager_that_is_gone_is_said_once_and_harmless);
	tcase_add_test(tcase, a_full_queue_is_tried_again_later);
	tcase_add_test(tcase, a_stop_is_told_when_the_queue_has_room);
	tcase_add_loop_test(tcase, what_passes_is_said_again, 0,
	    sizeof(failures) / sizeof(failures[0]));
	tcase_add_test(tcase, no_descriptor_is_kept);
	tcase_add_test(tcase, a_reload_is_told_with_its_time);
	tcase_add_test(
	    tcase, a_reload_is_told_before_its_end_when_the_queue_has_room);
	tcase_add_test(
	    tcase, what_was_refused_is_in_the_status_until_the_next_reload);
	tcase_add_test(tcase, what_was_refused_is_cut_where_it_is_too_long);
	tcase_add_test(tcase, a_stop_asks_for_its_time);
	return unit_run(suite);
}
