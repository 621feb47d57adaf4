/*
 * Tests of common/addr: socket addresses as text.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "common/addr.h"
#include "unit/unit.h"

static const char *
format4(const char *address, uint16_t port, char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port) };

	ck_assert_int_eq(inet_pton(AF_INET, address, &in.sin_addr), 1);
	return addr_format((struct sockaddr *)&in, text, ADDR_STRLEN);
}

static const char *
format6(const char *address, uint16_t port, uint32_t scope, char *text)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_scope_id = scope };

	ck_assert_int_eq(inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
	return addr_format((struct sockaddr *)&in6, text, ADDR_STRLEN);
}

START_TEST(ipv4_is_address_and_port)
{
	char text[ADDR_STRLEN];

	ck_assert_str_eq(format4("192.0.2.7", 51514, text), "192.0.2.7:51514");
	ck_assert_str_eq(format4("0.0.0.0", 0, text), "0.0.0.0:0");
	ck_assert_str_eq(
	    format4("255.255.255.255", 65535, text), "255.255.255.255:65535");
}
END_TEST

START_TEST(ipv6_has_brackets)
{
	char text[ADDR_STRLEN];

	ck_assert_str_eq(
	    format6("2001:db8::1", 51514, 0, text), "[2001:db8::1]:51514");
	ck_assert_str_eq(format6("::", 7, 0, text), "[::]:7");
	ck_assert_str_eq(format6("::1", 65535, 0, text), "[::1]:65535");
}
END_TEST

START_TEST(ipv4_mapped_prints_as_ipv4)
{
	char text[ADDR_STRLEN];

	ck_assert_str_eq(
	    format6("::ffff:192.0.2.7", 51514, 0, text), "192.0.2.7:51514");
	/* Of the same look, but not mapped. */
	ck_assert_str_eq(
	    format6("::fffe:0:c000:207", 1, 0, text), "[::fffe:0:c000:207]:1");
}
END_TEST

START_TEST(scope_is_inside_the_brackets)
{
	char text[ADDR_STRLEN];

	ck_assert_str_eq(format6("fe80::1", 13, 2, text), "[fe80::1%2]:13");
}
END_TEST

START_TEST(the_longest_address_fits)
{
	static const char longest[] =
	    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe%4294967295]:65535";
	char text[ADDR_STRLEN];

	ck_assert_str_eq(format6("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe",
			     65535, UINT32_MAX, text),
	    longest);
}
END_TEST

START_TEST(another_family_is_a_dash)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX, .sun_path = "/x" };
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	char text[ADDR_STRLEN];

	ck_assert_str_eq(
	    addr_format((struct sockaddr *)&sun, text, sizeof(text)), "-");
	ck_assert_str_eq(addr_format(&none, text, sizeof(text)), "-");
}
END_TEST

START_TEST(the_text_given_is_returned)
{
	char text[ADDR_STRLEN];

	ck_assert_ptr_eq(format4("127.0.0.1", 1, text), text);
	ck_assert_ptr_eq(format6("::1", 1, 0, text), text);
	ck_assert_ptr_eq(format6("::ffff:127.0.0.1", 1, 0, text), text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("addr");
	TCase *tcase = unit_case(suite, "addr");

	tcase_add_test(tcase, ipv4_is_address_and_port);
	tcase_add_test(tcase, ipv6_has_brackets);
	tcase_add_test(tcase, ipv4_mapped_prints_as_ipv4);
	tcase_add_test(tcase, scope_is_inside_the_brackets);
	tcase_add_test(tcase, the_longest_address_fits);
	tcase_add_test(tcase, another_family_is_a_dash);
	tcase_add_test(tcase, the_text_given_is_returned);
	return unit_run(suite);
}
