/*
 * preforkd.conf(5) against the table of keywords: ranges, units, defaults.
 * The directory of the source is in TOP_SRCDIR.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf_table.h"
#include "unit/unit.h"

static char page[1 << 16];

static void
read_page(void)
{
	const char *top = getenv("TOP_SRCDIR");
	char path[4096];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/man/preforkd.conf.5",
	    top == NULL ? "." : top);
	file = fopen(path, "re");
	ck_assert_msg(file != NULL, "%s cannot be opened", path);
	n = fread(page, 1, sizeof(page) - 1, file);
	ck_assert_msg(n > 0 && n < sizeof(page) - 1, "%s: %zu bytes", path, n);
	page[n] = '\0';
	fclose(file);
}

/* The keyword's item, up to the next one; the caller frees it. */
static char *
item_of(const char *keyword)
{
	char head[128];
	const char *from, *to;

	snprintf(head, sizeof(head), "\n.It Ic %s Ar ", keyword);
	from = strstr(page, head);
	ck_assert_msg(from != NULL, "%s is not in the page", keyword);
	from += strlen(head);
	ck_assert_msg(
	    strstr(from, head) == NULL, "%s is in the page twice", keyword);
	to = strstr(from, "\n.It Ic ");
	return to == NULL ? strdup(from) : strndup(from, (size_t)(to - from));
}

static void
item_says(const struct conf_keyword *keyword, const char *sentence)
{
	char *item = item_of(keyword->name);

	ck_assert_msg(strstr(item, sentence) != NULL,
	    "%s: the page does not say: %s", keyword->name, sentence);
	free(item);
}

static bool
has_value(const struct conf_keyword *keyword)
{
	return keyword->type != CONF_BLOCK && keyword->type != CONF_INCLUDE &&
	    keyword->type != CONF_LISTEN && keyword->type != CONF_RULE;
}

START_TEST(every_keyword_has_an_item)
{
	free(item_of(conf_keyword_at((size_t)_i)->name));
}
END_TEST

START_TEST(an_item_says_the_range)
{
	const struct conf_keyword *keyword = conf_keyword_at((size_t)_i);
	char range[128], sentence[256];

	if (!has_value(keyword) || keyword->type == CONF_FORMAT)
		return;
	snprintf(sentence, sizeof(sentence), "Must be %s.\n",
	    conf_range_format(keyword, range, sizeof(range)));
	item_says(keyword, sentence);
	if (keyword->type == CONF_SECONDS)
		item_says(keyword, "Whole seconds.\n");
}
END_TEST

/* As the page in the tree has it: make puts the build's own paths in. */
static const char *
path_in_page(const char *path)
{
	static char text[512];
	const size_t length = strlen(LOCALSTATEDIR);

	if (strncmp(path, LOCALSTATEDIR "/", length + 1) != 0)
		return path;
	snprintf(text, sizeof(text), "/var%s", path + length);
	return text;
}

START_TEST(an_item_says_the_default)
{
	const struct conf_keyword *keyword = conf_keyword_at((size_t)_i);
	const char *form = "The default is %s.";
	char sentence[256];

	if (!has_value(keyword))
		return;
	if (keyword->type == CONF_PATH && keyword->initial[0] == '/')
		form = "The default is\n.Pa %s .";
	if (keyword->type == CONF_FORMAT)
		form = "The default is\n.Dq %s .";
	if (keyword->initial == NULL)
		form = "The default is derived from %s.";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(sentence, sizeof(sentence), form,
	    keyword->initial == NULL       ? keyword->derived :
		keyword->type == CONF_PATH ? path_in_page(keyword->initial) :
					     keyword->initial);
#pragma GCC diagnostic pop
	item_says(keyword, sentence);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("manual");
	TCase *tcase = unit_case(suite, "keywords");
	int rows = 0;

	while (conf_keyword_at((size_t)rows) != NULL)
		rows++;
	tcase_add_unchecked_fixture(tcase, read_page, NULL);
	tcase_add_loop_test(tcase, every_keyword_has_an_item, 0, rows);
	tcase_add_loop_test(tcase, an_item_says_the_range, 0, rows);
	tcase_add_loop_test(tcase, an_item_says_the_default, 0, rows);
	return unit_run(suite);
}
