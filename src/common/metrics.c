#include "common/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/append.h"

#define HEAD_SIZE 8192
#define ROW_SIZE 16384

typedef void
put_fn(struct append *to, const char *name, const struct status_row *row);

/* preforkd_NAME{service="echo",listen="*:7" and then what the caller adds. */
static void
begin(struct append *to, const char *name, const struct status_row *row)
{
	append(to, "preforkd_%s{service=", name);
	append_quoted(to, row->service);
	append(to, ",listen=");
	append_quoted(to, row->address);
}

static void
put_number(struct append *to, const char *name, const struct status_row *row,
    uint64_t number)
{
	begin(to, name, row);
	append(to, "} %" PRIu64 "\n", number);
}

static void
put_labelled(struct append *to, const char *name, const struct status_row *row,
    const char *label, const char *value, uint64_t number)
{
	begin(to, name, row);
	append(to, ",%s=\"%s\"} %" PRIu64 "\n", label, value, number);
}

static void
put_seconds(struct append *to, const char *name, const struct status_row *row,
    uint64_t ms)
{
	begin(to, name, row);
	append(to, "} ");
	append_seconds(to, ms);
	append(to, "\n");
}

static void
put_states(struct append *to, const char *name, const struct status_row *row)
{
	static const char *const states[] = { "serving", "degraded", "removed",
		"stopping" };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		put_labelled(to, name, row, "state", states[i],
		    strcmp(states[i], row->state) == 0);
}

static void
put_workers(struct append *to, const char *name, const struct status_row *row)
{
	put_labelled(to, name, row, "state", "busy", row->busy);
	put_labelled(to, name, row, "state", "idle", row->idle);
	put_labelled(to, name, row, "state", "other", row->other);
}

static void
put_max(struct append *to, const char *name, const struct status_row *row)
{
	put_number(to, name, row, row->max);
}

static void
put_queue(struct append *to, const char *name, const struct status_row *row)
{
	put_number(to, name, row, row->queue_length);
}

static void
put_limit(struct append *to, const char *name, const struct status_row *row)
{
	put_number(to, name, row, row->queue_limit);
}

static void
put_backlog(struct append *to, const char *name, const struct status_row *row)
{
	put_number(to, name, row, (uint64_t)row->backlog);
}

static void
put_overflows(struct append *to, const char *name, const struct status_row *row)
{
	put_number(to, name, row, row->overflows);
}

static void
put_wait(struct append *to, const char *name, const struct status_row *row)
{
	char part[64];

	snprintf(part, sizeof(part), "%s_sum", name);
	put_seconds(to, part, row, row->wait_ms);
	snprintf(part, sizeof(part), "%s_count", name);
	put_number(to, part, row, row->connections);
}

static void
put_longest(struct append *to, const char *name, const struct status_row *row)
{
	put_seconds(to, name, row, row->longest_wait_ms);
}

static void
put_connections(
    struct append *to, const char *name, const struct status_row *row)
{
	put_number(to, name, row, row->connections);
}

static void
put_endings(struct append *to, const char *name, const struct status_row *row)
{
	for (int i = 0; i < ENDING_COUNT; i++)
		put_labelled(to, name, row, "ending",
		    ending_name((enum ending)i), row->endings[i]);
}

static void
put_in(struct append *to, const char *name, const struct status_row *row)
{
	put_number(to, name, row, row->in);
}

static void
put_out(struct append *to, const char *name, const struct status_row *row)
{
	put_number(to, name, row, row->out);
}

static void
put_lost(struct append *to, const char *name, const struct status_row *row)
{
	put_number(to, name, row, row->log_lost);
}

static const struct {
	const char *name;
	const char *type;
	const char *help;
	put_fn *put;
} metrics[] = {
	{ "listener_state", "gauge", "1 for the state that the listener is in.",
	    put_states },
	{ "workers", "gauge", "Worker processes, by what they do.",
	    put_workers },
	{ "workers_max", "gauge", "The keyword max-workers.", put_max },
	{ "accept_queue_length", "gauge",
	    "Connections that wait to be accepted.", put_queue },
	{ "accept_queue_limit", "gauge",
	    "The limit of the accept queue that is in force.", put_limit },
	{ "backlog", "gauge", "The limit that the configuration asks for.",
	    put_backlog },
	{ "overflows_total", "counter",
	    "Segments that were dropped, most of them for a full accept queue.",
	    put_overflows },
	{ "accept_wait_seconds", "summary",
	    "Time that connections waited in the accept queue.", put_wait },
	{ "accept_wait_longest_seconds", "gauge",
	    "The longest time that a connection ever waited.", put_longest },
	{ "connections_total", "counter", "Connections accepted.",
	    put_connections },
	{ "endings_total", "counter", "Connections ended, by how.",
	    put_endings },
	{ "received_bytes_total", "counter", "Bytes received from clients.",
	    put_in },
	{ "sent_bytes_total", "counter", "Bytes sent to clients.", put_out },
	{ "worker_log_lines_lost_total", "counter",
	    "Log lines of workers that could not be written.", put_lost },
};

static void
put_title(
    struct append *to, const char *name, const char *type, const char *help)
{
	append(to, "# HELP preforkd_%s %s\n# TYPE preforkd_%s %s\n", name, help,
	    name, type);
}

static void
put_head(struct append *to, const struct status_head *head)
{
	put_title(to, "build_info", "gauge", "1, with the version.");
	append(to, "preforkd_build_info{version=");
	append_quoted(to, head->version);
	append(to, "} 1\n");
	put_title(to, "start_time_seconds", "gauge",
	    "When the daemon was started, since the Epoch.");
	append(
	    to, "preforkd_start_time_seconds %" PRId64 "\n", head->started_at);
	put_title(to, "log_lines_lost_total", "counter",
	    "Log lines of the master that could not be written.");
	append(
	    to, "preforkd_log_lines_lost_total %" PRIu64 "\n", head->log_lost);
}

static void
add(struct status_row *to, const struct status_row *from)
{
	to->busy += from->busy;
	to->idle += from->idle;
	to->other += from->other;
	to->queue_length += from->queue_length;
	to->queue_limit += from->queue_limit;
	to->overflows += from->overflows;
	to->wait_ms += from->wait_ms;
	if (from->longest_wait_ms > to->longest_wait_ms)
		to->longest_wait_ms = from->longest_wait_ms;
	to->connections += from->connections;
	to->in += from->in;
	to->out += from->out;
	to->log_lost += from->log_lost;
	for (int i = 0; i < ENDING_COUNT; i++)
		to->endings[i] += from->endings[i];
	/* What one that ends says of these, is over. */
	if (strcmp(to->state, "removed") == 0) {
		to->state = from->state;
		to->max = from->max;
		to->backlog = from->backlog;
	}
}

/* Returns how many are left. */
static uint32_t
merge(struct status_row *rows, uint32_t count)
{
	uint32_t left = 0, same;

	for (uint32_t i = 0; i < count; i++) {
		for (same = 0; same < left; same++)
			if (strcmp(rows[same].service, rows[i].service) == 0 &&
			    strcmp(rows[same].address, rows[i].address) == 0)
				break;
		if (same < left)
			add(&rows[same], &rows[i]);
		else
			rows[left++] = rows[i];
	}
	return left;
}

size_t
metrics_size(uint32_t count)
{
	return HEAD_SIZE + (size_t)count * ROW_SIZE;
}

char *
metrics_format(const struct status_head *head, struct status_row *rows,
    uint32_t count, char *text)
{
	struct append to;

	append_init(&to, text, metrics_size(count));
	count = merge(rows, count);
	put_head(&to, head);
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		put_title(
		    &to, metrics[i].name, metrics[i].type, metrics[i].help);
		for (uint32_t j = 0; j < count; j++)
			metrics[i].put(&to, metrics[i].name, &rows[j]);
	}
	append(&to, "# EOF\n");
	return text;
}
