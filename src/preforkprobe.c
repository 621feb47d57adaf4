/*
 * preforkprobe - says what is wrong with a TCP service; see preforkprobe(1).
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe/bisect.h"
#include "probe/dial.h"
#include "probe/mode.h"
#include "probe/target.h"

#define EXIT_FAR 1
#define EXIT_USAGE 2

#define LONGEST_MS INT64_C(86400000) /* a day */

struct options {
	bool json;                        /* -j */
	bool quiet;                       /* -q */
	char given[sizeof(MODE_OPTIONS)]; /* of those in MODE_OPTIONS */
	const char *parallel; /* -p, whose most is the mode's, or NULL */
	const struct mode *mode;
	struct target target;
	struct resolve_address source;
	struct session_options session;
};

static const char usage[] =
    "usage: preforkprobe [-46hjqV] [-B source] [-c count] [-i interval] [-p parallel]\n"
    "                    [-s size] [-t timeout] [--max seconds] [--precision seconds]\n"
    "                    echo|daytime|connect|idle host[:port]\n"
    "       preforkprobe [-46jq] [-B source] [-c count] [-p parallel] [-s size]\n"
    "                    [-t timeout] [--lines] [--seconds time] [--work work]\n"
    "                    load host[:port]\n";

static const char help[] =
    "  -4           IPv4 addresses alone\n"
    "  -6           IPv6 addresses alone\n"
    "  -B source    connect from this address\n"
    "  -c count     round trips of echo, on one connection (default 1); of load,\n"
    "               connections, or messages where connections stay\n"
    "  -i interval  seconds from one to the next (default 1)\n"
    "  -j           a JSON object a line\n"
    "  -p parallel  connections of idle (default 8) or load (default 1) at the\n"
    "               same time\n"
    "  -q           the summary alone\n"
    "  -s size      bytes of each round trip of echo, or message of load\n"
    "               (default 64)\n"
    "  -t timeout   seconds for all of it, then for each further round trip\n"
    "               (default 10)\n"
    "  --lines      messages of load are lines, for servers that wait for LF\n"
    "  --max seconds\n"
    "               the longest time that idle tries (default 600)\n"
    "  --precision seconds\n"
    "               how exact idle is to be (default 1)\n"
    "  --seconds time\n"
    "               load ends then; it needs this or -c\n"
    "  --work work  of load: echo (the default) or daytime, a connection after\n"
    "               the other; round-trip or bulk, on connections that stay; or\n"
    "               hold, which opens them and sees whether they stay\n"
    "  -V           version\n"
    "  -h           this help\n"
    "Example: preforkprobe -c 3 echo localhost:7007\n"
    "See preforkprobe(1).\n";

static const struct option long_options[] = {
	{ "lines", no_argument, NULL, MODE_LINES },
	{ "max", required_argument, NULL, MODE_MAX },
	{ "precision", required_argument, NULL, MODE_PRECISION },
	{ "seconds", required_argument, NULL, MODE_SECONDS },
	{ "work", required_argument, NULL, MODE_WORK },
	{ NULL, 0, NULL, 0 },
};

/* An option as it is written: valid until the next call. */
static const char *
written(char option)
{
	static char text[32];

	snprintf(text, sizeof(text), "-%c", option);
	for (const struct option *o = long_options; o->name != NULL; o++)
		if (o->val == option)
			snprintf(text, sizeof(text), "--%s", o->name);
	return text;
}

static uint64_t
number(char option, const char *text, long long most)
{
	const char *errstr;
	long long value = strtonum(text, 1, most, &errstr);

	if (errstr != NULL)
		errx(EXIT_USAGE, "%s %s: must be 1 to %lld", written(option),
		    text, most);
	return (uint64_t)value;
}

static int64_t
seconds_to(char option, const char *text, int64_t least_ms, const char *least,
    int64_t most_ms)
{
	int64_t ms;

	if (!target_seconds(&ms, text, least_ms, most_ms))
		errx(EXIT_USAGE,
		    "%s %s: must be seconds, %s to %lld, as 5 or 0.25",
		    written(option), text, least, (long long)most_ms / 1000);
	return ms;
}

static int64_t
seconds(char option, const char *text, int64_t least_ms, const char *least)
{
	return seconds_to(option, text, least_ms, least, LONGEST_MS);
}

static void
limit_family(struct options *o, int family, const char *why)
{
	int before = o->session.family;

	if (before != AF_UNSPEC && before != family)
		errx(EXIT_USAGE,
		    "%s: IPv4 alone and IPv6 alone exclude each other; leave one out",
		    why);
	o->session.family = family;
}

static void
take_source(struct options *o, const char *text)
{
	int result = resolve_source(&o->source, text);

	if (result != 0)
		errx(EXIT_USAGE,
		    "-B %s: %s; an address of this machine is needed", text,
		    resolve_error(result));
	if (dial_check_source(&o->source) < 0)
		errx(EXIT_USAGE,
		    "-B %s: %s; name one of those that \"ip address\" lists",
		    text, strerror(errno));
	limit_family(o, o->source.addr.ss_family, "-B");
	o->session.source = &o->source;
}

/* Those without a letter, and what is no option at all. */
static void
take_long_option(struct options *o, int c)
{
	switch (c) {
	case MODE_MAX:
		o->session.max_ms = seconds(MODE_MAX, optarg, 1000, "1");
		break;
	case MODE_PRECISION:
		o->session.precision_ms =
		    seconds(MODE_PRECISION, optarg, 100, "0.1");
		break;
	case MODE_LINES:
		o->session.load.lines = true;
		break;
	case MODE_SECONDS:
		o->session.load.time_ms = seconds_to(
		    MODE_SECONDS, optarg, 1, "0.001", LOAD_SECONDS_MOST * 1000);
		break;
	case MODE_WORK:
		if (!load_work_find(&o->session.load.work, optarg))
			errx(EXIT_USAGE,
			    "--work %s: must be echo, daytime, round-trip, bulk or hold",
			    optarg);
		break;
	default:
		fprintf(stderr, "%s", usage);
		exit(EXIT_USAGE);
	}
}

static void
take_option(struct options *o, int c)
{
	switch (c) {
	case '4':
		limit_family(o, AF_INET, "-4");
		break;
	case '6':
		limit_family(o, AF_INET6, "-6");
		break;
	case 'B':
		take_source(o, optarg);
		break;
	case 'c':
		o->session.count = number('c', optarg, 1000000000);
		break;
	case 'i':
		o->session.interval_ms = seconds('i', optarg, 0, "0");
		break;
	case 'j':
		o->json = true;
		break;
	case 'p':
		o->parallel = optarg;
		break;
	case 'q':
		o->quiet = true;
		break;
	case 's':
		o->session.size = (size_t)number('s', optarg, 1 << 30);
		break;
	case 't':
		o->session.timeout_ms = seconds('t', optarg, 1, "0.001");
		break;
	case 'h':
		printf("%s%s", usage, help);
		exit(0);
	case 'V':
		printf("preforkprobe %s\n", PACKAGE_VERSION);
		exit(0);
	default:
		take_long_option(o, c);
	}
}

/* None that the mode has no use for. */
static void
check_options(const struct options *o)
{
	for (const char *c = o->given; *c != '\0'; c++)
		if (strchr(o->mode->options, *c) == NULL)
			errx(EXIT_USAGE,
			    "%s: %s has no use for it; leave it out, or use it with %s",
			    written(*c), o->mode->name, mode_with(*c)->name);
	if (o->session.precision_ms > o->session.max_ms)
		errx(EXIT_USAGE,
		    "--precision %g is more than --max %g: ask for as much at most",
		    (double)o->session.precision_ms / 1000,
		    (double)o->session.max_ms / 1000);
}

/* What load has besides; the port is that of its work. */
static void
take_load(struct options *o)
{
	struct load_plan *plan = &o->session.load;
	const char *wrong;

	if (strchr(o->given, 'c') != NULL)
		plan->count = o->session.count;
	if (o->parallel != NULL)
		plan->parallel =
		    (size_t)number('p', o->parallel, LOAD_PARALLEL_MOST);
	if (strchr(o->given, 's') != NULL)
		plan->size = o->session.size;
	wrong = load_plan_complete(plan);
	if (wrong != NULL)
		errx(EXIT_USAGE, "load: %s", wrong);
	if (o->target.port == 0)
		o->target.port = load_work_port(plan->work);
}

/* The mode, and host[:port]. */
static const struct mode *
take_arguments(struct options *o, char *const *arguments)
{
	const struct mode *mode;
	const char *wrong;

	mode = mode_find(arguments[0]);
	if (mode == NULL)
		errx(EXIT_USAGE,
		    "%s: must be echo, daytime, connect, idle or load",
		    arguments[0]);
	wrong = target_parse(&o->target, arguments[1]);
	if (wrong != NULL)
		errx(EXIT_USAGE,
		    "%s: %s; write host, host:port or [IPv6 address]:port",
		    arguments[1], wrong);
	o->mode = mode;
	check_options(o);
	if (strcmp(mode->name, "load") == 0)
		take_load(o);
	else if (o->parallel != NULL)
		o->session.parallel =
		    (size_t)number('p', o->parallel, BISECT_PARALLEL_MAX);
	if (o->target.port == 0)
		o->target.port = mode->port;
	if (o->target.port == 0)
		errx(EXIT_USAGE,
		    "%s: %s has no port of its own; write host:port or [IPv6 address]:port",
		    arguments[1], mode->name);
	o->session.host = o->target.host;
	o->session.port = o->target.port;
	return mode;
}

static const struct mode *
parse_options(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt_long(argc, argv, "46B:c:hi:jp:qs:t:V", long_options,
		    NULL)) != -1) {
		if (strchr(MODE_OPTIONS, c) != NULL &&
		    strchr(o->given, c) == NULL)
			o->given[strlen(o->given)] = (char)c;
		take_option(o, c);
	}
	if (argc - optind != 2) {
		fprintf(stderr, "%s", usage);
		exit(EXIT_USAGE);
	}
	return take_arguments(o, argv + optind);
}

int
main(int argc, char **argv)
{
	static struct options o = { .session = { .family = AF_UNSPEC,
					.timeout_ms = 10000,
					.count = 1,
					.interval_ms = 1000,
					.size = 64,
					.parallel = 8,
					.max_ms = 600000,
					.precision_ms = 1000 } };
	const struct mode *mode;
	struct report report;
	enum verdict verdict;

	mode = parse_options(argc, argv, &o);
	/* Whoever reads along wants each line when it is there. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	report_init(&report, stdout, mode->name, o.target.host, o.target.port);
	report.json = o.json;
	report.quiet = o.quiet;
	verdict = mode_run(mode, &o.session, &report);
	if (ferror(stdout) || fflush(stdout) != 0)
		err(EXIT_USAGE, "standard output");
	if (verdict == VERDICT_FAILED)
		return EXIT_USAGE;
	return verdict == VERDICT_OK ? 0 : EXIT_FAR;
}
