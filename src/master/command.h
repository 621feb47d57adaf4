/*
 * command: what each request on the control socket does.
 */
#ifndef MASTER_COMMAND_H
#define MASTER_COMMAND_H

#include "master/master.h"

/* Runs a request of that client; context is the struct master. */
void command_run(struct control_client *client, char *request, void *context);

/*
 * Splits a request in place: a word, and one more or NULL. Returns 0, or -1
 * where there are more, or none.
 */
int command_split(char *request, char **name, char **argument);

/* Each answers the client, or leaves it waiting for the outcome. */
void command_reload(struct master *master, struct control_client *client);
void command_upgrade(struct master *master, struct control_client *client);

#endif
