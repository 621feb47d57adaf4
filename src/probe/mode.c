#include "probe/mode.h"

#include <string.h>

#include "probe/load.h"

static const struct mode modes[] = {
	{ "echo", 7, "cis", false, echo_talk, NULL },
	{ "daytime", 13, "", false, daytime_talk, NULL },
	{ "connect", 0, "", true, connect_talk, NULL },
	{ "idle", 7, "pMP", false, NULL, idle_run },
	{ "load", 0, "cspLSW", false, NULL, load_run },
};

const struct mode *
mode_find(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	return NULL;
}

const struct mode *
mode_with(char option)
{
	const struct mode *mode = modes;

	while (strchr(mode->options, option) == NULL)
		mode++;
	return mode;
}

enum verdict
mode_run(const struct mode *mode, const struct session_options *options,
    struct report *report)
{
	struct session session;
	enum verdict verdict;

	if (mode->run != NULL)
		return mode->run(options, report);
	if (session_open(&session, options, report) && mode->talk(&session))
		session_end(&session, mode->ends_in_data);
	verdict = session_close(&session);
	report_summary(report, verdict, &session.facts, session.cause);
	return verdict;
}
