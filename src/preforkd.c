/*
 * preforkd - a preforking TCP daemon; see preforkd(8).
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#ifdef STATIC_GLIBC
#include <nss.h>
#endif
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/log.h"
#include "common/privilege.h"
#include "master/activation.h"
#include "master/master.h"
#include "services/service.h"

#define EXIT_USAGE 2 /* systemd must not start us again */

struct options {
	bool debug;            /* -d */
	bool foreground;       /* -F */
	bool check;            /* -n */
	int verbose;           /* -v, counted */
	const char *file;      /* -f, or NULL */
	const char *pid_file;  /* -p, or NULL */
	char *const *services; /* service@address:port */
	int service_count;
};

static const char usage[] =
    "usage: preforkd [-dFhnVv] [-f file] [-p pidfile] [service@address:port ...]\n";

static const char help[] =
    "  -d          debug: foreground, log to stderr, log every connection\n"
    "  -F          foreground, for a supervisor\n"
    "  -f file     configuration (default " SYSCONFDIR "/preforkd.conf)\n"
    "  -n          check the configuration and exit; with -v print it\n"
    "  -p pidfile  PID file\n"
    "  -v          more logging; twice for debug\n"
    "  -V          version\n"
    "  -h          this help\n"
    "Example: preforkd -d echo@127.0.0.1:7007 daytime@127.0.0.1:7013\n"
    "See preforkd(8) and preforkd.conf(5).\n";

static void
parse_options(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt(argc, argv, "dFf:hnp:Vv")) != -1)
		switch (c) {
		case 'd':
			o->debug = true;
			break;
		case 'F':
			o->foreground = true;
			break;
		case 'f':
			o->file = optarg;
			break;
		case 'h':
			printf("%s%s", usage, help);
			exit(0);
		case 'n':
			o->check = true;
			break;
		case 'p':
			o->pid_file = optarg;
			break;
		case 'V':
			printf("preforkd %s\n", PACKAGE_VERSION);
			exit(0);
		case 'v':
			o->verbose++;
			break;
		default:
			fprintf(stderr, "%s", usage);
			exit(EXIT_USAGE);
		}
	o->services = argv + optind;
	o->service_count = argc - optind;
}

/*
 * Descriptors 0 to 2 must be open, or a socket would take their place. Others
 * that were left open to us, and that systemd did not pass, would keep
 * somebody's pipe or file busy for as long as the daemon lives.
 */
static void
sort_descriptors(void)
{
	int fd;

	closefrom(STDERR_FILENO + 1 + activation_take());
	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			err(1, "/dev/null");
	} while (fd <= STDERR_FILENO);
	close(fd);
}

/*
 * The file of -f must be there; the default one is read when it is there and
 * the command line names no services.
 */
static struct conf *
read_file(const struct options *o, FILE *errors)
{
	const char *path = o->file;

	if (path == NULL && o->service_count == 0 &&
	    (access(SYSCONFDIR "/preforkd.conf", F_OK) == 0 || errno != ENOENT))
		path = SYSCONFDIR "/preforkd.conf";
	if (path == NULL)
		return conf_new();
	return conf_read(path, service_known, errors);
}

/*
 * The PID file or the control socket: -d and services on the command line are
 * for trying things out.
 */
static bool
default_is_wanted(
    const struct options *o, const struct conf *conf, const char *keyword)
{
	if (o->file != NULL && conf_is_set(conf, keyword))
		return true;
	return !o->debug && o->service_count == 0;
}

static int
choose_services(const struct options *o, struct conf *conf, FILE *errors)
{
	if (o->service_count > 0)
		return conf_apply_arguments(
		    conf, o->services, o->service_count, service_known, errors);
	if (TAILQ_EMPTY(&conf->services) &&
	    conf_add_default_services(conf, service_known) < 0) {
		fprintf(errors, "out of memory\n");
		return -1;
	}
	return 0;
}

static void
choose_logging(const struct options *o, struct conf *conf)
{
	if (o->debug) {
		conf->log_connections = 1;
		if (conf->log_level < LOG_INFO)
			conf->log_level = LOG_INFO;
	}
	/* With -n, -v asks for more output, not for more logging. */
	if (!o->check && o->verbose > 0)
		conf->log_level =
		    o->verbose == 1 && conf->log_level < LOG_INFO ?
		    conf->log_level + 1 :
		    LOG_DEBUG;
}

/* The file and the command line together: see master_source. */
static struct conf *
configure(void *context, FILE *errors, int *status)
{
	const struct options *o = context;
	const char *pid_file = o->pid_file;
	struct conf *conf = read_file(o, errors);

	*status = EXIT_USAGE;
	if (conf == NULL)
		return NULL;
	if (pid_file == NULL && !default_is_wanted(o, conf, "pid-file"))
		pid_file = "none";
	if (choose_services(o, conf, errors) < 0 ||
	    (!default_is_wanted(o, conf, "control") &&
		conf_set_none(conf, "control") < 0) ||
	    (pid_file != NULL &&
		conf_set_pid_file(conf, pid_file, errors) < 0)) {
		conf_free(conf);
		return NULL;
	}
	choose_logging(o, conf);
	return conf;
}

/*
 * That of the start, with its accounts; ends the program where there is none.
 * But not one that serves already: the trial has read another one, and until a
 * reload reads one that is right there are the workers, and the defaults.
 */
static struct conf *
configure_start(
    struct options *o, struct privilege *privilege, bool serves_already)
{
	struct conf *conf;
	int status, found;

	conf = configure(o, stderr, &status);
	if (conf != NULL) {
		found = privilege_find(privilege, conf, stderr);
		if (found == 0)
			return conf;
		status = found == PRIVILEGE_BAD ? EXIT_USAGE : 1;
		conf_free(conf);
	}
	if (!serves_already)
		exit(status);
	conf = conf_new();
	if (conf == NULL || privilege_find(privilege, conf, stderr) < 0)
		exit(1);
	choose_logging(o, conf);
	return conf;
}

/* In the background we are in / when a reload reads it again. */
static void
make_absolute(const char **file)
{
	char *directory, *path;

	if (*file == NULL || **file == '/')
		return;
	directory = getcwd(NULL, 0);
	if (directory == NULL || asprintf(&path, "%s/%s", directory, *file) < 0)
		err(1, "%s: its place", *file);
	free(directory);
	*file = path;
}

static int
check(const struct options *o, const struct conf *conf,
    const struct privilege *privilege)
{
	int result = 0;

	if (o->verbose > 0) {
		conf_print(conf, stdout);
		result = master_print(conf, privilege, stdout);
	}
	return fflush(stdout) == 0 && result == 0 ? 0 : 1;
}

#ifdef STATIC_GLIBC
/*
 * Modules of nsswitch.conf(5) are shared objects, which a static program must
 * not load: those that are built in are left.
 */
static void
limit_name_service(void)
{
	if (__nss_configure_lookup("passwd", "files") < 0 ||
	    __nss_configure_lookup("group", "files") < 0 ||
	    __nss_configure_lookup("hosts", "files dns") < 0 ||
	    __nss_configure_lookup("services", "files") < 0)
		err(1, "name service");
}
#else
static void
limit_name_service(void)
{
}
#endif

/*
 * The command as it was given, for another binary of that name: not where a
 * symbolic link leads to, for that may be another place by then.
 */
static const char *
find_program(const char *name)
{
	char *path = getenv("PATH"), *directory, *program;

	if (strchr(name, '/') != NULL) {
		make_absolute(&name);
		return name;
	}
	path = strdup(path == NULL ? "" : path);
	for (char *rest = path; rest != NULL;) {
		directory = strsep(&rest, ":");
		if (asprintf(&program, "%s/%s", directory, name) < 0)
			err(1, "memory");
		if (*directory == '/' && access(program, X_OK) == 0) {
			free(path);
			return program;
		}
		free(program);
	}
	free(path);
	return SBINDIR "/preforkd";
}

/* The same again, whatever the directory is by then. */
static char **
repeat_arguments(const struct options *o, const char *program)
{
	size_t n = 0;
	char **again;

	again =
	    calloc((size_t)(o->verbose + o->service_count) + 8, sizeof(*again));
	if (again == NULL)
		err(1, "memory");
	again[n++] = (char *)program;
	if (o->debug)
		again[n++] = (char *)"-d";
	if (o->foreground)
		again[n++] = (char *)"-F";
	for (int i = 0; i < o->verbose; i++)
		again[n++] = (char *)"-v";
	if (o->file != NULL) {
		again[n++] = (char *)"-f";
		again[n++] = (char *)o->file;
	}
	if (o->pid_file != NULL) {
		again[n++] = (char *)"-p";
		again[n++] = (char *)o->pid_file;
	}
	for (int i = 0; i < o->service_count; i++)
		again[n++] = o->services[i];
	return again;
}

/* Of the start: what is taken out of ours later is in it. */
static char **
copy_environment(void)
{
	size_t count = 0, used = 0;
	char **copy;

	while (environ[count] != NULL)
		count++;
	copy = calloc(count + 1, sizeof(*copy));
	if (copy == NULL)
		err(1, "memory");
	for (size_t i = 0; i < count; i++) {
		if (strncmp(environ[i], "PREFORKD_", 9) == 0 ||
		    strncmp(environ[i], "LISTEN_", 7) == 0)
			continue;
		copy[used] = strdup(environ[i]);
		if (copy[used++] == NULL)
			err(1, "memory");
	}
	return copy;
}

/* What another binary has left for this one, see master/upgrade.h. */
static struct state *
take_state(bool *trial)
{
	static struct state state;
	int found = upgrade_take(&state, trial);

	if (found < 0)
		exit(1);
	return found > 0 ? &state : NULL;
}

int
main(int argc, char **argv)
{
	static struct options options;
	/* What is in these is there for as long as we are. */
	static struct master_source source = { .read = configure,
		.context = &options };
	static char *name;
	struct privilege privilege;
	struct state *state;
	struct conf *conf;
	bool background, trial;
	int status;

	source.program.environment = copy_environment();
	state = take_state(&trial);
	if (state == NULL)
		sort_descriptors();
	limit_name_service();
	parse_options(argc, argv, &options);
	conf = configure_start(&options, &privilege, state != NULL && !trial);
	make_absolute(&options.file);
	if (options.check) {
		status = check(&options, conf, &privilege);
		conf_free(conf);
		return status;
	}
	if (state != NULL && trial) {
		status = upgrade_try(conf, state);
		conf_free(conf);
		return status;
	}
	/* ps(1) will show another text in its place. */
	name = strdup(argv[0]);
	if (name == NULL)
		err(1, "memory");
	source.program.path = find_program(name);
	source.program.arguments =
	    repeat_arguments(&options, source.program.path);
	background = !options.debug && !options.foreground;
	clock_set_zone();
	log_open(
	    background ? LOG_TO_SYSLOG : LOG_TO_STDERR, (int)conf->log_level);
	log_copy_to_stderr(background && state == NULL);
	return master_run(
	    conf, &privilege, &source, background && state == NULL, state);
}
