#include "master/spawn.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/worker.h"

struct sandbox *
spawn_prepare(void)
{
	return sandbox_prepare();
}

void
spawn_release(struct sandbox *sandbox)
{
	sandbox_free(sandbox);
}

char *
spawn_describe_sandbox(const struct sandbox *sandbox, char *text, size_t size)
{
	return sandbox_describe(sandbox, text, size);
}

bool
spawn_sandbox_is_whole(const struct sandbox *sandbox)
{
	return sandbox_is_whole(sandbox);
}

/* Half of stop-timeout is left for those that wait in the queue. */
static int64_t
stop_linger(const struct conf *conf, const struct conf_service *settings)
{
	int64_t half = conf->stop_timeout / 2;

	return settings->linger_timeout < half ? settings->linger_timeout :
						 half;
}

/* All that it needs, in one place: the pool stays in the master's memory. */
static void
describe_worker(const struct master *master, struct pool *pool,
    const struct child *child, struct worker *worker)
{
	const struct reload *reload = &master->reload;
	const struct pool_plan *plan =
	    child->fresh && pool->next.settings != NULL ? &pool->next :
							  &pool->plan;
	const struct conf *conf = child->fresh ? reload->conf : master->conf;

	memset(worker, 0, sizeof(*worker));
	worker->service = plan->service;
	worker->settings = plan->settings;
	worker->privilege =
	    child->fresh ? &reload->privilege : &master->privilege;
	worker->sandbox = master->sandbox;
	strlcpy(
	    worker->address, pool->listener.address, sizeof(worker->address));
	worker->listen_fd = fdref_fd(pool->listener.ref);
	worker->wake_fd = master->wake_fd;
	worker->master = getpid();
	worker->log_connections = conf->log_connections != 0;
	worker->stop_linger_ms = stop_linger(conf, plan->settings);
	worker->log_level = &master->board.header->log_level;
	worker->most_connections = pool_connections(
	    (uint64_t)plan->settings->max_connections_per_worker,
	    pool->forks++);
	worker->slot = child->slot;
	worker->row = &master->board.rows[pool->row];
	worker->idle = scoreboard_idle(&master->board, pool->row);
	worker->slot_count = master->board.slot_bound;
	worker->slot_index = scoreboard_index(&master->board, child->slot);
	worker->board = &master->board;
	worker->rates = &master->rates;
	worker->said = &master->said;
	worker->salt =
	    source_table_salt(&master->rates, plan->service->known.name);
	worker->service_number = (uint16_t)(plan->service - service_table + 1);
}

/* The policy that has it: that of a reload until the reload is done. */
static struct pool_state *
state_of(const struct child *child)
{
	return child->fresh ? &child->pool->fresh : &child->pool->state;
}

/*
 * All that can fail is done before the fork. Signals are blocked here, so the
 * child cannot run a handler of the master's, and its own TERM waits until
 * the worker has one. _Fork(3) because there is one thread, and nothing for
 * handlers of pthread_atfork(3) to do but to write to three pages.
 */
static int
fork_worker(struct master *master, struct pool *pool, bool fresh)
{
	struct slot *slot = scoreboard_take(&master->board, pool->row);
	struct worker worker;
	struct child *child;
	int saved;
	pid_t pid;

	if (slot == NULL) {
		errno = ENOSPC; /* there are as many slots as workers */
		return -1;
	}
	child =
	    &master->children.places[scoreboard_index(&master->board, slot)];
	memset(child, 0, sizeof(*child));
	child->pool = pool;
	child->slot = slot;
	child->fresh = fresh;
	child->started_ms = clock_ms(); /* forks of this turn take time */
	describe_worker(master, pool, child, &worker);
	pid = _Fork();
	if (pid == 0)
		worker_run(&worker); /* child is not there any more */
	if (pid < 0) {
		saved = errno;
		scoreboard_release(&master->board, pool->row, slot, NULL, NULL);
		errno = saved;
		return -1;
	}
	child->pid = pid;
	fdref_hold(pool->listener.ref, &child->holder, FDREF_WORKER, pid);
	child_add(&master->children, child);
	pool_forked(state_of(child));
	log_debug("worker %d (%s %s) was started", (int)child->pid,
	    pool->plan.service->known.name, pool->listener.address);
	return 0;
}

int
spawn_one(struct master *master, struct pool *pool)
{
	return fork_worker(master, pool, false);
}

int
spawn_fresh(struct master *master, struct pool *pool)
{
	return fork_worker(master, pool, true);
}

static void
log_degraded(struct pool *pool)
{
	pool->degraded_said = true;
	log_warnx("%s %s: degraded: %u of %u workers; the next start in "
		  "%" PRId64 " ms",
	    pool->plan.service->known.name, pool->listener.address,
	    pool->state.alive, pool->state.wanted,
	    backoff_delay(pool->state.backoff.failures));
}

/* The policy has forgotten those that it told to leave. */
static void
note_ready(struct master *master, struct child *child)
{
	child_set_ready(&master->children, child);
	if (!child->leaving)
		pool_ready(state_of(child));
}

static void
want_ready(struct master *master, const struct pool_list *pools)
{
	const struct pool *pool;

	TAILQ_FOREACH(pool, pools, entry)
		atomic_store(&master->board.rows[pool->row].want_ready, 1);
}

void
spawn_note_ready(struct master *master)
{
	struct child *child, *next;

	/* Before the look: one that comes after it wakes us. */
	want_ready(master, &master->pools);
	want_ready(master, &master->reload.added);
	for (child = TAILQ_FIRST(&master->children.starting); child != NULL;
	     child = next) {
		next = TAILQ_NEXT(child, among_starting);
		if (child->slot->state == SLOT_STARTING)
			continue;
		note_ready(master, child);
	}
}

/*
 * "was killed by signal 9 (Killed)", "exited with status 1". A worker can
 * write anything into its slot; a call that it was killed for is no more than
 * its word.
 */
static char *
describe_status(int status, uint32_t failed_call, char *text, size_t size)
{
	char call[SANDBOX_CALL_SIZE];

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS &&
	    failed_call != 0)
		snprintf(text, size,
		    "was killed by signal %d (%s), for a forbidden system "
		    "call: %s",
		    WTERMSIG(status), strsignal(WTERMSIG(status)),
		    sandbox_name_call(failed_call, call, sizeof(call)));
	else if (WIFSIGNALED(status))
		snprintf(text, size, "was killed by signal %d (%s)%s",
		    WTERMSIG(status), strsignal(WTERMSIG(status)),
		    WCOREDUMP(status) ? ", core dumped" : "");
	else
		snprintf(
		    text, size, "exited with status %d", WEXITSTATUS(status));
	return text;
}

/* TERM and KILL are how a stop ends a worker; a crash is a crash. */
static bool
left_as_told(const struct master *master, int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM &&
	    WTERMSIG(status) != SIGKILL)
		return false;
	if (master->stop.begun)
		return true;
	return WIFEXITED(status) &&
	    (WEXITSTATUS(status) == WORKER_DONE ||
		WEXITSTATUS(status) == WORKER_LOG_DIED);
}

/* What a slot says may be anything: a worker can write to all of them. */
static int64_t
not_negative(uint64_t difference)
{
	return difference > INT64_MAX ? LEDGER_UNKNOWN : (int64_t)difference;
}

static int64_t
time_since(int64_t moment, int64_t earliest)
{
	int64_t now = clock_ms();

	return moment < earliest || moment > now ? LEDGER_UNKNOWN :
						   now - moment;
}

/* The connection that died with its worker ends as failed. */
static void
log_lost_connection(const struct child *child, const struct slot *last)
{
	char peer[ADDR_STRLEN], line[LEDGER_LINE_SIZE];

	log_warnx("%s",
	    ledger_format(
		&(struct ledger_entry){
		    .service = child->pool->plan.service->known.name,
		    .peer = slot_peer(last, peer),
		    .local = child->pool->listener.address,
		    .ending = ENDING_FAILED,
		    .in = not_negative(last->traffic.in - last->in_before),
		    .out = not_negative(last->traffic.out - last->out_before),
		    .unacked = LEDGER_UNKNOWN,
		    .milliseconds =
			time_since(last->accepted_ms, child->started_ms),
		    .wait_ms = LEDGER_UNKNOWN,
		    .rtt_us = LEDGER_UNKNOWN,
		    .retrans = LEDGER_UNKNOWN,
		    .pid = child->pid },
		line, sizeof(line)));
}

static void
log_end(const struct child *child, bool asked, int status)
{
	char how[192];

	describe_status(status, child->slot->failed_syscall, how, sizeof(how));
	if (asked)
		log_debug("worker %d (%s %s) %s", (int)child->pid,
		    child->pool->plan.service->known.name,
		    child->pool->listener.address, how);
	else
		log_warnx("worker %d (%s %s) %s", (int)child->pid,
		    child->pool->plan.service->known.name,
		    child->pool->listener.address, how);
}

/*
 * A worker may have come into accept and died before its wake-up was read;
 * the slot is the truth.
 */
static struct pool_life
life_of(struct master *master, struct child *child, bool asked, int64_t now)
{
	if (!child->ready && child->slot->state != SLOT_STARTING)
		note_ready(master, child);
	return (struct pool_life){ .asked = asked,
		.leaving = child->leaving,
		.was_ready = child->ready,
		.connections = child->slot->connections,
		.lived_ms = now - child->started_ms };
}

void
spawn_note_reaped(struct master *master, pid_t pid, int status, int64_t now)
{
	struct child *child = child_find(&master->children, pid);
	bool asked = left_as_told(master, status), open, degraded;
	struct pool_life life;
	struct slot last;
	struct pool *pool;

	if (child == NULL) {
		if (upgrade_note_reaped(master, pid, status))
			return;
		/* As PID 1 of a container we inherit other people's orphans. */
		log_debug("reaped process %d, which is no worker", (int)pid);
		return;
	}
	pool = child->pool;
	log_end(child, asked, status);
	life = life_of(master, child, asked, now);
	scoreboard_release(
	    &master->board, pool->row, child->slot, &open, &last);
	if (open)
		log_lost_connection(child, &last);
	if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_LOG_DIED)
		log_reopen();
	fdref_drop(pool->listener.ref, &child->holder);
	child_remove(&master->children, child);
	child->pid = 0;
	degraded = pool_reaped(state_of(child), &life, now);
	if (child->fresh) {
		/* One that was in accept and left as it shall has shown it. */
		if (pool_died_early(&life) || pool->fresh.arrived == 0)
			reload_fail(
			    master, "a worker with the new settings ended");
		return;
	}
	if (degraded)
		log_degraded(pool);
	if (pool_died_early(&life) && !master->is_up)
		master->start_failed = true;
}
