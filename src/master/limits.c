#include "master/limits.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

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
print_short(const char *name, int64_t value, int64_t needed, FILE *to)
{
	print_limit(name, value, to);
	if (value >= 0 && value < needed)
		fprintf(to, "#\ttoo low: %" PRId64 " are needed\n", needed);
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
	const struct conf_service *service;
	const struct conf_listen *listen;
	int64_t workers = 0, listeners = 0;

	/* A name may have several addresses; here it counts once. */
	TAILQ_FOREACH(service, &conf->services, entry)
		TAILQ_FOREACH(listen, &service->listens, entry) {
			listeners++;
			workers += service->max_workers;
		}
	fprintf(to, "\n# Limits of the kernel:\n");
	print_somaxconn(conf, to);
	/*
	 * 0 to 2, two for the log, the wake-up, the PID file, the ready pipe,
	 * Landlock's rule set, and the file that the filter is made in.
	 */
	print_short(
	    "RLIMIT_NOFILE", soft_limit(RLIMIT_NOFILE), listeners + 10, to);
	/* Root is not held to RLIMIT_NPROC. */
	print_short("RLIMIT_NPROC", soft_limit(RLIMIT_NPROC),
	    geteuid() == 0 ? 0 : workers + 1, to);
	print_short("kernel.pid_max", read_sysctl("/proc/sys/kernel/pid_max"),
	    workers + 1, to);
}
