#include "master/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/capability.h"
#include "common/clock.h"
#include "common/log.h"
#include "master/master.h"
#include "master/signals.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)
#define SAID_MAX 65536 /* what a pipe has room for, see pipe(7) */
#define EXIT_NOT_EXECUTED 126

void
upgrade_request(struct master *master)
{
	if (master->stop.begun)
		log_warnx("upgrade refused: the daemon stops");
	else
		master->upgrade.wanted = true;
}

bool
upgrade_is_active(const struct master *master)
{
	return master->upgrade.trial != 0 || master->upgrade.wanted;
}

/* The state in a memfd that nobody can change any more, or -1. */
static int
make_state(const struct master *master)
{
	int fd =
	    memfd_create("preforkd-state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	FILE *file;
	int copy;

	if (fd < 0)
		return -1;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	file = copy < 0 ? NULL : fdopen(copy, "w");
	if (file == NULL) {
		if (copy >= 0)
			close(copy);
		close(fd);
		return -1;
	}
	state_write(master, file);
	/* What could not be written shows here. */
	if (fclose(file) != 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0 ||
	    lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

struct inheritance {
	bool yes;
	bool failed;
};

static void
inherit(int fd, void *context)
{
	struct inheritance *inheritance = context;

	if (fcntl(fd, F_SETFD, inheritance->yes ? 0 : FD_CLOEXEC) < 0)
		inheritance->failed = true;
}

static void
inherit_waiting(const struct master *master, enum control_what what,
    struct inheritance *inheritance)
{
	int fds[CONTROL_CLIENTS];
	unsigned waiting = control_waiting(master->control, what, fds);

	while (waiting > 0)
		inherit(fds[--waiting], inheritance);
}

/* Whether what is executed next gets all that it has to have. */
static int
hand_on(const struct master *master, int state_fd, bool yes)
{
	struct inheritance inheritance = { .yes = yes };
	const struct pool *pool;

	inherit(state_fd, &inheritance);
	inherit(master->board.fd, &inheritance);
	inherit(master->wake_fd, &inheritance);
	if (master->pidfile_fd >= 0)
		inherit(master->pidfile_fd, &inheritance);
	if (master->control_socket.fd >= 0)
		inherit(master->control_socket.fd, &inheritance);
	inherit_waiting(master, CONTROL_UPGRADE, &inheritance);
	inherit_waiting(master, CONTROL_RELOAD_NEXT, &inheritance);
	TAILQ_FOREACH(pool, &master->pools, entry)
		inherit(fdref_fd(pool->listener.ref), &inheritance);
	if (capability_hand_on(yes) < 0 || inheritance.failed)
		return -1;
	return 0;
}

/* The environment of the start, and the descriptor. Not freed: see execve. */
static char **
environment(const struct upgrade_program *program, int state_fd, bool trial)
{
	size_t count = 0;
	char **env, *state;

	while (program->environment[count] != NULL)
		count++;
	env = calloc(count + 3, sizeof(*env));
	if (env == NULL ||
	    asprintf(&state, UPGRADE_STATE "=%d", state_fd) < 0) {
		free(env);
		return NULL;
	}
	memcpy(env, program->environment, count * sizeof(*env));
	env[count] = state;
	if (trial)
		env[count + 1] = (char *)UPGRADE_TRIAL "=1";
	return env;
}

static void
free_environment(char **env)
{
	size_t count = 0;

	if (env == NULL)
		return;
	while (env[count] != NULL &&
	    strncmp(env[count], UPGRADE_STATE "=", sizeof(UPGRADE_STATE)) != 0)
		count++;
	free(env[count]);
	free(env);
}

/*
 * With all that it has started, which would hold our sockets; or it alone,
 * where it has not come as far as to make its group.
 */
static void
kill_trial(const struct upgrade *upgrade)
{
	if (kill(-upgrade->trial, SIGKILL) < 0 &&
	    kill(upgrade->trial, SIGKILL) < 0)
		log_warn("KILL to %d", (int)upgrade->trial);
}

/*
 * It has ended, but what it has started may hold our sockets still, and those
 * of clients. A group keeps its number for as long as anybody is in it.
 */
static void
kill_rest(const struct upgrade *upgrade)
{
	if (kill(-upgrade->trial, SIGKILL) < 0 && errno != ESRCH)
		log_warn("KILL to what %d has started", (int)upgrade->trial);
}

/* The child: becomes the new binary, or says why not. */
static void __attribute__((noreturn))
execute_trial(const struct upgrade_program *program, char **env, int said)
{
	signals_restore(); /* what is blocked stays so in what it executes */
	if (setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    dup2(said, STDOUT_FILENO) < 0 || dup2(said, STDERR_FILENO) < 0)
		_exit(EXIT_NOT_EXECUTED);
	execve(program->path, program->arguments, env);
	dprintf(STDERR_FILENO, "%s: %s\n", program->path, strerror(errno));
	_exit(EXIT_NOT_EXECUTED);
}

/* The trial is over, whatever came of it. */
static void
forget(struct upgrade *upgrade)
{
	struct outcome outcome = upgrade->outcome;
	bool wanted = upgrade->wanted;

	if (upgrade->said >= 0)
		close(upgrade->said);
	memset(upgrade, 0, sizeof(*upgrade));
	upgrade->outcome = outcome;
	upgrade->wanted = wanted; /* since this one began */
	upgrade->said = -1;
}

static void
refuse(struct master *master, const char *why)
{
	struct upgrade *upgrade = &master->upgrade;
	char text[NOTIFY_REFUSED_SIZE];

	notify_refused(&master->notify, "upgrade",
	    outcome_why(&upgrade->outcome, why, text, sizeof(text)));
	forget(upgrade);
	log_errorx("upgrade refused: %s; this binary serves on", why);
	outcome_end(
	    &upgrade->outcome, master->control, CONTROL_UPGRADE, false, NULL);
}

static int
fork_trial(struct master *master, int state_fd, char **env)
{
	struct upgrade *upgrade = &master->upgrade;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	/* Here, for the pools are not in the child's memory. */
	upgrade->trial = hand_on(master, state_fd, true) < 0 ? -1 : fork();
	if (upgrade->trial == 0)
		execute_trial(&master->source->program, env, ends[1]);
	if (hand_on(master, state_fd, false) < 0)
		log_warn("upgrade: descriptors stay inheritable");
	close(ends[1]);
	upgrade->said = ends[0];
	if (upgrade->trial > 0)
		return 0;
	upgrade->trial = 0;
	return -1;
}

/* What is there under its name: zeroes for nothing. */
static void
look_at_program(const struct upgrade_program *program, struct stat *st)
{
	if (stat(program->path, st) < 0)
		memset(st, 0, sizeof(*st));
}

/* What has been tried is executed, and not what came in its place since. */
static bool
has_changed(const struct master *master)
{
	const struct stat *tried = &master->upgrade.tried;
	struct stat st;

	look_at_program(&master->source->program, &st);
	return st.st_dev != tried->st_dev || st.st_ino != tried->st_ino ||
	    st.st_size != tried->st_size ||
	    st.st_ctim.tv_sec != tried->st_ctim.tv_sec ||
	    st.st_ctim.tv_nsec != tried->st_ctim.tv_nsec;
}

static int64_t
begin(struct master *master, int64_t now)
{
	struct upgrade *upgrade = &master->upgrade;
	int fd = make_state(master);
	char **env = NULL;

	upgrade->wanted = false;
	upgrade->said = -1;
	outcome_begin(&upgrade->outcome, master->control, CONTROL_UPGRADE_NEXT,
	    CONTROL_UPGRADE);
	log_notice("upgrade: trying %s", master->source->program.path);
	look_at_program(&master->source->program, &upgrade->tried);
	if (fd >= 0)
		env = environment(&master->source->program, fd, true);
	if (env == NULL || fork_trial(master, fd, env) < 0) {
		log_warn("upgrade");
		refuse(master, "there is no process or memory for the trial");
	}
	upgrade->deadline = now + UPGRADE_LIMIT_MS;
	free_environment(env);
	if (fd >= 0)
		close(fd);
	return upgrade->trial == 0 ? CLOCK_NEVER : upgrade->deadline;
}

bool
upgrade_note_reaped(struct master *master, pid_t pid, int status)
{
	struct upgrade *upgrade = &master->upgrade;

	if (pid == upgrade->dying) {
		upgrade->dying = 0;
		return true;
	}
	if (upgrade->trial == 0 || pid != upgrade->trial)
		return false;
	upgrade->ended = true;
	upgrade->status = status;
	return true;
}

/* Logs what the trial said; true when its last word was yes. */
static bool
read_said(struct upgrade *upgrade)
{
	static char text[SAID_MAX + 1];
	size_t used = 0, yes = strlen(UPGRADE_YES);
	char *rest = text, *line;
	ssize_t n;

	while (used < sizeof(text) - 1 &&
	    (n = read(upgrade->said, text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	if (used >= yes && strcmp(text + used - yes, UPGRADE_YES) == 0)
		return true;
	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			log_errorx("upgrade: %s", line);
	return false;
}

/* Returns only when it failed. */
static void
take_over(struct master *master)
{
	const struct upgrade_program *program = &master->source->program;
	int fd = make_state(master);
	char **env = fd < 0 ? NULL : environment(program, fd, false);

	if (env != NULL && hand_on(master, fd, true) == 0) {
		execve(program->path, program->arguments, env);
		log_warn("upgrade: %s", program->path);
		if (hand_on(master, fd, false) < 0)
			log_warn("upgrade: descriptors stay inheritable");
	}
	free_environment(env);
	if (fd >= 0)
		close(fd);
	refuse(master, "it cannot be executed");
}

static void
end_trial(struct master *master)
{
	struct upgrade *upgrade = &master->upgrade;
	bool yes = read_said(upgrade);

	kill_rest(upgrade);
	upgrade->trial = 0;
	if (upgrade->killed) {
		refuse(master, "the trial of the new binary did not end");
	} else if (!WIFEXITED(upgrade->status) ||
	    WEXITSTATUS(upgrade->status) != 0) {
		refuse(master, "the trial of the new binary failed");
	} else if (!yes) {
		refuse(master, "what is there now is not preforkd");
	} else if (upgrade->wanted || has_changed(master)) {
		forget(upgrade);
		upgrade->wanted = true; /* and that is tried first */
	} else {
		take_over(master);
	}
}

int64_t
upgrade_turn(struct master *master, int64_t now)
{
	struct upgrade *upgrade = &master->upgrade;

	if (upgrade->trial == 0) {
		/* A reload that is in progress has its workers half there. */
		if (!upgrade->wanted || master->reload.active)
			return CLOCK_NEVER;
		return begin(master, now);
	}
	if (upgrade->ended) {
		/* Clients that have no answer yet would lose it. */
		if (!upgrade->killed && now < upgrade->deadline &&
		    control_owes(master->control))
			return upgrade->deadline;
		end_trial(master);
		return now;
	}
	if (now < upgrade->deadline)
		return upgrade->deadline;
	upgrade->killed = true;
	upgrade->deadline = CLOCK_NEVER; /* the kernel tells of its end */
	kill_trial(upgrade);
	return CLOCK_NEVER;
}

void
upgrade_abort(struct master *master)
{
	struct upgrade *upgrade = &master->upgrade;
	pid_t trial = upgrade->trial;
	bool ended = upgrade->ended;

	upgrade->wanted = false;
	if (trial == 0)
		return;
	/* A child that is not reaped yet keeps its pid. */
	if (ended)
		kill_rest(upgrade);
	else
		kill_trial(upgrade);
	refuse(master, "the daemon stops");
	upgrade->dying = ended ? 0 : trial;
}

bool
upgrade_is_dying(const struct master *master)
{
	return master->upgrade.dying != 0;
}
