#include "master/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/log.h"
#include "master/control.h"

/* Once pids have come round, those below are not given again. */
#define RESERVED_PIDS 300

struct limit {
	const char *name;
	const char *remedy;
	int64_t value;  /* -1: cannot be read */
	int64_t needed; /* for max-workers of all listening sockets */
};

#define LIMIT_COUNT 4

/* A number of /proc/sys, or -1 where it cannot be read. */
static int64_t
read_sysctl(const char *path)
{
	FILE *file = fopen(path, "re");
	int64_t value = -1;

	if (file == NULL)
		return -1;
	if (fscanf(file, "%" SCNd64, &value) != 1)
		value = -1;
	fclose(file);
	return value;
}

static int64_t
soft_limit(int resource)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)resource, &limit) < 0)
		return -1;
	return limit.rlim_cur == RLIM_INFINITY ? INT64_MAX :
						 (int64_t)limit.rlim_cur;
}

/*
 * 0 to 2, two for the log, the wake-up, the PID file, the ready pipe,
 * Landlock's rule set, and the file that the filter is made in.
 */
#define OWN_DESCRIPTORS 10

/* The control socket, and its clients. */
static int64_t
control_descriptors(const struct conf *conf)
{
	return strcmp(conf->control, "none") == 0 ? 0 : CONTROL_FDS;
}

static void
find_limits(const struct conf *conf, struct limit limits[LIMIT_COUNT])
{
	const struct conf_service *service;
	const struct conf_listen *listen;
	int64_t workers = 0, listeners = 0;

	/* A name may have several addresses; here it counts once. */
	TAILQ_FOREACH(service, &conf->services, entry)
		TAILQ_FOREACH(listen, &service->listens, entry) {
			listeners++;
			workers += service->max_workers;
		}
	limits[0] = (struct limit){ "RLIMIT_NOFILE",
		"raise it (LimitNOFILE= of the unit, ulimit -n)",
		soft_limit(RLIMIT_NOFILE),
		listeners + OWN_DESCRIPTORS + control_descriptors(conf) };
	/* Root is not held to RLIMIT_NPROC. */
	limits[1] = (struct limit){ "RLIMIT_NPROC",
		"raise it (LimitNPROC= of the unit, ulimit -u), or lower "
		"max-workers",
		soft_limit(RLIMIT_NPROC), geteuid() == 0 ? 0 : workers + 1 };
	limits[2] = (struct limit){ "kernel.pid_max",
		"raise it (sysctl(8)), or lower max-workers",
		read_sysctl("/proc/sys/kernel/pid_max"),
		workers + 1 + RESERVED_PIDS };
	limits[3] = (struct limit){ "kernel.threads-max",
		"raise it (sysctl(8)), or lower max-workers",
		read_sysctl("/proc/sys/kernel/threads-max"), workers + 1 };
}

static bool
is_short(const struct limit *limit)
{
	return limit->value >= 0 && limit->value < limit->needed;
}

static void
print_limit(const char *name, int64_t value, FILE *to)
{
	if (value == INT64_MAX)
		fprintf(to, "# %s is unlimited\n", name);
	else if (value < 0)
		fprintf(to, "# %s cannot be read\n", name);
	else
		fprintf(to, "# %s is %" PRId64 "\n", name, value);
}

static void
print_somaxconn(const struct conf *conf, FILE *to)
{
	int64_t value = read_sysctl("/proc/sys/net/core/somaxconn");
	const struct conf_service *service;

	print_limit("net.core.somaxconn", value, to);
	TAILQ_FOREACH(service, &conf->services, entry)
		if (value >= 0 && service->backlog > value)
			fprintf(to,
			    "#\tcuts the backlog of service %s from "
			    "%" PRId64 " to %" PRId64 "\n",
			    service->name, service->backlog, value);
}

void
limits_print(const struct conf *conf, FILE *to)
{
	struct limit limits[LIMIT_COUNT];

	fprintf(to, "\n# Limits of the kernel:\n");
	print_somaxconn(conf, to);
	find_limits(conf, limits);
	for (size_t i = 0; i < LIMIT_COUNT; i++) {
		print_limit(limits[i].name, limits[i].value, to);
		if (is_short(&limits[i]))
			fprintf(to, "#\ttoo low: %" PRId64 " are needed; %s\n",
			    limits[i].needed, limits[i].remedy);
	}
}

static bool
batch_is_wanted(const struct conf *conf)
{
	const struct conf_service *service;

	TAILQ_FOREACH(service, &conf->services, entry)
		if (service->batch)
			return true;
	return false;
}

/*
 * Workers do not complain, there are too many of them: so it is tried here,
 * and taken back. Whoever has it already hands it on to them.
 */
static void
try_batch(void)
{
	static const struct sched_param none = { 0 };
	int policy = sched_getscheduler(0);

	if (policy == SCHED_BATCH)
		return;
	if (sched_setscheduler(0, SCHED_BATCH, &none) < 0)
		log_warn("scheduling batch: not permitted here, workers run "
			 "as this process does; set CPUSchedulingPolicy=batch "
			 "in the unit, or start with chrt -b 0");
	else if (sched_setscheduler(0, policy, &none) < 0)
		log_warn("scheduling batch: the master keeps it");
}

void
limits_warn(const struct conf *conf)
{
	struct limit limits[LIMIT_COUNT];

	find_limits(conf, limits);
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		if (is_short(&limits[i]))
			log_warnx("%s is %" PRId64 ", but this configuration "
				  "needs %" PRId64 ": %s",
			    limits[i].name, limits[i].value, limits[i].needed,
			    limits[i].remedy);
	if (batch_is_wanted(conf))
		try_batch();
}
