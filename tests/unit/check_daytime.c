/*
 * Tests of services: RFC 867's line, and the table of services.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "services/service.h"
#include "unit/unit.h"

#define LINE_SIZE (CONF_DAYTIME_MAX + 2)
#define DEFAULT_FORMAT "%a %b %e %H:%M:%S %Y"

/* No zone file is needed for this one, and it has summer time. */
#define ZONE "CET-1CEST,M3.5.0,M10.5.0/3"

static void
set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

/* The line as a string, CR LF included. */
static const char *
line_of(const char *format, bool utc, int64_t when)
{
	static char line[LINE_SIZE + 1];
	size_t n;

	memset(line, 'x', sizeof(line));
	n = daytime_format(line, LINE_SIZE, format, utc, when);
	ck_assert_uint_le(n, LINE_SIZE);
	line[n] = '\0';
	ck_assert_uint_eq(strlen(line), n);
	return line;
}

static const struct {
	int64_t when;
	const char *utc;
	const char *local;
} lines[] = {
	{ 0, "Thu Jan  1 00:00:00 1970\r\n", "Thu Jan  1 01:00:00 1970\r\n" },
	{ 951782399, "Mon Feb 28 23:59:59 2000\r\n",
	    "Tue Feb 29 00:59:59 2000\r\n" },
	{ 1790726400, "Wed Sep 30 00:00:00 2026\r\n",
	    "Wed Sep 30 02:00:00 2026\r\n" },
	{ 1798761599, "Thu Dec 31 23:59:59 2026\r\n",
	    "Fri Jan  1 00:59:59 2027\r\n" },
	{ 4102444800, "Fri Jan  1 00:00:00 2100\r\n",
	    "Fri Jan  1 01:00:00 2100\r\n" },
};

#define LINES ((int)(sizeof(lines) / sizeof(lines[0])))

START_TEST(the_default_format_in_utc)
{
	set_zone(ZONE);
	ck_assert_str_eq(
	    line_of(DEFAULT_FORMAT, true, lines[_i].when), lines[_i].utc);
}
END_TEST

START_TEST(the_default_format_in_the_local_zone)
{
	set_zone(ZONE);
	ck_assert_str_eq(
	    line_of(DEFAULT_FORMAT, false, lines[_i].when), lines[_i].local);
}
END_TEST

START_TEST(the_zone_has_its_name)
{
	set_zone(ZONE);
	ck_assert_str_eq(line_of("%H %Z", false, 0), "01 CET\r\n");
	ck_assert_str_eq(line_of("%H %Z", false, 1790726400), "02 CEST\r\n");
	ck_assert_str_eq(line_of("%H %z", true, 0), "00 +0000\r\n");
}
END_TEST

START_TEST(the_longest_format_fits)
{
	char format[CONF_DAYTIME_MAX];
	const char *line;

	memset(format, 'a', sizeof(format) - 1);
	format[sizeof(format) - 1] = '\0';
	line = line_of(format, true, 0);
	ck_assert_uint_eq(strlen(line), CONF_DAYTIME_MAX - 1 + 2);
	ck_assert_str_eq(line + CONF_DAYTIME_MAX - 1, "\r\n");
	ck_assert(strncmp(line, format, CONF_DAYTIME_MAX - 1) == 0);
}
END_TEST

START_TEST(a_format_that_is_too_long_gives_an_empty_line)
{
	char format[CONF_DAYTIME_MAX + 1];

	memset(format, 'a', sizeof(format) - 1);
	format[sizeof(format) - 1] = '\0';
	ck_assert_str_eq(line_of(format, true, 0), "\r\n");
}
END_TEST

START_TEST(a_format_that_gives_nothing_gives_an_empty_line)
{
	ck_assert_str_eq(line_of("", true, 0), "\r\n");
	ck_assert_str_eq(line_of("", false, 0), "\r\n");
}
END_TEST

START_TEST(a_time_that_no_calendar_has_gives_an_empty_line)
{
	ck_assert_str_eq(line_of(DEFAULT_FORMAT, true, INT64_MAX), "\r\n");
	ck_assert_str_eq(line_of(DEFAULT_FORMAT, false, INT64_MAX), "\r\n");
}
END_TEST

START_TEST(services_are_found_by_name)
{
	const struct service *echo = service_find("echo");
	const struct service *daytime = service_find("daytime");

	ck_assert_ptr_nonnull(echo);
	ck_assert_str_eq(echo->known.name, "echo");
	ck_assert(echo->serve == echo_serve);
	ck_assert_ptr_nonnull(daytime);
	ck_assert_str_eq(daytime->known.name, "daytime");
	ck_assert(daytime->serve == daytime_serve);
}
END_TEST

START_TEST(another_name_is_not_found)
{
	static const char *const names[] = { "", "ech", "echoo", "Echo",
		"qotd" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(
		    service_find(names[i]) == NULL, "\"%s\"", names[i]);
}
END_TEST

START_TEST(known_services_have_the_ports_of_their_rfcs)
{
	ck_assert_str_eq(service_known(0)->name, "echo");
	ck_assert_uint_eq(service_known(0)->port, 7);
	ck_assert(service_known(0)->by_default);
	ck_assert_str_eq(service_known(1)->name, "daytime");
	ck_assert_uint_eq(service_known(1)->port, 13);
	ck_assert(service_known(1)->by_default);
	ck_assert_str_eq(service_known(2)->name, "discard");
	ck_assert_uint_eq(service_known(2)->port, 9);
	ck_assert(!service_known(2)->by_default);
	ck_assert_str_eq(service_known(3)->name, "chargen");
	ck_assert_uint_eq(service_known(3)->port, 19);
	ck_assert(!service_known(3)->by_default);
	ck_assert_str_eq(service_known(4)->name, "time");
	ck_assert_uint_eq(service_known(4)->port, 37);
	ck_assert(!service_known(4)->by_default);
	ck_assert_ptr_null(service_known(5));
	ck_assert_ptr_null(service_known(SIZE_MAX));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("daytime");
	TCase *tcase = unit_case(suite, "format");

	tcase_add_loop_test(tcase, the_default_format_in_utc, 0, LINES);
	tcase_add_loop_test(
	    tcase, the_default_format_in_the_local_zone, 0, LINES);
	tcase_add_test(tcase, the_zone_has_its_name);
	tcase_add_test(tcase, the_longest_format_fits);
	tcase_add_test(tcase, a_format_that_is_too_long_gives_an_empty_line);
	tcase_add_test(tcase, a_format_that_gives_nothing_gives_an_empty_line);
	tcase_add_test(tcase, a_time_that_no_calendar_has_gives_an_empty_line);
	tcase = unit_case(suite, "services");
	tcase_add_test(tcase, services_are_found_by_name);
	tcase_add_test(tcase, another_name_is_not_found);
	tcase_add_test(tcase, known_services_have_the_ports_of_their_rfcs);
	return unit_run(suite);
}
