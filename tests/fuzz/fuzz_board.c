/*
 * common/scoreboard_view, and all that preforkctl(8) does with what is in it: a
 * file of any bytes.
 *
 * The first byte of an input says how many rows and slots there are, and which
 * of the header's fields are put right, so that the rest gets past the door;
 * then come the bytes of the file.
 */
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/scoreboard_view.h"
#include "common/status.h"
#include "control/connections.h"
#include "fuzz/fuzz.h"

#define PORTS 8
#define PAGE 4096

static FILE *null;

void *
__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t from);
int __wrap_munmap(void *map, size_t size);

/* A copy in the heap: of a mapping, ASan would not see where it ends. */
void *
__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t from)
{
	void *copy;

	FUZZ_CHECK(at == NULL && from == 0);
	FUZZ_CHECK(prot == PROT_READ && flags == MAP_SHARED);
	FUZZ_CHECK(posix_memalign(&copy, PAGE, size) == 0);
	FUZZ_CHECK(pread(fd, copy, size, 0) == (ssize_t)size);
	return copy;
}

int
__wrap_munmap(void *map, size_t size)
{
	(void)size;
	free(map);
	return 0;
}

/* As a scoreboard of so many: true where the length is to be right as well. */
static bool
repair(int fd, uint8_t how, size_t *size)
{
	const struct scoreboard_layout layout = scoreboard_layout();
	struct scoreboard_header header = { .magic = SCOREBOARD_MAGIC,
		.version = layout.version,
		.header_size = layout.header_size,
		.row_size = layout.row_size,
		.rows = 1 + how % 4,
		.slot_size = layout.slot_size,
		.slots = 1 + how / 4 % 8 };
	const size_t lengths[] = { 0,
		offsetof(struct scoreboard_header, version),
		offsetof(struct scoreboard_header, rows),
		offsetof(struct scoreboard_header, master) };
	size_t right = lengths[how / 32 % 4];

	FUZZ_CHECK(pwrite(fd, &header, right, 0) == (ssize_t)right);
	*size = scoreboard_size(header.rows, header.slots);
	return how < 128;
}

/* Everything that preforkctl does with one. */
static void
use(const struct scoreboard *view)
{
	struct connections connections;
	struct sock_table table = { 0 };
	uint16_t ports[PORTS];

	FUZZ_CHECK(connections_collect(
		       &connections, view, connections_last_ms(view)) == 0);
	FUZZ_CHECK(connections_ports(&connections, ports, PORTS) <= PORTS);
	connections_join(&connections, &table, true, NULL, NULL);
	connections_print(&connections, null);
	connections_print_json(&connections, null);
	connections_free(&connections);
	for (uint32_t i = 0; i < view->row_count; i++) {
		const struct pool_row *from = &view->rows[i];
		char service[sizeof(from->service) + 1];
		char address[ADDR_STRLEN + 1];
		char *text = malloc(status_table_size(1));
		struct status_row row = { .service = scoreboard_text(service,
					      sizeof(service), from->service,
					      sizeof(from->service)),
			.address = scoreboard_text(address, sizeof(address),
			    from->address, sizeof(from->address)),
			.state = "-",
			.holders = "-",
			.max = STATUS_UNKNOWN,
			.queue_length = STATUS_UNKNOWN,
			.queue_limit = STATUS_UNKNOWN,
			.backlog = STATUS_UNKNOWN,
			.overflows = STATUS_UNKNOWN };

		FUZZ_CHECK(text != NULL);
		status_count(view, i, &row);
		status_table(&row, 1, text);
		FUZZ_CHECK(strlen(text) < status_table_size(1));
		free(text);
	}
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_keep_stderr();
	null = fopen("/dev/null", "w");
	return null == NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned before = fuzz_open_fds();
	char why[SCOREBOARD_WHY_SIZE] = "";
	struct scoreboard view;
	size_t right;
	int fd;

	if (size == 0)
		return 0;
	fd = memfd_create("board", MFD_CLOEXEC);
	FUZZ_CHECK(pwrite(fd, data + 1, size - 1, 0) == (ssize_t)size - 1);
	if (repair(fd, data[0], &right))
		FUZZ_CHECK(ftruncate(fd, (off_t)right) == 0);
	if (scoreboard_view(&view, fd, why) == 0) {
		use(&view);
		scoreboard_unview(&view);
	} else {
		FUZZ_CHECK(*why != '\0');
	}
	close(fd);
	FUZZ_CHECK(fuzz_open_fds() == before);
	return 0;
}
