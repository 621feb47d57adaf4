/*
 * share: in a build for coverage, one set of gcov's counters for a process and
 * for all that it forks.
 *
 * A worker leaves by _exit(2) or is killed, in a chroot, without a descriptor
 * or a system call to write a file with: it could never say what it has
 * executed. With this it need not. Its counters are its master's, which writes
 * them when it exits or executes an upgrade, and no lock that is on a worker is
 * opened.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of share.ld: where the counters are, in pages of their own. */
extern uint64_t coverage_begin[], coverage_end[];

void coverage_share(void);
void __gcov_dump(void);
int __gcov_execve(const char *path, char *const argv[], char *const envp[]);

static size_t
size_of_all(void)
{
	return (size_t)((char *)coverage_end - (char *)coverage_begin);
}

static uint64_t *
new_pages(int flags)
{
	void *pages = mmap(NULL, size_of_all(), PROT_READ | PROT_WRITE,
	    flags | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED) {
		perror("coverage: counters");
		abort();
	}
	return pages;
}

static void
put_in_place(uint64_t *pages)
{
	if (mremap(pages, size_of_all(), size_of_all(),
		MREMAP_MAYMOVE | MREMAP_FIXED, coverage_begin) == MAP_FAILED) {
		perror("coverage: counters");
		abort();
	}
}

void __attribute__((constructor)) coverage_share(void)
{
	uint64_t *shared = new_pages(MAP_SHARED);

	memcpy(shared, coverage_begin, size_of_all());
	put_in_place(shared);
}

/*
 * What all have counted up to now becomes this process's own, and is in nobody
 * else's: libgcov is about to add what the files have to the counters, and to
 * write them. It does so in a destructor of a lower priority, so after this
 * one.
 */
static void __attribute__((destructor)) take(void)
{
	uint64_t *own = new_pages(MAP_PRIVATE);

	for (size_t i = 0; i < size_of_all() / sizeof(*own); i++)
		own[i] = __atomic_exchange_n(
		    &coverage_begin[i], 0, __ATOMIC_RELAXED);
	put_in_place(own);
}

/*
 * Instead of libgcov's, which gcc calls for execve(2). That one fails seldom,
 * and what is executed afterwards is not counted then.
 */
int
__gcov_execve(const char *path, char *const argv[], char *const envp[])
{
	take();
	__gcov_dump();
	return (int)syscall(SYS_execve, path, argv, envp);
}
