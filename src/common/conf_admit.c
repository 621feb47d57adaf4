/*
 * conf_admit: the keywords that say whom a service admits.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf_table.h"

/* The number in front of text, of digits alone; *end is what follows. */
static int
take_number(const char *text, int64_t most, int64_t *value, const char **end)
{
	*value = 0;
	for (*end = text; isdigit((unsigned char)**end); (*end)++) {
		*value = *value * 10 + (**end - '0');
		if (*value > most)
			return -1;
	}
	return *end == text ? -1 : 0;
}

int
conf_rate_parse(const struct conf_keyword *keyword, const char *text,
    struct conf_rate *rate)
{
	static const char word[] = " burst ";
	struct conf_rate new;
	const char *rest;

	if (take_number(text, keyword->max, &new.rate, &rest) < 0 ||
	    new.rate < keyword->min)
		return -1;
	new.burst = new.rate;
	if (*rest != '\0') {
		if (strncmp(rest, word, sizeof(word) - 1) != 0 ||
		    take_number(rest + sizeof(word) - 1, CONF_BURST_MAX,
			&new.burst, &rest) < 0 ||
		    *rest != '\0' || new.burst == 0)
			return -1;
		if (new.rate == 0)
			new.burst = 0;
	}
	*rate = new;
	return 0;
}

void
conf_rate_format(const struct conf_rate *rate, char *text, size_t size)
{
	if (rate->rate == 0)
		snprintf(text, size, "0");
	else
		snprintf(text, size, "%" PRId64 " burst %" PRId64, rate->rate,
		    rate->burst);
}

static void
free_rule(struct conf_rule *rule)
{
	free(rule->file);
	free(rule);
}

int
conf_rule_add(struct conf_service *service, bool allow, const char *text,
    const char *file, unsigned line, char why[CONF_WHY_SIZE])
{
	struct conf_rule *rule;
	struct prefix prefix;

	_Static_assert(
	    (int)CONF_WHY_SIZE >= (int)PREFIX_WHY_SIZE, "its messages fit");
	if (prefix_parse(text, &prefix, why) < 0)
		return -1;
	rule = calloc(1, sizeof(*rule));
	if (rule == NULL || (rule->file = strdup(file)) == NULL) {
		free(rule);
		return conf_wrong(why, "out of memory");
	}
	rule->allow = allow;
	rule->prefix = prefix;
	rule->line = line;
	TAILQ_INSERT_TAIL(&service->rules, rule, entry);
	return 0;
}

void
conf_rules_free(struct conf_service *service)
{
	struct conf_rule *rule;

	while ((rule = TAILQ_FIRST(&service->rules)) != NULL) {
		TAILQ_REMOVE(&service->rules, rule, entry);
		free_rule(rule);
	}
}

const struct conf_rule *
conf_rule_find(
    const struct conf_service *service, const uint8_t bytes[16], bool *allowed)
{
	const struct conf_rule *rule;

	*allowed = true;
	TAILQ_FOREACH(rule, &service->rules, entry) {
		if (prefix_has(&rule->prefix, bytes)) {
			*allowed = rule->allow;
			return rule;
		}
		if (rule->allow)
			*allowed = false;
	}
	return NULL;
}
