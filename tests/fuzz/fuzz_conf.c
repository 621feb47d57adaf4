/*
 * common/conf_parse and conf_print: files of any bytes, and what they include.
 *
 * The files of an input are the only ones that there are: each ends at a byte
 * 0x1e, and they are c/0, c/1, c/2 and c/3. The first is the configuration.
 */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <glob.h>

#include "common/conf_table.h"
#include "fuzz/format.h"
#include "fuzz/fuzz.h"
#include "services/service.h"

#define FILES 4
#define FILE_END 0x1e
#define MOST_OPENED 20  /* in an input: a thousand take too long */
#define ERROR_SIZE 1024 /* of a line, its path included */

static char *const paths[FILES] = { "c/0", "c/1", "c/2", "c/3" };
static struct {
	const uint8_t *bytes;
	size_t length;
	bool is_there;
} files[FILES];
static unsigned opened;

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
int __wrap_glob(const char *pattern, int flags,
    int (*failed)(const char *, int), glob_t *found);
void __wrap_globfree(glob_t *found);

FILE *
__wrap_fopen(const char *path, const char *mode)
{
	/* libFuzzer has others, also where it keeps an input that crashed. */
	if (!fuzz_is_running || strcmp(mode, "re") != 0)
		return __real_fopen(path, mode);
	/* No other file is touched: a pattern has matched, or it is ours. */
	for (size_t i = 0; i < FILES; i++)
		if (files[i].is_there && strcmp(path, paths[i]) == 0) {
			if (++opened <= MOST_OPENED)
				return fmemopen(
				    (void *)(uintptr_t)files[i].bytes,
				    files[i].length, "r");
			errno = EMFILE;
			return NULL;
		}
	FUZZ_CHECK(false);
	return NULL;
}

int
__wrap_glob(const char *pattern, int flags, int (*failed)(const char *, int),
    glob_t *found)
{
	FUZZ_CHECK(flags == 0 && failed == NULL);
	found->gl_pathc = 0;
	found->gl_pathv = calloc(FILES + 1, sizeof(*found->gl_pathv));
	FUZZ_CHECK(found->gl_pathv != NULL);
	for (size_t i = 0; i < FILES; i++)
		if (files[i].is_there &&
		    fnmatch(pattern, paths[i], FNM_PATHNAME) == 0)
			found->gl_pathv[found->gl_pathc++] = paths[i];
	return found->gl_pathc == 0 ? GLOB_NOMATCH : 0;
}

void
__wrap_globfree(glob_t *found)
{
	free(found->gl_pathv);
}

static void
set_file(size_t i, const void *bytes, size_t length)
{
	files[i].bytes = bytes;
	files[i].length = length;
	files[i].is_there = true;
}

/* Lines of printable text, each of which names a file. */
static void
check_errors(const char *text)
{
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");

		FUZZ_CHECK(text[length] == '\n' && length < ERROR_SIZE);
		FUZZ_CHECK(strncmp(text, "c/", 2) == 0);
		FUZZ_CHECK(memmem(text, length, ": ", 2) != NULL);
		for (size_t i = 0; i < length; i++)
			FUZZ_CHECK(isprint((unsigned char)text[i]));
		text += length + 1;
	}
}

/* It is refused exactly where something is wrong with it. */
static struct conf *
read_files(void)
{
	struct conf *conf;
	char *errors;
	size_t size;
	FILE *to = open_memstream(&errors, &size);

	FUZZ_CHECK(to != NULL);
	opened = 0;
	conf = conf_read(paths[0], service_known, to);
	FUZZ_CHECK(fclose(to) == 0);
	FUZZ_CHECK((conf == NULL) == (size > 0));
	check_errors(errors);
	free(errors);
	return conf;
}

static bool
has_number(const struct conf_keyword *keyword)
{
	return keyword->type == CONF_NUMBER || keyword->type == CONF_TIME ||
	    keyword->type == CONF_SECONDS;
}

static bool
has_text(const struct conf_keyword *keyword)
{
	return keyword->type == CONF_PATH || keyword->type == CONF_ACCOUNT ||
	    keyword->type == CONF_FORMAT;
}

/* Given, by default or derived: within the range that the manual has. */
static void
check_values(enum conf_scope scope, const void *a, const void *b)
{
	const struct conf_keyword *keyword;

	for (size_t i = 0; (keyword = conf_keyword_at(i)) != NULL; i++) {
		const char *of_a = (const char *)a + keyword->offset;
		const char *of_b = (const char *)b + keyword->offset;
		int64_t value;

		if (keyword->scope != scope || keyword->type == CONF_LISTEN ||
		    keyword->type == CONF_RULE || keyword->type == CONF_BLOCK)
			continue;
		if (has_text(keyword)) {
			FUZZ_CHECK(strcmp(*(char *const *)of_a,
				       *(char *const *)of_b) == 0);
			continue;
		}
		value = *(const int64_t *)(const void *)of_a;
		FUZZ_CHECK(value == *(const int64_t *)(const void *)of_b);
		FUZZ_CHECK(!has_number(keyword) ||
		    (value >= keyword->min && value <= keyword->max));
	}
}

static void
check_admission(const struct conf_service *a, const struct conf_service *b)
{
	const struct conf_rule *of_b = TAILQ_FIRST(&b->rules), *of_a;

	TAILQ_FOREACH(of_a, &a->rules, entry) {
		FUZZ_CHECK(of_b != NULL && of_a->allow == of_b->allow);
		FUZZ_CHECK(of_a->prefix.any == of_b->prefix.any);
		FUZZ_CHECK(of_a->prefix.bits == of_b->prefix.bits);
		FUZZ_CHECK(memcmp(of_a->prefix.bytes, of_b->prefix.bytes,
			       sizeof(of_a->prefix.bytes)) == 0);
		of_b = TAILQ_NEXT(of_b, entry);
	}
	FUZZ_CHECK(of_b == NULL);
	FUZZ_CHECK(a->rate_per_source.rate == b->rate_per_source.rate);
	FUZZ_CHECK(a->rate_per_source.burst == b->rate_per_source.burst);
	FUZZ_CHECK(
	    (a->rate_per_source.rate == 0) == (a->rate_per_source.burst == 0));
}

static void
check_service(const struct conf_service *a, const struct conf_service *b)
{
	const struct conf_listen *of_b = TAILQ_FIRST(&b->listens), *of_a;

	FUZZ_CHECK(strcmp(a->name, b->name) == 0);
	FUZZ_CHECK(!TAILQ_EMPTY(&a->listens));
	TAILQ_FOREACH(of_a, &a->listens, entry) {
		FUZZ_CHECK(of_b != NULL && of_a->port == of_b->port);
		FUZZ_CHECK(of_a->systemd == of_b->systemd);
		FUZZ_CHECK(strcmp(of_a->host, of_b->host) == 0);
		of_b = TAILQ_NEXT(of_b, entry);
	}
	FUZZ_CHECK(of_b == NULL);
	check_admission(a, b);
	check_values(CONF_SERVICE, a, b);
	FUZZ_CHECK(a->min_spare_workers <= a->max_spare_workers);
	FUZZ_CHECK(a->max_spare_workers <= a->max_workers);
	FUZZ_CHECK(a->start_workers <= a->max_workers);
}

static void
check_same(const struct conf *a, const struct conf *b)
{
	const struct conf_service *of_b = TAILQ_FIRST(&b->services), *of_a;

	check_values(CONF_GLOBAL, a, b);
	TAILQ_FOREACH(of_a, &a->services, entry) {
		FUZZ_CHECK(of_b != NULL);
		check_service(of_a, of_b);
		of_b = TAILQ_NEXT(of_b, entry);
	}
	FUZZ_CHECK(of_b == NULL);
}

/* What -nv prints is a file, and says the same. */
static void
check_print(const struct conf *conf)
{
	struct conf *again;
	char *text;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	FUZZ_CHECK(to != NULL);
	conf_print(conf, to);
	FUZZ_CHECK(fclose(to) == 0);
	memset(files, 0, sizeof(files));
	set_file(0, text, size);
	again = read_files();
	FUZZ_CHECK(again != NULL);
	check_same(conf, again);
	conf_free(again);
	free(text);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_keep_stderr();
	return 0;
}

static void
run(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct conf *conf;

	memset(files, 0, sizeof(files));
	for (size_t i = 0; i < FILES && (i == 0 || input.left > 0); i++) {
		size_t length;
		const uint8_t *from = fuzz_until(&input, FILE_END, &length);

		set_file(i, from, length);
	}
	conf = read_files();
	if (conf == NULL)
		return;
	if (TAILQ_EMPTY(&conf->services))
		FUZZ_CHECK(conf_add_default_services(conf, service_known) == 0);
	check_print(conf);
	conf_free(conf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_is_running = true;
	run(data, size);
	fuzz_is_running = false;
	return 0;
}
