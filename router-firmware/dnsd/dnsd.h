/*
 * dnsd: a DNS forwarder with a cache and static records.
 *
 * FOR THE EMULATOR ONLY. Built without -DPATCHED it contains four bugs on purpose, each marked "Planted bug": an EDNS cookie
 * shorter than eight bytes, a name pointer that leads to itself, client-subnet options that are never freed, and a device name longer than
 * the array it is kept in.
 */
#ifndef DNSD_H
#define DNSD_H

#include <sys/socket.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_MESSAGE	4096
#define MAX_NAME	255		/* wire format, RFC 1035 2.3.4 */
#define OUR_UDP_SIZE	1232
#define HEADER		12

/* Flag bits of the second header word, RFC 1035 4.1.1. */
#define QR	0x8000
#define OPCODE	0x7800
#define AA	0x0400
#define TC	0x0200
#define RD	0x0100
#define RA	0x0080
#define CD	0x0010
#define RCODE	0x000f

enum { NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED };
enum { T_A = 1, T_CNAME = 5, T_SOA = 6, T_PTR = 12, T_TXT = 16, T_AAAA = 28, T_OPT = 41, T_ANY = 255 };
enum { C_IN = 1 };

struct name {				/* wire format, as in the message but without pointers */
	uint8_t		byte[MAX_NAME + 1];
	size_t		length;
};

struct subnet {				/* a client-subnet option as it came, RFC 7871 */
	size_t		length;
	uint8_t		option[MAX_MESSAGE];
};

struct query {
	uint16_t	id, flags;
	uint16_t	type, class;
	struct name	name;		/* in the client's spelling */
	int		edns, dnssec_ok;
	size_t		room;		/* for the answer */
	uint8_t		client_cookie[8], server_cookie[32];	/* RFC 7873 */
	int		server_cookie_length;
	int		has_cookie;
	struct subnet	*subnet;
};

struct record {				/* one resource record of a message */
	size_t		start, data, end;
	uint16_t	type, class, length;
	uint32_t	ttl;
};

static inline uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static inline void
put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

/* names.c */
int	name_read(const uint8_t *message, size_t length, size_t *at, struct name *);
void	name_lower(struct name *);
int	name_equal(const struct name *, const struct name *);	/* without regard to case */
int	name_parse(const char *text, struct name *);

/* message.c */
int	query_parse(const uint8_t *message, size_t length, struct query *);	/* rcode, or -1 = no answer at all */
void	query_free(struct query *);
int	record_read(const uint8_t *message, size_t length, size_t *at, struct record *);
size_t	answer_begin(uint8_t *out, const struct query *, unsigned int flags);
size_t	answer_end(uint8_t *out, size_t length, const struct query *);
int	describe(const uint8_t *message, size_t length, uint16_t *feature);

/* records.c */
void	records_load(const char *path);
size_t	records_answer(uint8_t *out, const struct query *);	/* 0 = nothing known */

/* cache.c */
void	cache_init(int entries);
size_t	cache_answer(uint8_t *out, const struct query *, int64_t now);
void	cache_store(const struct query *, const uint8_t *message, size_t length, uint32_t ttl, int64_t now);

/* statistics.c */
enum keep { KEEP_NOTHING, KEEP_PERSIST, KEEP_CACHE };	/* over a rollback */
void	statistics_init(enum keep, int64_t now);
void	statistics_count(int64_t now);
void	statistics_device(const uint8_t *name, size_t length);
void	statistics_recall(void);

/* forward.c */
#define UPSTREAM_SOCKETS	8
extern int upstream_socket[UPSTREAM_SOCKETS];
void	forward_init(const struct sockaddr_in *upstream, int timeout_ms, int tries);
void	forward_reseed(void);
void	forward_query(const struct query *, const struct sockaddr_in *client, int64_t now);
void	forward_reply(const uint8_t *message, size_t length, int64_t now);
int	forward_timeout(int64_t now);
void	forward_expire(int64_t now);

/* main.c */
void	reply(const struct sockaddr_in *client, const uint8_t *message, size_t length);
void	reply_error(const struct sockaddr_in *client, const struct query *, int rcode);
void	*allocate(size_t);		/* never NULL: aborts */

/* random.c */
void	random_seed(void);
uint32_t random_next(void);

#endif
