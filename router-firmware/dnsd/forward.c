#include "dnsd.h"

#include "../sdk/recover.h"

#include <arpa/inet.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PENDING		64
#define MAX_TTL		86400
#define BIND_TRIES	16

struct pending {
	int		used;
	struct query	query;
	struct sockaddr_in client;
	uint16_t	id;			/* of our own query */
	int		tries;
	int64_t		deadline;
};

int upstream_socket[UPSTREAM_SOCKETS];

static struct pending pending[PENDING];
static struct sockaddr_in upstream;
static int timeout_ms, tries_allowed;

/* A socket on a random port, connected, so that answers from elsewhere never reach us (RFC 5452 9.2). */
static int
open_socket(void)
{
	struct sockaddr_in local = { .sin_family = AF_INET };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), i;

	if (s < 0)
		return -1;
	for (i = 0; i < BIND_TRIES; i++) {
		local.sin_port = htons((uint16_t)(1024 + random_next() % (65536 - 1024)));
		if (bind(s, (struct sockaddr *)&local, sizeof local) == 0)
			break;
	}
	if (connect(s, (struct sockaddr *)&upstream, sizeof upstream) != 0)
		rec_log("connect to the upstream server: %s", strerror(errno));
	return s;
}

void
forward_init(const struct sockaddr_in *server, int timeout, int tries)
{
	int i;

	upstream = *server;
	timeout_ms = timeout;
	tries_allowed = tries;
	for (i = 0; i < UPSTREAM_SOCKETS; i++)
		upstream_socket[i] = open_socket();
}

/* After a thaw the generator would repeat itself and the ports would be known: new ones for both. */
void
forward_reseed(void)
{
	int i;

	random_seed();
	for (i = 0; i < UPSTREAM_SOCKETS; i++) {
		close(upstream_socket[i]);
		upstream_socket[i] = open_socket();
	}
}

static void
transmit(struct pending *p, int64_t now)
{
	struct query q = p->query;
	uint8_t out[HEADER + MAX_NAME + 32];
	size_t n;
	int s = upstream_socket[random_next() % UPSTREAM_SOCKETS];

	p->id = (uint16_t)random_next();
	p->tries++;
	p->deadline = now + timeout_ms;
	q.id = p->id;
	q.edns = 1;
	n = answer_begin(out, &q, 0);
	put16(out + 2, RD | (q.flags & CD));
	n = answer_end(out, n, &q);
	if (send(s, out, n, 0) < 0 && errno != EAGAIN && errno != ECONNREFUSED)
		rec_log("send to the upstream server: %s", strerror(errno));
}

static int
same_client(const struct pending *p, const struct query *q, const struct sockaddr_in *client)
{
	return p->query.id == q->id && p->query.type == q->type && p->client.sin_port == client->sin_port &&
	    p->client.sin_addr.s_addr == client->sin_addr.s_addr && name_equal(&p->query.name, &q->name);
}

void
forward_query(const struct query *q, const struct sockaddr_in *client, int64_t now)
{
	struct pending *p, *unused = NULL;

	for (p = pending; p < pending + PENDING; p++) {
		if (!p->used)
			unused = p;
		else if (same_client(p, q, client))
			return;			/* it asks again; the answer is under way */
	}
	if (unused == NULL) {
		reply_error(client, q, SERVFAIL);
		return;
	}
	unused->used = 1;
	unused->query = *q;
	unused->query.subnet = NULL;
	unused->client = *client;
	unused->tries = 0;
	transmit(unused, now);
}

/* The question must be ours, letter by letter: who guesses id and port must guess the spelling too. */
static struct pending *
find_pending(const uint8_t *message, size_t length)
{
	struct pending *p;
	struct name name;
	size_t at = HEADER;

	if (length < HEADER || !(get16(message + 2) & QR) || get16(message + 4) != 1)
		return NULL;
	if (name_read(message, length, &at, &name) != 0 || at + 4 > length)
		return NULL;
	for (p = pending; p < pending + PENDING; p++)
		if (p->used && p->id == get16(message) && p->query.type == get16(message + at) &&
		    p->query.class == get16(message + at + 2) && p->query.name.length == name.length &&
		    memcmp(p->query.name.byte, name.byte, name.length) == 0)
			return p;
	return NULL;
}

struct walk {
	size_t		length;		/* of the message without its OPT */
	uint32_t	ttl;		/* the smallest; 0 = not to be kept */
};

/* Walks all records, takes the OPT off the end, finds the time the answer may be kept (negative answers: RFC 2308 5). */
static int
walk_answer(uint8_t *message, size_t length, size_t at, struct walk *w)
{
	unsigned int answers = get16(message + 6), n = answers + get16(message + 8) + get16(message + 10), i;
	struct record r;
	uint32_t ttl = MAX_TTL, minimum;
	int negative = 0;

	w->length = length;
	for (i = 0; i < n; i++) {
		if (record_read(message, length, &at, &r) != 0)
			return -1;
		if (r.type == T_OPT) {
			if (i != n - 1)
				return -1;
			w->length = r.start;
			put16(message + 10, get16(message + 10) - 1u);
			continue;
		}
		if (r.ttl < ttl)
			ttl = r.ttl;
		if (r.type == T_SOA && answers == 0 && r.length >= 4) {
			minimum = get32(message + r.end - 4);
			ttl = minimum < ttl ? minimum : ttl;
			negative = 1;
		}
	}
	w->ttl = answers > 0 || negative ? ttl : 0;
	return 0;
}

static void
deliver(struct pending *p, uint8_t *message, size_t length)
{
	put16(message, p->query.id);
	put16(message + 2, (get16(message + 2) & ~(RD | AA)) | (p->query.flags & RD) | RA);
	length = answer_end(message, length, &p->query);
	reply(&p->client, message, length);
	p->used = 0;
}

void
forward_reply(const uint8_t *message, size_t length, int64_t now)
{
	struct pending *p = find_pending(message, length);
	static uint8_t out[MAX_MESSAGE + 16];
	unsigned int rcode, flags;
	struct walk w;

	if (p == NULL || length > MAX_MESSAGE)
		return;
	memcpy(out, message, length);
	if (walk_answer(out, length, HEADER + p->query.name.length + 4, &w) != 0) {
		reply_error(&p->client, &p->query, SERVFAIL);
		p->used = 0;
		return;
	}
	flags = get16(out + 2);
	rcode = flags & RCODE;
	if ((rcode == NOERROR || rcode == NXDOMAIN) && !(flags & TC))
		cache_store(&p->query, out, w.length, w.ttl, now);
	deliver(p, out, w.length);
}

int
forward_timeout(int64_t now)
{
	int64_t wait, soonest = -1;
	struct pending *p;

	for (p = pending; p < pending + PENDING; p++) {
		if (!p->used)
			continue;
		wait = p->deadline > now ? p->deadline - now : 0;
		if (soonest < 0 || wait < soonest)
			soonest = wait;
	}
	return (int)soonest;
}

void
forward_expire(int64_t now)
{
	struct pending *p;

	for (p = pending; p < pending + PENDING; p++) {
		if (!p->used || now < p->deadline)
			continue;
		if (p->tries < tries_allowed) {
			transmit(p, now);
			continue;
		}
		reply_error(&p->client, &p->query, SERVFAIL);
		p->used = 0;
	}
}
