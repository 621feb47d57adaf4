/*
 * preforkctl - asks a running preforkd; see preforkctl(8).
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/client.h"
#include "control/half_open.h"
#include "control/inspect.h"

#define EXIT_USAGE 2
#define EXIT_NO_DAEMON 3
#define DEFAULT_SOCKET RUNSTATEDIR "/preforkd/control.sock"
#define LIMIT_MS 10000 /* to be heard, and for an answer that is at hand */
#define REQUEST_SIZE 256

typedef enum client_result inspect_fn(
    const struct inspect *inspect, char **text, char why[CLIENT_WHY_SIZE]);

/* Prints an answer with what the master does not count. */
typedef void
print_fn(const struct half_open *half_open, const char *text, FILE *to);

static const struct command {
	const char *name;
	const char *argument; /* NULL: takes none */
	bool takes_time;      /* as long as the daemon needs */
	const char *help;
	inspect_fn *inspect;      /* reads the scoreboard itself, or NULL */
	inspect_fn *inspect_file; /* the same with -S */
	print_fn *print;          /* adds to the answer, or NULL */
	bool json;                /* knows -j */
} commands[] = {
	{ "status", NULL, false, "what is served, by how many, and to whom",
	    NULL, inspect_status, half_open_print, true },
	{ "connections", NULL, false, "a line for each worker that has one",
	    inspect_connections, inspect_connections, NULL, true },
	{ "metrics", NULL, false, "the status for Prometheus", NULL, NULL,
	    half_open_print_metrics, false },
	{ "reload", NULL, true, "read the configuration again", NULL, NULL,
	    NULL, false },
	{ "upgrade", NULL, true, "go on as the new binary", NULL, NULL, NULL,
	    false },
	{ "stop", NULL, true, "stop gracefully", NULL, NULL, NULL, false },
	{ "log-level", "level", false,
	    "error, warning, notice, info or debug, from now on", NULL, NULL,
	    NULL, false },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* What was written to stdout has arrived there. */
static bool
is_written(void)
{
	if (fflush(stdout) == 0)
		return true;
	warn("standard output");
	return false;
}

static const char usage[] =
    "usage: preforkctl [-hjV] [-s socket | -S scoreboard-file] command "
    "[argument]\n";

static const char *
argument_of(const struct command *command)
{
	if (command->json)
		return "[-j]";
	return command->argument == NULL ? "" : command->argument;
}

static void
print_help(void)
{
	printf("%s"
	       "  -j          JSON, of a command that takes it\n"
	       "  -s socket   of the daemon (default " DEFAULT_SOCKET ")\n"
	       "  -S file     its scoreboard, for status and connections "
	       "without it\n"
	       "  -V          version\n"
	       "  -h          this help\n"
	       "Commands:\n",
	    usage);
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-11s %-6s %s\n", commands[i].name,
		    argument_of(&commands[i]), commands[i].help);
	printf("See preforkctl(8).\n");
}

static _Noreturn void
fail_usage(const char *what, const char *name)
{
	fprintf(stderr, "preforkctl: %s%s\n%s", what, name, usage);
	fprintf(stderr, "commands:");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(stderr, "%s %s%s%s", i == 0 ? "" : ",",
		    commands[i].name,
		    argument_of(&commands[i])[0] == '\0' ? "" : " ",
		    argument_of(&commands[i]));
	fprintf(stderr, "\n");
	exit(EXIT_USAGE);
}

/* What is left of argv is the command. */
static void
parse_options(int argc, char **argv, struct inspect *options)
{
	int c;

	while ((c = getopt(argc, argv, "+hjs:S:V")) != -1)
		switch (c) {
		case 'h':
			print_help();
			exit(is_written() ? 0 : 1);
		case 'j':
			options->json = true;
			break;
		case 's':
			options->socket = optarg;
			break;
		case 'S':
			options->file = optarg;
			break;
		case 'V':
			printf("preforkctl %s\n", PACKAGE_VERSION);
			exit(is_written() ? 0 : 1);
		default:
			fprintf(stderr, "%s", usage);
			exit(EXIT_USAGE);
		}
	if (options->socket != NULL && options->file != NULL)
		fail_usage("-s and -S: give one of them; ",
		    "-S reads a file, and asks no daemon");
	if (options->socket == NULL)
		options->socket = DEFAULT_SOCKET;
}

/* The command of these words, which are written to request as one line. */
static const struct command *
parse_command(char *const *words, int count, char request[REQUEST_SIZE])
{
	const struct command *command = NULL;

	if (count == 0)
		fail_usage("a command is missing", "");
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, words[0]) == 0)
			command = &commands[i];
	if (command == NULL)
		fail_usage("unknown command: ", words[0]);
	if (count > 1 + (command->argument != NULL))
		fail_usage("one argument too many: ", words[count - 1]);
	if (count < 1 + (command->argument != NULL))
		fail_usage("an argument is missing: ", words[0]);
	/* Cut or empty, it would be another request. */
	if (count == 2 &&
	    (strlen(words[1]) > REQUEST_SIZE / 2 ||
		strcspn(words[1], " \t\r\n") != strlen(words[1]) ||
		words[1][0] == '\0'))
		fail_usage("the argument must be one word: ", words[1]);
	snprintf(request, REQUEST_SIZE, "%s%s%s", words[0],
	    count == 2 ? " " : "", count == 2 ? words[1] : "");
	return command;
}

/* "status -j" is "-j status", and "connections -j" is "-j connections". */
static int
take_json_word(char *const *words, int count, struct inspect *options)
{
	if (count < 2 || strcmp(words[count - 1], "-j") != 0)
		return count;
	options->json = true;
	return count - 1;
}

static enum client_result
run(const struct command *command, const struct inspect *options,
    char request[REQUEST_SIZE], char **text, pid_t *master,
    char why[CLIENT_WHY_SIZE])
{
	enum client_result result;
	struct client_passed passed;
	inspect_fn *inspect =
	    options->file != NULL ? command->inspect_file : command->inspect;

	if (options->json && !command->json)
		fail_usage("-j is not for ", command->name);
	if (options->file != NULL && inspect == NULL)
		fail_usage("-S is not for ", command->name);
	if (inspect != NULL)
		return inspect(options, text, why);
	if (options->json)
		strlcat(request, " -j", REQUEST_SIZE);
	result = client_fetch(options->socket, request, LIMIT_MS,
	    command->takes_time ? CLIENT_NO_LIMIT : LIMIT_MS, text, &passed,
	    why);
	if (passed.fd >= 0)
		close(passed.fd);
	*master = passed.peer;
	return result;
}

static void
print_answer(const struct command *command, const char *text, pid_t master)
{
	struct half_open half_open;

	if (command->print == NULL) {
		fputs(text, stdout);
		return;
	}
	half_open_look(&half_open, master);
	command->print(&half_open, text, stdout);
	half_open_free(&half_open);
}

int
main(int argc, char **argv)
{
	struct inspect options = { .limit_ms = LIMIT_MS };
	const struct command *command;
	char request[REQUEST_SIZE], why[CLIENT_WHY_SIZE], *text;
	int status = 1, count;
	pid_t master = 0;

	parse_options(argc, argv, &options);
	count = take_json_word(argv + optind, argc - optind, &options);
	command = parse_command(argv + optind, count, request);
	switch (run(command, &options, request, &text, &master, why)) {
	case CLIENT_OK:
		if (text != NULL)
			print_answer(command, text, master);
		status = is_written() ? 0 : 1;
		break;
	case CLIENT_REFUSED:
		fprintf(stderr, "preforkctl: %s", text);
		break;
	case CLIENT_FAILED:
		fprintf(stderr, "preforkctl: %s\n", why);
		break;
	case CLIENT_NO_DAEMON:
		fprintf(stderr, "preforkctl: %s\n", why);
		status = EXIT_NO_DAEMON;
		break;
	}
	free(text);
	return status;
}
