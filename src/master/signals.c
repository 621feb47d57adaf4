#include "master/signals.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "common/log.h"

#define REAPED_MAX 256

static volatile sig_atomic_t got_stop, got_hup, got_usr1, got_usr2;

static struct {
	pid_t pid;
	int status;
} reaped[REAPED_MAX];
static volatile sig_atomic_t reaped_count;
/* At first too: one may have died while another program was executed. */
static volatile sig_atomic_t more_to_reap = 1;

/*
 * Signals coalesce: one SIGCHLD may stand for many children, so this goes on
 * until the kernel has no more.
 */
static void
reap(void)
{
	pid_t pid;
	int status;

	more_to_reap = 0;
	while (reaped_count < REAPED_MAX) {
		pid = waitpid(-1, &status, WNOHANG);
		if (pid <= 0)
			return;
		reaped[reaped_count].pid = pid;
		reaped[reaped_count].status = status;
		reaped_count++;
	}
	more_to_reap = 1;
}

static void
on_signal(int signal_number)
{
	int saved = errno;

	switch (signal_number) {
	case SIGCHLD:
		reap();
		break;
	case SIGHUP:
		got_hup = 1;
		break;
	case SIGUSR1:
		got_usr1 = 1;
		break;
	case SIGUSR2:
		got_usr2 = 1;
		break;
	case SIGCONT:
		/*
		 * Without a handler, ppoll would go on with what was left of
		 * its time when we were stopped: what is due would be late.
		 */
		break;
	default: /* TERM, INT, QUIT */
		got_stop = 1;
		break;
	}
	errno = saved;
}

static const int handled[] = { SIGCHLD, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT,
	SIGTERM, SIGINT, SIGQUIT };

static void
set_handlers(void (*handler)(int))
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		if (sigaction(handled[i], &action, NULL) < 0)
			fatal("sigaction for signal %d", handled[i]);
}

void
signals_init(void)
{
	sigset_t all;

	sigfillset(&all);
	/* A watchdog ends a master that hangs by it, and wants a core. */
	sigdelset(&all, SIGABRT);
	if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
		fatal("sigprocmask");
	set_handlers(on_signal);
}

void
signals_restore(void)
{
	set_handlers(SIG_DFL);
	if (sigprocmask(SIG_SETMASK, signals_wait_mask(), NULL) < 0)
		fatal("sigprocmask");
}

const sigset_t *
signals_wait_mask(void)
{
	static sigset_t none;

	sigemptyset(&none);
	return &none;
}

/* The flag is cleared before anybody acts on it, and no handler runs here. */
static bool
take(volatile sig_atomic_t *flag)
{
	bool was = *flag != 0;

	*flag = 0;
	return was;
}

bool
signals_take_stop(void)
{
	return take(&got_stop);
}

bool
signals_take_hup(void)
{
	return take(&got_hup);
}

bool
signals_take_usr1(void)
{
	return take(&got_usr1);
}

bool
signals_take_usr2(void)
{
	return take(&got_usr2);
}

bool
signals_next_reaped(pid_t *pid, int *status)
{
	/* Not otherwise: to find nobody, the kernel looks at every child. */
	if (reaped_count == 0 && more_to_reap)
		reap();
	if (reaped_count == 0)
		return false;
	reaped_count--;
	*pid = reaped[reaped_count].pid;
	*status = reaped[reaped_count].status;
	return true;
}
