#include "connection/options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

const char *
options_inherit(int fd, const struct conf_service *service)
{
	const struct {
		const char *name;
		int level;
		int option;
		int64_t value;
	} options[] = {
		{ "SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE,
		    service->keepalive },
		{ "TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE,
		    service->keepalive_idle },
		{ "TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL,
		    service->keepalive_interval },
		{ "TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT,
		    service->keepalive_count },
		{ "TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT,
		    service->user_timeout },
		{ "TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 1 },
		{ "TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT,
		    service->defer_accept },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		int value = (int)options[i].value;

		if (setsockopt(fd, options[i].level, options[i].option, &value,
			sizeof(value)) < 0)
			return options[i].name;
	}
	return NULL;
}
