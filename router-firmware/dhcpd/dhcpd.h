/*
 * dhcpd: a DHCP server (RFC 2131, 2132) with a lease file and static leases.
 *
 * FOR THE EMULATOR ONLY. Built without -DPATCHED it contains bugs on purpose, marked "Planted bug": the host name option is
 * copied over a stack array without a look at its length; the domain name option is read by recursion that nothing bounds; with -X, a pool
 * without a free address is taken for something that cannot happen.
 */
#ifndef DHCPD_H
#define DHCPD_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define HOST_NAME	64

enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM };

/*
 * A message, RFC 2131 figure 1, without sname and file:
 *	op 0, htype 1, hlen 2, hops 3, xid 4, secs 8, flags 10, ciaddr 12, yiaddr 16, siaddr 20, giaddr 24, chaddr 28 (16),
 *	sname 44 (64), file 108 (128), magic 236, options 240
 */
#define AT_XID		4
#define AT_FLAGS	10
#define AT_CIADDR	12
#define AT_YIADDR	16
#define AT_SIADDR	20
#define AT_GIADDR	24
#define AT_CHADDR	28
#define AT_MAGIC	236
#define AT_OPTIONS	240
#define MAX_MESSAGE	1500
#define MAGIC		0x63825363u

struct request {
	const uint8_t	*message;
	size_t		length;
	uint8_t		type;
	uint8_t		mac[6];
	uint32_t	ciaddr, giaddr, requested, server;	/* host order; 0 = absent */
	int		broadcast;
	char		host_name[HOST_NAME];
};

enum lease_state { FREE, OFFERED, BOUND, DECLINED };

struct lease {
	uint32_t	address;
	uint8_t		mac[6];
	enum lease_state state;
	int		fixed;				/* from the static file */
	time_t		expires;
	char		host_name[HOST_NAME];
};

struct settings {
	const char	*interface, *lease_file, *static_file, *domain;
	uint32_t	server, first, netmask, router, dns;
	int		count, lease_seconds, port, reread, pool_asserted;
};

extern struct settings settings;

/* request.c */
int	request_parse(const uint8_t *message, size_t length, struct request *);
int	describe(const uint8_t *message, size_t length, uint16_t *feature);

/* leases.c */
void	leases_init(void);
void	leases_reread(void);
struct lease *lease_of(const uint8_t *mac);
struct lease *lease_at(uint32_t address);
struct lease *lease_choose(const uint8_t *mac, uint32_t wish);
void	lease_set(struct lease *, const uint8_t *mac, enum lease_state, int seconds, const char *host_name);
void	lease_free(struct lease *);
void	leases_write(void);

/* reply.c */
size_t	reply_build(uint8_t *out, const struct request *, int type, uint32_t address);

static inline uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void
put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

#endif
