/*
 * The new binary's side of an upgrade.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "master/activation.h"
#include "master/master.h"
#include "master/plan.h"
#include "master/spawn.h"
#include "master/start.h"
#include "master/upgrade.h"

static void
keep_to_ourselves(int fd, void *context)
{
	bool *is_open = context;

	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		*is_open = false;
}

int
upgrade_take(struct state *state, bool *trial)
{
	const char *text = getenv(UPGRADE_STATE), *bad;
	char why[STATE_WHY_SIZE];
	bool is_open = true;
	FILE *file;
	int fd;

	*trial = getenv(UPGRADE_TRIAL) != NULL;
	if (text == NULL)
		return 0;
	fd = (int)strtonum(text, 3, INT32_MAX, &bad);
	file = bad == NULL ? fdopen(fd, "r") : NULL;
	unsetenv(UPGRADE_STATE);
	/* The state knows better which sockets were passed. */
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	unsetenv(UPGRADE_TRIAL);
	if (file == NULL) {
		warnx(UPGRADE_STATE "=%s: not a descriptor of a state", text);
		return -1;
	}
	if (state_read(state, file, why) < 0) {
		warnx("the state cannot be taken over: %s", why);
		fclose(file);
		return -1;
	}
	fclose(file);
	state_each_fd(state, keep_to_ourselves, &is_open);
	if (!is_open) {
		warnx("the state cannot be taken over: a descriptor of it is "
		      "not open");
		return -1;
	}
	return 1;
}

static bool
has_address(void *context, const char *address)
{
	const struct state *state = context;

	for (uint32_t i = 0; i < state->pool_count; i++)
		if (!state->pools[i].removed &&
		    strcmp(state->pools[i].address, address) == 0)
			return true;
	return false;
}

/* False after it said that another listen line has that address. */
static bool
plan(struct state *state, const struct conf_listen *listen, const char *address)
{
	struct state_pool *pool;

	for (uint32_t i = 0; i < state->pool_count; i++) {
		pool = &state->pools[i];
		if (pool->removed || strcmp(pool->address, address) != 0)
			continue;
		if (pool->planned) {
			plan_say_twice(listen, address);
			return false;
		}
		pool->planned = true;
	}
	return true;
}

/*
 * What is new stays open until we exit: no other line may have it as well.
 * Adds to workers those that its sockets may have.
 */
static int
try_listen(const struct conf_service *service, const struct conf_listen *listen,
    struct state *state, uint64_t *workers)
{
	struct listener *listeners;
	int count, result = 0;

	count = listener_open(service, listen, has_address, state, &listeners);
	if (count < 0)
		return -1;
	*workers += (uint64_t)count * plan_workers(service);
	for (int i = 0; i < count; i++)
		if (listeners[i].ref == NULL &&
		    !plan(state, listen, listeners[i].address))
			result = -1;
	free(listeners);
	return result;
}

/* A listen line may want what systemd has passed, by its name. */
static void
adopt_passed(const struct state *state)
{
	for (uint32_t i = 0; i < state->pool_count; i++) {
		const struct state_pool *pool = &state->pools[i];

		if (*pool->passed != '\0' && !pool->removed &&
		    activation_inherit(pool->passed, pool->address, pool->fd) <
			0)
			fatal("upgrade");
	}
}

static int
try_listeners(const struct conf *conf, struct state *state)
{
	const struct conf_service *service;
	const struct conf_listen *listen;
	uint64_t workers = 0;
	int result = 0;

	TAILQ_FOREACH(service, &conf->services, entry)
		TAILQ_FOREACH(listen, &service->listens, entry)
			if (try_listen(service, listen, state, &workers) < 0)
				result = -1;
	return plan_finds_room(workers, state->slots) ? result : -1;
}

/* Those of workers that are there, whatever the configuration has. */
static int
try_services(const struct state *state)
{
	const struct state_pool *pool;
	int result = 0;

	for (uint32_t i = 0; i < state->pool_count; i++) {
		pool = &state->pools[i];
		if (service_find(pool->service) != NULL)
			continue;
		log_errorx("%s %s: this binary has no service %s; reload "
			   "without it first",
		    pool->service, pool->address, pool->service);
		result = -1;
	}
	return result;
}

int
upgrade_try(struct conf *conf, struct state *state)
{
	struct sandbox *sandbox = spawn_prepare();
	struct scoreboard board;
	int result = 0;

	if (sandbox == NULL ||
	    scoreboard_attach(&board, state->board_fd, state->rows,
		state->slots, state->used) < 0) {
		log_warn("the workers cannot be taken over");
		return 1;
	}
	spawn_release(sandbox);
	/* As likely as not it is being written at this moment. */
	if (conf->by_default && !state->by_default) {
		log_errorx("%s", RELOAD_NO_SERVICE);
		result = -1;
	}
	adopt_passed(state);
	activation_claim(conf);
	if (try_services(state) < 0 || try_listeners(conf, state) < 0 ||
	    result < 0)
		return 1;
	return fputs(UPGRADE_YES, stdout) == EOF || fflush(stdout) != 0;
}

/* For a service that the configuration no longer has: its defaults. */
static const struct conf_service *
settings_for(struct conf *conf, const char *name)
{
	struct conf_service *service;

	TAILQ_FOREACH(service, &conf->services, entry)
		if (strcmp(service->name, name) == 0)
			return service;
	service = conf_add_service(conf, name);
	if (service == NULL)
		fatal("upgrade");
	return service;
}

static void
adopt_pool(struct master *master, const struct state_pool *from)
{
	struct pool_plan plan = { service_find(from->service), NULL };
	struct listener listener;
	struct pool *pool;

	if (plan.service == NULL)
		fatalx("upgrade: %s %s: this binary knows no such service",
		    from->service, from->address);
	plan.settings = settings_for(master->conf, from->service);
	if (listener_inherit(&listener, from->fd, from->address) < 0)
		fatal("upgrade: %s", from->address);
	listener.passed = *from->passed != '\0';
	if (listener.passed || from->stored)
		fdref_hold_by_systemd(listener.ref);
	pool = pools_add_at(&master->pools, &listener, &plan, from->row);
	if (pool == NULL)
		fatal("upgrade: %s", from->address);
	scoreboard_claim_row(&master->board, from->row);
	pool->forks = from->forks;
	pool->removed = from->removed;
	pool->closed = from->closed;
	if (pool->removed) {
		conf_hold(master->conf);
		pool->kept = master->conf;
	}
}

static struct pool *
pool_in_row(struct master *master, uint32_t row)
{
	struct pool *pool;

	TAILQ_FOREACH(pool, &master->pools, entry)
		if (pool->row == row)
			break;
	return pool; /* state_read has looked */
}

static void
adopt_child(struct master *master, const struct state_child *from)
{
	struct child *child = &master->children.places[from->slot];

	child->pid = from->pid;
	child->pool = pool_in_row(master, from->row);
	child->slot = &master->board.slots[from->slot];
	child->started_ms = from->started_ms;
	child->leaving = from->leaving;
	child_add(&master->children, child);
	if (from->ready)
		child_set_ready(&master->children, child);
	fdref_hold(child->pool->listener.ref, &child->holder, FDREF_WORKER,
	    child->pid);
}

static void
count_children(struct master *master, struct pool *pool)
{
	unsigned alive = 0, starting = 0, leaving = 0;

	for (uint32_t i = 0; i < master->board.used; i++) {
		const struct child *child = &master->children.places[i];

		if (child->pid == 0 || child->pool != pool)
			continue;
		leaving += child->leaving;
		alive += !child->leaving;
		starting += !child->leaving && !child->ready;
	}
	pool_inherit(&pool->state, alive, starting, leaving);
}

void
upgrade_adopt(struct master *master, struct state *state)
{
	struct pool *pool;

	master->wake_fd = state->wake_fd;
	master->pidfile_fd = state->pidfile_fd;
	master->pid_file = strdup(state->pid_file);
	master->board_file = strdup(state->board_file);
	master->control_socket = state->control;
	master->log_lost_before = state->log_lost;
	master->control = control_new(state->control.fd);
	if (master->pid_file == NULL || master->board_file == NULL ||
	    master->control == NULL ||
	    scoreboard_attach(&master->board, state->board_fd, state->rows,
		state->slots, state->used) < 0 ||
	    child_table_init(&master->children, state->slots) < 0)
		fatal("upgrade");
	scoreboard_sign(&master->board);
	adopt_passed(state);
	for (unsigned i = 0; i < state->waiter_count; i++)
		control_adopt(master->control, state->waiters[i].fd,
		    state->waiters[i].what);
	for (uint32_t i = 0; i < state->pool_count; i++)
		adopt_pool(master, &state->pools[i]);
	for (uint32_t i = 0; i < state->child_count; i++)
		adopt_child(master, &state->children[i]);
	for (uint32_t i = state->used; i-- > 0;)
		if (master->children.places[i].pid == 0)
			scoreboard_free_slot(&master->board, i);
	TAILQ_FOREACH(pool, &master->pools, entry)
		count_children(master, pool);
	pools_bound_slots(&master->pools, &master->board);
	state_free(state);
	master_set_log_level(master, (int)master->conf->log_level);
	start_workers(master);
	master->is_up = true;
	log_notice("upgraded: preforkd %s goes on as pid %d", PACKAGE_VERSION,
	    (int)getpid());
	/* Workers of the old binary leave, and new ones serve instead. */
	reload_request(master);
}
