/* A server for streams, one connection at a time. First byte of a connection: 's': sink, then "count sum"; 'g': the next four bytes (little-endian) say how much to send; 'q': quit. */
#include "guest.h"
#include <netinet/in.h>
#include <sys/socket.h>

static unsigned char block[16384];

static void
sink(int fd)
{
	uint32_t count = 0, sum = 0;
	char line[64];
	int n, i;

	while ((n = read(fd, block, sizeof block)) > 0) {
		count += n;
		for (i = 0; i < n; i++)
			sum = sum * 31 + block[i];
	}
	n = snprintf(line, sizeof line, "%u %u", (unsigned)count, (unsigned)sum);
	if (n < 0 || write(fd, line, (size_t)n) != n)
		say("no answer: %d\n", errno);
}

static void
generate(int fd)
{
	uint32_t left = 0;
	unsigned char length[4];
	int n, i;

	if (recv(fd, length, 4, MSG_WAITALL) != 4)
		return;
	for (i = 3; i >= 0; i--)
		left = left << 8 | length[i];
	for (i = 0; i < (int)sizeof block; i++)
		block[i] = (unsigned char)(i % 251);
	for (; left > 0; left -= n)
		if ((n = write(fd, block, left < sizeof block ? left : sizeof block)) <= 0) {
			say("write fails: %d\n", errno);
			return;
		}
}

int
main(int argc, char **argv)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 7) };
	int server = socket(AF_INET, SOCK_STREAM, 0), fd;
	char what = 0;

	if (bind(server, (struct sockaddr *)&any, sizeof any) != 0 || listen(server, 8) != 0) {
		say("no listener: %d\n", errno);
		return 1;
	}
	say("ready\n");
	while (what != 'q' && (fd = accept(server, NULL, NULL)) >= 0) {
		if (read(fd, &what, 1) == 1) {
			if (what == 's')
				sink(fd);
			else if (what == 'g')
				generate(fd);
		}
		close(fd);
	}
	return 0;
}
