/*
 * conf_text: configurations as text, for the tests of common/conf.
 */
#ifndef UNIT_CONF_TEXT_H
#define UNIT_CONF_TEXT_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "services/service.h"
#include "unit/dir.h"

/* Takes every "DIRECTORY/" out of text, so that messages can be compared. */
static inline void
strip_dir(char *text)
{
	char prefix[sizeof(dir_name) + 1], *at;

	snprintf(prefix, sizeof(prefix), "%s/", dir_name);
	while ((at = strstr(text, prefix)) != NULL)
		memmove(
		    at, at + strlen(prefix), strlen(at + strlen(prefix)) + 1);
}

/* Reads the file; *errors is what was said, to be freed. */
static inline struct conf *
read_conf(const char *path, char **errors)
{
	struct conf *conf;
	size_t size;
	FILE *to = open_memstream(errors, &size);

	ck_assert_ptr_nonnull(to);
	conf = conf_read(path, service_known, to);
	fclose(to);
	strip_dir(*errors);
	return conf;
}

/* The configuration of a text that must be good. */
static inline struct conf *
good_conf(const char *text)
{
	char *errors;
	struct conf *conf = read_conf(dir_write("good", text), &errors);

	ck_assert_msg(
	    conf != NULL && errors[0] == '\0', "for \"%s\": %s", text, errors);
	free(errors);
	return conf;
}

/* The file f that holds text must be refused with just these lines. */
static inline void
assert_errors(const char *text, const char *expected)
{
	char *errors;
	struct conf *conf = read_conf(dir_write("f", text), &errors);

	ck_assert_msg(conf == NULL, "for \"%s\": was read", text);
	ck_assert_msg(strcmp(errors, expected) == 0,
	    "for \"%s\":\n%sand not\n%s", text, errors, expected);
	free(errors);
}

/* The first block. */
static inline struct conf_service *
first_service(const struct conf *conf)
{
	ck_assert_ptr_nonnull(TAILQ_FIRST(&conf->services));
	return TAILQ_FIRST(&conf->services);
}

/* What conf_print writes, to be freed. */
static inline char *
printed(const struct conf *conf)
{
	char *text;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(to);
	conf_print(conf, to);
	fclose(to);
	return text;
}

#endif
