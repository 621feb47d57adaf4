#include "master/evict.h"

#include <stdlib.h>

static int
order(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int
by_age(const struct evict_connection *a, const struct evict_connection *b)
{
	if (a->idle_since != b->idle_since)
		return a->idle_since < b->idle_since ? -1 : 1;
	return order(a->worker, b->worker);
}

/* Those of a source together: first the ripe ones, the oldest before all. */
static int
compare_sources(const void *left, const void *right)
{
	const struct evict_connection *a = left, *b = right;

	if (a->source != b->source)
		return order(a->source, b->source);
	if (a->ripe != b->ripe)
		return a->ripe ? -1 : 1;
	return by_age(a, b);
}

static int
compare_levels(const void *left, const void *right)
{
	const struct evict_connection *a = left, *b = right;

	if (a->level != b->level)
		return order(b->level, a->level);
	return by_age(a, b);
}

static int64_t
ripe_at(const struct evict_connection *c)
{
	return c->idle_since + (c->closing ? EVICT_CLOSING_MS : EVICT_GRACE_MS);
}

/* After compare_sources: where the source of c[first] ends. */
static size_t
end_of(const struct evict_connection *c, size_t count, size_t first)
{
	size_t end = first + 1;

	while (end < count && c[end].source == c[first].source)
		end++;
	return end;
}

/*
 * The level of a connection is how many its source still has when its turn
 * comes: the highest one is that of the source with the most, each time, so
 * that all turns are sorted at once. Returns how many the next lighter sources
 * than the heaviest have.
 */
static size_t
set_levels(
    struct evict_connection *c, size_t count, struct evict_choice *choice)
{
	size_t next = 0;

	for (size_t first = 0, end; first < count; first = end) {
		end = end_of(c, count, first);
		for (size_t i = first; i < end; i++)
			c[i].level = end - i;
		if (end - first > choice->heaviest) {
			next = choice->heaviest;
			choice->heaviest = end - first;
			choice->worker = c[first].worker;
		} else if (end - first < choice->heaviest &&
		    end - first > next) {
			next = end - first;
		}
	}
	return next;
}

/* When the next one is ripe, should nothing happen before. */
static int64_t
next_ripe(const struct evict_connection *c, size_t count, int64_t now)
{
	int64_t at = now + EVICT_GRACE_MS;

	for (size_t i = 0; i < count; i++)
		if (!c[i].ripe && ripe_at(&c[i]) < at)
			at = ripe_at(&c[i]);
	return at;
}

struct evict_choice
evict_choose(
    struct evict_connection *c, size_t count, size_t waiting, int64_t now)
{
	struct evict_choice choice = { .victims = 0 };
	const int64_t soon = now + EVICT_PERIOD_MS;
	size_t next;

	for (size_t i = 0; i < count; i++)
		c[i].ripe = ripe_at(&c[i]) <= now;
	qsort(c, count, sizeof(*c), compare_sources);
	next = set_levels(c, count, &choice);
	for (size_t i = 0; i < count; i++)
		if (!c[i].ripe || c[i].level <= next)
			c[i].level = 0;
	qsort(c, count, sizeof(*c), compare_levels);
	while (choice.victims < count && choice.victims < waiting &&
	    c[choice.victims].level > 0)
		choice.victims++;
	choice.look_at = next_ripe(c, count, now);
	if (choice.victims > 0 || choice.look_at < soon)
		choice.look_at = soon;
	return choice;
}
