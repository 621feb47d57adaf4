#include "worker/admit.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/source_table.h"

#define PERIOD_US INT64_C(60000000) /* of a source's lines in the log */
#define REASON_SIZE 5000            /* with the path of a file */

bool
admit_asks(const struct conf_service *settings)
{
	return !TAILQ_EMPTY(&settings->rules) || settings->max_per_source > 0 ||
	    settings->rate_per_source.rate > 0;
}

static bool
is_denied(const struct worker *worker, char reason[REASON_SIZE])
{
	const struct conf_service *settings = worker->settings;
	char text[PREFIX_STRLEN];
	const struct conf_rule *rule;
	bool allowed;

	rule = conf_rule_find(settings, worker->slot->peer, &allowed);
	if (allowed)
		return false;
	if (rule != NULL)
		snprintf(reason, REASON_SIZE, "%s:%u: deny %s", rule->file,
		    rule->line,
		    prefix_format(&rule->prefix, text, sizeof(text)));
	else
		snprintf(reason, REASON_SIZE,
		    "%s:%u: service %s has no allow for it", settings->file,
		    settings->line, settings->name);
	return true;
}

/* The scoreboard has it already, so that two cannot overlook each other. */
static bool
has_too_many(const struct worker *worker, char reason[REASON_SIZE])
{
	int64_t most = worker->settings->max_per_source;

	if (most == 0 ||
	    scoreboard_count_source(worker->board, worker->slot) <= most)
		return false;
	snprintf(reason, REASON_SIZE,
	    "max-per-source %" PRId64
	    ": it has that many connections (raise it to admit more)",
	    most);
	return true;
}

static bool
comes_too_often(const struct worker *worker, char reason[REASON_SIZE])
{
	const struct conf_rate *limit = &worker->settings->rate_per_source;
	struct bucket_rate rate;

	if (limit->rate == 0)
		return false;
	rate = bucket_rate(limit->rate, limit->burst);
	/* Each service has its own bucket of a source. */
	if (source_table_take(worker->rates,
		worker->slot->source_key ^ worker->salt, &rate,
		(uint64_t)clock_us(), SOURCE_FORGET))
		return false;
	snprintf(reason, REASON_SIZE,
	    "rate-per-source %" PRId64 " burst %" PRId64
	    ": it comes more often (raise it to admit more)",
	    limit->rate, limit->burst);
	return true;
}

/* The address, without a port: of all the source's connections. */
static void
format_host(const uint8_t bytes[16], char host[INET6_ADDRSTRLEN])
{
	if (addr_is_mapped(bytes))
		inet_ntop(AF_INET, bytes + 12, host, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, bytes, host, INET6_ADDRSTRLEN);
}

/* Lines are bounded as well: for so many sources as the table holds. */
static void
say(const struct worker *worker, const char *reason)
{
	static const struct bucket_rate rate = { .interval_us = PERIOD_US,
		.burst = 1 };
	char host[INET6_ADDRSTRLEN];

	if (!log_wants(LOG_NOTICE) ||
	    !source_table_take(worker->said, worker->slot->source_key, &rate,
		(uint64_t)clock_us(), SOURCE_KEEP))
		return;
	format_host(worker->slot->peer, host);
	log_notice("%s %s: refused %s: %s", worker->service->known.name,
	    worker->address, host, reason);
}

bool
admit(const struct worker *worker)
{
	char reason[REASON_SIZE];

	if (!is_denied(worker, reason) && !has_too_many(worker, reason) &&
	    !comes_too_often(worker, reason))
		return true;
	say(worker, reason);
	return false;
}
