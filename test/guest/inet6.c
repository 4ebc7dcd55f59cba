/* AF_INET6 over the loopback: UDP and TCP between ::1 and itself, IPv4 peers of a socket for both, IPV6_V6ONLY, names, options, control messages. */
#include "guest.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static struct sockaddr_in6
six(const char *text, int port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	inet_pton(AF_INET6, text, &a.sin6_addr);
	return a;
}

static struct sockaddr_in
four(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static int
bound6(int type, const char *text, int port, int only)
{
	struct sockaddr_in6 a = six(text, port);
	int fd = socket(AF_INET6, type, 0);

	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) != 0 || bind(fd, (void *)&a, sizeof a) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
port_of(int fd)
{
	struct sockaddr_in6 a;
	socklen_t length = sizeof a;

	return getsockname(fd, (void *)&a, &length) == 0 ? ntohs(a.sin6_port) : -1;
}

static const char *
own_name(int fd)
{
	static char text[INET6_ADDRSTRLEN];
	struct sockaddr_in6 a;
	socklen_t length = sizeof a;

	if (getsockname(fd, (void *)&a, &length) != 0 || length != 28 || a.sin6_family != AF_INET6)
		return "?";
	return inet_ntop(AF_INET6, &a.sin6_addr, text, sizeof text);
}

static const char *
peer_name(int fd)
{
	static char text[INET6_ADDRSTRLEN];
	struct sockaddr_in6 a;
	socklen_t length = sizeof a;

	if (getpeername(fd, (void *)&a, &length) != 0 || length != 28)
		return "?";
	return inet_ntop(AF_INET6, &a.sin6_addr, text, sizeof text);
}

static int
option(int fd, int level, int name)
{
	int value = -99;
	socklen_t length = sizeof value;

	return getsockopt(fd, level, name, &value, &length) == 0 ? value : -errno;
}

static int
set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value);
}

static void
udp(void)
{
	int server = bound6(SOCK_DGRAM, "::", 0, 0), port = port_of(server), client = socket(AF_INET6, SOCK_DGRAM, 0), old = socket(AF_INET, SOCK_DGRAM, 0), only, n;
	struct sockaddr_in6 to = six("::1", port), from, short6 = to;
	struct sockaddr_in to4 = four(port);
	socklen_t length = sizeof from;
	char buf[64], text[INET6_ADDRSTRLEN];

	CHECK(server >= 0 && port > 0);
	say("bound to %s\n", own_name(server));
	CHECK(sendto(client, "six", 3, 0, (void *)&to, sizeof to) == 3);
	n = recvfrom(server, buf, sizeof buf, 0, (void *)&from, &length);
	say("%d bytes from %s, %d bytes of name\n", n, inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof text), (int)length);
	CHECK(sendto(server, "back", 4, 0, (void *)&from, length) == 4 && recv(client, buf, sizeof buf, 0) == 4);
	CHECK(sendto(old, "four", 4, 0, (void *)&to4, sizeof to4) == 4);
	n = recvfrom(server, buf, sizeof buf, 0, (void *)&from, &length);
	say("%d bytes from %s\n", n, inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof text));
	CHECK(sendto(server, "reply", 5, 0, (void *)&from, length) == 5 && recv(old, buf, sizeof buf, 0) == 5);
	CHECK(sendto(client, "mixed", 5, 0, (void *)&to4, sizeof to4) == 5);
	length = sizeof from;
	n = recvfrom(server, buf, sizeof buf, 0, (void *)&from, &length);
	say("%d bytes from %s\n", n, inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof text));

	CHECK(bound6(SOCK_DGRAM, "::", port, 0) == -1 && errno == EADDRINUSE);
	CHECK(bind(old, (void *)&to4, sizeof to4) == -1);
	only = bound6(SOCK_DGRAM, "::", 0, 1);
	to4 = four(port_of(only));
	n = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(bind(n, (void *)&to4, sizeof to4) == 0);
	to = six("::ffff:127.0.0.1", port_of(only));
	FAILS(sendto(only, "x", 1, 0, (void *)&to, sizeof to), ENETUNREACH);
	FAILS(connect(only, (void *)&to, sizeof to), ENETUNREACH);
	FAILS(set(only, IPPROTO_IPV6, IPV6_V6ONLY, 0), EINVAL);
	FAILS(bind(client, (void *)&to4, sizeof to4), EINVAL);
	to = six("2001:db8::1", 0);
	FAILS(bind(socket(AF_INET6, SOCK_DGRAM, 0), (void *)&to, sizeof to), EADDRNOTAVAIL);
	to = six("fe80::1", 9);
	FAILS(bind(socket(AF_INET6, SOCK_DGRAM, 0), (void *)&to, sizeof to), EINVAL);
	FAILS(connect(socket(AF_INET6, SOCK_DGRAM, 0), (void *)&to, sizeof to), EINVAL);
	short6.sin6_family = AF_UNIX;
	FAILS(bind(socket(AF_INET6, SOCK_DGRAM, 0), (void *)&short6, sizeof short6), EAFNOSUPPORT);
	FAILS(bind(socket(AF_INET6, SOCK_DGRAM, 0), (void *)&short6, 20), EINVAL);
	close(only);
	close(n);

	to = six("::", port);
	CHECK(connect(client, (void *)&to, sizeof to) == 0);
	say("connected from %s", own_name(client));
	say(" to %s\n", peer_name(client));
	CHECK(send(client, "any", 3, 0) == 3 && recv(server, buf, sizeof buf, 0) == 3);
	n = socket(AF_INET6, SOCK_DGRAM, 0);
	to4 = four(port);
	CHECK(connect(n, (void *)&to4, sizeof to4) == 0);
	say("connected from %s", own_name(n));
	say(" to %s\n", peer_name(n));
	close(n);
	close(server);
	CHECK(send(client, "gone", 4, 0) == 4);
	FAILS(recv(client, buf, sizeof buf, 0), ECONNREFUSED);
	close(client);
	close(old);
}

/* What recvmsg adds of level IPPROTO_IPV6 and IPPROTO_IP. */
static void
controls(int fd)
{
	char buf[64], control[256], text[INET6_ADDRSTRLEN];
	struct iovec iov = { buf, sizeof buf };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *c;
	struct in6_pktinfo *info;

	say("%d bytes:", (int)recvmsg(fd, &m, 0));
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		info = (void *)CMSG_DATA(c);
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
			say(" [for %s on %s]", inet_ntop(AF_INET6, &info->ipi6_addr, text, sizeof text), info->ipi6_ifindex == 1 ? "lo" : "another");
		else
			say(" [%d/%d: %d]", c->cmsg_level, c->cmsg_type, *(int *)CMSG_DATA(c));
	}
	say("\n");
}

static void
messages(void)
{
	int server = bound6(SOCK_DGRAM, "::", 0, 0), client = socket(AF_INET6, SOCK_DGRAM, 0), old = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in6 to = six("::1", port_of(server));
	struct sockaddr_in to4 = four(port_of(server));
	char control[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
	struct iovec iov = { "message", 7 };
	struct msghdr m = { .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *c;
	struct in6_pktinfo info = { .ipi6_addr = IN6ADDR_LOOPBACK_INIT };
	int hops = 7;

	CHECK(set(server, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) == 0 && set(server, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) == 0 && set(server, IPPROTO_IPV6, IPV6_RECVTCLASS, 1) == 0);
	CHECK(set(client, IPPROTO_IPV6, IPV6_TCLASS, 0x48) == 0 && option(client, IPPROTO_IPV6, IPV6_TCLASS) == 0x48);
	sendto(client, "plain", 5, 0, (void *)&to, sizeof to);
	controls(server);
	sendto(old, "four", 4, 0, (void *)&to4, sizeof to4);
	controls(server);
	memset(control, 0, sizeof control);
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof info);
	memcpy(CMSG_DATA(c), &info, sizeof info);
	c = CMSG_NXTHDR(&m, c);
	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_HOPLIMIT;
	c->cmsg_len = CMSG_LEN(sizeof hops);
	memcpy(CMSG_DATA(c), &hops, sizeof hops);
	CHECK(sendmsg(client, &m, 0) == 7);
	controls(server);
	close(server);
	close(client);
	close(old);
}

static void
tcp(void)
{
	int server = bound6(SOCK_STREAM, "::", 0, 0), port = port_of(server), client = socket(AF_INET6, SOCK_STREAM, 0), old = socket(AF_INET, SOCK_STREAM, 0), made, only, i;
	struct sockaddr_in6 to = six("::1", port);
	struct sockaddr_in to4 = four(port);
	char buf[64];

	CHECK(listen(server, 4) == 0);
	CHECK(connect(client, (void *)&to, sizeof to) == 0);
	made = accept(server, NULL, NULL);
	say("accepted at %s", own_name(made));
	say(" from %s\n", peer_name(made));
	CHECK(write(client, "hello", 5) == 5 && read(made, buf, sizeof buf) == 5 && write(made, "world!", 6) == 6 && read(client, buf, sizeof buf) == 6);
	CHECK(option(made, SOL_SOCKET, SO_DOMAIN) == AF_INET6 && option(made, IPPROTO_TCP, TCP_MAXSEG) > 1000);
	CHECK(shutdown(client, SHUT_WR) == 0 && read(made, buf, sizeof buf) == 0);
	close(made);
	CHECK(read(client, buf, sizeof buf) == 0);
	close(client);

	CHECK(connect(old, (void *)&to4, sizeof to4) == 0);
	made = accept(server, NULL, NULL);
	say("accepted at %s", own_name(made));
	say(" from %s\n", peer_name(made));
	CHECK(write(old, "four", 4) == 4 && read(made, buf, sizeof buf) == 4);
	close(made);
	close(old);

	client = socket(AF_INET6, SOCK_STREAM, 0);
	to = six("::ffff:127.0.0.1", port);
	CHECK(connect(client, (void *)&to, sizeof to) == 0);
	say("connected from %s", own_name(client));
	say(" to %s\n", peer_name(client));
	made = accept(server, NULL, NULL);
	close(client);
	close(made);
	close(server);

	only = bound6(SOCK_STREAM, "::", 0, 1);
	CHECK(listen(only, 4) == 0 && option(only, IPPROTO_IPV6, IPV6_V6ONLY) == 1);
	to4 = four(port_of(only));
	FAILS(connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&to4, sizeof to4), ECONNREFUSED);
	server = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(bind(server, (void *)&to4, sizeof to4) == 0 && listen(server, 4) == 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(client, (void *)&to4, sizeof to4) == 0);
	made = accept(server, NULL, NULL);
	CHECK(made >= 0);
	for (i = 3; i < 40; i++)
		close(i);

	client = socket(AF_INET6, SOCK_STREAM, 0);
	to = six("::1", 1);
	FAILS(connect(client, (void *)&to, sizeof to), ECONNREFUSED);
	FAILS(connect(client, (void *)&to4, sizeof to4), EINVAL);
	FAILS(getpeername(client, (void *)&to, &(socklen_t){ sizeof to }), ENOTCONN);
	close(client);
}

static void
options(void)
{
	int d = socket(AF_INET6, SOCK_DGRAM, 0), s = socket(AF_INET6, SOCK_STREAM, 0), old = socket(AF_INET, SOCK_DGRAM, 0);
	struct ipv6_mreq group = { .ipv6mr_interface = 1 };

	say("only %d, hops %d and %d, loop %d, interface %d, class %d\n", option(d, IPPROTO_IPV6, IPV6_V6ONLY), option(d, IPPROTO_IPV6, IPV6_UNICAST_HOPS), option(d, IPPROTO_IPV6, IPV6_MULTICAST_HOPS),
	    option(d, IPPROTO_IPV6, IPV6_MULTICAST_LOOP), option(d, IPPROTO_IPV6, IPV6_MULTICAST_IF), option(d, IPPROTO_IPV6, IPV6_TCLASS));
	CHECK(set(d, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 12) == 0 && option(d, IPPROTO_IPV6, IPV6_UNICAST_HOPS) == 12);
	CHECK(set(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 13) == 0 && option(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS) == 13);
	FAILS(set(d, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 256), EINVAL);
	FAILS(set(d, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, -2), EINVAL);
	FAILS(set(d, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 2), EINVAL);
	FAILS(set(s, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1), ENOPROTOOPT);
	FAILS(set(d, IPPROTO_IPV6, IPV6_MULTICAST_IF, 77), ENODEV);
	CHECK(set(d, IPPROTO_IPV6, IPV6_MULTICAST_IF, 1) == 0 && option(d, IPPROTO_IPV6, IPV6_MULTICAST_IF) == 1);
	inet_pton(AF_INET6, "ff02::77", &group.ipv6mr_multiaddr);
	CHECK(setsockopt(d, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof group) == 0);
	FAILS(setsockopt(d, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof group), EADDRINUSE);
	CHECK(setsockopt(d, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &group, sizeof group) == 0);
	FAILS(setsockopt(d, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &group, sizeof group), EADDRNOTAVAIL);
	FAILS(setsockopt(d, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, 8), EINVAL);
	inet_pton(AF_INET6, "2001:db8::1", &group.ipv6mr_multiaddr);
	FAILS(setsockopt(d, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof group), EINVAL);
	FAILS(set(old, IPPROTO_IPV6, IPV6_V6ONLY, 1), ENOPROTOOPT);
	FAILS(set(d, IPPROTO_IPV6, 250, 1), ENOPROTOOPT);
	CHECK(set(d, IPPROTO_IPV6, IPV6_MTU_DISCOVER, 2) == 0 && option(d, IPPROTO_IPV6, IPV6_MTU_DISCOVER) == 2);
	FAILS(socket(AF_INET6, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
	FAILS(socketpair(AF_INET6, SOCK_STREAM, 0, (int[2]){ 0 }), EOPNOTSUPP);
	close(d);
	close(s);
	close(old);
}

/* A group may be joined on the loopback, but no route leads there; and datagrams longer than any packet of an Ethernet. */
static void
groups(void)
{
	static char large[9000];
	int a = bound6(SOCK_DGRAM, "::", 0, 0), b = socket(AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_in6 to = six("ff02::78", port_of(a));
	struct ipv6_mreq group = { .ipv6mr_multiaddr = to.sin6_addr, .ipv6mr_interface = 1 };

	CHECK(setsockopt(a, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof group) == 0);
	to.sin6_scope_id = 1;
	FAILS(sendto(b, "all", 3, 0, (void *)&to, sizeof to), ENETUNREACH);
	to = six("::1", port_of(a));
	CHECK(sendto(b, large, sizeof large, 0, (void *)&to, sizeof to) == sizeof large && recv(a, large, sizeof large, 0) == sizeof large);
	close(a);
	close(b);
}

int
main(void)
{
	udp();
	messages();
	tcp();
	options();
	groups();
	return 0;
}
