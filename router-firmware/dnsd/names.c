#include "dnsd.h"

#include <string.h>

/*
 * Reads the name at *at, follows compression pointers (RFC 1035 4.1.4) and leaves *at behind the name as it stands there.
 * Returns -1 when it is malformed.
 */
int
name_read(const uint8_t *message, size_t length, size_t *at, struct name *name)
{
	size_t here = *at, label;
	int jumped = 0;

	name->length = 0;
	for (;;) {
		if (here >= length)
			return -1;
		label = message[here];
		if ((label & 0xc0) == 0xc0) {
			if (here + 1 >= length)
				return -1;
			if (!jumped)
				*at = here + 2;
			jumped++;
#ifdef PATCHED
			if (jumped > MAX_NAME / 2)
				return -1;
#else
			/* Planted bug: nothing counts the jumps, so a pointer that leads to itself is followed for ever. */
#endif
			here = (label & 0x3f) << 8 | message[here + 1];
			continue;
		}
		if (label > 63 || here + 1 + label > length || name->length + label + 1 > MAX_NAME)
			return -1;
		memcpy(name->byte + name->length, message + here, label + 1);
		name->length += label + 1;
		here += label + 1;
		if (label == 0)
			break;
	}
	if (!jumped)
		*at = here;
	return 0;
}

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* Label lengths are below 64, so lower() leaves them alone. */
void
name_lower(struct name *name)
{
	size_t i;

	for (i = 0; i < name->length; i++)
		name->byte[i] = lower(name->byte[i]);
}

int
name_equal(const struct name *a, const struct name *b)
{
	size_t i;

	if (a->length != b->length)
		return 0;
	for (i = 0; i < a->length; i++)
		if (lower(a->byte[i]) != lower(b->byte[i]))
			return 0;
	return 1;
}

/* "www.lan" or "www.lan." -> wire format. */
int
name_parse(const char *text, struct name *name)
{
	size_t label;

	name->length = 0;
	while (*text != '\0') {
		label = strcspn(text, ".");
		if (label == 0 || label > 63 || name->length + label + 2 > MAX_NAME)
			return -1;
		name->byte[name->length++] = (uint8_t)label;
		memcpy(name->byte + name->length, text, label);
		name->length += label;
		text += label + (text[label] == '.');
	}
	name->byte[name->length++] = 0;
	return 0;
}
