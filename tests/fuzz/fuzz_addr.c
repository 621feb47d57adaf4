/*
 * common/conf_listen, common/prefix, common/addr and probe/target: addresses as
 * people write them, and as they are written for people.
 *
 * An input is a line, which each parser gets, and in front of it, for
 * addr_format, the bytes of an address.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>

#include "common/addr.h"
#include "common/conf_table.h"
#include "common/prefix.h"
#include "fuzz/format.h"
#include "fuzz/fuzz.h"
#include "probe/target.h"
#include "services/service.h"

#define TEXT_SIZE 600 /* of what is made of an address that was read */
#define LEAST_MS 2
#define MOST_MS 86400000

static struct conf *conf;
static struct conf_service *service;

/* One more listen of the service, or NULL and a reason. */
static const struct conf_listen *
listen_of(const char *text)
{
	struct conf_listen *last = TAILQ_LAST(&service->listens, conf_listens);
	char why[CONF_WHY_SIZE] = "";
	int result = conf_listen_add(service, text, "file", 1, why);
	struct conf_listen *new = TAILQ_LAST(&service->listens, conf_listens);

	FUZZ_CHECK((result == 0) == (new != last));
	FUZZ_CHECK((result == 0) == (*why == '\0'));
	return result == 0 ? new : NULL;
}

/* The probe understands what the daemon does. */
static void
check_target(const struct conf_listen *listen, const char *text)
{
	struct target target;

	if (strlen(listen->host) >= TARGET_HOST_SIZE)
		return;
	FUZZ_CHECK(target_parse(&target, text) == NULL);
	FUZZ_CHECK(strcmp(target.host, listen->host) == 0);
	FUZZ_CHECK(target.port == listen->port);
}

static void
check_listen(const char *text)
{
	const struct conf_listen *listen = listen_of(text), *again;
	char normal[TEXT_SIZE];
	bool brackets;
	int n;

	if (listen == NULL)
		return;
	FUZZ_CHECK(strcmp(listen->text, text) == 0);
	/* In a file it is one word, and a line of a log keeps its form. */
	for (const char *p = text; *p != '\0'; p++)
		FUZZ_CHECK(isgraph((unsigned char)*p));
	FUZZ_CHECK(listen->systemd == (listen->port == 0));
	if (listen->systemd)
		return;
	FUZZ_CHECK(*listen->host != '\0');
	check_target(listen, text);
	/* Without brackets, a host of that name would be systemd's sockets. */
	brackets = strchr(listen->host, ':') != NULL ||
	    strcmp(listen->host, "systemd") == 0;
	n = snprintf(normal, sizeof(normal), brackets ? "[%s]:%u" : "%s:%u",
	    listen->host, listen->port);
	if (n >= (int)sizeof(normal))
		return;
	again = listen_of(normal);
	FUZZ_CHECK(again != NULL && again->port == listen->port);
	FUZZ_CHECK(strcmp(again->host, listen->host) == 0);
}

/* The command line takes what a listen line does. */
static void
check_argument(const char *text)
{
	static char argument[8192];
	char *const arguments[] = { argument };
	bool is_good = listen_of(text) != NULL;
	struct conf *served = conf_new();
	char *errors;
	size_t size;
	FILE *to = open_memstream(&errors, &size);

	FUZZ_CHECK(served != NULL && to != NULL);
	if (snprintf(argument, sizeof(argument), "echo@%s", text) <
	    (int)sizeof(argument)) {
		int result = conf_apply_arguments(
		    served, arguments, 1, service_known, to);

		FUZZ_CHECK((result == 0) == is_good);
		FUZZ_CHECK(TAILQ_EMPTY(&served->services) == !is_good);
	}
	fclose(to);
	free(errors);
	conf_free(served);
}

static void
check_own_target(const char *text)
{
	struct target target, again;
	char normal[TARGET_HOST_SIZE + 16];
	const char *wrong = target_parse(&target, text);

	if (wrong != NULL) {
		FUZZ_CHECK(*wrong != '\0');
		return;
	}
	FUZZ_CHECK(*target.host != '\0');
	FUZZ_CHECK(memchr(target.host, '\0', sizeof(target.host)) != NULL);
	if (target.port == 0 || strchr(target.host, ']') != NULL)
		return;
	snprintf(normal, sizeof(normal), "[%s]:%u", target.host, target.port);
	FUZZ_CHECK(target_parse(&again, normal) == NULL);
	FUZZ_CHECK(strcmp(again.host, target.host) == 0);
	FUZZ_CHECK(again.port == target.port);
}

/* It has its own address, and those that differ behind its bits, alone. */
static void
check_prefix(const char *text)
{
	char why[PREFIX_WHY_SIZE] = "", normal[PREFIX_STRLEN];
	struct prefix prefix = { 0 }, again = { 0 };
	uint8_t bytes[16];

	if (prefix_parse(text, &prefix, why) < 0) {
		FUZZ_CHECK(*why != '\0');
		return;
	}
	prefix_format(&prefix, normal, sizeof(normal));
	FUZZ_CHECK(prefix_parse(normal, &again, why) == 0);
	FUZZ_CHECK(again.any == prefix.any && again.ipv4 == prefix.ipv4);
	FUZZ_CHECK(again.bits == prefix.bits);
	FUZZ_CHECK(memcmp(again.bytes, prefix.bytes, sizeof(bytes)) == 0);
	FUZZ_CHECK(prefix.bits <= 128 && (!prefix.ipv4 || prefix.bits >= 96));
	memcpy(bytes, prefix.bytes, sizeof(bytes));
	FUZZ_CHECK(prefix.any || prefix_has(&prefix, bytes));
	for (unsigned bit = 0; bit < 128; bit++) {
		bytes[bit / 8] ^= 0x80 >> bit % 8;
		/* Another bit of the first 96 may make IPv6 of IPv4. */
		FUZZ_CHECK(prefix_has(&prefix, bytes) ==
		    (prefix.any || bit >= prefix.bits));
		bytes[bit / 8] ^= 0x80 >> bit % 8;
	}
}

/* Never sooner than was asked for, and less than a millisecond later. */
static void
check_seconds(const char *text)
{
	int64_t ms;
	double asked;

	if (!target_seconds(&ms, text, LEAST_MS, MOST_MS))
		return;
	asked = strtod(text, NULL) * 1000;
	FUZZ_CHECK(ms >= LEAST_MS && ms <= MOST_MS);
	FUZZ_CHECK((double)ms >= asked && (double)ms < asked + 1);
}

/* The address that the text has is the one that it was made of. */
static void
check_back(const char *text, const struct sockaddr_in6 *in6)
{
	const struct conf_listen *listen = listen_of(text);
	struct in6_addr back = { 0 };
	char *scope;

	FUZZ_CHECK(listen != NULL && listen->port == ntohs(in6->sin6_port));
	scope = strchr(listen->host, '%');
	FUZZ_CHECK((scope != NULL) == (in6->sin6_scope_id != 0) ||
	    IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr));
	if (scope != NULL) {
		FUZZ_CHECK(strtoul(scope + 1, NULL, 10) == in6->sin6_scope_id);
		*scope = '\0';
	}
	if (strchr(listen->host, ':') == NULL) {
		back.s6_addr[10] = back.s6_addr[11] = 0xff;
		FUZZ_CHECK(
		    inet_pton(AF_INET, listen->host, back.s6_addr + 12) == 1);
	} else {
		FUZZ_CHECK(inet_pton(AF_INET6, listen->host, &back) == 1);
	}
	FUZZ_CHECK(memcmp(&back, &in6->sin6_addr, sizeof(back)) == 0);
}

/* addr_format has the bytes in the heap, so that ASan sees their end. */
static void
check_format(struct fuzz_input *input)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	char *text = malloc(ADDR_STRLEN), four[ADDR_STRLEN];

	FUZZ_CHECK(text != NULL);
	in6.sin6_port = htons((uint16_t)(1 + fuzz_byte(input)));
	for (size_t i = 0; i < sizeof(in6.sin6_addr); i++)
		in6.sin6_addr.s6_addr[i] = fuzz_byte(input);
	for (int i = 0; i < 4; i++)
		in6.sin6_scope_id = in6.sin6_scope_id << 8 | fuzz_byte(input);
	addr_format((struct sockaddr *)&in6, text, ADDR_STRLEN);
	check_back(text, &in6);
	if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
		in.sin_port = in6.sin6_port;
		memcpy(&in.sin_addr, in6.sin6_addr.s6_addr + 12, 4);
		addr_format((struct sockaddr *)&in, four, sizeof(four));
		FUZZ_CHECK(strcmp(four, text) == 0);
	}
	free(text);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_keep_stderr();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	char *text;

	conf = conf_new();
	FUZZ_CHECK(conf != NULL);
	service = conf_add_service(conf, "echo");
	FUZZ_CHECK(service != NULL);
	check_format(&input);
	text = strndup((const char *)input.at, input.left);
	FUZZ_CHECK(text != NULL);
	check_listen(text);
	check_argument(text);
	check_own_target(text);
	check_prefix(text);
	check_seconds(text);
	free(text);
	conf_free(conf);
	return 0;
}
