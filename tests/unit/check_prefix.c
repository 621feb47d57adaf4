/*
 * Tests of common/prefix: what is a prefix, and which addresses are in it.
 */
#include <stdlib.h>
#include <string.h>

#include "common/prefix.h"
#include "unit/plain_prefix.h"
#include "unit/unit.h"

#define ROUNDS 20000

static const struct {
	const char *text;
	const char *prints;
} good[] = {
	{ "any", "any" },
	{ "192.0.2.7", "192.0.2.7/32" },
	{ "192.0.2.0/24", "192.0.2.0/24" },
	{ "0.0.0.0/0", "0.0.0.0/0" },
	{ "128.0.0.0/1", "128.0.0.0/1" },
	{ "::1", "::1/128" },
	{ "::", "::/128" },
	{ "::/0", "::/0" },
	{ "2001:db8::/32", "2001:db8::/32" },
	{ "2001:DB8:0:1::/64", "2001:db8:0:1::/64" },
	{ "fe80::/10", "fe80::/10" },
	/* IPv4, whoever writes it */
	{ "::ffff:192.0.2.0/120", "192.0.2.0/24" },
	{ "::ffff:c000:207", "192.0.2.7/32" },
	{ "::ffff:0:0/96", "0.0.0.0/0" },
	{ "::fffe:0:0/95", "::fffe:0:0/95" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128" },
};

static const struct {
	const char *text;
	const char *why;
} bad[] = {
	{ "",
	    "must be any, an IPv4 or IPv6 address, or one with /bits, as in "
	    "192.0.2.0/24" },
	{ "all",
	    "must be any, an IPv4 or IPv6 address, or one with /bits, as "
	    "in 192.0.2.0/24" },
	{ "any/0",
	    "must be any, an IPv4 or IPv6 address, or one with /bits, "
	    "as in 192.0.2.0/24" },
	{ "192.0.2",
	    "must be any, an IPv4 or IPv6 address, or one with /bits, "
	    "as in 192.0.2.0/24" },
	{ "[::1]:7", "takes no brackets and no port" },
	{ "fe80::1%eth0",
	    "takes no scope: write it without the part from % "
	    "on" },
	{ "fe80::%2/64",
	    "takes no scope: write it without the part from % "
	    "on" },
	{ "192.0.2.0/", "the length must be 0 to 32, as in 192.0.2.0/32" },
	{ "192.0.2.0/33", "the length must be 0 to 32, as in 192.0.2.0/32" },
	{ "192.0.2.0/-1", "the length must be 0 to 32, as in 192.0.2.0/32" },
	{ "192.0.2.0/+8", "the length must be 0 to 32, as in 192.0.2.0/32" },
	{ "192.0.2.0/24/8", "the length must be 0 to 32, as in 192.0.2.0/32" },
	{ "192.0.2.0/4294967320",
	    "the length must be 0 to 32, as in 192.0.2.0/32" },
	{ "2001:db8::/129",
	    "the length must be 0 to 128, as in 2001:db8::/128" },
	{ "192.0.2.7/24",
	    "has bits set beyond its length 24: write "
	    "192.0.2.0/24, or 192.0.2.7/32" },
	{ "192.0.2.7/0",
	    "has bits set beyond its length 0: write 0.0.0.0/0, "
	    "or 192.0.2.7/32" },
	{ "2001:db8::1/64",
	    "has bits set beyond its length 64: write "
	    "2001:db8::/64, or 2001:db8::1/128" },
	{ "::ffff:192.0.2.7/120",
	    "has bits set beyond its length 120: write "
	    "192.0.2.0/24, or ::ffff:192.0.2.7/128" },
	{ "::ffff:0:0/95",
	    "has bits set beyond its length 95: write "
	    "::fffe:0:0/95, or ::ffff:0:0/128" },
};

#define GOOD ((int)(sizeof(good) / sizeof(good[0])))
#define BAD ((int)(sizeof(bad) / sizeof(bad[0])))

START_TEST(a_prefix_prints_as_it_is_meant)
{
	char why[PREFIX_WHY_SIZE] = "", text[PREFIX_STRLEN];
	struct prefix prefix, again;

	ck_assert_msg(prefix_parse(good[_i].text, &prefix, why) == 0, "%s: %s",
	    good[_i].text, why);
	prefix_format(&prefix, text, sizeof(text));
	ck_assert_str_eq(text, good[_i].prints);
	ck_assert_int_eq(prefix_parse(text, &again, why), 0);
	ck_assert_mem_eq(&prefix, &again, sizeof(prefix));
}
END_TEST

START_TEST(what_is_no_prefix_says_what_to_write)
{
	char why[PREFIX_WHY_SIZE] = "";
	struct prefix prefix;

	ck_assert_int_eq(prefix_parse(bad[_i].text, &prefix, why), -1);
	ck_assert_str_eq(why, bad[_i].why);
}
END_TEST

START_TEST(no_text_is_too_long_for_a_message)
{
	char text[4096], why[PREFIX_WHY_SIZE];
	struct prefix prefix;

	memset(text, '1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(prefix_parse(text, &prefix, why), -1);
	text[45] = '/';
	ck_assert_int_eq(prefix_parse(text, &prefix, why), -1);
}
END_TEST

static struct prefix
parsed(const struct plain *plain)
{
	char text[64], why[PREFIX_WHY_SIZE] = "";
	struct prefix prefix;

	plain_text(plain, text, sizeof(text));
	ck_assert_msg(
	    prefix_parse(text, &prefix, why) == 0, "%s: %s", text, why);
	return prefix;
}

START_TEST(the_same_addresses_as_bit_by_bit)
{
	unsigned inside = 0;

	srand(26);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct plain rule = any_prefix(), who = any_address();
		struct prefix prefix = parsed(&rule);
		uint8_t bytes[16];
		bool has = plain_has(&rule, &who);

		as_bytes(&who, bytes);
		ck_assert_msg(prefix_has(&prefix, bytes) == has,
		    "round %u: /%u of family %d is %d", i, rule.bits,
		    rule.family, has);
		inside += has;
	}
	/* Both happen, or the test would say little. */
	ck_assert_uint_gt(inside, ROUNDS / 20);
	ck_assert_uint_lt(inside, ROUNDS / 2);
}
END_TEST

START_TEST(any_has_both_families)
{
	struct prefix prefix;
	char why[PREFIX_WHY_SIZE];
	struct plain who;
	uint8_t bytes[16];

	ck_assert_int_eq(prefix_parse("any", &prefix, why), 0);
	for (unsigned i = 0; i < 100; i++) {
		who = any_address();
		as_bytes(&who, bytes);
		ck_assert(prefix_has(&prefix, bytes));
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("prefix");
	TCase *tcase = unit_case(suite, "text");

	tcase_add_loop_test(tcase, a_prefix_prints_as_it_is_meant, 0, GOOD);
	tcase_add_loop_test(
	    tcase, what_is_no_prefix_says_what_to_write, 0, BAD);
	tcase_add_test(tcase, no_text_is_too_long_for_a_message);
	tcase = unit_case(suite, "addresses");
	tcase_add_test(tcase, the_same_addresses_as_bit_by_bit);
	tcase_add_test(tcase, any_has_both_families);
	return unit_run(suite);
}
