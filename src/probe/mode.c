#include "probe/mode.h"

#include <string.h>

static const struct mode modes[] = {
	{ "echo", 7, true, false, echo_talk },
	{ "daytime", 13, false, false, daytime_talk },
	{ "connect", 0, false, true, connect_talk },
};

const struct mode *
mode_find(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	return NULL;
}

enum verdict
mode_run(const struct mode *mode, const struct session_options *options,
    struct report *report)
{
	struct session session;
	enum verdict verdict;

	if (session_open(&session, options, report) && mode->talk(&session))
		session_end(&session, mode->ends_in_data);
	verdict = session_close(&session);
	report_summary(report, verdict, &session.facts, session.cause);
	return verdict;
}
