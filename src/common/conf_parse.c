/*
 * conf_parse: the file's lines, blocks and includes.
 */
#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf_table.h"

#define MAX_WORDS 8
#define MAX_INCLUDES 8 /* deep: enough for people, not for a loop */
#define MAX_FILES 1000 /* in all, for files that include each other */

struct parser {
	struct conf *conf;
	struct conf_service *service; /* the open block, or NULL */
	bool in_block;
	conf_known_fn *known;
	FILE *errors;
	unsigned error_count;
	const char *path;
	unsigned line;
	unsigned depth;       /* of includes */
	unsigned files;       /* that were read */
	unsigned block_depth; /* where the open block began */
};

/* A line's words; quoted says which had quotes, so that "{" is no brace. */
struct words {
	char *word[MAX_WORDS];
	bool quoted[MAX_WORDS];
	size_t count;
};

static void read_file(struct parser *p, const char *path);

static void
put_error(struct parser *p, unsigned line, const char *text)
{
	/* A file that cannot be read has no line to blame. */
	if (line > 0)
		fprintf(p->errors, "%s:%u: ", p->path, line);
	else
		fprintf(p->errors, "%s: ", p->path);
	/* Whatever the file holds, a terminal gets only what can be read. */
	for (; *text != '\0'; text++)
		putc(isprint((unsigned char)*text) ? *text : '?', p->errors);
	putc('\n', p->errors);
	p->error_count++;
}

static void __attribute__((format(printf, 2, 3)))
error(struct parser *p, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	put_error(p, p->line, text);
}

/*
 * Takes a quoted string off *from, in place, without its quotes; \" and \\
 * stand for themselves. Returns false where the closing quote is missing.
 */
static bool
unquote(char **from)
{
	char *to = *from, *at = *from + 1;

	for (; *at != '\0' && *at != '"'; at++) {
		if (*at == '\\' && (at[1] == '"' || at[1] == '\\'))
			at++;
		*to++ = *at;
	}
	if (*at == '\0')
		return false;
	*to = '\0';
	*from = at + 1;
	return true;
}

/* Splits text in place at white space; a # starts a comment. */
static bool
split_line(struct parser *p, char *text, struct words *w)
{
	w->count = 0;
	for (;;) {
		while (isspace((unsigned char)*text))
			text++;
		if (*text == '\0' || *text == '#')
			return true;
		if (w->count == MAX_WORDS) {
			error(p, "%.64s: more than %d words", w->word[0],
			    MAX_WORDS);
			return false;
		}
		w->word[w->count] = text;
		w->quoted[w->count] = *text == '"';
		if (*text == '"') {
			if (!unquote(&text)) {
				error(p, "the closing quote is missing");
				return false;
			}
		} else {
			while (*text != '\0' && !isspace((unsigned char)*text))
				text++;
			if (*text != '\0')
				*text++ = '\0';
		}
		w->count++;
	}
}

static bool
is_brace(const struct words *w, size_t i, const char *brace)
{
	return i < w->count && !w->quoted[i] && strcmp(w->word[i], brace) == 0;
}

/*
 * service NAME { - a block that is wrong is opened all the same, so that its
 * lines are checked in the same run; conf_read throws everything away.
 */
static void
open_block(struct parser *p, const struct words *w)
{
	const struct conf_service *before;
	const char *name = w->count == 3 ? w->word[1] : "";

	if (p->in_block)
		error(p, "service: the block before it has no closing }");
	if (p->in_block && p->block_depth != p->depth)
		return;
	if (w->count != 3 || !is_brace(w, 2, "{")) {
		error(p, "service: must be: service NAME {");
	} else if (!conf_is_known(name, p->known)) {
		error(p,
		    "service %.64s: unknown service; the nearest is "
		    "\"%s\"",
		    name, conf_nearest_service(name, p->known));
		name = ""; /* so that the right name is still free */
	} else if ((before = conf_service_find(p->conf, name)) != NULL) {
		error(p,
		    "service %s: has a block already at %s:%u; "
		    "a block can have several listen lines",
		    name, before->file, before->line);
	}
	p->in_block = true;
	p->block_depth = p->depth;
	p->service = conf_service_new(p->conf, name, p->path, p->line);
	if (p->service == NULL)
		error(p, "service: %s", strerror(ENOMEM));
}

static void
close_block(struct parser *p, const struct words *w)
{
	char why[CONF_WHY_SIZE];

	if (w->count != 1)
		error(p, "}: must be alone on its line");
	else if (!p->in_block)
		error(p, "}: no block is open");
	if (p->in_block && p->block_depth != p->depth) {
		error(
		    p, "}: closes a block of the file that includes this one");
		return;
	}
	if (p->service != NULL) {
		if (p->service->name[0] != '\0' &&
		    TAILQ_EMPTY(&p->service->listens))
			error(p, "service %s: has no listen line",
			    p->service->name);
		if (conf_check_workers(p->service, why) < 0)
			error(p, "service %s: %s", p->service->name, why);
		conf_derive(p->service);
	}
	p->in_block = false;
	p->service = NULL;
}

/*
 * A relative pattern is relative to the file that it stands in, whose
 * directory is no pattern. Returns memory of the caller's, or NULL.
 */
static char *
beside(const char *path, const char *pattern)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash == NULL ? 0 : (size_t)(slash - path + 1);
	char *full = malloc(2 * length + strlen(pattern) + 1), *to = full;

	if (full == NULL)
		return NULL;
	for (size_t i = 0; i < length; i++) {
		if (strchr("*?[\\", path[i]) != NULL)
			*to++ = '\\';
		*to++ = path[i];
	}
	memcpy(to, pattern, strlen(pattern) + 1);
	return full;
}

/*
 * Files that include each other by patterns would be read a number of times
 * that has the depth as its exponent. That is said once.
 */
static void
include_file(struct parser *p, const char *path)
{
	if (p->files < MAX_FILES)
		read_file(p, path);
	else if (p->files++ == MAX_FILES)
		error(p,
		    "include \"%.128s\": more than %d files in all; does a "
		    "file include itself?",
		    path, MAX_FILES);
}

static void
include_files(struct parser *p, const char *pattern)
{
	char *full;
	glob_t found = { 0 };
	int result;

	if (p->depth >= MAX_INCLUDES) {
		error(p,
		    "include \"%.128s\": more than %d files deep; "
		    "does a file include itself?",
		    pattern, MAX_INCLUDES);
		return;
	}
	full = pattern[0] == '/' ? strdup(pattern) : beside(p->path, pattern);
	if (full == NULL) {
		error(p, "include: %s", strerror(ENOMEM));
		return;
	}
	result = glob(full, 0, NULL, &found);
	if (result == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			include_file(p, found.gl_pathv[i]);
	else if (result != GLOB_NOMATCH)
		error(p, "include \"%.128s\": cannot be searched", pattern);
	else if (strpbrk(pattern, "*?[") == NULL)
		error(p,
		    "include \"%.128s\": there is no such file; a pattern "
		    "with * may match nothing",
		    pattern);
	globfree(&found);
	free(full);
}

static void
set_listen(struct parser *p, const char *text)
{
	char why[CONF_WHY_SIZE];
	const struct conf_listen *before, *new;

	if (conf_listen_add(p->service, text, p->path, p->line, why) < 0) {
		error(p, "listen %.128s: %s", text, why);
		return;
	}
	new = TAILQ_LAST(&p->service->listens, conf_listens);
	before = conf_listen_find(p->conf, new->host, new->port);
	if (before != new)
		error(p, "listen %.128s: is listened on already at %s:%u", text,
		    before->file, before->line);
}

static void
add_rule(struct parser *p, const struct conf_keyword *keyword, const char *text)
{
	bool allow = strcmp(keyword->name, "allow") == 0;
	char why[CONF_WHY_SIZE];

	if (conf_rule_add(p->service, allow, text, p->path, p->line, why) < 0)
		error(p, "%s %.128s: %s", keyword->name, text, why);
}

static bool
belongs_here(struct parser *p, const struct conf_keyword *keyword)
{
	if (p->in_block && p->service == NULL)
		return false; /* no memory for the block: said already */
	if (keyword->scope == CONF_SERVICE && !p->in_block)
		error(p, "%s: belongs in a service block", keyword->name);
	else if (keyword->scope == CONF_GLOBAL && p->in_block)
		error(p, "%s: belongs outside of the service block",
		    keyword->name);
	else if (keyword->only != NULL && p->service != NULL &&
	    p->service->name[0] != '\0' &&
	    strcmp(p->service->name, keyword->only) != 0)
		error(p, "%s: is for service %s only", keyword->name,
		    keyword->only);
	else
		return true;
	return false;
}

static void
set_value(
    struct parser *p, const struct conf_keyword *keyword, const char *text)
{
	uint64_t *set = p->in_block ? &p->service->set : &p->conf->set;
	void *base = p->in_block ? (void *)p->service : (void *)p->conf;
	char why[CONF_WHY_SIZE];

	if (*set & conf_keyword_bit(keyword)) {
		error(p, "%s: is set already in this %s", keyword->name,
		    p->in_block ? "block" : "configuration");
		return;
	}
	*set |= conf_keyword_bit(keyword);
	if (conf_value_parse(keyword, text, base, why) < 0)
		error(p, "%s %.128s: %s", keyword->name, text, why);
	else if (!p->in_block &&
	    conf_note_place(p->conf, keyword, p->path, p->line) < 0)
		error(p, "%s: %s", keyword->name, strerror(ENOMEM));
}

/* What is more than one word: 20 burst 40. */
static void
set_rate(
    struct parser *p, const struct conf_keyword *keyword, const struct words *w)
{
	char text[128];
	int length = 0;

	for (size_t i = 1; i < w->count && (size_t)length < sizeof(text); i++)
		length += snprintf(text + length, sizeof(text) - (size_t)length,
		    "%s%s", i == 1 ? "" : " ", w->word[i]);
	set_value(p, keyword, text);
}

static void
read_line(struct parser *p, char *text)
{
	const struct conf_keyword *keyword;
	struct words w;

	if (!split_line(p, text, &w) || w.count == 0)
		return;
	if (is_brace(&w, 0, "}")) {
		close_block(p, &w);
		return;
	}
	if (is_brace(&w, 0, "{")) {
		error(
		    p, "{: must be on the line of its service: service NAME {");
		return;
	}
	keyword = conf_keyword_find(w.word[0]);
	if (keyword == NULL)
		error(p, "%.64s: unknown keyword; the nearest is \"%s\"",
		    w.word[0], conf_nearest_keyword(w.word[0]));
	else if (keyword->type == CONF_BLOCK)
		open_block(p, &w);
	else if (!belongs_here(p, keyword))
		return;
	else if (keyword->type == CONF_RATE && w.count > 1)
		set_rate(p, keyword, &w);
	else if (w.count != 2)
		error(p, "%s: must be followed by one value%s", keyword->name,
		    w.count > 2 ? "; one with spaces needs quotes" : "");
	else if (keyword->type == CONF_INCLUDE)
		include_files(p, w.word[1]);
	else if (keyword->type == CONF_LISTEN)
		set_listen(p, w.word[1]);
	else if (keyword->type == CONF_RULE)
		add_rule(p, keyword, w.word[1]);
	else
		set_value(p, keyword, w.word[1]);
}

/* A line with a NUL in it would end there, and hide the rest. */
static void
read_lines(struct parser *p, FILE *file)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	while ((length = getline(&line, &size, file)) >= 0) {
		p->line++;
		if (memchr(line, '\0', (size_t)length) != NULL) {
			error(p, "a zero byte: this is no text file");
			break;
		}
		/* Some editors begin a file with a byte order mark. */
		if (p->line == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0)
			read_line(p, line + 3);
		else
			read_line(p, line);
	}
	if (ferror(file))
		error(p, "cannot be read: %s", strerror(errno));
	free(line);
}

/* Reads one file; an included one has its own path and line numbers. */
static void
read_file(struct parser *p, const char *path)
{
	const char *outer_path = p->path;
	unsigned outer_line = p->line;
	FILE *file;

	file = fopen(path, "re");
	if (file == NULL) {
		if (p->depth == 0)
			fprintf(p->errors, "%s: cannot be opened: %s\n", path,
			    strerror(errno));
		else
			error(
			    p, "include \"%.128s\": %s", path, strerror(errno));
		p->error_count++;
		return;
	}
	p->path = path;
	p->line = 0;
	p->depth++;
	p->files++;
	read_lines(p, file);
	fclose(file);
	if (p->in_block && p->block_depth == p->depth) {
		put_error(p, p->service != NULL ? p->service->line : p->line,
		    "service: the block has no closing }");
		p->in_block = false;
		p->service = NULL;
	}
	p->depth--;
	p->path = outer_path;
	p->line = outer_line;
}

struct conf *
conf_read(const char *path, conf_known_fn *known, FILE *errors)
{
	struct parser p = { .known = known, .errors = errors, .path = path };

	p.conf = conf_new();
	if (p.conf == NULL) {
		fprintf(errors, "%s: %s\n", path, strerror(ENOMEM));
		return NULL;
	}
	read_file(&p, path);
	if (p.error_count > 0) {
		conf_free(p.conf);
		return NULL;
	}
	return p.conf;
}
