/*
 * Tests of common/conf: which rule decides on an address.
 */
#include <stdio.h>

#include "unit/conf_text.h"
#include "unit/plain_prefix.h"
#include "unit/unit.h"

#define ROUNDS 500    /* configurations */
#define ADDRESSES 100 /* for each */
#define MOST_RULES 12

struct plain_rule {
	bool allow;
	bool any;
	struct plain prefix;
};

static unsigned
make_rules(struct plain_rule rules[MOST_RULES], char *text, size_t size)
{
	unsigned count = (unsigned)rand() % (MOST_RULES + 1);
	char prefix[64];
	size_t used;

	used = (size_t)snprintf(text, size, "service echo {\nlisten *:7\n");
	for (unsigned i = 0; i < count; i++) {
		rules[i].allow = rand() % 3 == 0;
		rules[i].any = rand() % 20 == 0;
		rules[i].prefix = any_prefix();
		plain_text(&rules[i].prefix, prefix, sizeof(prefix));
		used += (size_t)snprintf(text + used, size - used, "%s %s\n",
		    rules[i].allow ? "allow" : "deny",
		    rules[i].any ? "any" : prefix);
	}
	snprintf(text + used, size - used, "}\n");
	return count;
}

/* On paper: the first that has it, or whether there is no allow at all. */
static bool
plain_allows(const struct plain_rule *rules, unsigned count,
    const struct plain *who, unsigned *line)
{
	bool has_allow = false;

	for (unsigned i = 0; i < count; i++)
		if (rules[i].any || plain_has(&rules[i].prefix, who)) {
			*line = i + 3;
			return rules[i].allow;
		}
	for (unsigned i = 0; i < count; i++)
		has_allow = has_allow || rules[i].allow;
	*line = 0;
	return !has_allow;
}

START_TEST(the_same_rule_decides_as_on_paper)
{
	unsigned count, line, verdicts[2] = { 0 }, ruled = 0;
	struct plain_rule rules[MOST_RULES];
	const struct conf_rule *rule;
	struct conf *conf;
	struct plain who;
	uint8_t bytes[16];
	char text[2048];
	bool allows, allowed;

	srand(26);
	for (unsigned round = 0; round < ROUNDS; round++) {
		count = make_rules(rules, text, sizeof(text));
		conf = good_conf(text);
		for (unsigned i = 0; i < ADDRESSES; i++) {
			who = any_address();
			as_bytes(&who, bytes);
			allows = plain_allows(rules, count, &who, &line);
			rule = conf_rule_find(
			    first_service(conf), bytes, &allowed);
			ck_assert_msg(allowed == allows, "round %u: %d, in\n%s",
			    round, allowed, text);
			ck_assert_uint_eq(rule == NULL ? 0 : rule->line, line);
			verdicts[allowed]++;
			ruled += rule != NULL;
		}
		conf_free(conf);
	}
	/* All of it happens, or the test would say little. */
	ck_assert_uint_gt(verdicts[0], ROUNDS * ADDRESSES / 10);
	ck_assert_uint_gt(verdicts[1], ROUNDS * ADDRESSES / 10);
	ck_assert_uint_gt(ruled, ROUNDS * ADDRESSES / 10);
	ck_assert_uint_lt(ruled, ROUNDS * ADDRESSES * 9 / 10);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("conf_admit");
	TCase *tcase = unit_case(suite, "rules");

	tcase_add_unchecked_fixture(tcase, dir_make, dir_remove);
	tcase_add_test(tcase, the_same_rule_decides_as_on_paper);
	return unit_run(suite);
}
