#include "dnsd.h"

#include "../sdk/recover.h"

#include <arpa/inet.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define STATIC_TTL	60

struct static_record {
	struct static_record *next;
	struct name	name;
	uint16_t	type, length;
	uint8_t		data[MAX_NAME + 1];
};

static struct static_record *records;

static void
add(const struct name *name, uint16_t type, const void *data, size_t length)
{
	struct static_record *r = allocate(sizeof *r), **last;

	r->next = NULL;
	r->name = *name;
	r->type = type;
	r->length = (uint16_t)length;
	memcpy(r->data, data, length);
	for (last = &records; *last != NULL; last = &(*last)->next)
		;
	*last = r;
}

/* 192.168.1.1 -> 1.1.168.192.in-addr.arpa; IPv6 by nibbles below ip6.arpa (RFC 3596 2.5). */
static void
reverse_name(const uint8_t *address, int bytes, struct name *name)
{
	char text[80], *p = text;
	int i;

	for (i = bytes - 1; i >= 0; i--) {
		if (bytes == 4)
			p += sprintf(p, "%u.", address[i]);
		else
			p += sprintf(p, "%x.%x.", address[i] & 15, address[i] >> 4);
	}
	strcpy(p, bytes == 4 ? "in-addr.arpa" : "ip6.arpa");
	name_parse(text, name);
}

static int
add_address(const char *address, char **save)
{
	uint8_t bytes[16];
	struct name name, reverse;
	const char *word;
	int length, first = 1;

	if (inet_pton(AF_INET, address, bytes) == 1)
		length = 4;
	else if (inet_pton(AF_INET6, address, bytes) == 1)
		length = 16;
	else
		return -1;
	reverse_name(bytes, length, &reverse);
	while ((word = strtok_r(NULL, " \t\r\n", save)) != NULL) {
		if (name_parse(word, &name) != 0)
			return -1;
		add(&name, length == 4 ? T_A : T_AAAA, bytes, (size_t)length);
		if (first)
			add(&reverse, T_PTR, name.byte, name.length);
		first = 0;
	}
	return first ? -1 : 0;
}

static int
add_alias(char **save)
{
	const char *alias = strtok_r(NULL, " \t\r\n", save), *target = strtok_r(NULL, " \t\r\n", save);
	struct name a, t;

	if (alias == NULL || target == NULL || name_parse(alias, &a) != 0 || name_parse(target, &t) != 0)
		return -1;
	add(&a, T_CNAME, t.byte, t.length);
	return 0;
}

static int
add_text(char **save)
{
	const char *owner = strtok_r(NULL, " \t\r\n", save), *text = strtok_r(NULL, "\r\n", save);
	uint8_t data[MAX_NAME];
	struct name name;
	size_t n;

	if (owner == NULL || text == NULL || name_parse(owner, &name) != 0 || (n = strlen(text)) >= sizeof data)
		return -1;
	data[0] = (uint8_t)n;
	memcpy(data + 1, text, n);
	add(&name, T_TXT, data, n + 1);
	return 0;
}

void
records_load(const char *path)
{
	char line[512], *save, *word, *comment;
	FILE *f = fopen(path, "re");
	int number, bad;

	if (f == NULL) {
		rec_log("%s: %s", path, strerror(errno));
		return;
	}
	for (number = 1; fgets(line, sizeof line, f) != NULL; number++) {
		comment = strchr(line, '#');
		if (comment != NULL)
			*comment = '\0';
		word = strtok_r(line, " \t\r\n", &save);
		if (word == NULL)
			continue;
		if (strcmp(word, "txt") == 0)
			bad = add_text(&save);
		else if (strcmp(word, "cname") == 0)
			bad = add_alias(&save);
		else
			bad = add_address(word, &save);
		if (bad)
			rec_log("%s:%d: not understood", path, number);
	}
	fclose(f);
}

static size_t
put_record(uint8_t *out, size_t n, const struct name *owner, const struct static_record *r)
{
	/* The owner is the question's name, or one we have just written: the question's is pointed to. */
	if (owner == NULL) {
		put16(out + n, 0xc000 | HEADER);
		n += 2;
	} else {
		memcpy(out + n, owner->byte, owner->length);
		n += owner->length;
	}
	put16(out + n, r->type);
	put16(out + n + 2, C_IN);
	put32(out + n + 4, STATIC_TTL);
	put16(out + n + 8, r->length);
	memcpy(out + n + 10, r->data, r->length);
	put16(out + 6, get16(out + 6) + 1u);
	return n + 10 + r->length;
}

static size_t
put_all(uint8_t *out, size_t n, const struct name *name, uint16_t type, const struct name *owner)
{
	const struct static_record *r;

	for (r = records; r != NULL; r = r->next)
		if (name_equal(&r->name, name) && (r->type == type || type == T_ANY) && n + 600 < MAX_MESSAGE)
			n = put_record(out, n, owner, r);
	return n;
}

static const struct static_record *
find(const struct name *name, int type)
{
	const struct static_record *r;

	for (r = records; r != NULL; r = r->next)
		if (name_equal(&r->name, name) && (type < 0 || r->type == type))
			return r;
	return NULL;
}

size_t
records_answer(uint8_t *out, const struct query *q)
{
	const struct static_record *alias;
	struct name target;
	size_t n;

	if (find(&q->name, -1) == NULL)
		return 0;
	n = answer_begin(out, q, AA);
	alias = q->type == T_CNAME || q->type == T_ANY ? NULL : find(&q->name, T_CNAME);
	if (alias != NULL) {
		n = put_record(out, n, NULL, alias);
		memcpy(target.byte, alias->data, alias->length);
		target.length = alias->length;
		n = put_all(out, n, &target, q->type, &target);
	} else {
		n = put_all(out, n, &q->name, q->type, NULL);
	}
	return answer_end(out, n, q);
}
