/*
 * board_file: the file that a scoreboard is in, where the configuration names
 * one: who has it, and how it is made.
 */
#ifndef MASTER_BOARD_FILE_H
#define MASTER_BOARD_FILE_H

#include <stddef.h>

#include "common/scoreboard.h"

#define BOARD_FILE_WHY_SIZE 256

/*
 * Makes a scoreboard of so many rows and slots in a new file at path, mode
 * 0600, all of whose blocks are there, and takes it, see scoreboard_hold. The
 * file that a dead daemon of our user left there is removed first; readers
 * that have it open keep it. Anything else there is left alone. Returns 0, or
 * -1 with errno, and with what is wrong and the remedy in why.
 */
int board_file_create(struct scoreboard *board, const char *path, uint32_t rows,
    uint32_t slots, char why[BOARD_FILE_WHY_SIZE]);

/* Removes it from its path, if what is there is what fd has. */
void board_file_remove(int fd, const char *path);

#endif
