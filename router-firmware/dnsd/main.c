#include "dnsd.h"

#include "../sdk/recover.h"

#include <arpa/inet.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PORT	53

static struct rec_config config = { .name = "dnsd", REC_DEFAULTS, .recall = statistics_recall, .reseed = forward_reseed, .features = describe };
static int listener;
static uint8_t input[MAX_MESSAGE];

static struct {
	struct sockaddr_in	local, upstream;
	const char		*hosts;
	int			entries, timeout_ms, tries;
	enum keep		keep;
} options = { .hosts = "/etc/hosts", .entries = 150, .timeout_ms = 1000, .tries = 3 };

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void *
allocate(size_t size)
{
	void *p = malloc(size);

	if (p == NULL) {
		rec_log("out of memory");
		abort();
	}
	return p;
}

void
reply(const struct sockaddr_in *client, const uint8_t *message, size_t length)
{
	sendto(listener, message, length, 0, (const struct sockaddr *)client, sizeof *client);
}

void
reply_error(const struct sockaddr_in *client, const struct query *q, int rcode)
{
	uint8_t out[HEADER + MAX_NAME + 32];

	reply(client, out, answer_end(out, answer_begin(out, q, (unsigned int)rcode), q));
}

static void
answer(const struct query *q, const struct sockaddr_in *client)
{
	static uint8_t out[MAX_MESSAGE + 16];
	int64_t now = now_ms();
	size_t n = records_answer(out, q);

	if (n == 0)
		n = cache_answer(out, q, now);
	if (n != 0)
		reply(client, out, n);
	else
		forward_query(q, client, now);
}

static void
handle_query(const uint8_t *message, size_t length, const struct sockaddr_in *client)
{
	struct query q;
	int rcode;

	statistics_count(now_ms());
	rcode = query_parse(message, length, &q);
	if (rcode == NOERROR)
		answer(&q, client);
	else if (rcode > 0)
		reply_error(client, &q, rcode);
	query_free(&q);
}

static void
serve(int s)
{
	struct sockaddr_in from;
	socklen_t size = sizeof from;
	ssize_t n = recvfrom(s, input, sizeof input, MSG_DONTWAIT, (struct sockaddr *)&from, &size);

	if (n <= 0 || rec_input(input, (size_t)n))
		return;
	if (s == listener)
		handle_query(input, (size_t)n, &from);
	else
		forward_reply(input, (size_t)n, now_ms());
	rec_done();
}

/* One input a turn, so that the state at the top of the loop is never in the middle of anything. */
static int
ready(void)
{
	static unsigned int turn;
	struct pollfd p[1 + UPSTREAM_SOCKETS];
	unsigned int i, k;

	p[0] = (struct pollfd){ listener, POLLIN, 0 };
	for (i = 0; i < UPSTREAM_SOCKETS; i++)
		p[1 + i] = (struct pollfd){ upstream_socket[i], POLLIN, 0 };
	if (poll(p, 1 + UPSTREAM_SOCKETS, forward_timeout(now_ms())) <= 0)
		return -1;
	for (i = 0; i < 1 + UPSTREAM_SOCKETS; i++) {
		k = (turn + i) % (1 + UPSTREAM_SOCKETS);
		if (p[k].revents != 0) {
			turn = k + 1;
			return p[k].fd;
		}
	}
	return -1;
}

static int
parse_address(const char *text, struct sockaddr_in *to)
{
	char copy[32], *colon;

	if (strlen(text) >= sizeof copy)
		return -1;
	strcpy(copy, text);
	colon = strchr(copy, ':');
	if (colon != NULL) {
		*colon = '\0';
		to->sin_port = htons((uint16_t)atoi(colon + 1));
	}
	return inet_pton(AF_INET, copy, &to->sin_addr) == 1 ? 0 : -1;
}

static int
parse_keep(const char *text)
{
	static const char *const ways[] = { "none", "persist", "cache" };
	int i;

	for (i = 0; i < 3; i++) {
		if (strcmp(ways[i], text) == 0) {
			options.keep = (enum keep)i;
			return 0;
		}
	}
	return -1;
}

static void
upstream_from_resolv_conf(void)
{
	char line[128], address[64];
	FILE *f = fopen("/etc/resolv.conf", "re");

	parse_address("203.0.113.53", &options.upstream);
	if (f == NULL)
		return;
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "nameserver %63s", address) == 1 && parse_address(address, &options.upstream) == 0)
			break;
	fclose(f);
}

static int
usage(void)
{
	rec_log("usage: dnsd " REC_USAGE " "
	    "[-l ADDRESS] [-p PORT] [-u UPSTREAM[:PORT]] [-H HOSTS] [-C ENTRIES] [-t MS] [-r TRIES] [-K none|persist|cache]");
	return 64;
}

static int
parse_options(int argc, char **argv)
{
	int c, bad = 0;

	options.local = options.upstream = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(PORT) };
	upstream_from_resolv_conf();
	while (!bad && (c = getopt(argc, argv, REC_OPTIONS "l:p:u:H:C:t:r:K:")) != -1) {
		switch (c) {
		case 'l': bad = parse_address(optarg, &options.local); break;
		case 'p': options.local.sin_port = htons((uint16_t)atoi(optarg)); break;
		case 'u': bad = parse_address(optarg, &options.upstream); break;
		case 'H': options.hosts = optarg; break;
		case 'C': options.entries = atoi(optarg); break;
		case 't': options.timeout_ms = atoi(optarg); break;
		case 'r': options.tries = atoi(optarg); break;
		case 'K': bad = parse_keep(optarg); break;
		default: bad = rec_option(&config, c, optarg); break;
		}
	}
	return bad || optind != argc ? -1 : 0;
}

static int
open_listener(void)
{
	listener = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (listener >= 0 && bind(listener, (struct sockaddr *)&options.local, sizeof options.local) == 0)
		return 0;
	rec_log("port %d: %s", ntohs(options.local.sin_port), strerror(errno));
	return -1;
}

int
main(int argc, char **argv)
{
	char address[INET_ADDRSTRLEN];
	int s;

	rec_init(&config);		/* the name, for what is logged before the options are known */
	if (parse_options(argc, argv) != 0)
		return usage();
	random_seed();
	cache_init(options.entries);
	records_load(options.hosts);
	if (open_listener() != 0)
		return 71;
	forward_init(&options.upstream, options.timeout_ms, options.tries);
	rec_init(&config);
	statistics_init(config.mode == REC_NONE ? KEEP_NOTHING : options.keep, now_ms());
	inet_ntop(AF_INET, &options.local.sin_addr, address, sizeof address);
	rec_log("serving %s:%d mode %s store %s interval %d", address, ntohs(options.local.sin_port),
	    rec_mode_name(&config), rec_store_name(&config), config.interval);
	for (;;) {
		rec_top();
		s = ready();
		forward_expire(now_ms());
		if (s >= 0)
			serve(s);
	}
}
