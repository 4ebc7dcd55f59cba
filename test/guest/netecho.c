/*
 * For the network tests: brings up interfaces given as NAME ADDRESS MASK, adds a default route (-g GATEWAY), and answers
 * datagrams on port 7 from the address they were sent to, telling where each came in.
 */
#include "guest.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

static void
request(int s, unsigned long what, const char *name, const char *address)
{
	struct ifreq r;
	struct sockaddr_in *a = (struct sockaddr_in *)&r.ifr_addr;

	memset(&r, 0, sizeof r);
	strncpy(r.ifr_name, name, sizeof r.ifr_name - 1);
	a->sin_family = AF_INET;
	inet_aton(address, &a->sin_addr);
	if (ioctl(s, what, &r) != 0)
		say("request %lx on %s: errno %d\n", what, name, errno);
}

static void
default_route(int s, const char *gateway)
{
	struct rtentry r;

	memset(&r, 0, sizeof r);
	r.rt_dst.sa_family = r.rt_genmask.sa_family = r.rt_gateway.sa_family = AF_INET;
	inet_aton(gateway, &((struct sockaddr_in *)&r.rt_gateway)->sin_addr);
	r.rt_flags = RTF_UP | RTF_GATEWAY;
	if (ioctl(s, SIOCADDRT, &r) != 0)
		say("default route: errno %d\n", errno);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(7) }, from;
	int s = socket(AF_INET, SOCK_DGRAM, 0), one = 1, i;
	static char data[8192];
	char space[128];

	for (i = 1; i + 2 < argc && argv[i][0] != '-'; i += 3) {
		request(s, SIOCSIFADDR, argv[i], argv[i + 1]);
		request(s, SIOCSIFNETMASK, argv[i], argv[i + 2]);
	}
	if (i + 1 < argc)
		default_route(s, argv[i + 1]);
	setsockopt(s, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
	if (bind(s, (struct sockaddr *)&here, sizeof here) != 0)
		return 1;
	say("ready\n");
	for (;;) {
		struct iovec iov = { data, sizeof data };
		struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space };
		struct cmsghdr *c;
		char name[IF_NAMESIZE] = "?", to[16] = "?", source[16];
		ssize_t n = recvmsg(s, &m, 0);

		if (n < 0)
			return 2;
		for (c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
			struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(c);

			if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO)
				continue;
			if_indextoname((unsigned)info->ipi_ifindex, name);
			strcpy(to, inet_ntoa(info->ipi_addr));
		}
		strcpy(source, inet_ntoa(from.sin_addr));
		say("%zd bytes from %s:%d on %s to %s\n", n, source, ntohs(from.sin_port), name, to);
		iov.iov_len = (size_t)n;
		if (sendmsg(s, &m, 0) != n)
			say("answer: errno %d\n", errno);
		if (n == 4 && memcmp(data, "quit", 4) == 0)
			return 0;
	}
}
