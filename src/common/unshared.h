/*
 * unshared: memory of the master's that its workers do not inherit.
 *
 * What the master writes after a fork would be copied, page by page, and each
 * worker would keep the old page: its own memory, of no use to it, and a page
 * fault of the master's. A worker that touches it dies.
 */
#ifndef COMMON_UNSHARED_H
#define COMMON_UNSHARED_H

#include <stddef.h>

/*
 * Maps count objects of size bytes, all zero, in whole pages, with
 * MADV_DONTFORK (madvise(2)). A page is there once it is written to. Returns
 * NULL with errno.
 */
void *unshared_alloc(size_t count, size_t size);

/* Gives it back; NULL is fine. count and size as for unshared_alloc. */
void unshared_free(void *memory, size_t count, size_t size);

#endif
