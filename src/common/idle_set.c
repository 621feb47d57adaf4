#include "common/idle_set.h"

size_t
idle_set_words(uint32_t slots)
{
	return ((size_t)slots + IDLE_SET_BITS - 1) / IDLE_SET_BITS;
}

static uint64_t
bit_of(uint32_t slot)
{
	return UINT64_C(1) << (slot % IDLE_SET_BITS);
}

void
idle_set_add(idle_word *set, uint32_t slot)
{
	atomic_fetch_or(&set[slot / IDLE_SET_BITS], bit_of(slot));
}

void
idle_set_remove(idle_word *set, uint32_t slot)
{
	atomic_fetch_and(&set[slot / IDLE_SET_BITS], ~bit_of(slot));
}

bool
idle_set_has(const idle_word *set, uint32_t slot)
{
	return atomic_load(&set[slot / IDLE_SET_BITS]) & bit_of(slot);
}

uint32_t
idle_set_count(const idle_word *set, uint32_t slots, uint32_t enough)
{
	size_t words = idle_set_words(slots);
	uint32_t count = 0;

	for (size_t i = 0; i < words && count < enough; i++)
		count += (uint32_t)__builtin_popcountll(atomic_load(&set[i]));
	return count;
}
