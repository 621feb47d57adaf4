#include "common/source_table.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#define TRIES 16
#define TIME_MASK ((UINT64_C(1) << BUCKET_TIME_BITS) - 1)
/* No rate lets a bucket owe more: what does is from before a wrap. */
#define MOST_DEBT_US INT64_C(1000000000000)

int
source_table_create(struct source_table *table, uint32_t sets)
{
	void *map;

	if (getrandom(table->key, sizeof(table->key), 0) !=
	    (ssize_t)sizeof(table->key))
		return -1;
	map = mmap(NULL, sets * sizeof(*table->sets), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return -1;
	table->sets = map;
	table->set_count = sets;
	return 0;
}

void
source_table_destroy(struct source_table *table)
{
	if (table->sets != NULL)
		munmap(table->sets, table->set_count * sizeof(*table->sets));
	memset(table, 0, sizeof(*table));
}

/* Each bit of the result depends on each bit of x. */
static uint64_t
scatter(uint64_t x)
{
	x = (x ^ x >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 29) * UINT64_C(0xd1342543de82ef95);
	return x ^ x >> 32;
}

/* Twice, with a key before each: what comes out is never shown to anybody. */
static uint64_t
hash(const struct source_table *table, uint64_t source)
{
	return scatter(scatter(source ^ table->key[0]) + table->key[1]);
}

uint64_t
source_table_salt(const struct source_table *table, const char *name)
{
	uint64_t salt = table->key[1];

	for (; *name != '\0'; name++)
		salt = hash(table, salt ^ (uint8_t)*name);
	return salt;
}

static uint64_t
tag_of(uint64_t state)
{
	return state >> BUCKET_TIME_BITS;
}

/* The source's bucket, with its state; or NULL. */
static struct source_bucket *
find(struct source_set *set, uint64_t source, uint64_t tag, uint64_t *state)
{
	struct source_bucket *bucket = set->ways;

	for (; bucket < set->ways + SOURCE_WAYS; bucket++) {
		*state =
		    atomic_load_explicit(&bucket->state, memory_order_acquire);
		if (tag_of(*state) == tag &&
		    atomic_load_explicit(
			&bucket->source, memory_order_relaxed) == source)
			return bucket;
	}
	return NULL;
}

/* The one that owes least, with its state. */
static struct source_bucket *
find_least(struct source_set *set, uint64_t now, uint64_t *state, int64_t *debt)
{
	struct source_bucket *least = NULL;
	uint64_t s;
	int64_t d;

	for (size_t i = 0; i < SOURCE_WAYS; i++) {
		s = atomic_load_explicit(
		    &set->ways[i].state, memory_order_acquire);
		d = bucket_debt(s, now, MOST_DEBT_US);
		if (least == NULL || d < *debt) {
			least = &set->ways[i];
			*state = s;
			*debt = d;
		}
	}
	return least;
}

bool
source_table_take(const struct source_table *table, uint64_t source,
    const struct bucket_rate *rate, uint64_t now, enum source_full full)
{
	uint64_t h = hash(table, source), tag = h >> BUCKET_TIME_BITS;
	struct source_set *set = &table->sets[(uint32_t)h % table->set_count];
	struct source_bucket *bucket;
	uint64_t state = 0, time;
	int64_t debt = 0;
	bool is_new;

	for (int i = 0; i < TRIES; i++) {
		bucket = find(set, source, tag, &state);
		is_new = bucket == NULL;
		time = state & TIME_MASK;
		if (is_new) {
			bucket = find_least(set, now, &state, &debt);
			if (full == SOURCE_KEEP && debt > 0)
				return false;
			time = now & TIME_MASK;
		}
		if (!bucket_take(&time, rate, now))
			return false;
		if (!atomic_compare_exchange_strong(
			&bucket->state, &state, tag << BUCKET_TIME_BITS | time))
			continue;
		/* Until this is seen, the two words are of nobody. */
		if (is_new)
			atomic_store_explicit(
			    &bucket->source, source, memory_order_release);
		return true;
	}
	return true;
}
