#include "common/unshared.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

void *
unshared_alloc(size_t count, size_t size)
{
	void *memory;
	int saved;

	if (size != 0 && count > SIZE_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	memory = mmap(NULL, count * size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	if (madvise(memory, count * size, MADV_DONTFORK) < 0) {
		saved = errno;
		munmap(memory, count * size);
		errno = saved;
		return NULL;
	}
	return memory;
}

void
unshared_free(void *memory, size_t count, size_t size)
{
	if (memory != NULL)
		munmap(memory, count * size);
}
