/*
 * background: the way from the shell that started us to a daemon.
 */
#ifndef MASTER_BACKGROUND_H
#define MASTER_BACKGROUND_H

/*
 * Forks. The parent waits, for at most a minute, until the child is ready,
 * and exits with 0 then, otherwise with the child's exit status or 1; it
 * never returns. The child leads a new session, in the directory /, with
 * stdin and stdout on /dev/null; its stderr stays until it is ready. Returns
 * the descriptor for background_ready, or -1 with errno when it cannot fork.
 * See daemon(7).
 */
int background_start(void);

/* The child: tells the parent to exit 0, and lets go of its stderr. */
void background_ready(int fd);

#endif
