#include "master/pools.h"

#include <errno.h>
#include <string.h>

#include "common/log.h"
#include "common/unshared.h"
#include "connection/tcpstate.h"

struct pool_limits
pools_limits(const struct conf_service *settings)
{
	return (struct pool_limits){
		.start = (unsigned)settings->start_workers,
		.min_spare = (unsigned)settings->min_spare_workers,
		.max_spare = (unsigned)settings->max_spare_workers,
		.max = (unsigned)settings->max_workers,
	};
}

struct pool *
pools_add(struct pool_list *list, struct scoreboard *board,
    const struct listener *listener, const struct pool_plan *plan)
{
	struct pool *pool;
	uint32_t row;

	if (scoreboard_take_row(board, listener->address, &row) < 0)
		return NULL;
	pool = pools_add_at(list, listener, plan, row);
	if (pool == NULL)
		scoreboard_release_row(board, row);
	else
		pools_name_row(board, pool);
	return pool;
}

struct pool *
pools_add_at(struct pool_list *list, const struct listener *listener,
    const struct pool_plan *plan, uint32_t row)
{
	struct pool_limits limits = pools_limits(plan->settings);
	struct pool *pool;

	/* Its state changes with every fork: not for memory that forks share.
	 */
	pool = unshared_alloc(1, sizeof(*pool));
	if (pool == NULL)
		return NULL;
	pool->listener = *listener;
	pool->plan = *plan;
	pool->row = row;
	pool_init(&pool->state, &limits);
	TAILQ_INSERT_TAIL(list, pool, entry);
	return pool;
}

void
pools_remove(
    struct pool_list *list, struct scoreboard *board, struct pool *pool)
{
	TAILQ_REMOVE(list, pool, entry);
	pools_count_overflows(board, pool);
	listener_release(&pool->listener);
	scoreboard_release_row(board, pool->row);
	if (pool->kept != NULL)
		conf_free(pool->kept);
	unshared_free(pool, 1, sizeof(*pool));
}

struct pool *
pools_find(const struct pool_list *list, const char *address)
{
	struct pool *pool;

	TAILQ_FOREACH(pool, list, entry)
		if (!pool->removed &&
		    strcmp(pool->listener.address, address) == 0)
			return pool;
	return NULL;
}

uint32_t
pools_count(const struct pool_list *list)
{
	const struct pool *pool;
	uint32_t count = 0;

	TAILQ_FOREACH(pool, list, entry)
		count++;
	return count;
}

/* Both generations of a reload are there for a while. */
void
pools_bound_slots(const struct pool_list *list, struct scoreboard *board)
{
	const struct pool *pool;
	uint64_t bound = board->used;

	TAILQ_FOREACH(pool, list, entry)
		bound += (uint64_t)pool->state.limits.max + 1;
	board->slot_bound =
	    bound < board->slot_count ? (uint32_t)bound : board->slot_count;
}

/* The difference is right where the kernel's 32 bits have wrapped, too. */
void
pools_count_overflows(struct scoreboard *board, const struct pool *pool)
{
	struct pool_row *row = &board->rows[pool->row];
	uint32_t drops;

	if (tcpstate_drops(fdref_fd(pool->listener.ref), &drops) < 0) {
		log_warn("%s: SO_MEMINFO", pool->listener.address);
		return;
	}
	row->overflows += (uint32_t)(drops - row->drops);
	row->drops = drops;
}

void
pools_name_row(struct scoreboard *board, const struct pool *pool)
{
	struct pool_row *row = &board->rows[pool->row];

	strlcpy(
	    row->service, pool->plan.service->known.name, sizeof(row->service));
	strlcpy(row->address, pool->listener.address, sizeof(row->address));
}
