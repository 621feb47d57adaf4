#include "control/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/scoreboard_view.h"
#include "common/status.h"
#include "control/connections.h"
#include "control/proc.h"
#include "control/sock_diag.h"

struct source {
	struct scoreboard board;
	const char *file; /* or NULL */
	bool alive;       /* its daemon */
	pid_t master;     /* as our /proc has it, or 0 */
};

/* A file that somebody cuts while we look at it: mmap(2) has no other word. */
static void
on_bus_error(int signal_number)
{
	static const char text[] =
	    "preforkctl: the scoreboard was cut off while it was read\n";

	(void)signal_number;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(1);
}

static enum client_result
open_file(struct source *source, const char *path, char why[CLIENT_WHY_SIZE])
{
	char wrong[SCOREBOARD_WHY_SIZE];
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0) {
		snprintf(why, CLIENT_WHY_SIZE, "%s: %s (%s)", path,
		    strerror(errno),
		    errno == EACCES ?
			"ask as root, or as the user that the daemon was "
			"started as" :
			"-S names the file of the keyword scoreboard");
		return CLIENT_FAILED;
	}
	source->file = path;
	source->alive = scoreboard_is_held(fd);
	if (scoreboard_view(&source->board, fd, wrong) < 0) {
		snprintf(why, CLIENT_WHY_SIZE, "%s: %s", path, wrong);
		close(fd);
		return CLIENT_FAILED;
	}
	source->master = source->board.header->master;
	return CLIENT_OK;
}

static enum client_result
fetch(struct source *source, const struct inspect *inspect, char **text,
    char why[CLIENT_WHY_SIZE])
{
	char wrong[SCOREBOARD_WHY_SIZE] =
	    "did not come with the answer (raise RLIMIT_NOFILE, ulimit -n)";
	enum client_result result;
	struct client_passed passed;

	result = client_fetch(inspect->socket, "scoreboard", inspect->limit_ms,
	    inspect->limit_ms, text, &passed, why);
	if (result != CLIENT_OK)
		return result;
	free(*text);
	*text = NULL;
	if (passed.fd < 0 ||
	    scoreboard_view(&source->board, passed.fd, wrong) < 0) {
		snprintf(why, CLIENT_WHY_SIZE, "%s: the scoreboard %s",
		    inspect->socket, wrong);
		if (passed.fd >= 0)
			close(passed.fd);
		return CLIENT_FAILED;
	}
	source->file = NULL;
	source->alive = true;
	source->master = passed.peer;
	return CLIENT_OK;
}

static enum client_result
open_source(struct source *source, const struct inspect *inspect, char **text,
    char why[CLIENT_WHY_SIZE])
{
	struct sigaction action = { .sa_handler = on_bus_error };

	*text = NULL;
	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
	if (inspect->file != NULL)
		return open_file(source, inspect->file, why);
	return fetch(source, inspect, text, why);
}

static void
close_source(struct source *source)
{
	int fd = source->board.fd;

	scoreboard_unview(&source->board);
	close(fd);
}

static bool
owns(pid_t pid, uint32_t inode, void *context)
{
	(void)context;
	return proc_has_socket(pid, inode);
}

/*
 * A daemon in another network namespace may have sockets of ours, which
 * systemd passed to it: then the inode of each, which no namespace has twice,
 * has to be a worker's. Leaves in why what keeps us from it, or nothing.
 */
static void
join(const struct source *source, struct connections *connections,
    char why[SOCK_DIAG_WHY_SIZE])
{
	enum proc_network network = proc_network(source->master);
	static uint16_t ports[SOCK_DIAG_PORTS_MAX];
	struct sock_table table;
	size_t count, found;

	*why = '\0';
	if (!source->alive) {
		strlcpy(why, "its daemon is gone", SOCK_DIAG_WHY_SIZE);
		return;
	}
	count = connections_ports(connections, ports, SOCK_DIAG_PORTS_MAX);
	if (sock_diag(&table, ports, count, why) < 0)
		return;
	found = connections_join(
	    connections, &table, network != PROC_NETWORK_OURS, owns, NULL);
	sock_table_free(&table);
	if (found > 0 || connections->count == 0)
		return;
	if (network == PROC_NETWORK_OTHER)
		snprintf(why, SOCK_DIAG_WHY_SIZE,
		    "the daemon is in another network namespace (ask there: "
		    "nsenter -t %d -n)",
		    (int)source->master);
	else if (network == PROC_NETWORK_UNKNOWN)
		strlcpy(why,
		    "we cannot see the daemon's network namespace (ask as "
		    "root, and where its processes are seen)",
		    SOCK_DIAG_WHY_SIZE);
}

static void
print_source(const struct source *source)
{
	if (source->file == NULL)
		printf("master %d", (int)source->board.header->master);
	else
		printf("scoreboard %s: master %d %s", source->file,
		    (int)source->board.header->master,
		    source->alive ? "runs" : "is gone");
}

static void
print_text(const struct source *source, const struct connections *connections,
    const char *why)
{
	print_source(source);
	printf(", connections %zu", connections->count);
	if (*why != '\0')
		printf("; nothing from the kernel: %s", why);
	putchar('\n');
	connections_print(connections, stdout);
}

/* Nothing in why has to be escaped. */
static void
print_json(const struct source *source, const struct connections *connections,
    const char *why)
{
	printf("{\"master\":%d,\"running\":%s,\"kernel\":%s,",
	    (int)source->board.header->master, source->alive ? "true" : "false",
	    *why == '\0' ? "true" : "false");
	if (*why == '\0')
		printf("\"reason\":null,");
	else
		printf("\"reason\":\"%s\",", why);
	printf("\"connections\":");
	connections_print_json(connections, stdout);
	printf("}\n");
}

enum client_result
inspect_connections(
    const struct inspect *inspect, char **text, char why[CLIENT_WHY_SIZE])
{
	char blind[SOCK_DIAG_WHY_SIZE];
	struct connections connections;
	struct source source;
	enum client_result result = open_source(&source, inspect, text, why);

	if (result != CLIENT_OK)
		return result;
	if (connections_collect(&connections, &source.board,
		source.alive ? clock_ms() :
			       connections_last_ms(&source.board)) < 0) {
		snprintf(why, CLIENT_WHY_SIZE, "out of memory");
		close_source(&source);
		return CLIENT_FAILED;
	}
	join(&source, &connections, blind);
	if (inspect->json)
		print_json(&source, &connections, blind);
	else
		print_text(&source, &connections, blind);
	connections_free(&connections);
	close_source(&source);
	return CLIENT_OK;
}

struct row_text {
	char service[sizeof(((struct pool_row *)0)->service) + 1];
	char address[ADDR_STRLEN + 1];
};

/* Rows that are in use; a removed socket leaves its names and counters. */
static uint32_t
collect_rows(const struct scoreboard *board, struct status_row *rows,
    struct row_text *texts)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < board->row_count; i++) {
		const struct pool_row *row = &board->rows[i];
		struct row_text *t = &texts[count];

		if (!row->taken || *row->service == '\0')
			continue;
		rows[count] =
		    (struct status_row){ .service = scoreboard_text(t->service,
					     sizeof(t->service), row->service,
					     sizeof(row->service)),
			    .address =
				scoreboard_text(t->address, sizeof(t->address),
				    row->address, sizeof(row->address)),
			    .max = STATUS_UNKNOWN,
			    .queue_length = STATUS_UNKNOWN,
			    .queue_limit = STATUS_UNKNOWN,
			    .backlog = STATUS_UNKNOWN,
			    .overflows = STATUS_UNKNOWN,
			    .new_overflows = STATUS_UNKNOWN };
		status_count(board, i, &rows[count]);
		rows[count].workers =
		    rows[count].busy + rows[count].idle + rows[count].other;
		count++;
	}
	return count;
}

/* Of one that is gone, up to the last moment that is noted. */
static struct status_head
describe(const struct source *source)
{
	const struct scoreboard_header *header = source->board.header;
	int64_t until =
	    source->alive ? clock_ms() : connections_last_ms(&source->board);

	return (struct status_head){ .pid = header->master,
		.running = source->alive,
		.log_level = log_level_name((int)header->log_level),
		.log_lost = STATUS_UNKNOWN,
		.started_at = header->started_at,
		/* A damaged file may have any bytes there. */
		.uptime_ms =
		    header->started_ms >= 0 && header->started_ms <= until ?
		    until - header->started_ms :
		    -1 };
}

static int
print_status(const struct source *source, const struct status_row *rows,
    uint32_t count, bool json)
{
	const struct status_head head = describe(source);
	char *text =
	    malloc(json ? status_json_size(count) : status_table_size(count));

	if (text == NULL)
		return -1;
	if (json) {
		fputs(status_json(&head, rows, count, text), stdout);
	} else {
		print_source(source);
		printf("\n%s", status_table(rows, count, text));
	}
	free(text);
	return 0;
}

enum client_result
inspect_status(
    const struct inspect *inspect, char **text, char why[CLIENT_WHY_SIZE])
{
	struct source source;
	enum client_result result = open_source(&source, inspect, text, why);
	struct status_row *rows;
	struct row_text *texts;

	if (result != CLIENT_OK)
		return result;
	rows = calloc(source.board.row_count, sizeof(*rows));
	texts = calloc(source.board.row_count, sizeof(*texts));
	if (rows == NULL || texts == NULL ||
	    print_status(&source, rows,
		collect_rows(&source.board, rows, texts), inspect->json) < 0) {
		snprintf(why, CLIENT_WHY_SIZE, "out of memory");
		result = CLIENT_FAILED;
	}
	free(rows);
	free(texts);
	close_source(&source);
	return result;
}
