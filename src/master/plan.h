/*
 * plan: what a configuration to come makes of the listening sockets: which are
 * opened, which stay, and whether there is room for their workers.
 */
#ifndef MASTER_PLAN_H
#define MASTER_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/conf.h"
#include "master/pools.h"

struct master;

/*
 * Plans those of the configuration that is being loaded: opens what is new, as
 * pools in reload.added, and sets next of each pool that it names. Returns 0,
 * or -1 after it logged all that is wrong; what is planned is there all the
 * same, for the caller to undo.
 */
int plan_listeners(struct master *master);

/* True for a pool that the configuration to come has. */
bool plan_has(const struct pool *pool);

/* Logs that a listen line has an address that another one has. */
void plan_say_twice(const struct conf_listen *listen, const char *address);

/*
 * How many workers a listening socket with these settings may have while a
 * reload goes on.
 */
uint64_t plan_workers(const struct conf_service *settings);

/* False after it logged that all of them are more than there are slots. */
bool plan_finds_room(uint64_t workers, uint32_t slots);

#endif
