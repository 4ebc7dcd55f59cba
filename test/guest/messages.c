/* Datagrams with control messages, several at once, and the options of UDP sockets; over the loopback. */
#include "guest.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

static struct sockaddr_in
at(const char *address, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_aton(address, &a.sin_addr);
	return a;
}

#define ADDR(a)	(struct sockaddr *)&(a), sizeof (a)

static int
set(int s, int level, int name, int value)
{
	return setsockopt(s, level, name, &value, sizeof value);
}

static int
get(int s, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof value;

	return getsockopt(s, level, name, &value, &len) == 0 && len == sizeof value ? value : -errno;
}

static uint16_t
port_of(int s)
{
	struct sockaddr_in a;
	socklen_t n = sizeof a;

	return getsockname(s, (struct sockaddr *)&a, &n) == 0 ? ntohs(a.sin_port) : 0;
}

static int
bound(const char *address)
{
	struct sockaddr_in a = at(address, 0);
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	return bind(s, ADDR(a)) == 0 ? s : -1;
}

static void
options(void)
{
	char name[16];
	socklen_t len = sizeof name;
	struct timeval tv = { 2, 500000 };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);

	CHECK(get(s, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM && get(s, SOL_SOCKET, SO_DOMAIN) == AF_INET && get(s, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_UDP);
	CHECK(get(s, SOL_SOCKET, SO_ERROR) == 0 && get(s, SOL_SOCKET, SO_ACCEPTCONN) == 0);
	CHECK(set(s, SOL_SOCKET, SO_BROADCAST, 1) == 0 && get(s, SOL_SOCKET, SO_BROADCAST) == 1);
	CHECK(set(s, SOL_SOCKET, SO_REUSEADDR, 7) == 0 && get(s, SOL_SOCKET, SO_REUSEADDR) == 1);
	CHECK(set(s, SOL_SOCKET, SO_RCVBUF, 8192) == 0 && get(s, SOL_SOCKET, SO_RCVBUF) == 16384);
	CHECK(set(s, SOL_SOCKET, SO_RCVBUF, 1) == 0 && get(s, SOL_SOCKET, SO_RCVBUF) == 2304);
	CHECK(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv) == 0);
	memset(&tv, 0, sizeof tv);
	len = sizeof tv;
	CHECK(getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, &len) == 0 && tv.tv_sec == 2 && tv.tv_usec == 500000 && len == sizeof tv);
	CHECK(get(s, IPPROTO_IP, IP_TTL) == 64 && set(s, IPPROTO_IP, IP_TTL, 3) == 0 && get(s, IPPROTO_IP, IP_TTL) == 3);
	FAILS(set(s, IPPROTO_IP, IP_TTL, 0), EINVAL);
	FAILS(set(s, IPPROTO_IP, IP_TTL, 256), EINVAL);
	CHECK(set(s, IPPROTO_IP, IP_TOS, 0x10) == 0 && get(s, IPPROTO_IP, IP_TOS) == 0x10);
	CHECK(set(s, IPPROTO_IP, IP_PKTINFO, 1) == 0 && get(s, IPPROTO_IP, IP_PKTINFO) == 1);
	CHECK(set(s, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO) == 0 && get(s, IPPROTO_IP, IP_MTU_DISCOVER) == IP_PMTUDISC_DO);
	CHECK(set(s, IPPROTO_IP, IP_RECVERR, 1) == 0 && get(s, IPPROTO_IP, IP_RECVERR) == 1);
	CHECK(set(s, IPPROTO_IP, IP_MULTICAST_TTL, 4) == 0 && get(s, IPPROTO_IP, IP_MULTICAST_TTL) == 4);
	FAILS(setsockopt(s, SOL_SOCKET, SO_BROADCAST, "", 1), EINVAL);
	FAILS(setsockopt(s, SOL_SOCKET, SO_BROADCAST, (void *)4, 4), EFAULT);
	FAILS(set(s, SOL_SOCKET, SO_TYPE, 1), ENOPROTOOPT);
	FAILS(set(s, IPPROTO_IP, 250, 1), ENOPROTOOPT);
	FAILS(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "nosuch", 7), ENODEV);
	CHECK(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) == 0);
	len = sizeof name;
	CHECK(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len) == 0 && len == 3 && strcmp(name, "lo") == 0);
	CHECK(fcntl(s, F_GETFD) == FD_CLOEXEC && (fcntl(s, F_GETFL) & O_ACCMODE) == O_RDWR);
	close(s);
	FAILS(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
	FAILS(socket(AF_INET, 9, 0), ESOCKTNOSUPPORT);
	FAILS(socket(AF_INET, 11, 0), EINVAL);
}

static void
control(void)
{
	char data[32], space[256];
	struct iovec out[2] = { { "gath", 4 }, { "ered", 4 } }, in[2] = { { data, 3 }, { data + 10, 20 } };
	struct sockaddr_in to, from;
	struct msghdr m = { .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = out, .msg_iovlen = 2 };
	struct cmsghdr *c;
	int a = bound("127.0.0.1"), b = bound("0.0.0.0"), ttl = 9, seen = 0;

	to = at("127.0.0.1", port_of(b));
	CHECK(set(b, IPPROTO_IP, IP_PKTINFO, 1) == 0 && set(b, IPPROTO_IP, IP_RECVTTL, 1) == 0 && set(b, SOL_SOCKET, SO_TIMESTAMP, 1) == 0);
	m.msg_control = space;
	m.msg_controllen = CMSG_SPACE(sizeof ttl);
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = IPPROTO_IP, c->cmsg_type = IP_TTL, c->cmsg_len = CMSG_LEN(sizeof ttl);
	memcpy(CMSG_DATA(c), &ttl, sizeof ttl);
	CHECK(sendmsg(a, &m, 0) == 8);
	m = (struct msghdr){ .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = in, .msg_iovlen = 2, .msg_control = space, .msg_controllen = sizeof space };
	CHECK(recvmsg(b, &m, 0) == 8 && memcmp(data, "gat", 3) == 0 && memcmp(data + 10, "hered", 5) == 0 && m.msg_flags == 0);
	CHECK(m.msg_namelen == sizeof from && ntohs(from.sin_port) == port_of(a));
	for (c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMP)
			seen |= 1;
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(c);

			if (info->ipi_ifindex == 1 && info->ipi_addr.s_addr == htonl(INADDR_LOOPBACK) && info->ipi_spec_dst.s_addr == htonl(INADDR_LOOPBACK))
				seen |= 2;
		}
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL && *(int *)CMSG_DATA(c) == 9)
			seen |= 4;
	}
	say("control messages seen: %d\n", seen);
	CHECK(sendto(a, "longer than the buffer", 22, 0, ADDR(to)) == 22);
	in[0].iov_len = 4;
	m = (struct msghdr){ .msg_iov = in, .msg_iovlen = 1, .msg_control = space, .msg_controllen = 4 };
	CHECK(recvmsg(b, &m, 0) == 4 && (m.msg_flags & MSG_TRUNC) && (m.msg_flags & MSG_CTRUNC) && m.msg_controllen == 0);
	m = (struct msghdr){ .msg_iov = (void *)4, .msg_iovlen = 1 };
	FAILS(sendmsg(a, &m, 0), EFAULT);
	m.msg_iovlen = 2000;
	FAILS(sendmsg(a, &m, 0), EMSGSIZE);
	FAILS(send(a, "x", 1, 0), EDESTADDRREQ);
	to.sin_family = 77;
	FAILS(sendto(a, "x", 1, 0, ADDR(to)), EAFNOSUPPORT);
	to = at("127.0.0.1", 0);
	FAILS(sendto(a, "x", 1, 0, ADDR(to)), EINVAL);
	close(a), close(b);
}

static void
many(void)
{
	static char data[4][16];
	struct iovec iov[4];
	struct mmsghdr m[4];
	struct timespec brief = { 0, 50000000 };
	int a = bound("127.0.0.1"), b = bound("127.0.0.1"), i;
	struct sockaddr_in to = at("127.0.0.1", port_of(b));

	CHECK(connect(a, ADDR(to)) == 0);
	memset(m, 0, sizeof m);
	for (i = 0; i < 4; i++) {
		sprintf(data[i], "message %d", i);
		iov[i] = (struct iovec){ data[i], 9 };
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	CHECK(sendmmsg(a, m, 4, 0) == 4 && m[3].msg_len == 9);
	memset(data, 0, sizeof data);
	CHECK(recvmmsg(b, m, 2, 0, NULL) == 2 && strcmp(data[1], "message 1") == 0);
	CHECK(recvmmsg(b, m, 4, MSG_WAITFORONE, NULL) == 2 && strcmp(data[1], "message 3") == 0);
	FAILS(recvmmsg(b, m, 4, MSG_DONTWAIT, &brief), EAGAIN);
	close(a), close(b);
}

static void
requests(void)
{
	struct ifreq r = { .ifr_name = "lo" };
	struct ifconf conf;
	struct ifreq list[8];
	struct sockaddr_in unspec = { .sin_family = AF_UNSPEC }, to, peer;
	socklen_t len = sizeof peer;
	struct pollfd p;
	char buf[8];
	int a = bound("127.0.0.1"), b = bound("127.0.0.1"), n = 0, on = 1;

	CHECK(ioctl(a, SIOCGIFADDR, &r) == 0 && ((struct sockaddr_in *)&r.ifr_addr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	CHECK(ioctl(a, SIOCGIFNETMASK, &r) == 0 && ((struct sockaddr_in *)&r.ifr_addr)->sin_addr.s_addr == htonl(0xff000000));
	CHECK(ioctl(a, SIOCGIFFLAGS, &r) == 0 && (r.ifr_flags & (IFF_UP | IFF_LOOPBACK | IFF_RUNNING)) == (IFF_UP | IFF_LOOPBACK | IFF_RUNNING));
	CHECK(ioctl(a, SIOCGIFINDEX, &r) == 0 && r.ifr_ifindex == 1);
	memset(r.ifr_name, 0, sizeof r.ifr_name);
	CHECK(ioctl(a, SIOCGIFNAME, &r) == 0 && strcmp(r.ifr_name, "lo") == 0);
	CHECK(if_nametoindex("lo") == 1 && if_nametoindex("nosuch") == 0);
	conf.ifc_len = sizeof list;
	conf.ifc_req = list;
	CHECK(ioctl(a, SIOCGIFCONF, &conf) == 0 && conf.ifc_len >= (int)sizeof list[0] && strcmp(list[0].ifr_name, "lo") == 0);
	strcpy(r.ifr_name, "nosuch");
	FAILS(ioctl(a, SIOCGIFADDR, &r), ENODEV);

	to = at("127.0.0.1", port_of(b));
	FAILS(getpeername(a, (struct sockaddr *)&peer, &len), ENOTCONN);
	CHECK(connect(a, ADDR(to)) == 0 && getpeername(a, (struct sockaddr *)&peer, &len) == 0 && peer.sin_port == to.sin_port);
	CHECK(write(a, "12345", 5) == 5 && ioctl(b, FIONREAD, &n) == 0 && n == 5);
	p = (struct pollfd){ b, POLLIN, 0 };
	CHECK(poll(&p, 1, 1000) == 1 && p.revents == POLLIN && read(b, buf, sizeof buf) == 5);
	CHECK(ioctl(b, FIONBIO, &on) == 0);
	FAILS(read(b, buf, sizeof buf), EAGAIN);
	CHECK(connect(a, ADDR(unspec)) == 0);
	FAILS(write(a, "x", 1), EDESTADDRREQ);
	FAILS(listen(a, 1), EOPNOTSUPP);
	FAILS(accept(a, NULL, NULL), EOPNOTSUPP);
	FAILS(shutdown(a, SHUT_RD), ENOTCONN);
	FAILS(shutdown(a, 9), EINVAL);
	to = at("192.0.2.77", 5);
	FAILS(bind(b, ADDR(to)), EADDRNOTAVAIL);
	to = at("127.0.0.1", 5000);
	FAILS(bind(b, ADDR(to)), EINVAL);
	to = at("192.0.2.77", 5);
	close(a), close(b);
	a = socket(AF_INET, SOCK_DGRAM, 0);
	FAILS(bind(a, ADDR(to)), EADDRNOTAVAIL);
	FAILS(bind(a, (struct sockaddr *)&to, 4), EINVAL);
	close(a);
	FAILS(pread(bound("0.0.0.0"), buf, 1, 0), ESPIPE);
}

int
main(void)
{
	options();
	control();
	many();
	requests();
	return 0;
}
