#include "dnsd.h"

#include "../sdk/recover.h"

#include <stdlib.h>
#include <string.h>

#define OPTION_SUBNET	8
#define OPTION_COOKIE	10
#define OPTION_DEVICE	65074	/* of the range for local use (RFC 6891 9); a text, as dnsmasq's --add-cpe-id sends it */

int
record_read(const uint8_t *message, size_t length, size_t *at, struct record *r)
{
	struct name owner;

	r->start = *at;
	if (name_read(message, length, at, &owner) != 0 || *at + 10 > length)
		return -1;
	r->type = get16(message + *at);
	r->class = get16(message + *at + 2);
	r->ttl = get32(message + *at + 4);
	r->length = get16(message + *at + 8);
	r->data = *at + 10;
	r->end = r->data + r->length;
	if (r->end > length)
		return -1;
	*at = r->end;
	return 0;
}

/* The first bad store of the cookie bug: with a negative length it runs over everything above the query. */
__attribute__((noinline)) static void
copy_server_cookie(struct query *q, const uint8_t *from, int length)
{
	memcpy(q->server_cookie, from, (size_t)length);
}

/* RFC 7873 4: eight bytes of the client's, then none or 8 to 32 bytes of the server's. */
static int
take_cookie(struct query *q, const uint8_t *option, int length)
{
	if (length > 40)
		return -1;
#ifdef PATCHED
	if (length != 8 && length < 16)
		return -1;
#endif
	/* Planted bug: a length below eight makes the size of the second copy negative, which memcpy takes for almost 4 GiB. */
	memcpy(q->client_cookie, option, sizeof q->client_cookie);
	q->server_cookie_length = length - 8;
	copy_server_cookie(q, option + 8, q->server_cookie_length);
	q->has_cookie = 1;
	return 0;
}

static int
take_subnet(struct query *q, const uint8_t *option, size_t length)
{
	struct subnet *s = allocate(sizeof *s);

	s->length = length;
	memcpy(s->option, option, length);
	q->subnet = s;
	return 0;
}

static int
take_options(struct query *q, const uint8_t *p, const uint8_t *end)
{
	unsigned int code, length;
	int result = 0;

	while (end - p >= 4 && result == 0) {
		code = get16(p);
		length = get16(p + 2);
		p += 4;
		if (length > (size_t)(end - p))
			return -1;
		if (code == OPTION_COOKIE)
			result = take_cookie(q, p, (int)length);
		else if (code == OPTION_SUBNET && q->subnet == NULL)
			result = take_subnet(q, p, length);
		else if (code == OPTION_DEVICE)
			statistics_device(p, length);
		p += length;
	}
	return result != 0 || p != end ? -1 : 0;
}

/* The OPT pseudo-record, RFC 6891 6.1.2: class = the sender's UDP size, TTL = extended rcode, version, flags. */
static int
take_edns(struct query *q, const uint8_t *message, const struct record *r)
{
	if (q->edns)
		return FORMERR;
	q->edns = 1;
	q->dnssec_ok = (r->ttl & 0x8000) != 0;
	q->room = r->class < 512 ? 512 : r->class > MAX_MESSAGE ? MAX_MESSAGE : r->class;
	return take_options(q, message + r->data, message + r->end) == 0 ? NOERROR : FORMERR;
}

static int
take_sections(struct query *q, const uint8_t *message, size_t length, size_t at)
{
	unsigned int i, records = get16(message + 6) + get16(message + 8) + get16(message + 10);
	struct record r;
	int rcode = NOERROR;

	for (i = 0; i < records && rcode == NOERROR; i++) {
		if (record_read(message, length, &at, &r) != 0)
			return FORMERR;
		if (r.type == T_OPT)
			rcode = take_edns(q, message, &r);
	}
	return rcode;
}

int
query_parse(const uint8_t *message, size_t length, struct query *q)
{
	size_t at = HEADER;

	memset(q, 0, sizeof *q);
	q->room = 512;
	if (length < HEADER)
		return -1;
	q->id = get16(message);
	q->flags = get16(message + 2);
	if (q->flags & QR)
		return -1;
	if ((q->flags & OPCODE) != 0)
		return NOTIMP;
	if (get16(message + 4) != 1 || name_read(message, length, &at, &q->name) != 0 || at + 4 > length)
		return FORMERR;
	q->type = get16(message + at);
	q->class = get16(message + at + 2);
	if (q->class != C_IN)
		return REFUSED;
	return take_sections(q, message, length, at + 4);
}

void
query_free(struct query *q)
{
#ifdef PATCHED
	free(q->subnet);
#endif
	/* Planted bug: the subnet option of a query is never freed. */
	q->subnet = NULL;
}

/* Header and question of an answer, in the client's spelling. A query whose question could not be read gets none. */
size_t
answer_begin(uint8_t *out, const struct query *q, unsigned int flags)
{
	size_t n = HEADER;

	memset(out, 0, HEADER);
	put16(out, q->id);
	put16(out + 2, QR | RA | (q->flags & (OPCODE | RD | CD)) | flags);
	if (q->name.length == 0 || q->class == 0)
		return n;
	put16(out + 4, 1);
	memcpy(out + n, q->name.byte, q->name.length);
	n += q->name.length;
	put16(out + n, q->type);
	put16(out + n + 2, q->class);
	return n + 4;
}

static size_t
put_opt(uint8_t *out, size_t n, const struct query *q)
{
	static const uint8_t opt[11] = { 0, 0, T_OPT, OUR_UDP_SIZE >> 8, OUR_UDP_SIZE & 255 };

	memcpy(out + n, opt, sizeof opt);
	if (q->dnssec_ok)
		out[n + 7] = 0x80;
	put16(out + 10, get16(out + 10) + 1u);
	return n + sizeof opt;
}

/* Adds our OPT for a client that sent one; what does not fit becomes a truncated answer (RFC 2181 9). */
size_t
answer_end(uint8_t *out, size_t n, const struct query *q)
{
	size_t opt = q->edns ? 11 : 0;
	unsigned int flags;

	if (n + opt > q->room) {
		flags = get16(out + 2);
		n = answer_begin(out, q, TC | (flags & (AA | RCODE)));
	}
	return q->edns ? put_opt(out, n, q) : n;
}

/*
 * Numbers for the filter: what a header and a first look at the records say, nothing about any bug. Sees hostile input first:
 * every step is bounded by the length.
 */
int
describe(const uint8_t *message, size_t length, uint16_t *f)
{
	size_t at = HEADER;

	memset(f, 0, REC_FEATURES * sizeof *f);
	f[0] = (uint16_t)length;
	if (length < HEADER)
		return REC_FEATURES;
	f[1] = get16(message + 2);
	f[2] = get16(message + 4);
	f[3] = get16(message + 6);
	f[4] = get16(message + 8);
	f[5] = get16(message + 10);
	while (at < length && message[at] != 0 && message[at] < 64)
		at += message[at] + 1u;
	f[6] = (uint16_t)(at - HEADER);
	f[7] = at < length ? message[at] >> 6 : 4;		/* how the name ends: 0 root, 3 pointer, 4 outside */
	at += f[7] == 3 ? 2 : 1;
	if (at + 4 > length)
		return REC_FEATURES;
	f[8] = get16(message + at);				/* question type */
	at += 4;
	if (at + 15 > length || message[at] != 0 || get16(message + at + 1) != T_OPT)
		return REC_FEATURES;
	f[9] = get16(message + at + 9);				/* size of the options */
	f[10] = get16(message + at + 11);			/* first option: code */
	f[11] = get16(message + at + 13);			/* and length */
	return REC_FEATURES;
}
