/*
 * Tests of services/time and services/chargen: what they send.
 */
#include <string.h>

#include "services/service.h"
#include "unit/unit.h"

static const struct {
	int64_t when;
	unsigned char reply[TIME_LENGTH];
} times[] = {
	/* RFC 868's own: 1900, 1970, 1976-01-01, 1980-01-01, 1983-05-01, and
	   1858-11-17 */
	{ INT64_C(-2208988800), { 0, 0, 0, 0 } },
	{ 0, { 0x83, 0xaa, 0x7e, 0x80 } },
	{ INT64_C(2398291200) - INT64_C(2208988800),
	    { 0x8e, 0xf3, 0x05, 0x00 } },
	{ INT64_C(2524521600) - INT64_C(2208988800),
	    { 0x96, 0x79, 0x24, 0x80 } },
	{ INT64_C(2629584000) - INT64_C(2208988800),
	    { 0x9c, 0xbc, 0x44, 0x80 } },
	{ INT64_C(-1297728000) - INT64_C(2208988800),
	    { 0xb2, 0xa6, 0x3e, 0x00 } },
	/* 2036-02-07 06:28:15 UTC, and the second after it */
	{ INT64_C(2085978495), { 0xff, 0xff, 0xff, 0xff } },
	{ INT64_C(2085978496), { 0, 0, 0, 0 } },
	{ INT64_C(2085978497), { 0, 0, 0, 1 } },
};

START_TEST(time_is_the_seconds_since_1900)
{
	unsigned char reply[TIME_LENGTH];

	time_format(reply, times[_i].when);
	ck_assert_mem_eq(reply, times[_i].reply, TIME_LENGTH);
}
END_TEST

static char cycle[CHARGEN_CYCLE];

START_TEST(chargen_begins_as_in_its_rfc)
{
	static const char first[] = " !\"#$%&'()*+,-./0123456789:;<=>?@"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg"
				    "\r\n!\"#$%&'()*+,-./0123456789:;<=>?@"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgh"
				    "\r\n";

	chargen_fill(cycle);
	ck_assert_mem_eq(cycle, first, sizeof(first) - 1);
}
END_TEST

/* Whatever comes after the last byte of the cycle is its first one. */
START_TEST(chargen_goes_on_without_a_seam)
{
	const int line = CHARGEN_LINE + 2;

	chargen_fill(cycle);
	for (int i = 0; i < CHARGEN_CYCLE; i++) {
		int column = i % line;
		char is = cycle[i];

		if (column == CHARGEN_LINE)
			ck_assert_int_eq(is, '\r');
		else if (column == CHARGEN_LINE + 1)
			ck_assert_int_eq(is, '\n');
		else
			ck_assert_int_eq(is, ' ' + (i / line + column) % 95);
	}
	ck_assert_int_eq(cycle[CHARGEN_CYCLE - line], '~');
	ck_assert_int_eq(cycle[CHARGEN_CYCLE - line + 1], ' ');
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("small_services");
	TCase *tcase = unit_case(suite, "small_services");

	tcase_add_loop_test(tcase, time_is_the_seconds_since_1900, 0,
	    (int)(sizeof(times) / sizeof(times[0])));
	tcase_add_test(tcase, chargen_begins_as_in_its_rfc);
	tcase_add_test(tcase, chargen_goes_on_without_a_seam);
	return unit_run(suite);
}
