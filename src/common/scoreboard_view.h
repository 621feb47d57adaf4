/*
 * scoreboard_view: a scoreboard that another process has, for reading.
 *
 * What is in it is not trusted: a file may be damaged or be something else, and
 * a worker that was taken over can write to all of it. No number of it bounds
 * an access that was not compared with the size of the mapping.
 */
#ifndef COMMON_SCOREBOARD_VIEW_H
#define COMMON_SCOREBOARD_VIEW_H

#include "common/scoreboard.h"

#define SCOREBOARD_WHY_SIZE 256

/*
 * Maps the scoreboard in fd, which stays the caller's, for scoreboard_read,
 * status_count and the like; to write to it is a crash. board->used is within
 * its bounds. Returns 0, or -1 with what is wrong with it, and the remedy, in
 * why.
 *
 * A file that is cut while it is mapped gives SIGBUS, see mmap(2).
 */
int scoreboard_view(
    struct scoreboard *board, int fd, char why[SCOREBOARD_WHY_SIZE]);

/* Unmaps it. */
void scoreboard_unview(struct scoreboard *board);

/*
 * The name or the address of a row as printable text: size bytes in all, of a
 * field of length bytes. Other bytes become '?'. Returns text.
 */
char *
scoreboard_text(char *text, size_t size, const char *field, size_t length);

/*
 * Master: takes the file of a scoreboard for this process and those that share
 * the descriptor, until the last of them has closed it. Returns 0, or -1 with
 * errno, EAGAIN where another daemon has it.
 */
int scoreboard_hold(int fd);

/* True while a daemon has it. */
bool scoreboard_is_held(int fd);

/* True for bytes that a scoreboard of any version begins with. */
bool scoreboard_has_magic(const void *bytes, size_t length);

#endif
