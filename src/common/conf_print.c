/*
 * conf_print: the effective configuration, in the file's own syntax.
 */
#include <limits.h>
#include <string.h>

#include "common/conf_table.h"

#define VALUE_SIZE (2 * PATH_MAX + 3) /* a path, all of it escaped */

static void
print_scope(enum conf_scope scope, const void *base, uint64_t set,
    const char *service, const char *indent, FILE *to)
{
	const struct conf_keyword *keyword;
	char value[VALUE_SIZE];

	for (size_t i = 0; (keyword = conf_keyword_at(i)) != NULL; i++) {
		if (keyword->scope != scope || keyword->type == CONF_LISTEN ||
		    keyword->type == CONF_RULE || keyword->type == CONF_BLOCK)
			continue;
		if (keyword->only != NULL &&
		    strcmp(keyword->only, service) != 0)
			continue;
		fprintf(to, "%s%s %s", indent, keyword->name,
		    conf_value_format(keyword, base, value, sizeof(value)));
		if (keyword->derived != NULL &&
		    !(set & conf_keyword_bit(keyword)))
			fprintf(to, "\t# from %s", keyword->derived);
		putc('\n', to);
	}
}

static void
print_rules(const struct conf_service *service, FILE *to)
{
	const struct conf_rule *rule;
	char text[PREFIX_STRLEN];

	TAILQ_FOREACH(rule, &service->rules, entry)
		fprintf(to, "\t%s %s\n", rule->allow ? "allow" : "deny",
		    prefix_format(&rule->prefix, text, sizeof(text)));
}

void
conf_print(const struct conf *conf, FILE *to)
{
	const struct conf_service *service;
	const struct conf_listen *listen;

	print_scope(CONF_GLOBAL, conf, conf->set, "", "", to);
	TAILQ_FOREACH(service, &conf->services, entry) {
		fprintf(to, "\nservice %s {\n", service->name);
		TAILQ_FOREACH(listen, &service->listens, entry)
			fprintf(to, "\tlisten %s\n", listen->text);
		print_scope(CONF_SERVICE, service, service->set, service->name,
		    "\t", to);
		print_rules(service, to);
		fprintf(to, "}\n");
	}
}
