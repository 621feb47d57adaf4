#include "common/scoreboard.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/unshared.h"

#define READ_TRIES 16

/* Rounded up, so that slots start on a boundary of their own alignment. */
static size_t
slots_offset(uint32_t rows)
{
	size_t end =
	    sizeof(struct scoreboard_header) + rows * sizeof(struct pool_row);
	size_t align = _Alignof(struct slot);

	return (end + align - 1) / align * align;
}

static size_t
idle_offset(uint32_t rows, uint32_t slots)
{
	return slots_offset(rows) + slots * sizeof(struct slot);
}

struct scoreboard_layout
scoreboard_layout(void)
{
	return (struct scoreboard_layout){ .version = SCOREBOARD_VERSION,
		.header_size = sizeof(struct scoreboard_header),
		.row_size = sizeof(struct pool_row),
		.slot_size = sizeof(struct slot) };
}

size_t
scoreboard_size(uint32_t rows, uint32_t slots)
{
	return idle_offset(rows, slots) +
	    rows * idle_set_words(slots) * sizeof(idle_word);
}

static void
free_own(struct scoreboard *board, uint32_t rows, uint32_t slots)
{
	int saved = errno;

	unshared_free(board->free_slots, slots, sizeof(*board->free_slots));
	unshared_free(board->rows_taken, rows, sizeof(*board->rows_taken));
	errno = saved;
}

void
scoreboard_place(
    struct scoreboard *board, void *map, uint32_t rows, uint32_t slots)
{
	board->header = map;
	board->rows = (struct pool_row *)(board->header + 1);
	board->slots =
	    (struct slot *)(void *)((char *)map + slots_offset(rows));
	board->idle =
	    (idle_word *)(void *)((char *)map + idle_offset(rows, slots));
	board->size = scoreboard_size(rows, slots);
	board->slot_count = slots;
	board->row_count = rows;
}

/* Everything but what is in the mapping. */
static int
map(struct scoreboard *board, int fd, uint32_t rows, uint32_t slots)
{
	void *map;

	memset(board, 0, sizeof(*board));
	board->size = scoreboard_size(rows, slots);
	board->free_slots = unshared_alloc(slots, sizeof(*board->free_slots));
	board->rows_taken = unshared_alloc(rows, sizeof(*board->rows_taken));
	map = board->free_slots == NULL || board->rows_taken == NULL ?
	    MAP_FAILED :
	    mmap(NULL, board->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		free_own(board, rows, slots);
		return -1;
	}
	board->fd = fd;
	scoreboard_place(board, map, rows, slots);
	return 0;
}

void
scoreboard_sign(struct scoreboard *board)
{
	struct scoreboard_header *header = board->header;

	header->version = SCOREBOARD_VERSION;
	header->header_size = sizeof(struct scoreboard_header);
	header->row_size = sizeof(struct pool_row);
	header->rows = board->row_count;
	header->slot_size = sizeof(struct slot);
	header->slots = board->slot_count;
	header->master = getpid();
	header->used = board->used;
	header->magic = SCOREBOARD_MAGIC;
}

int
scoreboard_create_in(
    struct scoreboard *board, int fd, uint32_t rows, uint32_t slots)
{
	if (map(board, fd, rows, slots) < 0)
		return -1;
	scoreboard_sign(board);
	board->header->started_ms = clock_ms();
	board->header->started_at = time(NULL);
	return 0;
}

int
scoreboard_create(struct scoreboard *board, uint32_t rows, uint32_t slots)
{
	int fd, saved;

	fd = memfd_create("preforkd-scoreboard", MFD_CLOEXEC);
	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)scoreboard_size(rows, slots)) < 0 ||
	    scoreboard_create_in(board, fd, rows, slots) < 0) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return 0;
}

int
scoreboard_attach(struct scoreboard *board, int fd, uint32_t rows,
    uint32_t slots, uint32_t used)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if (st.st_size != (off_t)scoreboard_size(rows, slots)) {
		errno = EPROTO;
		return -1;
	}
	if (map(board, fd, rows, slots) < 0)
		return -1;
	board->used = used;
	return 0;
}

void
scoreboard_claim_row(struct scoreboard *board, uint32_t row)
{
	board->rows_taken[row] = true;
	board->rows[row].taken = true;
}

void
scoreboard_free_slot(struct scoreboard *board, uint32_t slot)
{
	board->free_slots[board->free_count++] = slot;
}

void
scoreboard_destroy(struct scoreboard *board)
{
	munmap(board->header, board->size);
	close(board->fd);
	free_own(board, board->row_count, board->slot_count);
	memset(board, 0, sizeof(*board));
}

idle_word *
scoreboard_idle(const struct scoreboard *board, uint32_t row)
{
	return board->idle + row * idle_set_words(board->slot_count);
}

uint32_t
scoreboard_index(const struct scoreboard *board, const struct slot *slot)
{
	return (uint32_t)(slot - board->slots);
}

struct slot *
scoreboard_take(struct scoreboard *board, uint32_t row)
{
	struct slot *slot;

	if (board->free_count > 0)
		slot = &board->slots[board->free_slots[--board->free_count]];
	else if (board->used < board->slot_count)
		slot = &board->slots[board->used++];
	else
		return NULL;
	board->header->used = board->used;
	slot->pool = row;
	slot->last_ending = SCOREBOARD_NO_ENDING;
	slot_set_state(slot, SLOT_STARTING, clock_ms());
	return slot;
}

bool
slot_is_open(const struct slot *copy)
{
	uint64_t ended = 0;

	for (size_t i = 0; i < SCOREBOARD_ENDINGS; i++)
		ended += copy->endings[i];
	return copy->connections != ended;
}

void
scoreboard_release(struct scoreboard *board, uint32_t index, struct slot *slot,
    bool *open, struct slot *last)
{
	bool was_open = slot_is_open(slot);

	/* A worker killed while it wrote has left the number odd. */
	slot->sequence &= ~UINT32_C(1);
	if (open != NULL) {
		*open = was_open;
		scoreboard_read(slot, last);
	}
	if (was_open)
		slot_end(slot, ENDING_FAILED);
	scoreboard_add_slot(&board->rows[index], slot);
	memset(slot, 0, sizeof(*slot));
	idle_set_remove(
	    scoreboard_idle(board, index), scoreboard_index(board, slot));
	board->free_slots[board->free_count++] = scoreboard_index(board, slot);
}

/* Word by word: a word that races with the worker's store is not torn. */
static void
copy_words(struct slot *to, const struct slot *from)
{
	uint64_t *t = (uint64_t *)(void *)to;
	const uint64_t *f = (const uint64_t *)(const void *)from;

	for (size_t i = 0; i < sizeof(*to) / sizeof(*t); i++)
		t[i] = __atomic_load_n(&f[i], __ATOMIC_RELAXED);
}

bool
scoreboard_read(const struct slot *slot, struct slot *copy)
{
	uint32_t before, after;

	for (int i = 0; i < READ_TRIES; i++) {
		before =
		    atomic_load_explicit(&slot->sequence, memory_order_acquire);
		copy_words(copy, slot);
		atomic_thread_fence(memory_order_acquire);
		after =
		    atomic_load_explicit(&slot->sequence, memory_order_relaxed);
		if (before == after && before % 2 == 0)
			return true;
	}
	return false;
}

void
slot_set_state(struct slot *slot, enum slot_state state, int64_t now)
{
	atomic_store_explicit(&slot->since_ms, now, memory_order_relaxed);
	atomic_store_explicit(&slot->state, state, memory_order_release);
}

void
slot_count(_Atomic uint64_t *counter, uint64_t by)
{
	uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, value + by, memory_order_relaxed);
}

static void
set_peer(struct slot *slot, const struct sockaddr *peer)
{
	struct sockaddr_in6 in6 = { .sin6_scope_id = 0 };

	if (peer->sa_family == AF_INET6)
		memcpy(&in6, peer, sizeof(in6));
	slot->peer_scope = in6.sin6_scope_id;
	slot->peer_port = addr_bytes(peer, slot->peer);
	atomic_store_explicit(
	    &slot->source_key, addr_source(slot->peer), memory_order_relaxed);
}

void
slot_open(struct slot *slot, const struct sockaddr *peer, int64_t now)
{
	uint32_t n =
	    atomic_load_explicit(&slot->sequence, memory_order_relaxed);

	atomic_store_explicit(&slot->sequence, n + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	set_peer(slot, peer);
	slot->accepted_ms = now;
	slot->in_before = slot->traffic.in;
	slot->out_before = slot->traffic.out;
	atomic_store_explicit(
	    &slot->traffic.moved_ms, now, memory_order_relaxed);
	slot_count(&slot->connections, 1);
	slot_set_state(slot, SLOT_BUSY, now);
	atomic_store_explicit(&slot->sequence, n + 2, memory_order_release);
}

void
slot_waited(struct slot *slot, uint64_t ms)
{
	slot_count(&slot->wait_ms, ms);
	atomic_store_explicit(&slot->traffic.moved_ms,
	    slot->traffic.moved_ms - (int64_t)ms, memory_order_relaxed);
	if (ms > slot->longest_wait_ms)
		atomic_store_explicit(
		    &slot->longest_wait_ms, ms, memory_order_relaxed);
}

void
slot_end(struct slot *slot, enum ending ending)
{
	atomic_store_explicit(&slot->last_ending, ending, memory_order_relaxed);
	slot_count(&slot->endings[ending], 1);
}

/* Multiples of the golden ratio: neighbours of one are far from the next's. */
int
slot_number(uint64_t connections, int64_t moved_ms)
{
	uint64_t sum = connections * UINT64_C(0x9e3779b9) + (uint64_t)moved_ms;

	return (int)(sum % INT_MAX) + 1;
}

char *
slot_peer(const struct slot *copy, char *text)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	memcpy(&in6.sin6_addr, copy->peer, sizeof(in6.sin6_addr));
	in6.sin6_port = htons(copy->peer_port);
	in6.sin6_scope_id = copy->peer_scope;
	return addr_format((struct sockaddr *)&in6, text, ADDR_STRLEN);
}

bool
scoreboard_may_warn(struct pool_row *row, int64_t now, int64_t period_ms)
{
	int64_t last = atomic_load(&row->accept_warned_ms);

	if (last != 0 && now - last < period_ms)
		return false;
	return atomic_compare_exchange_strong(
	    &row->accept_warned_ms, &last, now);
}

uint32_t
scoreboard_count_source(const struct scoreboard *board, const struct slot *own)
{
	uint64_t source = own->source_key;
	uint32_t used, count = 0;
	uint16_t service = own->service;

	/* What we have published is seen by whoever we do not see. */
	atomic_thread_fence(memory_order_seq_cst);
	used = atomic_load_explicit(&board->header->used, memory_order_relaxed);
	if (used > board->slot_count)
		used = board->slot_count;
	for (const struct slot *s = board->slots; s < board->slots + used; s++)
		if (atomic_load_explicit(
			&s->source_key, memory_order_relaxed) == source &&
		    atomic_load_explicit(&s->service, memory_order_relaxed) ==
			service &&
		    slot_is_open(s))
			count++;
	return count;
}
