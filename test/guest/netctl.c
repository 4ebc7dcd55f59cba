/*
 * For the network tests, on a router with lan0 and wan0: interfaces, routes and neighbours through ioctl; raw and ICMP
 * sockets; the error queue; groups; the multiplexed socketcall.
 */
#include "guest.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>

#define ADDR(a)	(struct sockaddr *)&(a), sizeof (a)

static struct sockaddr_in
at(const char *address, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_aton(address, &a.sin_addr);
	return a;
}

static struct ifreq
named(const char *name, const char *address)
{
	struct ifreq r;
	struct sockaddr_in a = at(address, 0);

	memset(&r, 0, sizeof r);
	strcpy(r.ifr_name, name);
	memcpy(&r.ifr_addr, &a, sizeof a);
	return r;
}

static const char *
address_of(const struct ifreq *r)
{
	return inet_ntoa(((const struct sockaddr_in *)&r->ifr_addr)->sin_addr);
}

static struct rtentry
route(const char *destination, const char *mask, const char *gateway, char *device)
{
	struct rtentry r;
	struct sockaddr_in d = at(destination, 0), m = at(mask, 0), g = at(gateway, 0);

	memset(&r, 0, sizeof r);
	memcpy(&r.rt_dst, &d, sizeof d);
	memcpy(&r.rt_genmask, &m, sizeof m);
	memcpy(&r.rt_gateway, &g, sizeof g);
	r.rt_flags = RTF_UP | (g.sin_addr.s_addr ? RTF_GATEWAY : 0);
	r.rt_dev = device;
	return r;
}

static void
interfaces(int s)
{
	struct ifreq r = named("lan0", "0.0.0.0");
	struct ifconf conf = { 0 };

	FAILS(ioctl(s, SIOCGIFADDR, &r), EADDRNOTAVAIL);
	r = named("lan0", "192.168.1.1");
	CHECK(ioctl(s, SIOCSIFADDR, &r) == 0);
	CHECK(ioctl(s, SIOCGIFFLAGS, &r) == 0 && (r.ifr_flags & (IFF_UP | IFF_BROADCAST | IFF_MULTICAST | IFF_LOOPBACK)) == (IFF_UP | IFF_BROADCAST | IFF_MULTICAST));
	CHECK(ioctl(s, SIOCGIFNETMASK, &r) == 0 && strcmp(address_of(&r), "255.255.255.0") == 0);
	CHECK(ioctl(s, SIOCGIFBRDADDR, &r) == 0 && strcmp(address_of(&r), "192.168.1.255") == 0);
	r = named("lan0", "255.255.0.255");
	FAILS(ioctl(s, SIOCSIFNETMASK, &r), EINVAL);
	CHECK(ioctl(s, SIOCGIFHWADDR, &r) == 0 && r.ifr_hwaddr.sa_family == ARPHRD_ETHER && memcmp(r.ifr_hwaddr.sa_data, "\2\0\0\0\0\1", 6) == 0);
	FAILS(ioctl(s, SIOCSIFHWADDR, &r), EBUSY);
	CHECK(ioctl(s, SIOCGIFMTU, &r) == 0 && r.ifr_mtu == 1500);
	r.ifr_mtu = 9000;
	FAILS(ioctl(s, SIOCSIFMTU, &r), EINVAL);
	r.ifr_mtu = 1400;
	CHECK(ioctl(s, SIOCSIFMTU, &r) == 0 && ioctl(s, SIOCGIFMTU, &r) == 0 && r.ifr_mtu == 1400);
	r.ifr_mtu = 1500;
	CHECK(ioctl(s, SIOCSIFMTU, &r) == 0 && ioctl(s, SIOCGIFTXQLEN, &r) == 0);
	CHECK(ioctl(s, SIOCGIFCONF, &conf) == 0 && conf.ifc_len == 2 * (int)sizeof r);
	r = named("wan0", "10.0.0.2");
	CHECK(ioctl(s, SIOCSIFADDR, &r) == 0);
	CHECK(ioctl(s, SIOCGIFNETMASK, &r) == 0 && strcmp(address_of(&r), "255.0.0.0") == 0);
	r = named("wan0", "255.255.255.0");
	CHECK(ioctl(s, SIOCSIFNETMASK, &r) == 0 && ioctl(s, SIOCGIFBRDADDR, &r) == 0 && strcmp(address_of(&r), "10.0.0.255") == 0);
}

static void
routes(int s)
{
	struct rtentry r = route("0.0.0.0", "0.0.0.0", "172.16.0.1", NULL);
	struct arpreq a;
	struct sockaddr_in neighbour = at("192.168.1.99", 0);

	FAILS(ioctl(s, SIOCADDRT, &r), ENETUNREACH);
	r = route("0.0.0.0", "0.0.0.0", "10.0.0.1", NULL);
	CHECK(ioctl(s, SIOCADDRT, &r) == 0);
	FAILS(ioctl(s, SIOCADDRT, &r), EEXIST);
	r = route("172.16.0.1", "255.240.0.0", "10.0.0.9", NULL);
	FAILS(ioctl(s, SIOCADDRT, &r), EINVAL);
	r = route("172.16.0.0", "255.240.0.0", "0.0.0.0", "nosuch");
	FAILS(ioctl(s, SIOCADDRT, &r), ENODEV);
	r.rt_dev = "wan0";
	CHECK(ioctl(s, SIOCADDRT, &r) == 0 && ioctl(s, SIOCDELRT, &r) == 0);
	FAILS(ioctl(s, SIOCDELRT, &r), ESRCH);

	memset(&a, 0, sizeof a);
	memcpy(&a.arp_pa, &neighbour, sizeof neighbour);
	strcpy(a.arp_dev, "lan0");
	FAILS(ioctl(s, SIOCGARP, &a), ENXIO);
	memcpy(a.arp_ha.sa_data, "\2\0\0\0\0\x63", 6);
	a.arp_flags = ATF_COM | ATF_PERM;
	CHECK(ioctl(s, SIOCSARP, &a) == 0);
	memset(&a.arp_ha, 0, sizeof a.arp_ha);
	CHECK(ioctl(s, SIOCGARP, &a) == 0 && a.arp_ha.sa_data[5] == 0x63);
	CHECK(ioctl(s, SIOCDARP, &a) == 0);
	FAILS(ioctl(s, SIOCDARP, &a), ENXIO);
}

static uint16_t
sum16(const unsigned char *p, int n)
{
	uint32_t sum = 0;

	for (; n > 1; p += 2, n -= 2)
		sum += (uint32_t)(p[0] << 8 | p[1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Type of the ICMP message that comes, at `offset` of what the socket gives; -1 after a second. */
static int
message(int s, int offset, int *from)
{
	unsigned char buf[600];
	struct sockaddr_in a;
	socklen_t len = sizeof a;
	struct pollfd p = { s, POLLIN, 0 };

	if (poll(&p, 1, 1000) != 1 || recvfrom(s, buf, sizeof buf, 0, (struct sockaddr *)&a, &len) <= offset)
		return -1;
	*from = (int)(ntohl(a.sin_addr.s_addr) & 255);
	return buf[offset];
}

static void
pings(void)
{
	unsigned char request[16] = { 8, 0, 0, 0, 1, 2, 0, 1 };
	struct sockaddr_in client = at("192.168.1.10", 0), far = at("203.0.113.5", 0), me = at("192.168.1.1", 0);
	uint32_t filter = ~(1U << 0 | 1U << 3);
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), ping = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), from = 0, one = 1;
	uint16_t sum = sum16(request, sizeof request);

	request[2] = (unsigned char)(sum >> 8), request[3] = (unsigned char)sum;
	CHECK(raw >= 0 && ping >= 0 && setsockopt(raw, 255, 1, &filter, sizeof filter) == 0);
	CHECK(sendto(raw, request, sizeof request, 0, ADDR(client)) == sizeof request && message(raw, 20, &from) == 0 && from == 10);
	CHECK(sendto(ping, request, sizeof request, 0, ADDR(client)) == sizeof request && message(ping, 0, &from) == 0 && from == 10);
	CHECK(message(raw, 20, &from) == 0);
	FAILS(sendto(ping, "x", 1, 0, ADDR(client)), EINVAL);
	CHECK(setsockopt(raw, IPPROTO_IP, IP_RECVERR, &one, sizeof one) == 0);
	CHECK(sendto(raw, request, sizeof request, 0, ADDR(far)) == sizeof request && message(raw, 20, &from) == -1);
	CHECK(bind(raw, ADDR(me)) == 0 && connect(raw, ADDR(client)) == 0);
	CHECK(send(raw, request, sizeof request, 0) == sizeof request && message(raw, 20, &from) == 0);
	close(raw), close(ping);
	FAILS(socket(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
}

/* A datagram to a closed port of the client: the error comes to a socket that is not connected, with what was sent. */
static void
errors(void)
{
	struct sockaddr_in closed = at("192.168.1.10", 4321), to;
	char data[32], space[128];
	struct iovec iov = { data, sizeof data };
	struct msghdr m = { .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &iov, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space };
	struct { uint32_t error; uint8_t origin, type, code, pad; uint32_t info, data; struct sockaddr_in offender; } e;
	int s = socket(AF_INET, SOCK_DGRAM, 0), one = 1;
	struct pollfd p = { s, POLLIN, 0 };
	struct timeval stamp;

	FAILS(recvmsg(s, &m, MSG_ERRQUEUE), EAGAIN);
	CHECK(setsockopt(s, IPPROTO_IP, IP_RECVERR, &one, sizeof one) == 0);
	CHECK(sendto(s, "nobody", 6, 0, ADDR(closed)) == 6 && poll(&p, 1, 1000) == 1 && (p.revents & POLLERR));
	FAILS(recv(s, data, sizeof data, 0), ECONNREFUSED);
	CHECK(recvmsg(s, &m, MSG_ERRQUEUE) == 6 && memcmp(data, "nobody", 6) == 0 && (m.msg_flags & MSG_ERRQUEUE) && ntohs(to.sin_port) == 4321);
	memcpy(&e, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof e);
	CHECK(e.error == ECONNREFUSED && e.origin == 2 && e.type == 3 && e.code == 3 && e.offender.sin_addr.s_addr == closed.sin_addr.s_addr);
	FAILS(ioctl(s, SIOCGSTAMP, &stamp), ENOENT);
	close(s);
	s = socket(AF_INET, SOCK_DGRAM, 0);
	to = at("127.0.0.1", 6001);
	CHECK(bind(s, ADDR(to)) == 0 && sendto(s, "self", 4, 0, ADDR(to)) == 4 && recv(s, data, sizeof data, 0) == 4);
	CHECK(ioctl(s, SIOCGSTAMP, &stamp) == 0 && stamp.tv_sec >= 1767225600 && stamp.tv_usec >= 0 && stamp.tv_usec < 1000000);
	FAILS(sendto(s, "x", 1, 0, (struct sockaddr *)&(struct sockaddr_in){ .sin_family = AF_INET, .sin_port = 9, .sin_addr.s_addr = INADDR_BROADCAST }, sizeof to), EACCES);
	close(s);
}

static void
groups(void)
{
	struct sockaddr_in here = at("0.0.0.0", 5000), group = at("239.1.2.3", 5000);
	struct ip_mreqn r = { .imr_multiaddr = group.sin_addr };
	struct group_req g;
	struct in_addr interface = { 0 };
	socklen_t len = sizeof interface;
	char buf[8];
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), i;

	r.imr_ifindex = (int)if_nametoindex("lan0");
	CHECK(bind(s, ADDR(here)) == 0 && setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof r) == 0);
	FAILS(setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof r), EADDRINUSE);
	CHECK(setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &r, sizeof r) == 0);
	CHECK(getsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &interface, &len) == 0 && strcmp(inet_ntoa(interface), "192.168.1.1") == 0);
	CHECK(sendto(s, "loop", 4, 0, ADDR(group)) == 4);
	for (i = 0; i < 1000 && recv(s, buf, sizeof buf, 0) != 4; i++)
		sched_yield();
	CHECK(i < 1000);
	CHECK(setsockopt(s, IPPROTO_IP, IP_DROP_MEMBERSHIP, &r, sizeof r) == 0);
	FAILS(setsockopt(s, IPPROTO_IP, IP_DROP_MEMBERSHIP, &r, sizeof r), EADDRNOTAVAIL);
	memset(&g, 0, sizeof g);
	g.gr_interface = (uint32_t)r.imr_ifindex;
	memcpy(&g.gr_group, &group, sizeof group);
	CHECK(setsockopt(s, IPPROTO_IP, MCAST_JOIN_GROUP, &g, sizeof g) == 0 && setsockopt(s, IPPROTO_IP, MCAST_LEAVE_GROUP, &g, sizeof g) == 0);
	r.imr_multiaddr.s_addr = htonl(0x0a000001);
	FAILS(setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof r), EINVAL);
	close(s);
}

static void
multiplexed(void)
{
	long arguments[6] = { AF_INET, SOCK_DGRAM, 0 };
	long s = syscall(SYS_socketcall, 1, arguments);
	struct sockaddr_in a = at("127.0.0.1", 6000);

	CHECK(s >= 0);
	arguments[0] = s, arguments[1] = (long)&a, arguments[2] = sizeof a;
	CHECK(syscall(SYS_socketcall, 2, arguments) == 0);
	FAILS(syscall(SYS_socketcall, 99, arguments), EINVAL);
	FAILS(syscall(SYS_socketcall, 2, 4), EFAULT);
	close((int)s);
	FAILS(socket(AF_X25, SOCK_DGRAM, 0), EAFNOSUPPORT);
}

static void
without_rights(int s)
{
	struct ifreq r = named("lan0", "1.2.3.4");
	struct sockaddr_in low = at("0.0.0.0", 53);

	CHECK(setuid(1000) == 0);
	FAILS(ioctl(s, SIOCSIFADDR, &r), EPERM);
	FAILS(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
	FAILS(bind(s, ADDR(low)), EACCES);
}

int
main(void)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	interfaces(s);
	routes(s);
	pings();
	errors();
	groups();
	multiplexed();
	without_rights(s);
	return 0;
}
