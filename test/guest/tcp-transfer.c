/* Two processes and a stream between them: 300 KB each way in uneven pieces, a file by sendfile, many short connections. */
#include "guest.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#define TOTAL	300000

static unsigned
next(unsigned *state)
{
	return *state = *state * 1664525u + 1013904223u;
}

static void
produce(int fd, unsigned seed, int total)
{
	static unsigned char block[20000];
	unsigned state = seed, sizes = seed;
	int done, size, i, n;

	for (done = 0; done < total; done += size) {
		size = 1 + next(&sizes) % sizeof block;
		if (size > total - done)
			size = total - done;
		for (i = 0; i < size; i++)
			block[i] = next(&state) >> 24;
		for (i = 0; i < size; i += n)
			if ((n = write(fd, block + i, size - i)) <= 0) {
				say("write: %d\n", errno);
				return;
			}
	}
}

/* Reads to the end; the count, or the negated offset of the first wrong byte. */
static int
consume(int fd, unsigned seed)
{
	static unsigned char block[7777];
	unsigned state = seed;
	int done = 0, n, i;

	while ((n = read(fd, block, sizeof block)) > 0)
		for (i = 0; i < n; i++, done++)
			if (block[i] != next(&state) >> 24)
				return -done;
	return n < 0 ? -errno : done;
}

/* Silent, since the client prints: the number of things that went wrong. */
static int
serve(int server)
{
	int fd, i, file, status, wrong;
	char c;

	fd = accept(server, NULL, NULL);
	wrong = consume(fd, 1) != TOTAL;
	produce(fd, 2, TOTAL);
	close(fd);

	fd = accept(server, NULL, NULL);
	file = open("payload", O_RDONLY);
	for (i = 0; i < 200000; i += status)
		if ((status = sendfile(fd, file, NULL, 200000 - i)) <= 0)
			break;
	wrong += i != 200000;
	close(file);
	close(fd);

	for (i = 0; i < 50; i++) {
		fd = accept(server, NULL, NULL);
		if (read(fd, &c, 1) != 1 || write(fd, &c, 1) != 1)
			wrong++;
		close(fd);
	}
	return wrong;
}

int
main(void)
{
	struct sockaddr_in sin;
	socklen_t length = sizeof sin;
	int server = socket(AF_INET, SOCK_STREAM, 0), fd, i, status, good = 0;
	char c;
	pid_t child;

	memset(&sin, 0, sizeof sin);
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(bind(server, (void *)&sin, sizeof sin) == 0 && listen(server, 2) == 0);
	getsockname(server, (void *)&sin, &length);
	enter_scratch();
	fd = open("payload", O_CREAT | O_WRONLY, 0600);
	produce(fd, 3, 200000);
	close(fd);
	if ((child = fork()) == 0) {
		_exit(serve(server));
	}
	close(server);

	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(fd, (void *)&sin, sizeof sin) == 0);
	produce(fd, 1, TOTAL);
	shutdown(fd, SHUT_WR);
	i = consume(fd, 2);
	CHECK(i == TOTAL);
	close(fd);

	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(fd, (void *)&sin, sizeof sin) == 0);
	i = consume(fd, 3);
	CHECK(i == 200000);
	close(fd);

	for (i = 0; i < 50; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		c = i;
		if (connect(fd, (void *)&sin, sizeof sin) == 0 && write(fd, &c, 1) == 1 && (c = 99, read(fd, &c, 1) == 1) && c == i)
			good++;
		close(fd);
	}
	waitpid(child, &status, 0);
	ended("server", status);
	CHECK(good == 50);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	FAILS(connect(fd, (void *)&sin, sizeof sin), ECONNREFUSED);
	unlink("payload");
	leave_scratch();
	return 0;
}
