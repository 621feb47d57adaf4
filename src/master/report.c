#include "master/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/status.h"
#include "common/unshared.h"
#include "connection/tcpstate.h"
#include "master/shortage.h"

#define HEAD_SIZE 256

typedef char holders[STATUS_FIELD_SIZE];

static const char *
state_of(const struct master *master, const struct pool *pool)
{
	return master->stop.begun          ? "stopping" :
	    pool->removed                  ? "removed" :
	    pool_is_degraded(&pool->state) ? "degraded" :
					     "serving";
}

static void
collect(struct master *master, const struct pool *pool, struct status_row *row,
    holders text)
{
	*row = (struct status_row){ .service = pool->plan.service->known.name,
		.address = pool->listener.address,
		.state = state_of(master, pool),
		.holders =
		    fdref_describe(pool->listener.ref, text, sizeof(holders)),
		.workers = pool->state.alive + pool->state.leaving,
		.max = pool->state.limits.max,
		.backlog = pool->plan.settings->backlog };
	status_count(&master->board, pool->row, row);
	if (tcpstate_queue(fdref_fd(pool->listener.ref), &row->queue_length,
		&row->queue_limit) < 0)
		log_warn("%s: TCP_INFO", pool->listener.address);
	pools_count_overflows(&master->board, pool);
	row->overflows = master->board.rows[pool->row].overflows;
}

/* What is new since the last time, and what was short then. */
static void
look_at(struct master *master, const struct pool *pool, enum look who,
    struct status_row *row)
{
	struct pool_row *of = &master->board.rows[pool->row];
	struct pool_look *look = &of->looks[who];
	bool full = (row->idle == 0 && row->busy >= row->max) ||
	    (of->full_ms != 0 && of->full_ms >= look->at_ms);

	row->new_overflows = row->overflows - look->overflows;
	/* One that stops, or is removed, shall let nobody in. */
	if (!master->stop.begun && !pool->removed)
		row->raise = shortage_name(
		    &(struct shortage_view){ .overflows = row->new_overflows,
			.was_full = full,
			.limit = row->queue_limit,
			.backlog = row->backlog });
	look->overflows = row->overflows;
	look->at_ms = clock_ms();
}

static uint64_t
lost(const struct master *master)
{
	return master->log_lost_before + log_lost();
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
	    (int)getpid(), pools_count(&master->pools), lost(master));
	TAILQ_FOREACH(pool, &master->pools, entry) {
		collect(master, pool, &row, text);
		look_at(master, pool, LOOK_LOG, &row);
		log_notice(
		    "status: %s", status_format(&row, line, sizeof(line)));
	}
}

size_t
report_size(const struct master *master, enum report report)
{
	const uint32_t count = pools_count(&master->pools);

	switch (report) {
	case REPORT_JSON:
		return status_json_size(count);
	case REPORT_METRICS:
		return metrics_size(count);
	case REPORT_TABLE:
		break;
	}
	return HEAD_SIZE + status_table_size(count);
}

static void
write_report(const struct status_head *head, struct status_row *rows,
    uint32_t count, enum report report, char *text)
{
	switch (report) {
	case REPORT_JSON:
		status_json(head, rows, count, text);
		return;
	case REPORT_METRICS:
		metrics_format(head, rows, count, text);
		return;
	case REPORT_TABLE:
		break;
	}
	text += snprintf(text, HEAD_SIZE,
	    "preforkd %s: master %d, log-level %s, log-lost %" PRIu64 "\n",
	    head->version, head->pid, head->log_level, head->log_lost);
	status_table(rows, count, text);
}

int
report_text(struct master *master, enum report report, char *text)
{
	const struct status_head head = { .version = PACKAGE_VERSION,
		.pid = getpid(),
		.running = true,
		.log_level = log_level_name(log_level()),
		.log_lost = lost(master),
		.started_at = master->board.header->started_at,
		.uptime_ms = clock_ms() - master->board.header->started_ms };
	const uint32_t count = pools_count(&master->pools);
	struct status_row *rows = unshared_alloc(count, sizeof(*rows));
	holders *texts = unshared_alloc(count, sizeof(*texts));
	bool good = rows != NULL && texts != NULL;
	const struct pool *pool;
	uint32_t i = 0;

	if (good) {
		TAILQ_FOREACH(pool, &master->pools, entry) {
			collect(master, pool, &rows[i], texts[i]);
			/* A scraper takes nothing from who looks himself. */
			if (report != REPORT_METRICS)
				look_at(master, pool, LOOK_STATUS, &rows[i]);
			i++;
		}
		write_report(&head, rows, count, report, text);
	}
	unshared_free(rows, count, sizeof(*rows));
	unshared_free(texts, count, sizeof(*texts));
	return good ? 0 : -1;
}
