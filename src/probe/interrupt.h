/*
 * interrupt: ^C ends a probe as its count would, with what it has to say.
 */
#ifndef PROBE_INTERRUPT_H
#define PROBE_INTERRUPT_H

#include <stdbool.h>

/*
 * From now on the first SIGINT (signal(7)) is noted, and ends poll(2) and the
 * like with EINTR; the next one ends the process, as ever.
 */
void interrupt_catch(void);

/* Whether it has come. */
bool interrupt_came(void);

#endif
