#include "master/watchdog.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

#define LONGEST_USEC (INT64_C(1000000) * 86400 * 365)

/* The number in that variable; -1 without one, or with another thing in it. */
static int64_t
number_of(const char *name, int64_t most)
{
	const char *text = getenv(name), *bad;
	int64_t number;

	if (text == NULL)
		return -1;
	number = strtonum(text, 1, most, &bad);
	if (bad == NULL)
		return number;
	log_warnx("%s=%s: must be a number, 1 to %lld; the service manager's "
		  "watchdog is told nothing",
	    name, text, (long long)most);
	return -1;
}

void
watchdog_open(struct watchdog *watchdog)
{
	int64_t usec = number_of("WATCHDOG_USEC", LONGEST_USEC);
	bool is_ours = getenv("WATCHDOG_PID") == NULL ||
	    number_of("WATCHDOG_PID", INT_MAX) == getpid();

	*watchdog = (struct watchdog){ 0 };
	if (usec > 0 && is_ours)
		watchdog->period = usec < 2000 ? 1 : usec / 2000;
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

int64_t
watchdog_turn(struct watchdog *watchdog, struct notify *notify, int64_t now)
{
	if (watchdog->period == 0 || notify->length == 0)
		return CLOCK_NEVER;
	if (now < watchdog->next)
		return watchdog->next;
	/* There is another half of the time to try it again in. */
	if (notify_send(notify, "WATCHDOG=1", -1) == NOTIFY_LATER)
		watchdog->next = now + watchdog->period / 8 + 1;
	else
		watchdog->next = now + watchdog->period;
	return watchdog->next;
}
