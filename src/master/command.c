#include "master/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/unshared.h"
#include "master/report.h"
#include "master/stop.h"

#define BLANKS " \t"
#define ANSWER_SIZE 512

/* What a command gets: argument is NULL where it takes none. */
struct call {
	struct master *master;
	struct control_client *client;
	const char *argument;
};

static void
answer_report(const struct call *call, enum report report)
{
	size_t size = report_size(call->master, report);
	char *text = unshared_alloc(size, 1);

	if (text != NULL && report_text(call->master, report, text) == 0)
		control_reply(call->client, true, text);
	else
		control_reply(
		    call->client, false, "no memory for the status; try again");
	unshared_free(text, size, 1);
}

static void
status(const struct call *call)
{
	if (call->argument == NULL)
		answer_report(call, REPORT_TABLE);
	else if (strcmp(call->argument, "-j") == 0)
		answer_report(call, REPORT_JSON);
	else
		control_reply(call->client, false,
		    "status takes -j, for JSON, or nothing");
}

static void
metrics(const struct call *call)
{
	answer_report(call, REPORT_METRICS);
}

/*
 * What it costs is the same whatever is in it: the client reads it. Opened
 * again, for our own descriptor could be mapped to write to.
 */
static void
scoreboard_command(const struct call *call)
{
	char text[ANSWER_SIZE];
	int fd;

	snprintf(
	    text, sizeof(text), "/proc/self/fd/%d", call->master->board.fd);
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		snprintf(text, sizeof(text),
		    "the scoreboard cannot be opened to read: %s (is /proc "
		    "there? see RLIMIT_NOFILE)",
		    strerror(errno));
		control_reply(call->client, false, text);
		return;
	}
	control_reply_passing(call->client, fd,
	    "the scoreboard comes with this, see preforkctl(8)");
}

/* For the master, and for all workers at once. */
static void
log_level_command(const struct call *call)
{
	int level = log_level_parse(call->argument);
	char answer[ANSWER_SIZE];

	if (level < 0) {
		snprintf(answer, sizeof(answer),
		    "log-level %s: must be error, warning, notice, info or "
		    "debug",
		    call->argument);
		control_reply(call->client, false, answer);
		return;
	}
	log_notice("control: log-level %s (%s)", call->argument,
	    control_who(call->client));
	master_set_log_level(call->master, level);
	snprintf(answer, sizeof(answer), "log-level %s", call->argument);
	control_reply(call->client, true, answer);
}

static void
stop_command(const struct call *call)
{
	log_notice("control: stop (%s)", control_who(call->client));
	control_wait(call->client, CONTROL_STOP);
	stop_request(call->master, clock_ms());
}

static void
reload(const struct call *call)
{
	command_reload(call->master, call->client);
}

static void
upgrade(const struct call *call)
{
	command_upgrade(call->master, call->client);
}

static const struct {
	const char *name;
	const char *argument; /* what it is, in brackets where it may be left
				 out, or NULL: takes none */
	void (*run)(const struct call *call);
} commands[] = { { "status", "[-j]", status }, { "metrics", NULL, metrics },
	{ "scoreboard", NULL, scoreboard_command }, { "reload", NULL, reload },
	{ "upgrade", NULL, upgrade }, { "stop", NULL, stop_command },
	{ "log-level", "LEVEL", log_level_command } };

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

int
command_split(char *request, char **name, char **argument)
{
	*name = strtok_r(request, BLANKS, &request);
	*argument = *name == NULL ? NULL : strtok_r(NULL, BLANKS, &request);
	return *name != NULL && strtok_r(NULL, BLANKS, &request) == NULL ? 0 :
									   -1;
}

/* "what is wrong; the commands are status, reload, ..." */
static void
refuse(struct control_client *client, const char *what, const char *name)
{
	char answer[ANSWER_SIZE];

	snprintf(answer, sizeof(answer), "%s%s; the commands are:", what, name);
	for (size_t i = 0; i < COMMANDS; i++) {
		strlcat(answer, i == 0 ? " " : ", ", sizeof(answer));
		strlcat(answer, commands[i].name, sizeof(answer));
		if (commands[i].argument != NULL) {
			strlcat(answer, " ", sizeof(answer));
			strlcat(answer, commands[i].argument, sizeof(answer));
		}
	}
	control_reply(client, false, answer);
}

static bool
may_be_left_out(const char *argument)
{
	return argument != NULL && argument[0] == '[';
}

void
command_run(struct control_client *client, char *request, void *context)
{
	struct call call = { .master = context, .client = client };
	char *name, *argument;

	if (command_split(request, &name, &argument) < 0) {
		refuse(client, "a command is a word, and at most one more", "");
		return;
	}
	call.argument = argument;
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, name) != 0)
			continue;
		if ((commands[i].argument != NULL) != (argument != NULL) &&
		    !may_be_left_out(commands[i].argument))
			refuse(client,
			    argument == NULL ? "an argument is missing: " :
					       "takes no argument: ",
			    name);
		else
			commands[i].run(&call);
		return;
	}
	refuse(client, "unknown command: ", name);
}

void
command_reload(struct master *master, struct control_client *client)
{
	log_notice("control: reload (%s)", control_who(client));
	if (master->stop.begun) {
		control_reply(client, false, "the daemon stops");
		return;
	}
	control_wait(client, CONTROL_RELOAD_NEXT);
	reload_request(master);
}

void
command_upgrade(struct master *master, struct control_client *client)
{
	log_notice("control: upgrade (%s)", control_who(client));
	if (master->stop.begun) {
		control_reply(client, false, "the daemon stops");
		return;
	}
	control_wait(client, CONTROL_UPGRADE_NEXT);
	upgrade_request(master);
}
