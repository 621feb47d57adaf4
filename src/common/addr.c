#include "common/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

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
