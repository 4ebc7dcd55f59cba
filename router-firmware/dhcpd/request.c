#include "dhcpd.h"

#include "../sdk/recover.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { O_PAD = 0, O_HOST_NAME = 12, O_REQUESTED = 50, O_TYPE = 53, O_SERVER = 54, O_PARAMETERS = 55, O_CLASS = 60, O_CLIENT = 61, O_FQDN = 81, O_END = 255 };

/*
 * Letters, digits, '-' and '.' of the name the client gives itself. Not inlined, so that the array has a frame of its own:
 * what lies above it are the saved registers and the return address. The copy is the first bad store of the host name bug.
 */
__attribute__((noinline)) static void
take_host_name(struct request *r, const uint8_t *option, size_t length)
{
	char name[HOST_NAME];
	size_t i, n = 0;

#ifdef PATCHED
	if (length > sizeof name - 1)
		length = sizeof name - 1;
#endif
	/* Planted bug: an option may be 255 bytes long, the array is 64. */
	memcpy(name, option, length);
	for (i = 0; i < length && n < sizeof r->host_name - 1; i++)
		if (isalnum((unsigned char)name[i]) || name[i] == '-' || name[i] == '.')
			r->host_name[n++] = name[i];
	r->host_name[n] = '\0';
}

#define FQDN_HEADER	3	/* flags and two response codes, RFC 4702 2 */
#define FQDN_WIRE	0x04	/* E: the name is in wire format */
#define MAX_LABELS	127

/*
 * The name at `at` in text, labels with dots between. Its rest is read first, into an array of this call. RFC 4702 2.3.1 forbids compression;
 * who sends it all the same is understood. Of the recursion bug this is where the stack runs out: the first bad store is that of a saved register.
 */
__attribute__((noipa)) static void
fqdn_read(const uint8_t *wire, size_t length, size_t at, char *name, int depth)
{
	char rest[HOST_NAME] = "";
	size_t label;

	name[0] = '\0';
	if (at >= length || wire[at] == 0)
		return;
#ifdef PATCHED
	if (depth > MAX_LABELS)
		return;
#endif
	/* Planted bug: nothing bounds the depth, and a pointer may lead to itself. */
	label = wire[at];
	if ((label & 0xc0) == 0xc0 && at + 1 < length) {
		fqdn_read(wire, length, (label & 0x3f) << 8 | wire[at + 1], rest, depth + 1);
		strcpy(name, rest);
	} else if (label < 64 && at + 1 + label <= length) {
		fqdn_read(wire, length, at + 1 + label, rest, depth + 1);
		snprintf(name, HOST_NAME, "%.*s%s%s", (int)label, (const char *)wire + at + 1, rest[0] != '\0' ? "." : "", rest);
	}
}

static void
take_fqdn(struct request *r, const uint8_t *data, size_t length)
{
	char name[HOST_NAME];
	size_t i, n = 0;

	if (length <= FQDN_HEADER || !(data[0] & FQDN_WIRE) || r->host_name[0] != '\0')
		return;
	fqdn_read(data + FQDN_HEADER, length - FQDN_HEADER, 0, name, 0);
	for (i = 0; name[i] != '\0'; i++)
		if (isalnum((unsigned char)name[i]) || name[i] == '-' || name[i] == '.')
			r->host_name[n++] = name[i];
	r->host_name[n] = '\0';
}

static void
take_option(struct request *r, int code, const uint8_t *data, size_t length)
{
	switch (code) {
	case O_TYPE:
		if (length == 1)
			r->type = data[0];
		break;
	case O_REQUESTED:
		if (length == 4)
			r->requested = get32(data);
		break;
	case O_SERVER:
		if (length == 4)
			r->server = get32(data);
		break;
	case O_HOST_NAME:
		take_host_name(r, data, length);
		break;
	case O_FQDN:
		take_fqdn(r, data, length);
		break;
	}
}

/* The next option from *at on: its code, or -1 at the end. */
static int
next_option(const uint8_t *message, size_t length, size_t *at, const uint8_t **data, size_t *size)
{
	int code;

	while (*at < length && message[*at] == O_PAD)
		(*at)++;
	if (*at + 2 > length || message[*at] == O_END)
		return -1;
	code = message[*at];
	*size = message[*at + 1];
	*data = message + *at + 2;
	if (*at + 2 + *size > length)
		return -1;
	*at += 2 + *size;
	return code;
}

int
request_parse(const uint8_t *message, size_t length, struct request *r)
{
	size_t at = AT_OPTIONS, size;
	const uint8_t *data;
	int code;

	memset(r, 0, sizeof *r);
	if (length < AT_OPTIONS || message[0] != 1 || message[1] != 1 || message[2] != 6 || get32(message + AT_MAGIC) != MAGIC)
		return -1;
	r->message = message;
	r->length = length;
	r->ciaddr = get32(message + AT_CIADDR);
	r->giaddr = get32(message + AT_GIADDR);
	r->broadcast = message[AT_FLAGS] >> 7;
	memcpy(r->mac, message + AT_CHADDR, sizeof r->mac);
	while ((code = next_option(message, length, &at, &data, &size)) >= 0)
		take_option(r, code, data, size);
	return r->type != 0 ? 0 : -1;
}

/* Numbers for the filter: fixed fields and the lengths of the usual options (plus one; 0 = absent). */
int
describe(const uint8_t *message, size_t length, uint16_t *f)
{
	size_t at = AT_OPTIONS, size;
	const uint8_t *data;
	int code;

	memset(f, 0, REC_FEATURES * sizeof *f);
	f[0] = (uint16_t)length;
	if (length < AT_OPTIONS)
		return REC_FEATURES;
	f[1] = (uint16_t)(message[0] << 8 | message[1]);
	f[2] = message[2];
	f[3] = (uint16_t)(message[AT_FLAGS] << 8 | message[AT_FLAGS + 1]);
	while ((code = next_option(message, length, &at, &data, &size)) >= 0) {
		f[4]++;
		switch (code) {
		case O_TYPE:		f[5] = size > 0 ? data[0] : 0; break;
		case O_HOST_NAME:	f[6] = (uint16_t)(size + 1); break;
		case O_REQUESTED:	f[7] = (uint16_t)(size + 1); break;
		case O_PARAMETERS:	f[8] = (uint16_t)(size + 1); break;
		case O_CLASS:		f[9] = (uint16_t)(size + 1); break;
		case O_CLIENT:		f[10] = (uint16_t)(size + 1); break;
		default:
			if (size >= f[11])
				f[11] = (uint16_t)(size + 1);
			break;
		}
	}
	return REC_FEATURES;
}
