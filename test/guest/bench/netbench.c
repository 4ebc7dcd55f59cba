/* One end of a stream, for the benchmark:
 *	sink PORT		take connections one after the other, read each to its end
 *	source ADDRESS PORT N	connect, send N bytes, wait for the other end to close
 *	give PORT N		send N bytes to every connection
 *	answer PORT		answer each connection's first byte with one, close
 *	hold PORT BACKLOG	take connections and keep them; BACKLOG 0: never take one
 * Says "ready" when it listens.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static char block[65536];

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in
name(const char *address, const char *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };

	sin.sin_addr.s_addr = inet_addr(address);
	return sin;
}

static int
listener(const char *port, int backlog)
{
	struct sockaddr_in any = name("0.0.0.0", port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof any) != 0 || listen(fd, backlog) != 0)
		fail("listen");
	if (write(1, "ready\n", 6) != 6)
		exit(1);
	return fd;
}

static int
next(int server)
{
	int fd = accept(server, NULL, NULL);

	if (fd < 0)
		fail("accept");
	return fd;
}

static void
send_all(int fd, long left)
{
	ssize_t n;

	for (; left > 0; left -= n)
		if ((n = write(fd, block, left < (long)sizeof block ? left : (long)sizeof block)) <= 0)
			fail("write");
}

static void
drain(int fd)
{
	while (read(fd, block, sizeof block) > 0)
		;
}

static void
source(const char *address, const char *port, long bytes)
{
	struct sockaddr_in to = name(address, port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
		fail("connect");
	send_all(fd, bytes);
	shutdown(fd, SHUT_WR);
	drain(fd);
	close(fd);
}

static void
serve(const char *what, const char *port, long bytes)
{
	int server = listener(port, 128), fd;

	for (;; close(fd)) {
		fd = next(server);
		if (strcmp(what, "sink") == 0)
			drain(fd);
		else if (strcmp(what, "give") == 0)
			send_all(fd, bytes);
		else if (read(fd, block, 1) == 1 && write(fd, block, 1) != 1)
			fail("answer");
	}
}

static void
hold(const char *port, int backlog)
{
	struct rlimit many = { 65536, 65536 };
	int server;

	if (setrlimit(RLIMIT_NOFILE, &many) != 0)
		fail("setrlimit");
	server = listener(port, backlog == 0 ? 128 : backlog);
	while (backlog > 0)
		next(server);
	pause();
}

int
main(int argc, char **argv)
{
	long count = argc > 3 ? atol(argv[argc - 1]) : 0;

	if (argc < 3)
		return 2;
	if (strcmp(argv[1], "source") == 0)
		source(argv[2], argv[3], count);
	else if (strcmp(argv[1], "hold") == 0)
		hold(argv[2], (int)count);
	else
		serve(argv[1], argv[2], count);
	return 0;
}
