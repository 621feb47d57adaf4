#include "master/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/status.h"
#include "common/unshared.h"
#include "connection/tcpstate.h"

#define HEAD_SIZE 256

typedef char holders[STATUS_FIELD_SIZE];

static void
collect(const struct master *master, const struct pool *pool,
    struct status_row *row, holders text)
{
	int fd = fdref_fd(pool->listener.ref);

	*row = (struct status_row){ .service = pool->plan.service->known.name,
		.address = pool->listener.address,
		.state = master->stop.begun        ? "stopping" :
		    pool->removed                  ? "removed" :
		    pool_is_degraded(&pool->state) ? "degraded" :
						     "serving",
		.holders =
		    fdref_describe(pool->listener.ref, text, sizeof(holders)),
		.workers = pool->state.alive + pool->state.leaving,
		.max = pool->state.limits.max };
	status_count(&master->board, pool->row, row);
	if (tcpstate_queue(fd, &row->queue_length, &row->queue_limit) < 0)
		log_warn("%s: TCP_INFO", pool->listener.address);
	if (tcpstate_drops(fd, &row->overflows) < 0)
		log_warn("%s: SO_MEMINFO", pool->listener.address);
}

void
report_log(struct master *master)
{
	char line[STATUS_LINE_SIZE];
	const struct pool *pool;
	struct status_row row;
	holders text;

	log_notice("status: master pid=%d listeners=%" PRIu32
		   " log-lost=%" PRIu64,
	    (int)getpid(), pools_count(&master->pools), log_lost());
	TAILQ_FOREACH(pool, &master->pools, entry) {
		collect(master, pool, &row, text);
		log_notice(
		    "status: %s", status_format(&row, line, sizeof(line)));
	}
}

size_t
report_size(const struct master *master)
{
	return HEAD_SIZE + status_table_size(pools_count(&master->pools));
}

int
report_text(struct master *master, char *text)
{
	const uint32_t count = pools_count(&master->pools);
	struct status_row *rows = unshared_alloc(count, sizeof(*rows));
	holders *texts = unshared_alloc(count, sizeof(*texts));
	bool good = rows != NULL && texts != NULL;
	const struct pool *pool;
	uint32_t i = 0;

	if (good) {
		TAILQ_FOREACH(pool, &master->pools, entry) {
			collect(master, pool, &rows[i], texts[i]);
			i++;
		}
		text += snprintf(text, HEAD_SIZE,
		    "preforkd %s: master %d, log-level %s, log-lost %" PRIu64
		    "\n",
		    PACKAGE_VERSION, (int)getpid(), log_level_name(log_level()),
		    log_lost());
		status_table(rows, count, text);
	}
	unshared_free(rows, count, sizeof(*rows));
	unshared_free(texts, count, sizeof(*texts));
	return good ? 0 : -1;
}
