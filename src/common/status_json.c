/*
 * The status for programs. preforkctl(8), JSON, has what each name means.
 */
#include <inttypes.h>
#include <string.h>

#include "common/append.h"
#include "common/status.h"

#define HEAD_SIZE 1024
#define ROW_SIZE 4096 /* holders, which are cut at STATUS_FIELD_SIZE, too */

static void
put_text(struct append *to, const char *text)
{
	if (text == NULL)
		append(to, "null");
	else
		append_quoted(to, text);
}

/* ,"name":number */
static void
put_known(struct append *to, const char *name, uint64_t number)
{
	if (number == STATUS_UNKNOWN)
		append(to, ",\"%s\":null", name);
	else
		append(to, ",\"%s\":%" PRIu64, name, number);
}

/* "a,b" as ["a","b"]. */
static void
put_list(struct append *to, const char *list)
{
	char text[STATUS_FIELD_SIZE], *rest = text, *item;
	const char *comma = "";

	if (list == NULL) {
		append(to, "null");
		return;
	}
	strlcpy(text, list, sizeof(text));
	append(to, "[");
	while ((item = strsep(&rest, ",")) != NULL) {
		append(to, "%s", comma);
		append_quoted(to, item);
		comma = ",";
	}
	append(to, "]");
}

/* All of them, so that no name is missing to who looks for it. */
static void
put_endings(struct append *to, const struct status_row *row)
{
	append(to, "\"endings\":{");
	for (int i = 0; i < ENDING_COUNT; i++)
		append(to, "%s\"%s\":%" PRIu64, i == 0 ? "" : ",",
		    ending_name((enum ending)i), row->endings[i]);
	append(to, "}");
}

static void
put_queue(struct append *to, const struct status_row *row)
{
	put_known(to, "queue", row->queue_length);
	put_known(to, "queue_limit", row->queue_limit);
	put_known(to, "backlog", (uint64_t)row->backlog);
	append(to, ",\"half_open\":null");
	put_known(to, "overflows", row->overflows);
	put_known(to, "new_overflows", row->new_overflows);
	append(to, ",\"raise\":");
	put_text(to, row->raise);
	append(to, ",\"mean_wait\":");
	append_seconds(to, status_mean_wait(row));
	append(to, ",\"longest_wait\":");
	append_seconds(to, row->longest_wait_ms);
}

static void
put_row(struct append *to, const struct status_row *row)
{
	append(to, "{\"service\":");
	append_quoted(to, row->service);
	append(to, ",\"listen\":");
	append_quoted(to, row->address);
	append(to, ",\"state\":");
	put_text(to, row->state);
	append(to, ",\"busy\":%u,\"idle\":%u,\"other\":%u,\"workers\":%u",
	    row->busy, row->idle, row->other, row->workers);
	put_known(to, "max", row->max);
	put_queue(to, row);
	append(to,
	    ",\"connections\":%" PRIu64 ",\"in\":%" PRIu64 ",\"out\":%" PRIu64
	    ",\"log_lost\":%" PRIu64 ",",
	    row->connections, row->in, row->out, row->log_lost);
	put_endings(to, row);
	append(to, ",\"holders\":");
	put_list(to, row->holders);
	append(to, "}");
}

static void
put_head(struct append *to, const struct status_head *head)
{
	append(to, "\"version\":");
	put_text(to, head->version);
	append(to, ",\"pid\":%d,\"running\":%s,\"log_level\":", head->pid,
	    head->running ? "true" : "false");
	put_text(to, head->log_level);
	put_known(to, "log_lost", head->log_lost);
	append(to, ",\"started_at\":%" PRId64 ",\"uptime\":", head->started_at);
	if (head->uptime_ms < 0)
		append(to, "null");
	else
		append_seconds(to, (uint64_t)head->uptime_ms);
}

size_t
status_json_size(uint32_t count)
{
	return HEAD_SIZE + (size_t)count * ROW_SIZE;
}

char *
status_json(const struct status_head *head, const struct status_row *rows,
    uint32_t count, char *text)
{
	struct append to;

	append_init(&to, text, status_json_size(count));
	append(&to, "{\"daemon\":{");
	put_head(&to, head);
	append(&to, "},\"listeners\":[");
	for (uint32_t i = 0; i < count; i++) {
		append(&to, i == 0 ? "\n" : ",\n");
		put_row(&to, &rows[i]);
	}
	append(&to, "\n]}\n");
	return text;
}
