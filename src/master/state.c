#include "master/state.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/log.h"
#include "master/activation.h"
#include "master/master.h"

#define MOST_POOLS 65536
#define MOST_FD 1048576

_Static_assert(
    ADDR_STRLEN == 72 && sizeof(((struct state_pool *)0)->service) == 16,
    "the widths that sscanf has below");

/* What clients of the control socket wait for, over an upgrade too. */
static const struct {
	const char *name;
	enum control_what what;
} waits[] = { { "upgrade", CONTROL_UPGRADE },
	{ "reload", CONTROL_RELOAD_NEXT } };

#define WAITS (sizeof(waits) / sizeof(waits[0]))

/* What systemd has to do with its socket. */
static void
write_systemd(const struct pool *pool, FILE *to)
{
	const char *name = activation_name(pool->listener.address);

	if (pool->listener.passed && name != NULL)
		fprintf(to, "passed %" PRIu32 " %s\n", pool->row, name);
	else if (fdref_is_with_systemd(pool->listener.ref))
		fprintf(to, "stored %" PRIu32 "\n", pool->row);
}

void
state_write(const struct master *master, FILE *to)
{
	const struct scoreboard_layout layout = scoreboard_layout();
	const struct scoreboard *board = &master->board;
	int fds[CONTROL_CLIENTS];
	const struct pool *pool;
	unsigned count;

	fprintf(to, "preforkd-state %d\n", STATE_VERSION);
	fprintf(to,
	    "board %d %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32
	    " %" PRIu32 " %" PRIu32 "\n",
	    board->fd, board->row_count, board->slot_count, board->used,
	    layout.version, layout.header_size, layout.row_size,
	    layout.slot_size);
	fprintf(to, "scoreboard %s\n", master->board_file);
	fprintf(to, "default %d\n", master->conf->by_default);
	fprintf(
	    to, "log-lost %" PRIu64 "\n", master->log_lost_before + log_lost());
	fprintf(to, "wake %d\n", master->wake_fd);
	fprintf(to, "pidfile %d %s\n", master->pidfile_fd, master->pid_file);
	if (master->control_socket.fd >= 0)
		fprintf(to, "control %d %ju %ju %s\n",
		    master->control_socket.fd,
		    (uintmax_t)master->control_socket.device,
		    (uintmax_t)master->control_socket.inode,
		    master->control_socket.at.sun_path);
	for (size_t w = 0; w < WAITS; w++) {
		count = control_waiting(master->control, waits[w].what, fds);
		for (unsigned i = 0; i < count; i++)
			fprintf(to, "waiter %d %s\n", fds[i], waits[w].name);
	}
	TAILQ_FOREACH(pool, &master->pools, entry)
		fprintf(to, "pool %" PRIu32 " %d %d %d %" PRIu64 " %s %s\n",
		    pool->row, fdref_fd(pool->listener.ref), pool->removed,
		    pool->closed, pool->forks, pool->plan.service->known.name,
		    pool->listener.address);
	TAILQ_FOREACH(pool, &master->pools, entry)
		write_systemd(pool, to);
	for (uint32_t i = 0; i < board->used; i++) {
		const struct child *child = &master->children.places[i];

		if (child->pid != 0)
			fprintf(to,
			    "child %d %" PRIu32 " %" PRIu32 " %d %d %" PRId64
			    "\n",
			    (int)child->pid, i, child->pool->row, child->ready,
			    child->leaving, child->started_ms);
	}
	fprintf(to, "end\n");
}

static int __attribute__((format(printf, 2, 3)))
wrong(char why[STATE_WHY_SIZE], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, STATE_WHY_SIZE, format, args);
	va_end(args);
	return -1;
}

static bool
is_fd(int fd)
{
	return fd > 2 && fd < MOST_FD;
}

/* One more object at the end of an array, all zero; NULL without memory. */
static void *
grow(void **array, uint32_t *count, size_t size)
{
	void *more = reallocarray(*array, *count + 1, size);

	if (more == NULL)
		return NULL;
	*array = more;
	more = (char *)more + *count * size;
	memset(more, 0, size);
	++*count;
	return more;
}

static int
read_pool(struct state *state, const char *line, char why[STATE_WHY_SIZE])
{
	int removed, closed;
	struct state_pool *pool;

	if (state->pool_count == MOST_POOLS ||
	    (pool = grow((void **)&state->pools, &state->pool_count,
		 sizeof(*pool))) == NULL)
		return wrong(why, "too many pools");
	if (sscanf(line, "%" SCNu32 " %d %d %d %" SCNu64 " %15s %71s",
		&pool->row, &pool->fd, &removed, &closed, &pool->forks,
		pool->service, pool->address) != 7 ||
	    !is_fd(pool->fd) || pool->row >= state->rows)
		return wrong(why, "pool %s", line);
	pool->removed = removed != 0;
	pool->closed = closed != 0;
	for (uint32_t i = 0; i + 1 < state->pool_count; i++)
		if (state->pools[i].row == pool->row ||
		    state->pools[i].fd == pool->fd)
			return wrong(why, "pool %s is there twice", line);
	return 0;
}

static struct state_pool *
pool_in_row(const struct state *state, uint32_t row)
{
	for (uint32_t i = 0; i < state->pool_count; i++)
		if (state->pools[i].row == row)
			return &state->pools[i];
	return NULL;
}

/* passed ROW NAME, or stored ROW; a name may have blanks. */
static int
read_systemd(struct state *state, const char *line, bool passed,
    char why[STATE_WHY_SIZE])
{
	struct state_pool *pool = NULL;
	const char *name;
	uint32_t row;
	int used = 0;

	if (sscanf(line, "%" SCNu32 "%n", &row, &used) == 1)
		pool = pool_in_row(state, row);
	name = line + used + (line[used] == ' ');
	if (pool == NULL || (*name != '\0') != passed)
		return wrong(why, "%s %s", passed ? "passed" : "stored", line);
	pool->stored = !passed;
	strlcpy(pool->passed, name, sizeof(pool->passed));
	return 0;
}

static int
read_child(struct state *state, const char *line, char why[STATE_WHY_SIZE])
{
	struct state_child *child;
	int ready, leaving, pid;

	if (state->child_count == state->used ||
	    (child = grow((void **)&state->children, &state->child_count,
		 sizeof(*child))) == NULL)
		return wrong(why, "too many workers");
	if (sscanf(line, "%d %" SCNu32 " %" SCNu32 " %d %d %" SCNd64, &pid,
		&child->slot, &child->row, &ready, &leaving,
		&child->started_ms) != 6 ||
	    pid < 2 || child->slot >= state->used ||
	    pool_in_row(state, child->row) == NULL)
		return wrong(why, "child %s", line);
	child->pid = pid;
	child->ready = ready != 0;
	child->leaving = leaving != 0;
	/* In the order of slots, as they are written: none comes again. */
	if (state->child_count > 1 && child[-1].slot >= child->slot)
		return wrong(why, "child %s is there twice", line);
	return 0;
}

static int
read_pidfile(struct state *state, const char *line, char why[STATE_WHY_SIZE])
{
	char *space;
	long fd = strtol(line, &space, 10);

	if (*space != ' ' || state->pid_file != NULL ||
	    (fd != -1 && (fd < 3 || fd >= MOST_FD)))
		return wrong(why, "pidfile %s", line);
	state->pidfile_fd = (int)fd;
	state->pid_file = strdup(space + 1);
	return state->pid_file == NULL ? wrong(why, "memory") : 0;
}

/*
 * Its layout is told here, and not by itself: workers can write to all of it.
 */
static int
read_board(struct state *state, const char *line, char why[STATE_WHY_SIZE])
{
	struct scoreboard_layout layout, ours = scoreboard_layout();

	if (state->rows != 0 ||
	    sscanf(line,
		"%d %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32
		" %" SCNu32 " %" SCNu32,
		&state->board_fd, &state->rows, &state->slots, &state->used,
		&layout.version, &layout.header_size, &layout.row_size,
		&layout.slot_size) != 8 ||
	    !is_fd(state->board_fd) || state->rows == 0 ||
	    state->rows > MOST_POOLS || state->used > state->slots)
		return wrong(why, "board %s", line);
	if (memcmp(&layout, &ours, sizeof(ours)) != 0)
		return wrong(why, "the scoreboard has another layout");
	return 0;
}

static int
read_board_file(struct state *state, const char *line, char why[STATE_WHY_SIZE])
{
	if (state->board_file != NULL || *line == '\0')
		return wrong(why, "scoreboard %s", line);
	state->board_file = strdup(line);
	return state->board_file == NULL ? wrong(why, "memory") : 0;
}

static int
read_control(struct state *state, const char *line, char why[STATE_WHY_SIZE])
{
	struct control_socket *control = &state->control;
	uintmax_t device, inode;
	int fd, used = 0;

	if (control->fd >= 0 ||
	    sscanf(line, "%d %ju %ju %n", &fd, &device, &inode, &used) != 3 ||
	    used == 0 || !is_fd(fd) || line[used] != '/' ||
	    strlcpy(control->at.sun_path, line + used,
		sizeof(control->at.sun_path)) >= sizeof(control->at.sun_path))
		return wrong(why, "control %s", line);
	control->at.sun_family = AF_UNIX;
	control->fd = fd;
	control->device = (dev_t)device;
	control->inode = (ino_t)inode;
	return 0;
}

static int
read_waiter(struct state *state, const char *line, char why[STATE_WHY_SIZE])
{
	char name[16];
	size_t w = 0;
	int fd;

	if (state->waiter_count == CONTROL_CLIENTS ||
	    sscanf(line, "%d %15s", &fd, name) != 2 || !is_fd(fd))
		return wrong(why, "waiter %s", line);
	while (w < WAITS && strcmp(waits[w].name, name) != 0)
		w++;
	if (w == WAITS)
		return wrong(why, "waiter %s", line);
	state->waiters[state->waiter_count++] =
	    (struct state_waiter){ fd, waits[w].what };
	return 0;
}

static int
read_line(struct state *state, char *line, char why[STATE_WHY_SIZE])
{
	char *rest = strchr(line, ' ');
	int yes;

	if (rest == NULL)
		return wrong(why, "%s", line);
	*rest++ = '\0';
	if (strcmp(line, "board") == 0)
		return read_board(state, rest, why);
	if (strcmp(line, "scoreboard") == 0)
		return read_board_file(state, rest, why);
	if (strcmp(line, "pool") == 0)
		return read_pool(state, rest, why);
	if (strcmp(line, "child") == 0)
		return read_child(state, rest, why);
	if (strcmp(line, "pidfile") == 0)
		return read_pidfile(state, rest, why);
	if (strcmp(line, "passed") == 0 || strcmp(line, "stored") == 0)
		return read_systemd(state, rest, *line == 'p', why);
	if (strcmp(line, "control") == 0)
		return read_control(state, rest, why);
	if (strcmp(line, "waiter") == 0)
		return read_waiter(state, rest, why);
	if (strcmp(line, "wake") == 0 &&
	    sscanf(rest, "%d", &state->wake_fd) == 1 && is_fd(state->wake_fd))
		return 0;
	if (strcmp(line, "log-lost") == 0 &&
	    sscanf(rest, "%" SCNu64, &state->log_lost) == 1)
		return 0;
	if (strcmp(line, "default") == 0 && sscanf(rest, "%d", &yes) == 1) {
		state->by_default = yes != 0;
		return 0;
	}
	return wrong(why, "%s %s", line, rest);
}

static int
read_all(struct state *state, FILE *from, char why[STATE_WHY_SIZE])
{
	char *line = NULL;
	size_t size = 0;
	int version, result = -1;
	ssize_t n;

	if (fscanf(from, "preforkd-state %d\n", &version) != 1)
		return wrong(why, "it is none");
	if (version != STATE_VERSION)
		return wrong(why, "its version is %d, and this binary's is %d",
		    version, STATE_VERSION);
	wrong(why, "it was cut off");
	while ((n = getline(&line, &size, from)) > 0) {
		line[n - 1] = '\0'; /* LF */
		if (strcmp(line, "end") == 0) {
			if (state->rows == 0 || state->wake_fd < 0 ||
			    state->pid_file == NULL ||
			    state->board_file == NULL)
				wrong(why, "something is missing");
			else
				result = 0;
			break;
		}
		if (read_line(state, line, why) < 0)
			break;
	}
	free(line);
	return result;
}

int
state_read(struct state *state, FILE *from, char why[STATE_WHY_SIZE])
{
	memset(state, 0, sizeof(*state));
	state->wake_fd = state->pidfile_fd = state->board_fd = -1;
	state->control.fd = -1;
	if (read_all(state, from, why) == 0)
		return 0;
	state_free(state);
	return -1;
}

void
state_free(struct state *state)
{
	free(state->pid_file);
	free(state->board_file);
	free(state->pools);
	free(state->children);
	memset(state, 0, sizeof(*state));
}

void
state_each_fd(
    const struct state *state, void (*callback)(int fd, void *), void *context)
{
	callback(state->board_fd, context);
	callback(state->wake_fd, context);
	if (state->pidfile_fd >= 0)
		callback(state->pidfile_fd, context);
	if (state->control.fd >= 0)
		callback(state->control.fd, context);
	for (unsigned i = 0; i < state->waiter_count; i++)
		callback(state->waiters[i].fd, context);
	for (uint32_t i = 0; i < state->pool_count; i++)
		callback(state->pools[i].fd, context);
}
