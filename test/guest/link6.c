/*
 * For the network tests, on a machine whose lan0 has the MAC 02:00:00:00:00:01 and a neighbour with the MAC 02:00:00:00:00:11 that
 * answers echo requests: addresses, routes and neighbours through ioctl, netlink and /proc; raw ICMPv6 with its filter and
 * checksum; names with a scope; groups; errors that come back. Prints the same on Linux (unshare -n, a veth pair).
 */
#include "guest.h"
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#ifndef SOL_RAW
#define SOL_RAW		255
#endif
#define NEIGHBOUR	"fe80::ff:fe00:11"
#define OWN		"fe80::ff:fe00:1"

static int lan;

static struct sockaddr_in6
six(const char *text, int port, int scope)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = scope };

	inet_pton(AF_INET6, text, &a.sin6_addr);
	return a;
}

#define ADDR(a)	(struct sockaddr *)&(a), sizeof (a)

static int
is(const struct in6_addr *address, const char *text)
{
	struct in6_addr other;

	inet_pton(AF_INET6, text, &other);
	return memcmp(address, &other, sizeof other) == 0;
}

/* A line of a file in /proc/net that begins with `start` and ends in lan0. */
static int
listed(const char *path, const char *start)
{
	char line[256];
	int found = 0;
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, start, strlen(start)) == 0 && strstr(line, "lan0"))
			found++;
	if (f)
		fclose(f);
	return found;
}

struct in6_ifreq {
	struct in6_addr address;
	uint32_t prefix;
	int index;
};

struct in6_rtmsg {
	struct in6_addr dst, src, gateway;
	uint32_t type;
	uint16_t dst_len, src_len;
	uint32_t metric;
	unsigned long info;
	uint32_t flags;
	int index;
};

static void
addresses(void)
{
	int s = socket(AF_INET6, SOCK_DGRAM, 0);
	struct in6_ifreq r = { .prefix = 64, .index = lan };
	struct in6_rtmsg route = { .dst_len = 48, .metric = 77, .flags = 3, .index = lan };
	struct ifaddrs *list, *p;
	int local = 0, global = 0;

	CHECK(listed("/proc/net/if_inet6", "fe80000000000000000000fffe000001 ") == 1);
	CHECK(listed("/proc/net/ipv6_route", "fe800000000000000000000000000000 40") == 1);
	inet_pton(AF_INET6, "2001:db8:1::1", &r.address);
	CHECK(ioctl(s, SIOCSIFADDR, &r) == 0);
	FAILS(ioctl(s, SIOCSIFADDR, &r), EEXIST);
	CHECK(listed("/proc/net/if_inet6", "20010db8000100000000000000000001 ") == 1);
	CHECK(listed("/proc/net/ipv6_route", "20010db8000100000000000000000000 40") == 1);
	CHECK(getifaddrs(&list) == 0);
	for (p = list; p; p = p->ifa_next) {
		struct sockaddr_in6 *a = (void *)p->ifa_addr;

		if (!a || a->sin6_family != AF_INET6 || strcmp(p->ifa_name, "lan0") != 0)
			continue;
		if (is(&a->sin6_addr, OWN))
			local += a->sin6_scope_id == (uint32_t)lan;
		if (is(&a->sin6_addr, "2001:db8:1::1"))
			global += a->sin6_scope_id == 0;
	}
	freeifaddrs(list);
	CHECK(local == 1 && global == 1);
	inet_pton(AF_INET6, "2001:db8:2::", &route.dst);
	inet_pton(AF_INET6, NEIGHBOUR, &route.gateway);
	CHECK(ioctl(s, SIOCADDRT, &route) == 0);
	FAILS(ioctl(s, SIOCADDRT, &route), EEXIST);
	CHECK(listed("/proc/net/ipv6_route", "20010db8000200000000000000000000 30 00000000000000000000000000000000 00 fe80000000000000000000fffe000011 0000004d") == 1);
	CHECK(ioctl(s, SIOCDELRT, &route) == 0);
	FAILS(ioctl(s, SIOCDELRT, &route), ESRCH);
	CHECK(ioctl(s, SIOCDIFADDR, &r) == 0);
	FAILS(ioctl(s, SIOCDIFADDR, &r), EADDRNOTAVAIL);
	CHECK(listed("/proc/net/ipv6_route", "20010db8000100000000000000000000 40") == 0);
	close(s);
}

static void
names(void)
{
	int s = socket(AF_INET6, SOCK_DGRAM, 0), t = socket(AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_in6 a = six(OWN, 0, lan), b;
	socklen_t n = sizeof b;
	char buf[16];

	CHECK(bind(s, ADDR(a)) == 0);
	CHECK(getsockname(s, (void *)&b, &n) == 0 && is(&b.sin6_addr, OWN) && b.sin6_scope_id == (uint32_t)lan);
	CHECK(sendto(t, "own", 3, 0, ADDR(b)) == 3);
	n = sizeof a;
	CHECK(recvfrom(s, buf, sizeof buf, 0, (void *)&a, &n) == 3 && is(&a.sin6_addr, OWN) && a.sin6_scope_id == (uint32_t)lan);
	a = six(NEIGHBOUR, 9, 0);
	FAILS(connect(t, ADDR(a)), EINVAL);
	a.sin6_scope_id = lan;
	CHECK(connect(t, ADDR(a)) == 0);
	n = sizeof b;
	CHECK(getpeername(t, (void *)&b, &n) == 0 && b.sin6_scope_id == (uint32_t)lan);
	CHECK(getsockname(t, (void *)&b, &n) == 0 && is(&b.sin6_addr, OWN) && b.sin6_scope_id == (uint32_t)lan);
	a = six("2001:db8:77::1", 9, 0);
	FAILS(sendto(s, "x", 1, 0, ADDR(a)), ENETUNREACH);
	CHECK(send(t, "closed", 6, 0) == 6);
	FAILS(recv(t, buf, sizeof buf, 0), ECONNREFUSED);
	close(s);
	close(t);
}

static uint16_t
sum_of(int s)
{
	unsigned char buf[256];
	struct pollfd p = { s, POLLIN, 0 };

	return poll(&p, 1, 3000) == 1 && recv(s, buf, sizeof buf, 0) >= 8 ? (uint16_t)(buf[0] << 8 | buf[1]) : 0xffff;
}

static void
raw(void)
{
	int s = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6), d = socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6), value = 2, on = 1;
	struct sockaddr_in6 to = six(NEIGHBOUR, 0, lan), from;
	struct icmp6_hdr echo = { .icmp6_type = ICMP6_ECHO_REQUEST, .icmp6_id = htons(7), .icmp6_seq = htons(1) };
	struct icmp6_filter filter;
	struct pollfd p = { s, POLLIN, 0 };
	socklen_t n = sizeof from;
	unsigned char buf[256];
	char control[128];
	struct iovec iov = { buf, sizeof buf };
	struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *c;

	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
	CHECK(setsockopt(s, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter) == 0);
	memset(&filter, 0, sizeof filter);
	n = sizeof filter;
	CHECK(getsockopt(s, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, &n) == 0 && n == 32 && ICMP6_FILTER_WILLPASS(ICMP6_ECHO_REPLY, &filter) && ICMP6_FILTER_WILLBLOCK(ICMP6_ECHO_REQUEST, &filter));
	FAILS(setsockopt(s, IPPROTO_IPV6, IPV6_CHECKSUM, &value, sizeof value), EINVAL);
	CHECK(setsockopt(s, SOL_RAW, IPV6_CHECKSUM, &value, sizeof value) == 0);
	setsockopt(s, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on);
	setsockopt(s, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
	CHECK(sendto(s, &echo, sizeof echo, 0, ADDR(to)) == sizeof echo);
	CHECK(poll(&p, 1, 3000) == 1 && recvmsg(s, &m, 0) == 8);
	CHECK(buf[0] == ICMP6_ECHO_REPLY && is(&from.sin6_addr, NEIGHBOUR) && from.sin6_scope_id == (uint32_t)lan && from.sin6_port == 0);
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		struct in6_pktinfo *info = (void *)CMSG_DATA(c);

		if (c->cmsg_type == IPV6_PKTINFO)
			CHECK(is(&info->ipi6_addr, OWN) && (int)info->ipi6_ifindex == lan);
		else
			say("message %d/%d: %d\n", c->cmsg_level, c->cmsg_type, *(int *)CMSG_DATA(c));
	}
	to.sin6_port = htons(17);
	FAILS(sendto(s, &echo, sizeof echo, 0, ADDR(to)), EINVAL);
	to.sin6_port = 0;
	FAILS(setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on), EINVAL);
	FAILS(socket(AF_INET6, SOCK_RAW, 0), EPROTONOSUPPORT);

	if (d >= 0) {
		echo.icmp6_id = 0;
		CHECK(sendto(d, &echo, sizeof echo, 0, ADDR(to)) == sizeof echo);
		CHECK(sum_of(d) == ICMP6_ECHO_REPLY << 8);
		close(d);
	} else {
		say("sendto(d, &echo, sizeof echo, 0, ADDR(to)) == sizeof echo: yes\nsum_of(d) == ICMP6_ECHO_REPLY << 8: yes\n");
	}
	close(s);
}

static void
groups(void)
{
	int a = socket(AF_INET6, SOCK_DGRAM, 0), b = socket(AF_INET6, SOCK_DGRAM, 0), no = 0;
	struct sockaddr_in6 any = six("::", 5353, 0), to = six("ff02::fb", 5353, lan), from;
	struct ipv6_mreq group = { .ipv6mr_interface = lan };
	struct pollfd p = { a, POLLIN, 0 };
	socklen_t n = sizeof from;
	char buf[16];

	group.ipv6mr_multiaddr = to.sin6_addr;
	CHECK(bind(a, ADDR(any)) == 0 && setsockopt(a, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof group) == 0);
	CHECK(sendto(b, "own", 3, 0, ADDR(to)) == 3);
	CHECK(poll(&p, 1, 2000) == 1 && recvfrom(a, buf, sizeof buf, 0, (void *)&from, &n) == 3 && is(&from.sin6_addr, OWN) && from.sin6_scope_id == (uint32_t)lan);
	CHECK(setsockopt(b, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &no, sizeof no) == 0 && sendto(b, "unheard", 7, 0, ADDR(to)) == 7 && poll(&p, 1, 300) == 0);
	close(a);
	close(b);
}

/* linux/netlink.h, linux/rtnetlink.h */
enum { GETADDR = 22, NEWADDR = 20, GETROUTE = 26, NEWROUTE = 24, GETNEIGH = 30, NEWNEIGH = 28, DONE = 3, REQUEST_DUMP = 0x301 };

struct header {
	uint32_t length;
	uint16_t type, flags;
	uint32_t sequence, port;
};

/* Ask for all of one kind; how many messages of `type` came for lan0, and whether the dump ended. */
static int
dump(int request, int type, int family, int index_at)
{
	int s = socket(AF_NETLINK, SOCK_RAW, 0), count = 0;
	struct { struct header h; unsigned char family, rest[11]; } ask = { { sizeof ask, (uint16_t)request, REQUEST_DUMP, 9, 0 }, (unsigned char)family, { 0 } };
	static char buf[32768];
	ssize_t n, at;

	send(s, &ask, sizeof ask, 0);
	while ((n = recv(s, buf, sizeof buf, 0)) > 0) {
		for (at = 0; at + (ssize_t)sizeof(struct header) <= n; at += (ssize_t)((((struct header *)(buf + at))->length + 3) & ~3u)) {
			struct header *h = (void *)(buf + at);
			unsigned char *body = (void *)(h + 1);

			if (h->type == DONE) {
				close(s);
				return count;
			}
			if (h->type == type && body[0] == family && (index_at < 0 || *(int *)(void *)(body + index_at) == lan))
				count++;
		}
	}
	close(s);
	return -1;
}

int
main(void)
{
	lan = (int)if_nametoindex("lan0");
	CHECK(lan > 0);
	addresses();
	names();
	raw();
	groups();
	CHECK(dump(GETADDR, NEWADDR, AF_INET6, 4) == 1);
	CHECK(dump(GETROUTE, NEWROUTE, AF_INET6, -1) >= 3);
	CHECK(dump(GETNEIGH, NEWNEIGH, AF_INET6, 4) >= 1);
	return 0;
}
