#include "worker/sandbox.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/log.h"
#include "worker/filter.h"
#include "worker/landlock.h"

#ifndef SYS_SECCOMP /* si_code of a trapped call, see sigaction(2) */
#define SYS_SECCOMP 1
#endif

struct sandbox {
	struct landlock landlock;
	struct filter filter;
};

/* For the handler of SIGSYS. */
static struct slot *own_slot;

struct sandbox *
sandbox_prepare(void)
{
	struct sandbox *sandbox = calloc(1, sizeof(*sandbox));

	if (sandbox == NULL)
		return NULL;
	if (landlock_prepare(&sandbox->landlock) < 0 ||
	    filter_compile(&sandbox->filter) < 0) {
		sandbox_free(sandbox);
		return NULL;
	}
	return sandbox;
}

void
sandbox_free(struct sandbox *sandbox)
{
	if (sandbox->landlock.ruleset >= 0)
		close(sandbox->landlock.ruleset);
	filter_free(&sandbox->filter);
	free(sandbox);
}

bool
sandbox_is_whole(const struct sandbox *sandbox)
{
	return sandbox->filter.program.filter != NULL &&
	    sandbox->landlock.ruleset >= 0;
}

char *
sandbox_describe(const struct sandbox *sandbox, char *text, size_t size)
{
	char calls[64] = "no seccomp in this kernel or container",
	     landlock[128];

	if (sandbox->filter.program.filter != NULL)
		snprintf(calls, sizeof(calls), "%u system calls",
		    sandbox->filter.calls);
	snprintf(text, size,
	    "sandbox of workers: no new privileges, no capability, no "
	    "process, no core; %s; %s",
	    calls,
	    landlock_describe(&sandbox->landlock, landlock, sizeof(landlock)));
	return text;
}

void
sandbox_begin(const struct sandbox *sandbox)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		fatal("prctl PR_SET_NO_NEW_PRIVS");
	if (landlock_enter(&sandbox->landlock) < 0)
		fatal("landlock_restrict_self");
}

static void
limit(const char *name, int resource, rlim_t most)
{
	struct rlimit rlimit = { .rlim_cur = most, .rlim_max = most };

	if (setrlimit((__rlimit_resource_t)resource, &rlimit) < 0)
		fatal("setrlimit %s to %llu", name, (unsigned long long)most);
}

/* The limit is one more than the highest number that may be given out. */
static rlim_t
one_more_descriptor(void)
{
	int next = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	if (next < 0)
		fatal("no descriptor is left for a connection "
		      "(RLIMIT_NOFILE)");
	close(next);
	return (rlim_t)next + 1;
}

/*
 * The default action is in force again when this runs. What raise(3) calls is
 * forbidden as well: trapped once more, it ends the process with SIGSYS.
 */
static void
on_sigsys(int signal_number, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code == SYS_SECCOMP)
		atomic_store_explicit(&own_slot->failed_syscall,
		    (uint32_t)info->si_syscall + 1, memory_order_relaxed);
	raise(signal_number);
}

static void
handle_sigsys(struct slot *slot)
{
	struct sigaction action;

	own_slot = slot;
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_sigsys;
	action.sa_flags = (int)(SA_SIGINFO | SA_RESETHAND | SA_NODEFER);
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGSYS, &action, NULL) < 0)
		fatal("sigaction for SIGSYS");
}

void
sandbox_close(const struct sandbox *sandbox, struct slot *slot)
{
	limit("RLIMIT_NOFILE", RLIMIT_NOFILE, one_more_descriptor());
	limit("RLIMIT_NPROC", RLIMIT_NPROC, 0);
	limit("RLIMIT_CORE", RLIMIT_CORE, 0);
	handle_sigsys(slot);
	if (filter_enter(&sandbox->filter) < 0)
		fatal("seccomp filter");
}

char *
sandbox_name_call(uint32_t failed_syscall, char *text, size_t size)
{
	return filter_name_call(failed_syscall - 1, text, size);
}
