#include "probe/interrupt.h"

#include <signal.h>

static volatile sig_atomic_t came;

static void
note(int number)
{
	(void)number;
	came = 1;
}

void
interrupt_catch(void)
{
	/* SA_RESETHAND: whoever does not want to wait asks twice. */
	const struct sigaction action = { .sa_handler = note,
		.sa_flags = (int)SA_RESETHAND };

	struct sigaction before;

	/* In the background of a script it is ignored, and stays so. */
	if (sigaction(SIGINT, NULL, &before) == 0 &&
	    before.sa_handler == SIG_DFL)
		(void)sigaction(SIGINT, &action, NULL);
}

bool
interrupt_came(void)
{
	return came != 0;
}
