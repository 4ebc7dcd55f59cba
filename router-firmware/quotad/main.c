/*
 * quotad: shares the volume of a metered uplink out among eight accounts. It answers "TAG move FROM TO AMOUNT" with "TAG total N", N being
 * the sum over all accounts, which no move changes. The accounts are words of a file. A second process moves volume between accounts 0
 * and 1 by the clock; a System V semaphore keeps the two apart.
 *
 * The daemon freezes itself while it holds the semaphore, because then the accounts are consistent, and gives it up while it waits for
 * requests. That is the limit the paper names: a semaphore taken before the freeze and released after it is not taken back by the thaw.
 *
 * FOR THE EMULATOR ONLY. Built without -DPATCHED it contains a bug on purpose, marked "Planted bug": account numbers are not checked.
 */
#define _GNU_SOURCE
#include "../sdk/recover.h"

#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PORT		7778
#define ACCOUNTS	8
#define TOTAL		1000		/* at the start, all in account 0 */
#define LEDGER		"/var/run/quota"
#define SEMAPHORE	0x71756f74
#define PERIOD_MS	10		/* of the second process */
#define WRITE_MS	1		/* a write takes its time where the ledger is on flash */
#define MAX_MESSAGE	512

struct move {
	unsigned int	tag;
	int		from, to, amount;
};

static int describe(const uint8_t *, size_t, uint16_t *);

static struct rec_config config = { .name = "quotad", REC_DEFAULTS, .features = describe };
static uint8_t input[MAX_MESSAGE + 1];
static uint32_t asked[ACCOUNTS];
static int ledger, semaphore, sock;

static void
wait_ms(int ms)
{
	struct timespec t = { 0, ms * 1000000L };

	nanosleep(&t, NULL);
}

/* SEM_UNDO: a process that dies with it gives it back. */
static void
change(short by)
{
	struct sembuf operation = { 0, by, SEM_UNDO };

	while (semop(semaphore, &operation, 1) != 0 && errno == EINTR)
		;
}

static void
lock(void)
{
	change(-1);
}

static void
unlock(void)
{
	change(1);
}

/* ---- the ledger; with the semaphore held ---- */

static void
add(int account, int32_t amount)
{
	off_t at = account * (off_t)sizeof(int32_t);
	int32_t value = 0;

	if (pread(ledger, &value, sizeof value, at) != sizeof value)
		return;
	value += amount;
	wait_ms(WRITE_MS);
	if (pwrite(ledger, &value, sizeof value, at) != sizeof value)
		rec_log("%s: %s", LEDGER, strerror(errno));
}

static void
move(int from, int to, int amount)
{
	add(from, -amount);
	add(to, amount);
}

static int
total(void)
{
	int32_t value[ACCOUNTS];
	int i, sum = 0;

	if (pread(ledger, value, sizeof value, 0) != sizeof value)
		return -1;
	for (i = 0; i < ACCOUNTS; i++)
		sum += value[i];
	return sum;
}

static int
open_ledger(void)
{
	int32_t fresh[ACCOUNTS] = { TOTAL };

	ledger = open(LEDGER, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (ledger < 0)
		return -1;
	return lseek(ledger, 0, SEEK_END) == sizeof fresh || pwrite(ledger, fresh, sizeof fresh, 0) == sizeof fresh ? 0 : -1;
}

/* The one that makes it also sets it to 1; who finds it takes it as it is. */
static int
open_semaphore(void)
{
	semaphore = semget(SEMAPHORE, 1, IPC_CREAT | IPC_EXCL | 0600);
	if (semaphore >= 0)
		return semctl(semaphore, 0, SETVAL, 1);
	semaphore = semget(SEMAPHORE, 1, 0600);
	return semaphore < 0 ? -1 : 0;
}

/* Ends when its parent does, but never in the middle of a move. */
static void
run_clock(pid_t parent)
{
	int turn = 0;

	if (fork() != 0)
		return;
	for (; getppid() == parent; turn = 1 - turn) {
		wait_ms(PERIOD_MS);
		lock();
		move(turn, 1 - turn, 1);
		unlock();
	}
	_exit(0);
}

/* ---- requests ---- */

/* The first bad store of the account bug. */
__attribute__((noinline)) static void
count_request(int account)
{
	asked[account]++;
}

static int
parse(const char *text, struct move *m)
{
	if (sscanf(text, "%u move %d %d %d", &m->tag, &m->from, &m->to, &m->amount) != 4)
		return -1;
#ifdef PATCHED
	if (m->from < 0 || m->from >= ACCOUNTS || m->to < 0 || m->to >= ACCOUNTS)
		return -1;
#endif
	/* Planted bug: the numbers are the sender's. */
	count_request(m->from);
	count_request(m->to);
	return 0;
}

/* Numbers for the filter: length, words, and the length of each of the first words. */
static int
describe(const uint8_t *message, size_t length, uint16_t *f)
{
	size_t i, start = 0;
	int words = 0;

	memset(f, 0, REC_FEATURES * sizeof *f);
	f[0] = (uint16_t)length;
	for (i = 0; i <= length; i++) {
		if (i < length && message[i] != ' ')
			continue;
		if (2 + words < REC_FEATURES)
			f[2 + words] = (uint16_t)(i - start);
		words++;
		start = i + 1;
	}
	f[1] = (uint16_t)words;
	return REC_FEATURES;
}

static void
answer(const struct move *m, const struct sockaddr_in *client)
{
	char text[32];
	int n;

	move(m->from, m->to, m->amount);
	n = snprintf(text, sizeof text, "%u total %d", m->tag, total());
	sendto(sock, text, (size_t)n, 0, (const struct sockaddr *)client, sizeof *client);
}

/* Called with the semaphore, returns with it. */
static void
serve(void)
{
	struct sockaddr_in from;
	socklen_t size = sizeof from;
	struct move m;
	ssize_t n;
	int good;

	unlock();
	n = recvfrom(sock, input, MAX_MESSAGE, 0, (struct sockaddr *)&from, &size);
	if (n <= 0 || rec_input(input, (size_t)n)) {
		lock();
		return;
	}
	input[n] = '\0';
	good = parse((const char *)input, &m) == 0;
	lock();
	if (good)
		answer(&m, &from);
	rec_done();
}

static int
open_socket(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return sock < 0 ? -1 : bind(sock, (struct sockaddr *)&any, sizeof any);
}

int
main(int argc, char **argv)
{
	int c, bad = 0;

	rec_init(&config);		/* the name, for what is logged before the options are known */
	while (!bad && (c = getopt(argc, argv, REC_OPTIONS)) != -1)
		bad = rec_option(&config, c, optarg);
	if (bad || optind != argc) {
		rec_log("usage: quotad " REC_USAGE);
		return 64;
	}
	if (open_ledger() != 0 || open_semaphore() != 0) {
		rec_log("%s or its semaphore: %s", LEDGER, strerror(errno));
		return 71;
	}
	run_clock(getpid());		/* before there is a socket, which it would keep open */
	if (open_socket() != 0) {
		rec_log("port %d: %s", PORT, strerror(errno));
		return 71;
	}
	rec_init(&config);
	rec_log("serving port %d mode %s store %s interval %d", PORT, rec_mode_name(&config), rec_store_name(&config), config.interval);
	lock();
	for (;;) {
		rec_top();
		serve();
	}
}
