#include "worker/hygiene.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/log.h"

volatile sig_atomic_t worker_stopping;
volatile sig_atomic_t worker_retiring;
volatile sig_atomic_t worker_evicted;
static volatile sig_atomic_t listen_fd_to_close;

static void
on_term(int signal_number)
{
	(void)signal_number;
	worker_stopping = 1;
}

/*
 * A flag alone would be slept over by an accept that begins right after the
 * look at it. Closing our copy of the listening socket makes that accept fail
 * with EBADF, and the signal itself makes one that has begun fail with EINTR.
 * close(2) is async-signal-safe, see signal-safety(7).
 */
static void
on_quit(int signal_number)
{
	int fd = listen_fd_to_close;

	(void)signal_number;
	worker_retiring = 1;
	listen_fd_to_close = -1;
	if (fd >= 0)
		close(fd);
}

/*
 * The listening socket has been set to O_NONBLOCK: the signal ends an accept
 * that had begun before, and the next one finds the queue empty.
 */
static void
on_alarm(int signal_number)
{
	(void)signal_number;
}

/* From the kernel, or by kill(2), it comes without a number. */
static void
on_urg(int signal_number, siginfo_t *info, void *context)
{
	(void)signal_number;
	(void)context;
	if (info->si_code == SI_QUEUE)
		worker_evicted = info->si_value.sival_int;
}

/* No SA_RESTART: a blocking call shall come back and look. */
static void
set_action(int signal_number, struct sigaction *action)
{
	sigemptyset(&action->sa_mask);
	if (sigaction(signal_number, action, NULL) < 0)
		fatal("sigaction for signal %d", signal_number);
}

static void
set_handler(int signal_number, void (*handler)(int))
{
	set_action(signal_number, &(struct sigaction){ .sa_handler = handler });
}

/*
 * A terminal's ^C and a supervisor's signal to the group reach workers too;
 * what they mean is the master's to decide.
 */
static void
reset_signals(void)
{
	static const int ignored[] = { SIGINT, SIGHUP, SIGUSR1, SIGUSR2,
		SIGPIPE, SIGXFSZ };

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		set_handler(ignored[i], SIG_IGN);
	set_handler(SIGCHLD, SIG_DFL);
	set_handler(SIGCONT, SIG_DFL);
	set_handler(SIGTERM, on_term);
	set_handler(SIGQUIT, on_quit);
	set_handler(SIGALRM, on_alarm);
	set_action(SIGURG,
	    &(struct sigaction){
		.sa_sigaction = on_urg, .sa_flags = SA_SIGINFO });
}

static int
compare_ints(const void *a, const void *b)
{
	int left = *(const int *)a, right = *(const int *)b;

	return (left > right) - (left < right);
}

/*
 * Closes everything above 2 but the listener, the wake-up descriptor and the
 * log: the ranges between them, whatever their order.
 */
static void
close_foreign(const struct worker *worker)
{
	int keep[] = { STDERR_FILENO, worker->listen_fd, worker->wake_fd,
		log_descriptor() };
	const size_t n = sizeof(keep) / sizeof(keep[0]);

	qsort(keep, n, sizeof(keep[0]), compare_ints);
	for (size_t i = 0; i < n; i++) {
		unsigned first = (unsigned)(keep[i] + 1);
		unsigned last = i + 1 < n ? (unsigned)(keep[i + 1] - 1) : ~0U;

		if (keep[i] < STDERR_FILENO || first > last)
			continue; /* no log descriptor; no gap */
		if (close_range(first, last, 0) < 0)
			fatal("close_range %u to %u", first, last);
	}
}

/*
 * The kernel kills us when the master dies. If it died before the request,
 * nobody will: then our parent is another already. See
 * PR_SET_PDEATHSIG(2const); a change of credentials would clear it.
 */
static void
die_with_master(const struct worker *worker)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		fatal("prctl PR_SET_PDEATHSIG");
	if (getppid() != worker->master)
		_exit(WORKER_FAILED);
}

/*
 * SCHED_BATCH: a worker that is woken does not preempt the one that writes,
 * see sched(7). The master has warned where that is not allowed.
 */
static void
be_scheduled(const struct worker *worker)
{
	static const struct sched_param none = { 0 };

	if (worker->settings->batch)
		(void)sched_setscheduler(0, SCHED_BATCH, &none);
}

void
hygiene(const struct worker *worker)
{
	sigset_t none;

	be_scheduled(worker);
	log_enter_worker();
	log_follow_level(worker->log_level);
	listen_fd_to_close = worker->listen_fd;
	reset_signals();
	privilege_drop(worker->privilege);
	die_with_master(worker); /* the drop would have cleared it */
	sandbox_begin(worker->sandbox);
	close_foreign(worker);
	log_release_stderr();
	setproctitle(
	    "worker %s %s", worker->service->known.name, worker->address);
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		fatal("sigprocmask");
}
