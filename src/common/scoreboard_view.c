#include "common/scoreboard_view.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int __attribute__((format(printf, 2, 3)))
wrong(char why[SCOREBOARD_WHY_SIZE], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, SCOREBOARD_WHY_SIZE, format, args);
	va_end(args);
	return -1;
}

bool
scoreboard_has_magic(const void *bytes, size_t length)
{
	const uint64_t magic = SCOREBOARD_MAGIC;

	return length >= sizeof(magic) &&
	    memcmp(bytes, &magic, sizeof(magic)) == 0;
}

/* A copy of the header: what has been checked shall not change any more. */
static int
read_header(int fd, struct scoreboard_header *header, uint64_t *size,
    char why[SCOREBOARD_WHY_SIZE])
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return wrong(why, "stat: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return wrong(why,
		    "is no file (name the one of the keyword "
		    "scoreboard)");
	*size = (uint64_t)st.st_size;
	n = pread(fd, header, sizeof(*header), 0);
	if (n < 0)
		return wrong(why, "read: %s", strerror(errno));
	if (!scoreboard_has_magic(header, (size_t)n))
		return wrong(why,
		    "is no scoreboard of preforkd (name the one "
		    "of the keyword scoreboard)");
	if ((size_t)n < sizeof(*header))
		return wrong(why, "is cut off after %zd bytes", n);
	return 0;
}

static int
check_header(const struct scoreboard_header *header, uint64_t size,
    char why[SCOREBOARD_WHY_SIZE])
{
	const struct scoreboard_layout ours = scoreboard_layout();

	if (header->version != ours.version)
		return wrong(why,
		    "has version %" PRIu32 ", and this program reads %" PRIu32
		    " (use the preforkctl of that daemon)",
		    header->version, ours.version);
	if (header->header_size != ours.header_size ||
	    header->row_size != ours.row_size ||
	    header->slot_size != ours.slot_size)
		return wrong(why,
		    "has another layout (use the preforkctl of "
		    "that daemon)");
	/* First each alone, so that their sum cannot overflow. */
	if (header->rows == 0 || header->rows > size / ours.row_size ||
	    header->slots > size / ours.slot_size ||
	    scoreboard_size(header->rows, header->slots) != size)
		return wrong(why,
		    "is damaged: %" PRIu32 " rows and %" PRIu32
		    " slots do not make %" PRIu64 " bytes",
		    header->rows, header->slots, size);
	return 0;
}

int
scoreboard_view(struct scoreboard *board, int fd, char why[SCOREBOARD_WHY_SIZE])
{
	struct scoreboard_header header = { 0 };
	uint64_t size = 0;
	void *map;

	memset(board, 0, sizeof(*board));
	if (read_header(fd, &header, &size, why) < 0 ||
	    check_header(&header, size, why) < 0)
		return -1;
	map = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return wrong(why, "mmap: %s", strerror(errno));
	scoreboard_place(board, map, header.rows, header.slots);
	board->fd = fd;
	board->used = header.used < header.slots ? header.used : header.slots;
	return 0;
}

void
scoreboard_unview(struct scoreboard *board)
{
	munmap(board->header, board->size);
	memset(board, 0, sizeof(*board));
}

char *
scoreboard_text(char *text, size_t size, const char *field, size_t length)
{
	size_t i = 0;

	for (; i < length && i + 1 < size && field[i] != '\0'; i++)
		text[i] = isgraph((unsigned char)field[i]) ? field[i] : '?';
	text[i] = '\0';
	return text;
}

int
scoreboard_hold(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &lock);
}

bool
scoreboard_is_held(int fd)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;
}
