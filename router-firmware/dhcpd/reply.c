#include "dhcpd.h"

#include <string.h>

enum { O_NETMASK = 1, O_ROUTER = 3, O_DNS = 6, O_DOMAIN = 15, O_LEASE = 51, O_TYPE = 53, O_SERVER = 54, O_RENEW = 58, O_REBIND = 59, O_END = 255 };

#define MIN_MESSAGE	300	/* BOOTP's size, RFC 1542 2.1: some clients drop shorter ones */

static size_t
put(uint8_t *out, size_t n, int code, const void *data, size_t length)
{
	out[n] = (uint8_t)code;
	out[n + 1] = (uint8_t)length;
	memcpy(out + n + 2, data, length);
	return n + 2 + length;
}

static size_t
put_word(uint8_t *out, size_t n, int code, uint32_t value)
{
	uint8_t word[4];

	put32(word, value);
	return put(out, n, code, word, 4);
}

static size_t
put_times(uint8_t *out, size_t n)
{
	uint32_t t = (uint32_t)settings.lease_seconds;

	n = put_word(out, n, O_LEASE, t);
	n = put_word(out, n, O_RENEW, t / 2);
	return put_word(out, n, O_REBIND, t - t / 8);
}

static size_t
put_configuration(uint8_t *out, size_t n)
{
	n = put_word(out, n, O_NETMASK, settings.netmask);
	n = put_word(out, n, O_ROUTER, settings.router);
	n = put_word(out, n, O_DNS, settings.dns);
	return put(out, n, O_DOMAIN, settings.domain, strlen(settings.domain));
}

/* RFC 2131 table 3. An INFORM is acknowledged without an address or a time. */
size_t
reply_build(uint8_t *out, const struct request *r, int type, uint32_t address)
{
	uint8_t byte = (uint8_t)type;
	size_t n = AT_OPTIONS;

	memset(out, 0, MIN_MESSAGE);
	out[0] = 2;
	memcpy(out + 1, r->message + 1, 7);			/* htype, hlen, hops, xid */
	out[3] = 0;
	memcpy(out + AT_FLAGS, r->message + AT_FLAGS, 2);
	memcpy(out + AT_GIADDR, r->message + AT_GIADDR, 20);	/* giaddr, chaddr */
	if (type == ACK)
		put32(out + AT_CIADDR, r->ciaddr);
	put32(out + AT_YIADDR, address);
	put32(out + AT_MAGIC, MAGIC);
	n = put(out, n, O_TYPE, &byte, 1);
	n = put_word(out, n, O_SERVER, settings.server);
	if (type != NAK) {
		if (address != 0)
			n = put_times(out, n);
		n = put_configuration(out, n);
	}
	out[n++] = O_END;
	return n < MIN_MESSAGE ? MIN_MESSAGE : n;
}
