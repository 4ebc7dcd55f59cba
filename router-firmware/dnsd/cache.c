#include "dnsd.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS	64

struct entry {
	struct entry	*next;		/* in its bucket */
	struct entry	*newer, *older;	/* by use */
	struct name	name;		/* lower case */
	uint16_t	type;
	int		dnssec_ok;
	int64_t		stored, expires;	/* ms */
	size_t		length;
	uint8_t		message[];	/* as the upstream gave it, without OPT */
};

static struct entry *bucket[BUCKETS], *newest, *oldest;
static int entries, max_entries;

void
cache_init(int n)
{
	max_entries = n;
}

static struct entry **
bucket_of(const struct name *name, uint16_t type)
{
	uint32_t h = 2166136261u ^ type;
	size_t i;

	for (i = 0; i < name->length; i++)
		h = (h ^ name->byte[i]) * 16777619u;
	return &bucket[(h ^ h >> 16) % BUCKETS];
}

static void
take_out_of_order(struct entry *e)
{
	*(e->newer ? &e->newer->older : &newest) = e->older;
	*(e->older ? &e->older->newer : &oldest) = e->newer;
}

static void
make_newest(struct entry *e)
{
	e->newer = NULL;
	e->older = newest;
	*(newest ? &newest->newer : &oldest) = e;
	newest = e;
}

static void
forget(struct entry *e)
{
	struct entry **at = bucket_of(&e->name, e->type);

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	take_out_of_order(e);
	entries--;
	free(e);
}

static struct entry *
find(const struct query *q)
{
	struct name name = q->name;
	struct entry *e;

	name_lower(&name);
	for (e = *bucket_of(&name, q->type); e != NULL; e = e->next)
		if (e->type == q->type && e->dnssec_ok == q->dnssec_ok && e->name.length == name.length &&
		    memcmp(e->name.byte, name.byte, name.length) == 0)
			return e;
	return NULL;
}

/* What is left of every TTL after `age` seconds. The message has been walked before it was stored. */
static void
age_records(uint8_t *message, size_t length, size_t at, uint32_t age)
{
	unsigned int n = get16(message + 6) + get16(message + 8) + get16(message + 10);
	struct record r;

	while (n-- > 0 && record_read(message, length, &at, &r) == 0)
		put32(message + r.data - 6, r.ttl > age ? r.ttl - age : 0);
}

size_t
cache_answer(uint8_t *out, const struct query *q, int64_t now)
{
	struct entry *e = find(q);
	size_t question = HEADER + q->name.length + 4;

	if (e == NULL)
		return 0;
	if (now >= e->expires) {
		forget(e);
		return 0;
	}
	take_out_of_order(e);
	make_newest(e);
	memcpy(out, e->message, e->length);
	put16(out, q->id);
	put16(out + 2, (get16(out + 2) & ~(RD | CD | AA)) | (q->flags & (RD | CD)) | RA);
	/* The same length, but the client's own upper and lower case. */
	memcpy(out + HEADER, q->name.byte, q->name.length);
	age_records(out, e->length, question, (uint32_t)((now - e->stored) / 1000));
	return answer_end(out, e->length, q);
}

void
cache_store(const struct query *q, const uint8_t *message, size_t length, uint32_t ttl, int64_t now)
{
	struct entry *e = find(q), **at;

	if (e != NULL)
		forget(e);
	if (max_entries == 0 || ttl == 0)
		return;
	while (entries >= max_entries)
		forget(oldest);
	e = allocate(sizeof *e + length);
	e->name = q->name;
	name_lower(&e->name);
	e->type = q->type;
	e->dnssec_ok = q->dnssec_ok;
	e->stored = now;
	e->expires = now + (int64_t)ttl * 1000;
	e->length = length;
	memcpy(e->message, message, length);
	at = bucket_of(&e->name, e->type);
	e->next = *at;
	*at = e;
	make_newest(e);
	entries++;
}
