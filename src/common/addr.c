#include "common/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

uint16_t
addr_bytes(const struct sockaddr *addr, uint8_t bytes[16])
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	memset(bytes, 0, 16);
	if (addr->sa_family == AF_INET6) {
		memcpy(&in6, addr, sizeof(in6));
		memcpy(bytes, &in6.sin6_addr, 16);
		return ntohs(in6.sin6_port);
	}
	if (addr->sa_family != AF_INET)
		return 0;
	memcpy(&in, addr, sizeof(in));
	memcpy(bytes, mapped, sizeof(mapped));
	memcpy(bytes + 12, &in.sin_addr, 4);
	return ntohs(in.sin_port);
}

bool
addr_is_mapped(const uint8_t bytes[16])
{
	return memcmp(bytes, mapped, sizeof(mapped)) == 0;
}

uint64_t
addr_source(const uint8_t bytes[16])
{
	uint64_t source;

	/* All of an IPv4 address, the upper half of an IPv6 address. */
	memcpy(
	    &source, addr_is_mapped(bytes) ? bytes + 8 : bytes, sizeof(source));
	return source;
}

char *
addr_format(const struct sockaddr *addr, char *text, size_t size)
{
	char host[INET6_ADDRSTRLEN], scope[16] = "";
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (addr->sa_family == AF_INET) {
		memcpy(&in, addr, sizeof(in));
		inet_ntop(AF_INET, &in.sin_addr, host, sizeof(host));
		snprintf(text, size, "%s:%u", host, ntohs(in.sin_port));
	} else if (addr->sa_family == AF_INET6) {
		memcpy(&in6, addr, sizeof(in6));
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
			inet_ntop(AF_INET, in6.sin6_addr.s6_addr + 12, host,
			    sizeof(host));
			snprintf(
			    text, size, "%s:%u", host, ntohs(in6.sin6_port));
			return text;
		}
		inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof(host));
		if (in6.sin6_scope_id != 0)
			snprintf(
			    scope, sizeof(scope), "%%%u", in6.sin6_scope_id);
		snprintf(
		    text, size, "[%s%s]:%u", host, scope, ntohs(in6.sin6_port));
	} else {
		snprintf(text, size, "-");
	}
	return text;
}
