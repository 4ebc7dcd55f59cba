#include "init.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
set_address(struct sockaddr *sa, in_addr_t address)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	in.sin_addr.s_addr = address;
	memcpy(sa, &in, sizeof in);
}

/* "192.168.1.1/24" -> address and mask, both in network order. */
static int
parse_prefix(const char *text, in_addr_t *address, in_addr_t *mask)
{
	char copy[32], *slash, *end;
	struct in_addr in;
	long bits;

	if (strlen(text) >= sizeof copy)
		goto bad;
	strcpy(copy, text);
	slash = strchr(copy, '/');
	if (slash == NULL)
		goto bad;
	*slash = '\0';
	bits = strtol(slash + 1, &end, 10);
	if (*end != '\0' || end == slash + 1 || bits < 0 || bits > 32 || inet_aton(copy, &in) == 0)
		goto bad;
	*address = in.s_addr;
	*mask = bits == 0 ? 0 : htonl(0xffffffffu << (32 - bits));
	return 0;
bad:
	errno = EINVAL;
	return -1;
}

static int
request_on(int s, const char *name, unsigned long request, in_addr_t address)
{
	struct ifreq ifr;

	memset(&ifr, 0, sizeof ifr);
	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	set_address(&ifr.ifr_addr, address);
	return ioctl(s, (int)request, &ifr);
}

static int
raise_flags(int s, const char *name)
{
	struct ifreq ifr;

	memset(&ifr, 0, sizeof ifr);
	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(s, SIOCGIFFLAGS, &ifr) != 0)
		return -1;
	ifr.ifr_flags |= IFF_UP | IFF_RUNNING;
	return ioctl(s, SIOCSIFFLAGS, &ifr);
}

static int
closing(int s, int result)
{
	int saved = errno;

	close(s);
	errno = saved;
	return result;
}

int
interface_up(const char *name, const char *address_and_prefix)
{
	in_addr_t address, mask;
	int s;

	if (parse_prefix(address_and_prefix, &address, &mask) != 0)
		return -1;
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return -1;
	if (request_on(s, name, SIOCSIFADDR, address) != 0 || request_on(s, name, SIOCSIFNETMASK, mask) != 0)
		return closing(s, -1);
	return closing(s, raise_flags(s, name));
}

int
add_route(const char *destination, const char *gateway)
{
	struct rtentry route;
	in_addr_t network = 0, mask = 0;
	struct in_addr via;
	int s;

	if (strcmp(destination, "default") != 0 && parse_prefix(destination, &network, &mask) != 0)
		return -1;
	if (inet_aton(gateway, &via) == 0) {
		errno = EINVAL;
		return -1;
	}
	memset(&route, 0, sizeof route);
	set_address(&route.rt_dst, network & mask);
	set_address(&route.rt_genmask, mask);
	set_address(&route.rt_gateway, via.s_addr);
	route.rt_flags = RTF_UP | RTF_GATEWAY;
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return -1;
	return closing(s, ioctl(s, SIOCADDRT, &route));
}
