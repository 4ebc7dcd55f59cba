#include "dhcpd.h"

#include "../sdk/recover.h"

#include <arpa/inet.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct lease *leases;		/* the pool, then the static ones outside it */
static int lease_count;

static int
parse_mac(const char *text, uint8_t *mac)
{
	unsigned int b[6];
	int i;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != 6)
		return -1;
	for (i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
	return 0;
}

struct lease *
lease_at(uint32_t address)
{
	int i;

	for (i = 0; i < lease_count; i++)
		if (leases[i].address == address)
			return &leases[i];
	return NULL;
}

static int
in_use(const struct lease *l)
{
	return l->fixed || (l->state != FREE && l->expires > time(NULL));
}

struct lease *
lease_of(const uint8_t *mac)
{
	int i;

	for (i = 0; i < lease_count; i++)
		if (memcmp(leases[i].mac, mac, 6) == 0 && (leases[i].fixed || leases[i].state == OFFERED || leases[i].state == BOUND))
			return &leases[i];
	return NULL;
}

static struct lease *
oldest_free(void)
{
	struct lease *best = NULL;
	int i;

	for (i = 0; i < lease_count; i++)
		if (!in_use(&leases[i]) && (best == NULL || leases[i].expires < best->expires))
			best = &leases[i];
	return best;
}

/* RFC 2131 4.3.1: its present or former address, the one it wishes for, any free one. */
struct lease *
lease_choose(const uint8_t *mac, uint32_t wish)
{
	struct lease *l = lease_of(mac);

	if (l != NULL)
		return l;
	l = lease_at(wish);
	if (l != NULL && !in_use(l))
		return l;
	return oldest_free();
}

void
lease_set(struct lease *l, const uint8_t *mac, enum lease_state state, int seconds, const char *host_name)
{
	if (!l->fixed)
		memcpy(l->mac, mac, 6);
	l->state = state;
	l->expires = time(NULL) + seconds;
	if (host_name[0] != '\0')
		strcpy(l->host_name, host_name);
}

void
lease_free(struct lease *l)
{
	l->state = FREE;
	l->expires = time(NULL);
}

/* Written aside and renamed: whoever reads it finds the old file or the new one. */
void
leases_write(void)
{
	char aside[128], address[INET_ADDRSTRLEN];
	const struct lease *l;
	struct in_addr in;
	FILE *f;
	int bad;

	snprintf(aside, sizeof aside, "%s.new", settings.lease_file);
	f = fopen(aside, "we");
	if (f == NULL) {
		rec_log("%s: %s", aside, strerror(errno));
		return;
	}
	for (l = leases; l < leases + lease_count; l++) {
		if (l->state != BOUND && l->state != DECLINED)
			continue;
		in.s_addr = htonl(l->address);
		fprintf(f, "%02x:%02x:%02x:%02x:%02x:%02x %s %lld %s %s\n", l->mac[0], l->mac[1], l->mac[2], l->mac[3], l->mac[4], l->mac[5],
		    inet_ntop(AF_INET, &in, address, sizeof address), (long long)l->expires, l->state == BOUND ? "bound" : "declined",
		    l->host_name[0] != '\0' ? l->host_name : "-");
	}
	bad = ferror(f);
	if (fclose(f) != 0 || bad || rename(aside, settings.lease_file) != 0)
		rec_log("%s: %s", settings.lease_file, strerror(errno));
}

static void
read_lease(const char *line)
{
	char mac_text[20], address_text[20], state[12], host[HOST_NAME];
	struct in_addr in;
	uint8_t mac[6];
	long long expires;
	struct lease *l;

	if (sscanf(line, "%19s %19s %lld %11s %63s", mac_text, address_text, &expires, state, host) != 5 || parse_mac(mac_text, mac) != 0 ||
	    inet_aton(address_text, &in) == 0 || (l = lease_at(ntohl(in.s_addr))) == NULL)
		return;
	if (!l->fixed)
		memcpy(l->mac, mac, 6);
	l->state = strcmp(state, "bound") == 0 ? BOUND : DECLINED;
	l->expires = (time_t)expires;
	strcpy(l->host_name, strcmp(host, "-") == 0 ? "" : host);
}

/* The lease file knows what was promised since the freeze; after a thaw it is the only one that does. */
void
leases_reread(void)
{
	char line[256];
	FILE *f;

	if (!settings.reread || (f = fopen(settings.lease_file, "re")) == NULL)
		return;
	while (fgets(line, sizeof line, f) != NULL)
		read_lease(line);
	fclose(f);
}

static struct lease *
new_lease(uint32_t address)
{
	struct lease *grown = realloc(leases, (size_t)(lease_count + 1) * sizeof *leases);

	if (grown == NULL) {
		rec_log("out of memory");
		abort();
	}
	leases = grown;
	memset(&leases[lease_count], 0, sizeof *leases);
	leases[lease_count].address = address;
	return &leases[lease_count++];
}

static void
read_static(const char *line)
{
	char mac_text[20], address_text[20], host[HOST_NAME] = "";
	struct in_addr in;
	struct lease *l;
	uint8_t mac[6];

	if (line[0] == '#' || sscanf(line, "%19s %19s %63s", mac_text, address_text, host) < 2)
		return;
	if (parse_mac(mac_text, mac) != 0 || inet_aton(address_text, &in) == 0) {
		rec_log("%s: not understood: %.20s", settings.static_file, line);
		return;
	}
	l = lease_at(ntohl(in.s_addr));
	if (l == NULL)
		l = new_lease(ntohl(in.s_addr));
	memcpy(l->mac, mac, 6);
	l->fixed = 1;
	strcpy(l->host_name, host);
}

void
leases_init(void)
{
	char line[256];
	FILE *f;
	int i;

	for (i = 0; i < settings.count; i++)
		new_lease(settings.first + (uint32_t)i);
	f = fopen(settings.static_file, "re");
	if (f != NULL) {
		while (fgets(line, sizeof line, f) != NULL)
			read_static(line);
		fclose(f);
	}
	f = fopen(settings.lease_file, "re");
	if (f == NULL)
		return;
	while (fgets(line, sizeof line, f) != NULL)
		read_lease(line);
	fclose(f);
}
