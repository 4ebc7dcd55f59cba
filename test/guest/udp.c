/* UDP over the loopback: echo, connect, ports, truncation, non-blocking, errors, timeouts. */
#include "guest.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

static struct sockaddr_in
local(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static uint16_t
port_of(int s)
{
	struct sockaddr_in a;
	socklen_t n = sizeof a;

	return getsockname(s, (struct sockaddr *)&a, &n) == 0 ? ntohs(a.sin_port) : 0;
}

static void
echo_server(int s)
{
	struct sockaddr_in from;
	char buf[2000];
	socklen_t len;
	ssize_t n;

	for (;;) {
		len = sizeof from;
		n = recvfrom(s, buf, sizeof buf, 0, (struct sockaddr *)&from, &len);
		if (n <= 0)
			_exit(n == 0 ? 0 : 1);
		if (sendto(s, buf, (size_t)n, 0, (struct sockaddr *)&from, len) != n)
			_exit(2);
	}
}

int
main(void)
{
	struct timeval tenth = { 0, 100000 };
	struct sockaddr_in any = local(0), server_addr, from;
	static char huge[65508];
	char buf[2000], big[1400];
	struct pollfd p;
	socklen_t len = sizeof from;
	int server = socket(AF_INET, SOCK_DGRAM, 0), client = socket(AF_INET, SOCK_DGRAM, 0), status, i;

	CHECK(bind(server, (struct sockaddr *)&any, sizeof any) == 0 && port_of(server) != 0);
	FAILS(bind(server, (struct sockaddr *)&any, sizeof any), EINVAL);
	server_addr = local(port_of(server));
	FAILS(bind(client, (struct sockaddr *)&server_addr, sizeof server_addr), EADDRINUSE);
	if (fork() == 0)
		echo_server(server);
	CHECK(sendto(client, "ping", 4, 0, (struct sockaddr *)&server_addr, sizeof server_addr) == 4);
	CHECK(recvfrom(client, buf, sizeof buf, 0, (struct sockaddr *)&from, &len) == 4 && memcmp(buf, "ping", 4) == 0);
	CHECK(from.sin_port == server_addr.sin_port && from.sin_addr.s_addr == htonl(INADDR_LOOPBACK) && len == sizeof from);
	CHECK(connect(client, (struct sockaddr *)&server_addr, sizeof server_addr) == 0);
	for (i = 0; i < (int)sizeof big; i++)
		big[i] = (char)i;
	CHECK(send(client, big, sizeof big, 0) == sizeof big);
	CHECK(recv(client, buf, 10, 0) == 10);
	CHECK(send(client, big, 100, 0) == 100 && recv(client, buf, 10, MSG_TRUNC) == 100);
	CHECK(send(client, big, 20, 0) == 20 && recv(client, buf, 20, MSG_PEEK) == 20 && recv(client, buf, 20, 0) == 20);
	FAILS(recv(client, buf, 1, MSG_DONTWAIT), EAGAIN);
	CHECK(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &tenth, sizeof tenth) == 0);
	FAILS(recv(client, buf, 1, 0), EAGAIN);
	p = (struct pollfd){ client, POLLIN | POLLOUT, 0 };
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
	FAILS(send(client, huge, sizeof huge, 0), EMSGSIZE);
	CHECK(send(client, "", 0, 0) == 0);
	wait(&status);
	ended("echo server", status);
	close(server);
	CHECK(send(client, "x", 1, 0) == 1);
	FAILS(recv(client, buf, 1, 0), ECONNREFUSED);
	CHECK(close(client) == 0);
	FAILS(socket(99, SOCK_DGRAM, 0), EAFNOSUPPORT);
	FAILS(send(open("/dev/null", O_WRONLY), "x", 1, 0), ENOTSOCK);
	return 0;
}
