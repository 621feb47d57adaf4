/*
 * board: a scoreboard of ROWS rows and SLOTS slots, which the including test
 * defines, for each case.
 */
#ifndef UNIT_BOARD_H
#define UNIT_BOARD_H

#include "common/scoreboard.h"
#include "unit/unit.h"

static struct scoreboard board;

static inline void
board_make(void)
{
	ck_assert_int_eq(scoreboard_create(&board, ROWS, SLOTS), 0);
}

static inline void
board_destroy(void)
{
	scoreboard_destroy(&board);
}

#endif
