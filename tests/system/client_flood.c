/*
 * client flood: the first segment of -n handshakes, from addresses where nobody
 * is (198.18.0.0/15, RFC 2544), in -t seconds. The server's answer must have a
 * route that ends in silence. Needs CAP_NET_RAW.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

#define NOBODY 0xc6120000u /* 198.18.0.0/15 */
#define NOBODY_MASK 0x1ffffu

/* RFC 9293, 3.1, without options. */
struct tcp_header {
	uint16_t from;
	uint16_t to;
	uint32_t sequence;
	uint32_t acknowledged;
	uint8_t length; /* in the upper half, in words of 32 bits */
	uint8_t flags;
	uint16_t window;
	uint16_t checksum;
	uint16_t urgent;
};

#define FLAG_SYN 2

struct segment {
	struct iphdr ip; /* its checksum and number are the kernel's work */
	struct tcp_header tcp;
};

/* What stands in front of the header when the checksum is made. */
struct pseudo {
	uint32_t from;
	uint32_t to;
	uint16_t protocol;
	uint16_t size;
	struct tcp_header tcp;
};

static uint16_t
checksum(const void *data, size_t size)
{
	const unsigned char *byte = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)byte[i] << 8 | byte[i + 1];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void
make_syn(struct segment *syn, const struct sockaddr_in *to, unsigned i)
{
	struct pseudo pseudo = { .protocol = htons(IPPROTO_TCP),
		.size = htons(sizeof(syn->tcp)) };

	*syn = (struct segment){ 0 };
	syn->ip.version = 4;
	syn->ip.ihl = sizeof(syn->ip) / 4;
	syn->ip.tot_len = htons(sizeof(*syn));
	syn->ip.ttl = 64;
	syn->ip.protocol = IPPROTO_TCP;
	/* All over the network, each with a port of its own. */
	syn->ip.saddr = htonl(NOBODY | (i * 40503u & NOBODY_MASK));
	syn->ip.daddr = to->sin_addr.s_addr;
	syn->tcp.from = htons((uint16_t)(1024 + i % 60000));
	syn->tcp.to = to->sin_port;
	syn->tcp.sequence = htonl(i * 2654435761u);
	syn->tcp.length = sizeof(syn->tcp) / 4 << 4;
	syn->tcp.flags = FLAG_SYN;
	syn->tcp.window = htons(65535);
	pseudo.from = syn->ip.saddr;
	pseudo.to = syn->ip.daddr;
	pseudo.tcp = syn->tcp;
	syn->tcp.checksum = checksum(&pseudo, sizeof(pseudo));
}

int
run_flood(const struct options *o)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(o->port)) };
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	int64_t begun_at = now_ms(), due;
	unsigned sent = 0;
	struct segment syn;

	if (fd < 0 || inet_pton(AF_INET, o->host, &to.sin_addr) != 1)
		err(2, "raw socket to %s", o->host);
	while (sent < o->connections) {
		due = (now_ms() - begun_at + 1) * o->connections / o->limit_ms;
		for (; sent < o->connections && sent < due; sent++) {
			make_syn(&syn, &to, sent);
			if (sendto(fd, &syn, sizeof(syn), 0,
				(struct sockaddr *)&to, sizeof(to)) < 0 &&
			    errno != ENOBUFS)
				err(2, "sendto");
		}
		poll(NULL, 0, 1);
	}
	printf("sent=%u\n", sent);
	close(fd);
	return 0;
}
