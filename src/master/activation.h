/*
 * activation: the sockets that systemd passed at the start, by the protocol of
 * sd_listen_fds(3): LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, and descriptors
 * from 3 on.
 *
 * The table stays for as long as the daemon lives: it is how a reload finds
 * the sockets of a name again.
 */
#ifndef MASTER_ACTIVATION_H
#define MASTER_ACTIVATION_H

#include <stdbool.h>

#include "common/addr.h"
#include "common/conf.h"

struct activation_socket {
	char *name;                /* FileDescriptorName= of its socket unit */
	char address[ADDR_STRLEN]; /* "*:7", or what it is bound to */
	const char *wrong;         /* why it is of no use, with the remedy */
	int fd;                    /* as it was passed */
	bool taken;                /* or closed */
	bool claimed;              /* a listen line of now has its name */
	bool stored;               /* we had given it to systemd to keep */
};

/*
 * Takes the sockets over, close-on-exec, where LISTEN_PID is ours, and the
 * variables out of the environment in any case. Called once, before anything
 * is opened or forked. Returns the number of descriptors from 3 on that were
 * passed. What is wrong with the variables is logged, and nothing is taken.
 */
int activation_take(void);

/*
 * An upgrade: one that the binary before this one has taken. Returns 0, or -1
 * without memory.
 */
int activation_inherit(const char *name, const char *address, int fd);

/* The name of the socket of a socket unit that is bound there, or NULL. */
const char *activation_name(const char *address);

/* Notes what names the listen lines of that configuration have. */
void activation_claim(const struct conf *conf);

/* What the name of a socket that we have stored begins with. */
#define ACTIVATION_STORED "preforkd/"

/*
 * The next socket of a socket unit, behind that one or the first where it is
 * NULL, of that name; of the name "", all that no listen line names. NULL past
 * the last.
 */
struct activation_socket *
activation_next(const char *name, struct activation_socket *after);

/* The next one that we had stored and that is not taken, in the same way. */
struct activation_socket *
activation_next_stored(struct activation_socket *after);

/* True when another one that is taken has its address. */
bool activation_is_second(const struct activation_socket *socket);

/* What nobody has taken of socket units is said, and closed. */
void activation_close_rest(void);

#endif
