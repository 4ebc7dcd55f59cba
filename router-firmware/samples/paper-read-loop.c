/*
 * The second sample of the paper: recovering from a problem in processing network information. Edits to its text:
 *
 *  1. Declarations, #include lines, a UDP socket bound to the port given (default 7777), the handler of the first sample.
 *  2. The assignment in the condition is parenthesised; a negative result ends the loop too (the original would go on with
 *     buff - 1 for ever).
 *  3. `buff += len` is as printed, and with it its fault: nothing stops buff at the end of the buffer. But read(2) into memory
 *     that is not there answers EFAULT and does not signal, so the datagram is read into `input` and appended at buff by
 *     the "processing" that the paper leaves out. What follows the buffer is a page without rights.
 *  4. The processing also counts a record "+<number>" at table[number], without a check: a second way to go wrong.
 *  5. Totals that must survive are persist()ed. An empty datagram ends the loop, as printed.
 */
#include <sys/checkpoint.h>

#include <sys/mman.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include <netinet/in.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE	4096

static struct { int datagrams, bytes; } total;
static int table[64];

static void
my_handler(int signum)
{
	if (signum == SIGSEGV)
		tlongjmp(0);
	else
		tlongjmp(1);
}

static char *
guarded_buffer(void)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(p + PAGE, PAGE, PROT_NONE);
	return p;
}

static void
process(char *buff, const char *input, int len)
{
	total.datagrams++;
	total.bytes += len;
	memcpy(buff, input, (size_t)len);
	if (input[0] == '+')
		table[atoi(input + 1)]++;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	char *buff = guarded_buffer();
	static char input[1025];
	int sockfd = socket(AF_INET, SOCK_DGRAM, 0), len;

	setvbuf(stdout, NULL, _IOLBF, 0);
	addr.sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 7777));
	if (bind(sockfd, (struct sockaddr *)&addr, sizeof addr) != 0) {
		perror("bind");
		return 1;
	}
	persist(&total, sizeof total);
	signal(SIGSEGV, my_handler);
	if (tsetjmp() < 0)
		perror("tsetjmp");
	if (chkpt_status(CHKPT_RECOVERED) == 1)
		printf("recovered: signal %d, %d datagrams, %d bytes so far\n", chkpt_status(CKPT_SIGTYPE), total.datagrams, total.bytes);
	while ((len = (int)read(sockfd, input, 1024)) > 0) {
		input[len] = '\0';
		process(buff, input, len);
		printf("read %d\n", len);
		buff += len;
	}
	printf("end: %d datagrams, %d bytes, table[1] %d\n", total.datagrams, total.bytes, table[1]);
	return 0;
}
