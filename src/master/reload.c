#include "master/reload.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "master/drain.h"
#include "master/master.h"
#include "master/plan.h"
#include "master/spawn.h"
#include "master/staff.h"

#define OUTCOME_SIZE 128

void
reload_init(struct reload *reload)
{
	memset(reload, 0, sizeof(*reload));
	TAILQ_INIT(&reload->added);
}

void
reload_request(struct master *master)
{
	if (master->stop.begun)
		log_warnx("reload refused: the daemon stops");
	else
		master->reload.wanted = true;
}

/* The first one after an upgrade is the end of that as well. */
static void
end(struct master *master, bool ok, const char *last)
{
	char text[64];

	snprintf(
	    text, sizeof(text), "upgraded to preforkd %s", PACKAGE_VERSION);
	control_outcome(master->control, CONTROL_UPGRADE, ok,
	    ok ? text :
		 "upgraded, but its first reload was refused: see the log");
	outcome_end(
	    &master->reload.outcome, master->control, CONTROL_RELOAD, ok, last);
}

/* What was opened and started for it, goes; what was there, stays. */
static void
abandon(struct master *master, const char *why)
{
	struct reload *reload = &master->reload;
	char text[NOTIFY_REFUSED_SIZE];
	struct pool *pool;

	notify_refused(&master->notify, "reload",
	    outcome_why(&reload->outcome, why, text, sizeof(text)));
	TAILQ_FOREACH(pool, &reload->added, entry)
		drain_begin(master, pool, reload->conf);
	TAILQ_CONCAT(&master->pools, &reload->added, entry);
	TAILQ_FOREACH(pool, &master->pools, entry) {
		if (!plan_has(pool))
			continue;
		staff_replace(master, pool, false);
		pool_outlive(&pool->state, &pool->fresh);
		memset(&pool->next, 0, sizeof(pool->next));
	}
	if (reload->conf != NULL)
		conf_free(reload->conf);
	reload->conf = NULL;
	reload->active = false;
	log_errorx("reload refused: %s; the configuration that was in force "
		   "stays",
	    why);
	end(master, false, NULL);
}

/* Each line is logged, for it may name a line of the file. */
static void
log_lines(char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")) != NULL)
		if (*line != '\0')
			log_errorx("%s", line);
}

static struct conf *
read_configuration(struct master *master, struct privilege *privilege)
{
	const struct master_source *source = master->source;
	struct conf *conf;
	char *text = NULL;
	size_t size;
	FILE *errors;
	int status;

	errors = open_memstream(&text, &size);
	if (errors == NULL) {
		log_warn("reload");
		return NULL;
	}
	conf = source->read(source->context, errors, &status);
	if (conf != NULL && privilege_find(privilege, conf, errors) < 0) {
		conf_free(conf);
		conf = NULL;
	}
	if (fclose(errors) == 0)
		log_lines(text);
	free(text);
	/* cppcheck-suppress returnDanglingLifetime ; read fills the status in,
	 * and what it returns is the caller's: it does not point there. */
	return conf;
}

static int
start_fresh(struct master *master, struct pool_list *pools)
{
	struct pool_limits limits;
	struct pool *pool;

	TAILQ_FOREACH(pool, pools, entry) {
		if (!plan_has(pool))
			continue;
		limits = pools_limits(pool->next.settings);
		pool_init(&pool->fresh, &limits);
		if (spawn_fresh(master, pool) < 0) {
			log_warn("%s: fork of a first worker",
			    pool->listener.address);
			return -1;
		}
	}
	return 0;
}

static void
begin(struct master *master, int64_t now)
{
	struct reload *reload = &master->reload;

	log_notice("reloading");
	outcome_begin(&reload->outcome, master->control, CONTROL_RELOAD_NEXT,
	    CONTROL_RELOAD);
	reload->wanted = false;
	reload->failed = NULL;
	notify_reloading(&master->notify, now);
	reload->conf = read_configuration(master, &reload->privilege);
	if (reload->conf == NULL) {
		abandon(master, "the configuration cannot be used");
		return;
	}
	/* As likely as not it is being written at this moment. */
	if (reload->conf->by_default && !master->conf->by_default) {
		abandon(master, RELOAD_NO_SERVICE);
		return;
	}
	reload->active = true;
	if (plan_listeners(master) < 0)
		reload->failed = "not every address can be listened on";
	else if (start_fresh(master, &master->pools) < 0 ||
	    start_fresh(master, &reload->added) < 0)
		reload->failed = "workers cannot be started";
	/* Names were looked up before that, which can take long. */
	reload->deadline = clock_ms() + RELOAD_LIMIT_MS;
}

static bool
has_begun(const struct pool_list *pools)
{
	const struct pool *pool;

	TAILQ_FOREACH(pool, pools, entry)
		if (plan_has(pool) && pool->fresh.arrived == 0)
			return false;
	return true;
}

/* The workers that were started for it are its workers now. */
static void
adopt(struct master *master, struct pool *pool)
{
	staff_replace(master, pool, true);
	pool_succeed(&pool->state, &pool->fresh);
	pool->plan = pool->next;
	memset(&pool->next, 0, sizeof(pool->next));
	pool->fork_warned = pool->degraded_said = false;
	pool->full_warned_ms = 0;
	listener_adjust(&pool->listener, pool->plan.settings);
	pools_name_row(&master->board, pool);
}

/*
 * "reloaded", and the keywords whose files are those of the start: whoever
 * changes them is told that they take a restart. A control socket that was
 * out of reach at the start is no news.
 */
static void
describe(const struct master *master, char *text, size_t size)
{
	const struct conf *conf = master->conf;
	const bool has_control = master->control_socket.fd >= 0;
	const char *control =
	    has_control ? master->control_socket.at.sun_path : "none";
	const struct {
		const char *keyword;
		bool differs;
	} fixed[] = {
		{ "pid-file", strcmp(master->pid_file, conf->pid_file) != 0 },
		{ "control",
		    (has_control || conf_is_set(conf, "control")) &&
			strcmp(control, conf->control) != 0 },
		{ "scoreboard",
		    strcmp(master->board_file, conf->scoreboard) != 0 },
	};
	size_t found = 0;

	strlcpy(text, "reloaded", size);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		if (!fixed[i].differs)
			continue;
		strlcat(text, found++ == 0 ? "; " : ", ", size);
		strlcat(text, fixed[i].keyword, size);
	}
	if (found > 0)
		strlcat(text,
		    found == 1 ? " changes with a restart" :
				 " change with a restart",
		    size);
}

static void
commit(struct master *master)
{
	struct reload *reload = &master->reload;
	char text[OUTCOME_SIZE];
	struct pool *pool;

	TAILQ_CONCAT(&master->pools, &reload->added, entry);
	TAILQ_FOREACH(pool, &master->pools, entry) {
		if (plan_has(pool)) {
			adopt(master, pool);
		} else if (!pool->removed) {
			log_notice("%s %s: no longer in the configuration",
			    pool->plan.service->known.name,
			    pool->listener.address);
			drain_begin(master, pool, master->conf);
			staff_signal(master, pool, SIGALRM);
		}
	}
	conf_free(master->conf);
	master->conf = reload->conf;
	master->privilege = reload->privilege;
	reload->conf = NULL;
	reload->active = false;
	clock_set_zone();
	master_set_log_level(master, (int)master->conf->log_level);
	pools_bound_slots(&master->pools, &master->board);
	master_set_title(master);
	describe(master, text, sizeof(text));
	log_notice("%s", text);
	end(master, true, text);
}

/*
 * An address that goes may come again, but not while clients of before wait in
 * its queue.
 */
static bool
may_begin(const struct master *master, int64_t now)
{
	const struct reload *reload = &master->reload;
	const struct pool *pool;

	if (!reload->wanted || reload->active || upgrade_is_active(master))
		return false;
	TAILQ_FOREACH(pool, &master->pools, entry)
		if (pool->removed && !pool->closed &&
		    now < reload->ended + RELOAD_LIMIT_MS)
			return false;
	return true;
}

int64_t
reload_turn(struct master *master, int64_t now)
{
	struct reload *reload = &master->reload;
	bool ready;

	if (may_begin(master, now))
		begin(master, now);
	if (!reload->active)
		return CLOCK_NEVER; /* the drain wakes us where it must */
	ready = has_begun(&master->pools) && has_begun(&reload->added);
	/* Whoever is ready was in time: it may be us who did not run. */
	if (reload->failed == NULL && !ready && now >= reload->deadline)
		reload->failed = "new workers were not ready in time";
	if (reload->failed != NULL)
		abandon(master, reload->failed);
	else if (ready)
		commit(master);
	else
		return reload->deadline;
	reload->ended = now;
	/* What came of it is to be told, and the next one may wait already. */
	return now;
}

void
reload_fail(struct master *master, const char *why)
{
	master->reload.failed = why;
}

void
reload_abort(struct master *master, const char *why)
{
	master->reload.wanted = false;
	if (master->reload.active)
		abandon(master, why);
}
