/*
 * master/state: what a binary finds that takes a daemon over, of any bytes.
 *
 * An '@' in an input is the layout of the scoreboard, which is this binary's.
 */
#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "master/master.h"

#define MOST_FD 1048576
#define MOST_SLOTS 4096 /* of a master that is made of a state */

static struct state *current; /* that the master is made of */

const char *__wrap_activation_name(const char *address);
void *__wrap_unshared_alloc(size_t count, size_t size);
void __wrap_unshared_free(void *memory, size_t count, size_t size);
int __real_close(int fd);
int __wrap_close(int fd);

/* By the pool that is being written: two may have the same address. */
const char *
__wrap_activation_name(const char *address)
{
	const struct pool *pool = (const struct pool *)(const void *)(address -
	    offsetof(struct pool, listener) -
	    offsetof(struct listener, address));

	for (uint32_t i = 0; i < current->pool_count; i++)
		if (current->pools[i].row == pool->row)
			return current->pools[i].passed;
	return NULL;
}

void *
__wrap_unshared_alloc(size_t count, size_t size)
{
	return calloc(count, size);
}

void
__wrap_unshared_free(void *memory, size_t count, size_t size)
{
	(void)count;
	(void)size;
	free(memory);
}

/* Descriptors of a state are numbers here. */
int
__wrap_close(int fd)
{
	FUZZ_CHECK(!fuzz_is_running || fd > 2);
	return fuzz_is_running ? 0 : __real_close(fd);
}

static int
read_bytes(struct state *state, const void *bytes, size_t size, char *why)
{
	FILE *file = fmemopen((void *)(uintptr_t)bytes, size, "r");
	int result;

	FUZZ_CHECK(file != NULL);
	result = state_read(state, file, why);
	fclose(file);
	return result;
}

static void
check_fd(int fd, void *context)
{
	++*(uint64_t *)context;
	FUZZ_CHECK(fd > 2 && fd < MOST_FD);
}

/* What state.h promises of whatever was read. */
static void
check_bounds(const struct state *s)
{
	uint64_t fds = 0;

	FUZZ_CHECK(s->rows > 0 && s->used <= s->slots);
	FUZZ_CHECK(s->pid_file != NULL && s->board_file != NULL);
	FUZZ_CHECK(s->waiter_count <= CONTROL_CLIENTS);
	FUZZ_CHECK(s->pool_count <= s->rows && s->child_count <= s->used);
	state_each_fd(s, check_fd, &fds);
	FUZZ_CHECK(fds ==
	    2 + (uint64_t)(s->pidfile_fd >= 0) + (s->control.fd >= 0) +
		s->waiter_count + s->pool_count);
	for (uint32_t i = 0; i < s->pool_count; i++) {
		const struct state_pool *p = &s->pools[i];

		FUZZ_CHECK(p->row < s->rows);
		FUZZ_CHECK(*p->service != '\0' && *p->address != '\0');
		for (uint32_t j = 0; j < i; j++)
			FUZZ_CHECK(s->pools[j].row != p->row &&
			    s->pools[j].fd != p->fd);
	}
	for (uint32_t i = 0; i < s->child_count; i++) {
		uint32_t row = 0;

		FUZZ_CHECK(s->children[i].pid > 1);
		FUZZ_CHECK(s->children[i].slot < s->used);
		FUZZ_CHECK(
		    i == 0 || s->children[i].slot > s->children[i - 1].slot);
		while (row < s->pool_count &&
		    s->pools[row].row != s->children[i].row)
			row++;
		FUZZ_CHECK(row < s->pool_count);
	}
}

static struct pool *
make_pool(struct master *master, struct state_pool *from)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	struct service *service = calloc(1, sizeof(*service));

	FUZZ_CHECK(pool != NULL && service != NULL);
	service->known.name = from->service;
	pool->plan.service = service;
	FUZZ_CHECK(
	    listener_inherit(&pool->listener, from->fd, from->address) == 0);
	pool->listener.passed = *from->passed != '\0';
	if (pool->listener.passed || from->stored)
		fdref_hold_by_systemd(pool->listener.ref);
	pool->row = from->row;
	pool->forks = from->forks;
	pool->removed = from->removed;
	pool->closed = from->closed;
	TAILQ_INSERT_TAIL(&master->pools, pool, entry);
	return pool;
}

/* As upgrade_adopt does it, without the system. */
static void
make_master(struct master *master, struct conf *conf, struct state *state)
{
	struct pool *pool;

	memset(master, 0, sizeof(*master));
	memset(conf, 0, sizeof(*conf));
	conf->by_default = state->by_default;
	master->conf = conf;
	TAILQ_INIT(&master->pools);
	master->board = (struct scoreboard){ .fd = state->board_fd,
		.row_count = state->rows,
		.slot_count = state->slots,
		.used = state->used };
	master->board_file = state->board_file;
	master->pid_file = state->pid_file;
	master->pidfile_fd = state->pidfile_fd;
	master->wake_fd = state->wake_fd;
	master->log_lost_before = state->log_lost;
	master->control_socket = state->control;
	master->control = control_new(-1);
	FUZZ_CHECK(master->control != NULL);
	FUZZ_CHECK(child_table_init(&master->children, state->used + 1) == 0);
	for (unsigned i = 0; i < state->waiter_count; i++)
		control_adopt(master->control, state->waiters[i].fd,
		    state->waiters[i].what);
	for (uint32_t i = 0; i < state->pool_count; i++)
		make_pool(master, &state->pools[i]);
	for (uint32_t i = 0; i < state->child_count; i++) {
		const struct state_child *from = &state->children[i];
		struct child *child = &master->children.places[from->slot];

		TAILQ_FOREACH(pool, &master->pools, entry)
			if (pool->row == from->row)
				child->pool = pool;
		child->pid = from->pid;
		child->started_ms = from->started_ms;
		child->ready = from->ready;
		child->leaving = from->leaving;
	}
}

static void
free_master(struct master *master)
{
	struct pool *pool;

	while ((pool = TAILQ_FIRST(&master->pools)) != NULL) {
		TAILQ_REMOVE(&master->pools, pool, entry);
		if (fdref_is_with_systemd(pool->listener.ref))
			fdref_drop_by_systemd(pool->listener.ref);
		listener_release(&pool->listener);
		free((void *)(uintptr_t)pool->plan.service);
		free(pool);
	}
	control_free(master->control);
	child_table_free(&master->children);
}

static void
check_same_pools(const struct state *a, const struct state *b)
{
	FUZZ_CHECK(a->pool_count == b->pool_count);
	for (uint32_t i = 0; i < a->pool_count; i++) {
		const struct state_pool *p = &a->pools[i], *q = &b->pools[i];

		FUZZ_CHECK(p->row == q->row && p->fd == q->fd);
		FUZZ_CHECK(p->removed == q->removed && p->closed == q->closed);
		FUZZ_CHECK(p->forks == q->forks && p->stored == q->stored);
		FUZZ_CHECK(strcmp(p->service, q->service) == 0);
		FUZZ_CHECK(strcmp(p->address, q->address) == 0);
		FUZZ_CHECK(strcmp(p->passed, q->passed) == 0);
	}
}

static void
check_same(const struct state *a, const struct state *b)
{
	FUZZ_CHECK(a->board_fd == b->board_fd && a->rows == b->rows);
	FUZZ_CHECK(a->slots == b->slots && a->used == b->used);
	FUZZ_CHECK(a->by_default == b->by_default);
	FUZZ_CHECK(a->wake_fd == b->wake_fd && a->log_lost == b->log_lost);
	FUZZ_CHECK(a->pidfile_fd == b->pidfile_fd);
	FUZZ_CHECK(strcmp(a->pid_file, b->pid_file) == 0);
	FUZZ_CHECK(strcmp(a->board_file, b->board_file) == 0);
	FUZZ_CHECK(a->control.fd == b->control.fd);
	FUZZ_CHECK(a->control.device == b->control.device);
	FUZZ_CHECK(a->control.inode == b->control.inode);
	FUZZ_CHECK(strcmp(a->control.at.sun_path, b->control.at.sun_path) == 0);
	/* Those who wait for an upgrade come first. */
	FUZZ_CHECK(a->waiter_count == b->waiter_count);
	check_same_pools(a, b);
	FUZZ_CHECK(a->child_count == b->child_count);
	for (uint32_t i = 0; i < a->child_count; i++) {
		const struct state_child *c = &a->children[i];
		const struct state_child *d = &b->children[i];

		FUZZ_CHECK(c->pid == d->pid && c->slot == d->slot);
		FUZZ_CHECK(c->row == d->row && c->ready == d->ready);
		FUZZ_CHECK(c->leaving == d->leaving);
		FUZZ_CHECK(c->started_ms == d->started_ms);
	}
}

/* The master that it makes would hand the same on to the next one. */
static void
check_written(struct state *state)
{
	char why[STATE_WHY_SIZE], *text;
	struct master master;
	struct state again;
	struct conf conf;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	FUZZ_CHECK(to != NULL);
	current = state;
	fuzz_is_running = true;
	make_master(&master, &conf, state);
	state_write(&master, to);
	FUZZ_CHECK(fclose(to) == 0);
	FUZZ_CHECK(read_bytes(&again, text, size, why) == 0);
	check_same(state, &again);
	state_free(&again);
	free_master(&master);
	fuzz_is_running = false;
	free(text);
}

/* A scoreboard of another size is not mapped, whatever the state says. */
static void
check_board(const struct state *state)
{
	struct scoreboard board;
	int fd = memfd_create("board", MFD_CLOEXEC);

	FUZZ_CHECK(ftruncate(fd, 4096) == 0);
	FUZZ_CHECK(scoreboard_size(state->rows, state->slots) == 4096 ||
	    scoreboard_attach(
		&board, fd, state->rows, state->slots, state->used) < 0);
	close(fd);
}

/* With the layout in the place of each '@'; the caller's to free. */
static char *
put_layout(const uint8_t *data, size_t size, size_t *length)
{
	const struct scoreboard_layout layout = scoreboard_layout();
	char *text;
	FILE *to = open_memstream(&text, length);

	FUZZ_CHECK(to != NULL);
	for (size_t i = 0; i < size; i++)
		if (data[i] == '@')
			fprintf(to,
			    "%" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32,
			    layout.version, layout.header_size, layout.row_size,
			    layout.slot_size);
		else
			putc(data[i], to);
	FUZZ_CHECK(fclose(to) == 0);
	return text;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_keep_stderr();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[STATE_WHY_SIZE] = "";
	struct state state;
	size_t length;
	char *text = put_layout(data, size, &length);
	int result = read_bytes(&state, text, length, why);

	free(text);
	FUZZ_CHECK(memchr(why, '\0', sizeof(why)) != NULL);
	if (result < 0)
		return 0; /* nothing is left to free: LeakSanitizer looks */
	check_bounds(&state);
	check_board(&state);
	if (state.used <= MOST_SLOTS)
		check_written(&state);
	state_free(&state);
	return 0;
}
