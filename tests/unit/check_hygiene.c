/*
 * worker/hygiene, in a child, as a worker has it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/unit.h"
#include "worker/hygiene.h"

static const struct service service = { .known = { .name = "echo" } };
static struct conf_service settings;

/* The exit status of a worker that runs what after its hygiene. */
static int
exit_of(void (*what)(const struct worker *), pid_t master)
{
	struct privilege privilege = { .changes = false };
	struct sandbox *sandbox = sandbox_prepare();
	struct worker worker = { .service = &service,
		.settings = &settings,
		.privilege = &privilege,
		.sandbox = sandbox,
		.address = "127.0.0.1:7",
		.listen_fd = socket(AF_INET, SOCK_STREAM, 0),
		.wake_fd = eventfd(0, 0),
		.master = master };
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		hygiene(&worker);
		what(&worker);
		_exit(9);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	close(worker.listen_fd);
	close(worker.wake_fd);
	sandbox_free(sandbox);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0 || errno != EBADF;
}

static void
retire(const struct worker *worker)
{
	raise(SIGQUIT);
	_exit(worker_retiring && !is_open(worker->listen_fd) ? 0 : 1);
}

static void
retire_twice(const struct worker *worker)
{
	int other;

	raise(SIGQUIT);
	other = dup2(worker->wake_fd, worker->listen_fd);
	raise(SIGQUIT);
	_exit(other >= 0 && is_open(other) ? 0 : 1);
}

static void
stop(const struct worker *worker)
{
	raise(SIGTERM);
	_exit(worker_stopping && is_open(worker->listen_fd) ? 0 : 1);
}

static void
ignore(const struct worker *worker)
{
	(void)worker;
	raise(SIGINT);
	raise(SIGHUP);
	raise(SIGUSR1);
	raise(SIGUSR2);
	raise(SIGPIPE);
	raise(SIGXFSZ);
	_exit(worker_stopping || worker_retiring ? 1 : 0);
}

/* A handler of the master's would interrupt an accept, and a recv. */
static void
go_on(const struct worker *worker)
{
	struct sigaction action;

	(void)worker;
	_exit(sigaction(SIGCONT, NULL, &action) == 0 &&
		    action.sa_handler == SIG_DFL ?
		0 :
		1);
}

static void
on_cont(int signal_number)
{
	(void)signal_number;
}

/* What kill(2) sends, a master's number, and kill(2) once more. */
static void
be_evicted(const struct worker *worker)
{
	const union sigval number = { .sival_int = 4711 };
	bool before;

	(void)worker;
	raise(SIGURG);
	before = worker_evicted == 0;
	/* The filter is not in force yet. */
	sigqueue(getpid(), SIGURG, number);
	raise(SIGURG);
	_exit(before && worker_evicted == 4711 && !worker_stopping ? 0 : 1);
}

static void
tell_policy(const struct worker *worker)
{
	(void)worker;
	_exit(sched_getscheduler(0));
}

static void
nothing(const struct worker *worker)
{
	(void)worker;
	_exit(0);
}

START_TEST(quit_closes_the_listener)
{
	ck_assert_int_eq(exit_of(retire, getpid()), 0);
}
END_TEST

START_TEST(a_second_quit_closes_nothing_else)
{
	ck_assert_int_eq(exit_of(retire_twice, getpid()), 0);
}
END_TEST

START_TEST(term_keeps_the_listener)
{
	ck_assert_int_eq(exit_of(stop, getpid()), 0);
}
END_TEST

START_TEST(signals_for_the_master_are_ignored)
{
	ck_assert_int_eq(exit_of(ignore, getpid()), 0);
}
END_TEST

START_TEST(to_go_on_is_no_signal_for_a_worker)
{
	signal(SIGCONT, on_cont);
	ck_assert_int_eq(exit_of(go_on, getpid()), 0);
}
END_TEST

START_TEST(urg_with_a_number_is_an_order)
{
	ck_assert_int_eq(exit_of(be_evicted, getpid()), 0);
}
END_TEST

START_TEST(a_master_that_died_before_is_noticed)
{
	ck_assert_int_eq(exit_of(nothing, getpid() + 1), WORKER_FAILED);
}
END_TEST

START_TEST(a_worker_is_scheduled_as_it_is_set)
{
	ck_assert_int_eq(exit_of(tell_policy, getpid()), SCHED_OTHER);
	settings.batch = 1;
	ck_assert_int_eq(exit_of(tell_policy, getpid()), SCHED_BATCH);
	ck_assert_int_eq(sched_getscheduler(0), SCHED_OTHER);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hygiene");
	TCase *tcase = unit_case(suite, "signals");

	tcase_add_test(tcase, quit_closes_the_listener);
	tcase_add_test(tcase, a_second_quit_closes_nothing_else);
	tcase_add_test(tcase, term_keeps_the_listener);
	tcase_add_test(tcase, signals_for_the_master_are_ignored);
	tcase_add_test(tcase, to_go_on_is_no_signal_for_a_worker);
	tcase_add_test(tcase, urg_with_a_number_is_an_order);
	tcase_add_test(tcase, a_master_that_died_before_is_noticed);
	tcase = unit_case(suite, "scheduling");
	tcase_add_test(tcase, a_worker_is_scheduled_as_it_is_set);
	return unit_run(suite);
}
