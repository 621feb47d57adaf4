#include "master/child.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

#include "common/log.h"
#include "common/unshared.h"

static int
compare(const struct child *a, const struct child *b)
{
	return (a->pid > b->pid) - (a->pid < b->pid);
}

RB_PROTOTYPE(child_tree, child, by_pid, compare)
RB_GENERATE(child_tree, child, by_pid, compare)

int
child_table_init(struct child_table *table, uint32_t size)
{
	table->places = unshared_alloc(size, sizeof(*table->places));
	if (table->places == NULL)
		return -1;
	table->size = size;
	RB_INIT(&table->all);
	TAILQ_INIT(&table->starting);
	return 0;
}

void
child_table_free(struct child_table *table)
{
	unshared_free(table->places, table->size, sizeof(*table->places));
}

void
child_add(struct child_table *table, struct child *child)
{
	RB_INSERT(child_tree, &table->all, child);
	TAILQ_INSERT_TAIL(&table->starting, child, among_starting);
}

void
child_remove(struct child_table *table, struct child *child)
{
	RB_REMOVE(child_tree, &table->all, child);
	if (!child->ready)
		TAILQ_REMOVE(&table->starting, child, among_starting);
}

void
child_set_ready(struct child_table *table, struct child *child)
{
	child->ready = true;
	TAILQ_REMOVE(&table->starting, child, among_starting);
}

struct child *
child_find(struct child_table *table, pid_t pid)
{
	struct child key = { .pid = pid };

	return RB_FIND(child_tree, &table->all, &key);
}

void
child_signal_all(struct child_table *table, int signal_number)
{
	struct child *child;

	/* An unreaped child keeps its pid, so this hits nobody else. */
	RB_FOREACH(child, child_tree, &table->all)
		if (kill(child->pid, signal_number) < 0)
			log_warn("signal %d to worker %d", signal_number,
			    (int)child->pid);
}

bool
child_table_is_empty(const struct child_table *table)
{
	return RB_EMPTY(&table->all);
}
