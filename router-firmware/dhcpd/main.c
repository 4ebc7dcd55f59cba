#define _GNU_SOURCE
#include "dhcpd.h"

#include "../sdk/recover.h"

#include <sys/socket.h>
#include <arpa/inet.h>
#include <net/if.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OFFER_SECONDS	60
#define DECLINE_SECONDS	3600

struct settings settings = {
	.interface = "lan0", .lease_file = "/var/lib/dhcpd.leases", .static_file = "/etc/dhcpd.hosts", .domain = "lan",
	.server = 0xc0a80101, .first = 0xc0a80164, .netmask = 0xffffff00, .router = 0xc0a80101, .dns = 0xc0a80101,
	.count = 50, .lease_seconds = 3600, .port = 67, .reread = 1,
};

static struct rec_config config = { .name = "dhcpd", REC_DEFAULTS, .reseed = leases_reread, .features = describe };
static uint8_t input[MAX_MESSAGE];
static int sock;

/*
 * RFC 2131 4.1: to the relay; to the client's own address; else by broadcast, since a client without an address cannot be
 * reached by ARP. On another port than 67 (tests on a loopback) back to where the request came from.
 */
static struct sockaddr_in
destination(const struct request *r, int type, const struct sockaddr_in *from)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	if (settings.port != 67)
		return *from;
	to.sin_port = htons((uint16_t)(r->giaddr != 0 ? 67 : 68));
	if (r->giaddr != 0)
		to.sin_addr.s_addr = htonl(r->giaddr);
	else if (r->ciaddr != 0 && type != NAK)
		to.sin_addr.s_addr = htonl(r->ciaddr);
	else
		to.sin_addr.s_addr = htonl(INADDR_BROADCAST);
	return to;
}

static void
send_reply(const struct request *r, int type, uint32_t address, const struct sockaddr_in *from)
{
	struct sockaddr_in to = destination(r, type, from);
	uint8_t out[MAX_MESSAGE];
	size_t n = reply_build(out, r, type, address);

	if (sendto(sock, out, n, 0, (struct sockaddr *)&to, sizeof to) < 0)
		rec_log("send: %s", strerror(errno));
}

static void
pool_is_used_up(void)
{
	rec_log("no free address");
#ifndef PATCHED
	/* Planted bug: an assertion that well-behaved clients can reach, if there are enough of them. */
	if (settings.pool_asserted)
		abort();
#endif
}

static void
on_discover(const struct request *r, const struct sockaddr_in *from)
{
	struct lease *l = lease_choose(r->mac, r->requested);

	if (l == NULL) {
		pool_is_used_up();
		return;
	}
	if (l->state != BOUND)
		lease_set(l, r->mac, OFFERED, OFFER_SECONDS, r->host_name);
	send_reply(r, OFFER, l->address, from);
}

/* RFC 2131 4.3.2: selecting (server named), rebooting (address wished for), renewing (ciaddr). */
static void
on_request(const struct request *r, const struct sockaddr_in *from)
{
	struct lease *l = lease_of(r->mac);
	uint32_t wanted = r->requested != 0 ? r->requested : r->ciaddr;

	if (r->server != 0 && r->server != settings.server) {
		if (l != NULL && l->state == OFFERED)
			lease_free(l);
		return;
	}
	if (l == NULL && r->server == 0 && lease_at(wanted) == NULL && (wanted & settings.netmask) == (settings.server & settings.netmask))
		return;				/* unknown to us: another server's */
	if (l == NULL || l->address != wanted) {
		send_reply(r, NAK, 0, from);
		return;
	}
	lease_set(l, r->mac, BOUND, settings.lease_seconds, r->host_name);
	leases_write();
	send_reply(r, ACK, l->address, from);
}

static void
on_decline(const struct request *r)
{
	struct lease *l = lease_of(r->mac);

	if (l == NULL || l->address != r->requested)
		return;
	lease_set(l, r->mac, DECLINED, DECLINE_SECONDS, "");
	leases_write();
}

static void
on_release(const struct request *r)
{
	struct lease *l = lease_of(r->mac);

	if (l == NULL || l->address != r->ciaddr)
		return;
	lease_free(l);
	leases_write();
}

static void
handle(const uint8_t *message, size_t length, const struct sockaddr_in *from)
{
	struct request r;

	if (request_parse(message, length, &r) != 0)
		return;
	switch (r.type) {
	case DISCOVER:	on_discover(&r, from); break;
	case REQUEST:	on_request(&r, from); break;
	case DECLINE:	on_decline(&r); break;
	case RELEASE:	on_release(&r); break;
	case INFORM:	send_reply(&r, ACK, 0, from); break;
	}
}

static int
open_socket(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons((uint16_t)settings.port) };
	int on = 1;

	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) != 0)
		return -1;
	if (settings.port == 67 &&
	    setsockopt(sock, SOL_SOCKET, SO_BINDTODEVICE, settings.interface, (socklen_t)strlen(settings.interface) + 1) != 0)
		return -1;
	return bind(sock, (struct sockaddr *)&any, sizeof any);
}

static int
parse_address(const char *text, uint32_t *to)
{
	struct in_addr in;

	if (inet_aton(text, &in) == 0)
		return -1;
	*to = ntohl(in.s_addr);
	return 0;
}

static int
parse_options(int argc, char **argv)
{
	int c, bad = 0;

	while (!bad && (c = getopt(argc, argv, REC_OPTIONS "I:a:b:n:M:g:d:D:T:L:S:p:xX")) != -1) {
		switch (c) {
		case 'I': settings.interface = optarg; break;
		case 'a': bad = parse_address(optarg, &settings.server); break;
		case 'b': bad = parse_address(optarg, &settings.first); break;
		case 'n': settings.count = atoi(optarg); break;
		case 'M': bad = parse_address(optarg, &settings.netmask); break;
		case 'g': bad = parse_address(optarg, &settings.router); break;
		case 'd': bad = parse_address(optarg, &settings.dns); break;
		case 'D': settings.domain = optarg; bad = strlen(optarg) > 100; break;
		case 'T': settings.lease_seconds = atoi(optarg); break;
		case 'L': settings.lease_file = optarg; bad = strlen(optarg) > 100; break;
		case 'S': settings.static_file = optarg; break;
		case 'p': settings.port = atoi(optarg); break;
		case 'x': settings.reread = 0; break;
		case 'X': settings.pool_asserted = 1; break;
		default: bad = rec_option(&config, c, optarg); break;
		}
	}
	return bad || optind != argc ? -1 : 0;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in from;
	socklen_t size;
	ssize_t n;

	rec_init(&config);		/* the name, for what is logged before the options are known */
	if (parse_options(argc, argv) != 0) {
		rec_log("usage: dhcpd " REC_USAGE " "
		    "[-I IF] [-a SERVER] [-b FIRST] [-n COUNT] [-M MASK] [-g ROUTER] [-d DNS] [-D DOMAIN] [-T SECONDS] [-L FILE] [-S FILE] [-p PORT] [-x] [-X]");
		return 64;
	}
	if (open_socket() != 0) {
		rec_log("port %d on %s: %s", settings.port, settings.interface, strerror(errno));
		return 71;
	}
	leases_init();
	rec_init(&config);
	rec_log("serving %s mode %s store %s interval %d", settings.interface, rec_mode_name(&config), rec_store_name(&config), config.interval);
	for (;;) {
		rec_top();
		size = sizeof from;
		n = recvfrom(sock, input, sizeof input, 0, (struct sockaddr *)&from, &size);
		if (n <= 0 || rec_input(input, (size_t)n))
			continue;
		handle(input, (size_t)n, &from);
		rec_done();
	}
}
