/*
 * Tests of probe/target: host and port, and seconds, of the command line.
 */
#include <stdlib.h>
#include <string.h>

#include "probe/target.h"
#include "unit/unit.h"

static const struct {
	const char *text;
	const char *host;
	uint16_t port;
} good[] = {
	{ "localhost", "localhost", 0 },
	{ "localhost:7", "localhost", 7 },
	{ "192.0.2.1:65535", "192.0.2.1", 65535 },
	{ "[2001:db8::1]:13", "2001:db8::1", 13 },
	{ "[2001:db8::1]", "2001:db8::1", 0 },
	{ "2001:db8::1", "2001:db8::1", 0 },
	{ "::1", "::1", 0 },
	{ "[fe80::1%lo]:1", "fe80::1%lo", 1 },
};

START_TEST(a_target_is_host_and_port)
{
	struct target target;

	ck_assert_ptr_null(target_parse(&target, good[_i].text));
	ck_assert_str_eq(target.host, good[_i].host);
	ck_assert_uint_eq(target.port, good[_i].port);
}
END_TEST

static const char *const bad[] = { "", ":7", "[]:7", "[::1", "[::1]7",
	"[::1]x:7", "host:", "host:0", "host:65536", "host:-1", "host:7x",
	"host:echo", "[::1]:" };

START_TEST(another_target_is_refused)
{
	struct target target;

	ck_assert_msg(target_parse(&target, bad[_i]) != NULL, "%s", bad[_i]);
}
END_TEST

START_TEST(a_host_has_room_for_a_name_and_no_more)
{
	char text[TARGET_HOST_SIZE + 1];
	struct target target;

	memset(text, 'a', sizeof(text));
	text[TARGET_HOST_SIZE - 1] = '\0';
	ck_assert_ptr_null(target_parse(&target, text));
	ck_assert_str_eq(target.host, text);
	text[TARGET_HOST_SIZE - 1] = 'a';
	text[TARGET_HOST_SIZE] = '\0';
	ck_assert_ptr_nonnull(target_parse(&target, text));
}
END_TEST

static const struct {
	const char *text;
	int64_t ms; /* -1: refused */
} seconds[] = {
	{ "1", 1000 },
	{ "0.25", 250 },
	{ ".5", 500 },
	{ "2.", 2000 },
	{ "0.001", 1 },
	{ "0.0001", 1 }, /* up, never to no time at all */
	{ "1.0001", 1001 },
	{ "86400", 86400000 },
	{ "0", -1 },
	{ "0.0", -1 },
	{ "86400.001", -1 },
	{ "", -1 },
	{ ".", -1 },
	{ "1.2.3", -1 },
	{ "-1", -1 },
	{ "+1", -1 },
	{ "1e3", -1 },
	{ "0x10", -1 },
	{ "inf", -1 },
	{ "nan", -1 },
	{ "5s", -1 },
	{ " 1", -1 },
	{ "99999999999999999999999999", -1 },
};

START_TEST(seconds_have_fractions_and_bounds)
{
	int64_t ms = -1;
	bool is = target_seconds(&ms, seconds[_i].text, 1, 86400000);

	ck_assert_msg(is == (seconds[_i].ms >= 0), "%s", seconds[_i].text);
	if (is)
		ck_assert_int_eq(ms, seconds[_i].ms);
}
END_TEST

START_TEST(no_time_is_good_where_it_may_be)
{
	int64_t ms = -1;

	ck_assert(target_seconds(&ms, "0", 0, 1000));
	ck_assert_int_eq(ms, 0);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int
main(void)
{
	Suite *suite = suite_create("target");
	TCase *tcase = unit_case(suite, "target");

	tcase_add_loop_test(tcase, a_target_is_host_and_port, 0, COUNT(good));
	tcase_add_loop_test(tcase, another_target_is_refused, 0, COUNT(bad));
	tcase_add_test(tcase, a_host_has_room_for_a_name_and_no_more);
	tcase_add_loop_test(
	    tcase, seconds_have_fractions_and_bounds, 0, COUNT(seconds));
	tcase_add_test(tcase, no_time_is_good_where_it_may_be);
	return unit_run(suite);
}
