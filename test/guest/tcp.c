/* AF_INET streams over the loopback, as one process sees them: names, states, errors, readiness, options. */
#include "guest.h"
#include <poll.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

static struct sockaddr_in
loopback(int port)
{
	struct sockaddr_in sin;

	memset(&sin, 0, sizeof sin);
	sin.sin_family = AF_INET;
	sin.sin_port = htons(port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sin;
}

static int
port_of(int fd)
{
	struct sockaddr_in sin;
	socklen_t length = sizeof sin;

	return getsockname(fd, (void *)&sin, &length) == 0 ? ntohs(sin.sin_port) : -1;
}

static int
listener(int backlog)
{
	struct sockaddr_in sin = loopback(0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (void *)&sin, sizeof sin) != 0 || listen(fd, backlog) != 0)
		say("no listener: %d\n", errno);
	return fd;
}

static int
dial(int port)
{
	struct sockaddr_in sin = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);

	if (connect(fd, (void *)&sin, sizeof sin) != 0)
		say("no connection: %d\n", errno);
	return fd;
}

static void
pair(int fds[2])
{
	int server = listener(4);

	fds[0] = dial(port_of(server));
	fds[1] = accept(server, NULL, NULL);
	close(server);
}

/* The poll bits that hold once they have come to rest. */
static int
ready(int fd, int wanted)
{
	struct pollfd p = { fd, POLLIN | POLLOUT | POLLRDHUP | POLLPRI, 0 };
	int i;

	for (i = 0; i < 200; i++) {
		p.revents = 0;
		poll(&p, 1, 0);
		if (p.revents == wanted)
			break;
		usleep(1000);
	}
	return p.revents;
}

static int
value(int fd, int level, int name)
{
	int v = -1;
	socklen_t length = sizeof v;

	return getsockopt(fd, level, name, &v, &length) == 0 ? v : -errno;
}

static int
put(int fd, int level, int name, int v)
{
	return setsockopt(fd, level, name, &v, sizeof v) == 0 ? value(fd, level, name) : -errno;
}

static void
unconnected(void)
{
	struct sockaddr_in sin = loopback(1);
	char c;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	say("-- not connected\n");
	CHECK(ready(fd, POLLOUT | POLLHUP) == (POLLOUT | POLLHUP));
	FAILS(recv(fd, &c, 1, 0), ENOTCONN);
	FAILS(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
	FAILS(shutdown(fd, SHUT_WR), ENOTCONN);
	FAILS(accept(fd, NULL, NULL), EINVAL);
	FAILS(getpeername(fd, (void *)&sin, &(socklen_t){ sizeof sin }), ENOTCONN);
	CHECK(port_of(fd) == 0);
	sin.sin_addr.s_addr = inet_addr("203.0.113.77");
	FAILS(bind(fd, (void *)&sin, sizeof sin), EADDRNOTAVAIL);
	sin = loopback(1);
	FAILS(connect(fd, (void *)&sin, 8), EINVAL);
	FAILS(connect(fd, (void *)&sin, sizeof sin), ECONNREFUSED);
	CHECK(value(fd, SOL_SOCKET, SO_ERROR) == 0);
	FAILS(connect(fd, (void *)&sin, sizeof sin), ECONNREFUSED);
	FAILS(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
	sin.sin_family = AF_INET6;
	FAILS(connect(fd, (void *)&sin, sizeof sin), EAFNOSUPPORT);
	close(fd);
}

static void
listening(void)
{
	struct sockaddr_in sin, peer;
	socklen_t length = sizeof peer;
	char c;
	int server = listener(4), other, client, connection;

	say("-- listening\n");
	CHECK(value(server, SOL_SOCKET, SO_ACCEPTCONN) == 1);
	CHECK(ready(server, 0) == 0);
	FAILS(recv(server, &c, 1, 0), ENOTCONN);
	FAILS(send(server, "x", 1, MSG_NOSIGNAL), EPIPE);
	sin = loopback(port_of(server));
	FAILS(connect(server, (void *)&sin, sizeof sin), EISCONN);
	FAILS(bind(server, (void *)&sin, sizeof sin), EINVAL);
	other = socket(AF_INET, SOCK_STREAM, 0);
	FAILS(bind(other, (void *)&sin, sizeof sin), EADDRINUSE);
	setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	FAILS(bind(other, (void *)&sin, sizeof sin), EADDRINUSE);
	close(other);
	fcntl(server, F_SETFL, O_NONBLOCK);
	FAILS(accept(server, NULL, NULL), EAGAIN);
	client = dial(port_of(server));
	CHECK(ready(server, POLLIN) == POLLIN);
	connection = accept4(server, (void *)&peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
	CHECK(connection >= 0 && length == sizeof peer && ntohs(peer.sin_port) == port_of(client));
	CHECK(port_of(connection) == port_of(server));
	CHECK((fcntl(connection, F_GETFL) & O_NONBLOCK) != 0 && fcntl(connection, F_GETFD) == FD_CLOEXEC);
	FAILS(read(connection, &c, 1), EAGAIN);
	FAILS(listen(connection, 1), EINVAL);
	CHECK(value(connection, SOL_SOCKET, SO_ACCEPTCONN) == 0);
	/* One that has given up already is handed out all the same, and says so when it is read. */
	other = dial(port_of(server));
	setsockopt(other, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
	close(other);
	length = sizeof peer;
	other = accept(server, (void *)&peer, &length);
	CHECK(other >= 0 && length == sizeof peer && peer.sin_family == AF_INET && peer.sin_port != 0);
	FAILS(read(other, &c, 1), ECONNRESET);
	close(other);
	/* What waits unaccepted is reset when the listener goes. */
	other = dial(port_of(server));
	close(server);
	FAILS(read(other, &c, 1), ECONNRESET);
	close(other);
	close(connection);
	close(client);
}

static void
nonblocking(void)
{
	struct sockaddr_in sin;
	int server = listener(4), fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), i;

	say("-- non-blocking connect\n");
	sin = loopback(port_of(server));
	FAILS(connect(fd, (void *)&sin, sizeof sin), EINPROGRESS);
	CHECK(ready(fd, POLLOUT) == POLLOUT);
	CHECK(value(fd, SOL_SOCKET, SO_ERROR) == 0);
	CHECK(connect(fd, (void *)&sin, sizeof sin) == 0);
	FAILS(connect(fd, (void *)&sin, sizeof sin), EISCONN);
	close(fd);
	close(server);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	FAILS(connect(fd, (void *)&sin, sizeof sin), EINPROGRESS);
	i = POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP;
	CHECK(ready(fd, i) == i);
	CHECK(value(fd, SOL_SOCKET, SO_ERROR) == ECONNREFUSED);
	CHECK(value(fd, SOL_SOCKET, SO_ERROR) == 0);
	FAILS(connect(fd, (void *)&sin, sizeof sin), ECONNABORTED);
	close(fd);
}

static void
exchange(void)
{
	char buffer[64];
	struct iovec iov[2] = { { "two ", 4 }, { "parts", 5 } };
	int fds[2], n;

	say("-- bytes\n");
	pair(fds);
	CHECK(ready(fds[0], POLLOUT) == POLLOUT);
	CHECK(write(fds[0], "hello world", 11) == 11);
	CHECK(ready(fds[1], POLLIN | POLLOUT) == (POLLIN | POLLOUT));
	CHECK(ioctl(fds[1], FIONREAD, &n) == 0 && n == 11);
	CHECK(recv(fds[1], buffer, 5, MSG_PEEK) == 5 && memcmp(buffer, "hello", 5) == 0);
	CHECK(recv(fds[1], buffer, 5, 0) == 5 && memcmp(buffer, "hello", 5) == 0);
	CHECK(recv(fds[1], buffer, 3, MSG_TRUNC) == 3);
	CHECK(recv(fds[1], buffer, sizeof buffer, MSG_DONTWAIT) == 3 && memcmp(buffer, "rld", 3) == 0);
	FAILS(recv(fds[1], buffer, 1, MSG_DONTWAIT), EAGAIN);
	CHECK(writev(fds[1], iov, 2) == 9);
	CHECK(recv(fds[0], buffer, 9, MSG_WAITALL) == 9 && memcmp(buffer, "two parts", 9) == 0);
	FAILS(pread(fds[0], buffer, 1, 0), ESPIPE);
	FAILS(lseek(fds[0], 0, SEEK_SET), ESPIPE);
	FAILS(recv(fds[0], buffer, 1, MSG_OOB), EINVAL);
	CHECK(send(fds[0], "abc", 3, MSG_OOB) == 3);
	CHECK(ready(fds[1], POLLIN | POLLOUT | POLLPRI) == (POLLIN | POLLOUT | POLLPRI));
	CHECK(recv(fds[1], buffer, sizeof buffer, 0) == 2 && memcmp(buffer, "ab", 2) == 0);
	CHECK(recv(fds[1], buffer, 1, MSG_OOB) == 1 && buffer[0] == 'c');
	FAILS(recv(fds[1], buffer, 1, MSG_OOB), EINVAL);
	close(fds[0]);
	close(fds[1]);
}

static volatile int pipes;

static void
on_pipe(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)info;
	(void)context;
	pipes++;
}

static void
ends(void)
{
	char buffer[16];
	int fds[2], i;
	struct linger now = { 1, 0 };

	say("-- ends\n");
	action(SIGPIPE, on_pipe, 0);
	pair(fds);
	CHECK(shutdown(fds[0], SHUT_WR) == 0);
	i = POLLIN | POLLOUT | POLLRDHUP;
	CHECK(ready(fds[1], i) == i);
	CHECK(read(fds[1], buffer, 1) == 0);
	FAILS(write(fds[0], "x", 1), EPIPE);
	CHECK(pipes == 1);
	CHECK(write(fds[1], "still open", 10) == 10);
	CHECK(recv(fds[0], buffer, 10, MSG_WAITALL) == 10);
	CHECK(shutdown(fds[1], SHUT_WR) == 0);
	i = POLLIN | POLLOUT | POLLRDHUP | POLLHUP;
	CHECK(ready(fds[0], i) == i);
	CHECK(read(fds[0], buffer, 1) == 0);
	close(fds[0]);
	close(fds[1]);

	pair(fds);
	CHECK(write(fds[0], "unread", 6) == 6);
	CHECK(ready(fds[1], POLLIN | POLLOUT) == (POLLIN | POLLOUT));
	close(fds[1]);
	i = POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP;
	CHECK(ready(fds[0], i) == i);
	FAILS(read(fds[0], buffer, 1), ECONNRESET);
	CHECK(read(fds[0], buffer, 1) == 0);
	FAILS(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(pipes == 1);
	close(fds[0]);

	pair(fds);
	CHECK(setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
	close(fds[1]);
	CHECK((ready(fds[0], i) & (POLLERR | POLLHUP)) == (POLLERR | POLLHUP));
	CHECK(value(fds[0], SOL_SOCKET, SO_ERROR) == ECONNRESET);
	FAILS(getpeername(fds[0], (void *)buffer, &(socklen_t){ sizeof buffer }), ENOTCONN);
	close(fds[0]);

	/* The peer is gone: the first write is answered with a reset, the next fails. */
	pair(fds);
	close(fds[1]);
	CHECK(ready(fds[0], POLLIN | POLLOUT | POLLRDHUP) == (POLLIN | POLLOUT | POLLRDHUP));
	CHECK(send(fds[0], "x", 1, MSG_NOSIGNAL) == 1);
	ready(fds[0], i);
	FAILS(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	close(fds[0]);

	pair(fds);
	CHECK(shutdown(fds[0], SHUT_RD) == 0);
	CHECK(read(fds[0], buffer, 1) == 0);
	CHECK(write(fds[0], "y", 1) == 1);
	CHECK(read(fds[1], buffer, 1) == 1);
	close(fds[0]);
	close(fds[1]);
}

static void
options(void)
{
	int fds[2];
	struct tcp_info info;
	socklen_t length = sizeof info;

	say("-- options\n");
	pair(fds);
	CHECK(value(fds[0], IPPROTO_TCP, TCP_NODELAY) == 0 && put(fds[0], IPPROTO_TCP, TCP_NODELAY, 1) == 1);
	CHECK(put(fds[0], IPPROTO_TCP, TCP_CORK, 1) == 1 && put(fds[0], IPPROTO_TCP, TCP_CORK, 0) == 0);
	CHECK(value(fds[0], IPPROTO_TCP, TCP_KEEPIDLE) == 7200 && put(fds[0], IPPROTO_TCP, TCP_KEEPIDLE, 10) == 10);
	CHECK(value(fds[0], IPPROTO_TCP, TCP_KEEPINTVL) == 75 && put(fds[0], IPPROTO_TCP, TCP_KEEPINTVL, 5) == 5);
	CHECK(value(fds[0], IPPROTO_TCP, TCP_KEEPCNT) == 9 && put(fds[0], IPPROTO_TCP, TCP_KEEPCNT, 3) == 3);
	CHECK(put(fds[0], IPPROTO_TCP, TCP_KEEPCNT, 0) == -EINVAL && put(fds[0], IPPROTO_TCP, TCP_KEEPIDLE, 40000) == -EINVAL);
	CHECK(put(fds[0], IPPROTO_TCP, TCP_SYNCNT, 2) == 2 && put(fds[0], IPPROTO_TCP, TCP_SYNCNT, 200) == -EINVAL);
	CHECK(put(fds[0], IPPROTO_TCP, TCP_USER_TIMEOUT, 3000) == 3000);
	CHECK(put(fds[0], IPPROTO_TCP, TCP_DEFER_ACCEPT, 3) == 3 && put(fds[0], IPPROTO_TCP, TCP_DEFER_ACCEPT, 4) == 7);
	CHECK(put(fds[0], IPPROTO_TCP, TCP_MAXSEG, 10) == -EINVAL);
	CHECK(put(fds[0], SOL_SOCKET, SO_KEEPALIVE, 1) == 1 && put(fds[0], SOL_SOCKET, SO_OOBINLINE, 1) == 1);
	CHECK(put(fds[0], SOL_SOCKET, SO_REUSEADDR, 1) == 1 && put(fds[0], SOL_SOCKET, SO_REUSEPORT, 1) == 1);
	CHECK(put(fds[0], SOL_SOCKET, SO_RCVBUF, 8192) == 16384 && put(fds[0], SOL_SOCKET, SO_RCVBUF, 1) == 2304);
	CHECK(put(fds[0], SOL_SOCKET, SO_SNDBUF, 8192) == 16384 && put(fds[0], SOL_SOCKET, SO_SNDBUF, 1) == 4608);
	CHECK(put(fds[0], SOL_SOCKET, SO_RCVLOWAT, 3) == 3);
	CHECK(value(fds[0], SOL_SOCKET, SO_TYPE) == SOCK_STREAM && value(fds[0], SOL_SOCKET, SO_PROTOCOL) == IPPROTO_TCP);
	CHECK(value(fds[0], SOL_SOCKET, SO_DOMAIN) == AF_INET && put(fds[0], IPPROTO_IP, IP_TTL, 9) == 9);
	CHECK(getsockopt(fds[0], IPPROTO_TCP, TCP_INFO, &info, &length) == 0 && info.tcpi_state == 1 && info.tcpi_options == 7);
	FAILS(setsockopt(fds[0], IPPROTO_TCP, 999, &length, 4), ENOPROTOOPT);
	FAILS(setsockopt(fds[0], IPPROTO_TCP, TCP_NODELAY, &length, 2), EINVAL);
	/* Low water: one byte does not make it readable, three do. */
	CHECK(write(fds[1], "a", 1) == 1);
	usleep(2000);
	CHECK(ready(fds[0], POLLOUT) == POLLOUT);
	CHECK(write(fds[1], "bc", 2) == 2);
	CHECK(ready(fds[0], POLLIN | POLLOUT) == (POLLIN | POLLOUT));
	close(fds[0]);
	close(fds[1]);
}

static void
edges(void)
{
	struct epoll_event event = { EPOLLIN | EPOLLET | EPOLLRDHUP, { .u32 = 7 } };
	char c;
	int fds[2], ep = epoll_create1(0);

	say("-- edges\n");
	pair(fds);
	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fds[1], &event) == 0);
	CHECK(epoll_wait(ep, &event, 1, 0) == 0);
	CHECK(write(fds[0], "ab", 2) == 2);
	CHECK(epoll_wait(ep, &event, 1, 1000) == 1 && event.events == EPOLLIN && event.data.u32 == 7);
	CHECK(epoll_wait(ep, &event, 1, 0) == 0);
	CHECK(read(fds[1], &c, 1) == 1);
	CHECK(epoll_wait(ep, &event, 1, 0) == 0);
	CHECK(write(fds[0], "c", 1) == 1);
	CHECK(epoll_wait(ep, &event, 1, 1000) == 1 && event.events == EPOLLIN);
	CHECK(shutdown(fds[0], SHUT_WR) == 0);
	CHECK(epoll_wait(ep, &event, 1, 1000) == 1 && event.events == (EPOLLIN | EPOLLRDHUP));
	CHECK(epoll_wait(ep, &event, 1, 0) == 0);
	close(ep);
	close(fds[0]);
	close(fds[1]);
}

static void
full(void)
{
	static char block[4096];
	struct timeval soon = { 0, 50000 };
	long sent = 0, got = 0, n;
	int fds[2];

	say("-- a full buffer\n");
	pair(fds);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	for (;;) {
		n = send(fds[0], block, sizeof block, 0);
		if (n > 0)
			sent += n;
		else if (usleep(20000), (n = send(fds[0], block, sizeof block, 0)) > 0)
			sent += n;
		else
			break;
	}
	CHECK(n == -1 && errno == EAGAIN && sent > 65536);
	CHECK(ready(fds[0], 0) == 0);
	fcntl(fds[0], F_SETFL, 0);
	setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
	FAILS(send(fds[0], block, 1, 0), EAGAIN);
	while (got < sent && (n = read(fds[1], block, sizeof block)) > 0)
		got += n;
	CHECK(got == sent);
	CHECK(ready(fds[0], POLLOUT) == POLLOUT);
	setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
	FAILS(read(fds[1], block, 1), EAGAIN);
	close(fds[0]);
	close(fds[1]);
}

static void
again(void)
{
	struct sockaddr_in sin, none;
	int server = listener(4), port = port_of(server), client = dial(port), connection = accept(server, NULL, NULL), next;

	say("-- names in use\n");
	close(server);
	sin = loopback(port);
	next = socket(AF_INET, SOCK_STREAM, 0);
	FAILS(bind(next, (void *)&sin, sizeof sin), EADDRINUSE);
	/* The server's end closes first and waits. */
	close(connection);
	close(client);
	usleep(10000);
	FAILS(bind(next, (void *)&sin, sizeof sin), EADDRINUSE);
	close(next);
	/* An address held by REUSEADDR and one that asks for it go together while nobody listens. */
	next = socket(AF_INET, SOCK_STREAM, 0);
	connection = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(next, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	setsockopt(connection, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	sin = loopback(0);
	CHECK(bind(next, (void *)&sin, sizeof sin) == 0);
	sin = loopback(port_of(next));
	CHECK(bind(connection, (void *)&sin, sizeof sin) == 0);
	CHECK(listen(next, 1) == 0);
	FAILS(listen(connection, 1), EADDRINUSE);
	close(connection);
	/* connect(AF_UNSPEC) dissolves, and the socket connects anew. */
	client = dial(port_of(next));
	memset(&none, 0, sizeof none);
	CHECK(connect(client, (void *)&none, sizeof none) == 0);
	FAILS(getpeername(client, (void *)&none, &(socklen_t){ sizeof none }), ENOTCONN);
	CHECK(connect(client, (void *)&sin, sizeof sin) == 0);
	close(client);
	close(next);
}

int
main(void)
{
	unconnected();
	listening();
	nonblocking();
	exchange();
	ends();
	options();
	edges();
	full();
	again();
	return 0;
}
