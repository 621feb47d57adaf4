#include "master/backoff.h"

int64_t
backoff_delay(unsigned failures)
{
	int64_t delay = BACKOFF_FIRST_MS;

	if (failures == 0)
		return 0;
	while (--failures > 0 && delay < BACKOFF_LONGEST_MS)
		delay *= 2;
	return delay < BACKOFF_LONGEST_MS ? delay : BACKOFF_LONGEST_MS;
}

bool
backoff_fail(struct backoff *backoff, int64_t now)
{
	if (now < backoff->until)
		return false;
	if (now - backoff->until > BACKOFF_FORGET_MS)
		backoff->failures = 0;
	backoff->failures++;
	backoff->until = now + backoff_delay(backoff->failures);
	return true;
}

void
backoff_succeed(struct backoff *backoff, int64_t started)
{
	if (started >= backoff->until)
		backoff->failures = 0;
}
