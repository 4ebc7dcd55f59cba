/* AF_UNIX: pairs, names, connections, descriptors and credentials in messages, full buffers, ends. */
#include "guest.h"
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un
named(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	strcpy(a.sun_path, path);
	return a;
}

#define ADDR(a)	(struct sockaddr *)&(a), sizeof (a)

static int piped;

static void
on_pipe(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info, (void)context;
	piped++;
}

static int
pass(int s, int fd)
{
	char data = 'f';
	struct iovec iov = { &data, 1 };
	union { struct cmsghdr h; char space[CMSG_SPACE(sizeof(int))]; } control;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };

	memset(&control, 0, sizeof control);
	control.h.cmsg_level = SOL_SOCKET;
	control.h.cmsg_type = SCM_RIGHTS;
	control.h.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.h), &fd, sizeof fd);
	return (int)sendmsg(s, &m, 0);
}

static int
passed(int s)
{
	char data = 0;
	int fd = -1;
	struct iovec iov = { &data, 1 };
	union { struct cmsghdr h; char space[CMSG_SPACE(sizeof(int))]; } control;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };

	if (recvmsg(s, &m, 0) != 1 || data != 'f' || CMSG_FIRSTHDR(&m) == NULL || CMSG_FIRSTHDR(&m)->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
	return fd;
}

static void
pairs(void)
{
	char buf[64];
	int s[2], p[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK(write(s[0], "abc", 3) == 3 && write(s[0], "def", 3) == 3);
	CHECK(recv(s[1], buf, 4, MSG_PEEK) == 4 && memcmp(buf, "abcd", 4) == 0);
	CHECK(read(s[1], buf, 4) == 4 && memcmp(buf, "abcd", 4) == 0);
	CHECK(read(s[1], buf, sizeof buf) == 2 && memcmp(buf, "ef", 2) == 0);
	FAILS(recv(s[1], buf, 1, MSG_DONTWAIT), EAGAIN);
	CHECK(pipe(p) == 0 && pass(s[0], p[1]) == 1);
	close(p[1]);
	p[1] = passed(s[1]);
	CHECK(p[1] >= 0 && write(p[1], "through", 7) == 7 && read(p[0], buf, sizeof buf) == 7);
	CHECK(shutdown(s[0], SHUT_WR) == 0 && read(s[1], buf, 1) == 0);
	FAILS(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(piped == 0);
	FAILS(write(s[0], "x", 1), EPIPE);
	CHECK(piped == 1);
	close(s[0]);
	FAILS(write(s[1], "x", 1), EPIPE);
	close(s[1]), close(p[0]), close(p[1]);

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	CHECK(write(s[0], "first", 5) == 5 && write(s[0], "second", 6) == 6);
	CHECK(recv(s[1], buf, 2, MSG_TRUNC) == 5 && read(s[1], buf, sizeof buf) == 6);
	CHECK(send(s[0], "", 0, 0) == 0 && read(s[1], buf, 1) == 0);
	close(s[1]);
	FAILS(write(s[0], "x", 1), ECONNREFUSED);
	close(s[0]);
}

/* Half a megabyte through a buffer that does not hold it: the writer waits for the reader. */
static void
much(void)
{
	static unsigned char buf[8192];
	unsigned long sum = 0, total = 0;
	int s[2], status, i;
	ssize_t n;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	if (fork() == 0) {
		static unsigned char block[512 * 1024];

		close(s[1]);
		for (i = 0; i < (int)sizeof block; i++)
			block[i] = (unsigned char)(i * 7);
		_exit(write(s[0], block, sizeof block) == (ssize_t)sizeof block ? 0 : 1);
	}
	close(s[0]);
	while ((n = read(s[1], buf, sizeof buf)) > 0) {
		for (i = 0; i < n; i++)
			sum += buf[i];
		total += (unsigned long)n;
	}
	wait(&status);
	ended("writer", status);
	say("%lu bytes, sum %lu\n", total, sum);
	close(s[1]);
}

static void
streams(void)
{
	struct sockaddr_un here = named("server"), nowhere = named("missing"), a;
	struct ucred who;
	struct pollfd p;
	socklen_t len = sizeof a;
	char buf[64];
	int s = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0), t, status;

	FAILS(connect(c, ADDR(nowhere)), ENOENT);
	FAILS(listen(s, 5), EINVAL);
	CHECK(bind(s, ADDR(here)) == 0);
	FAILS(connect(c, ADDR(here)), ECONNREFUSED);
	FAILS(bind(c, ADDR(here)), EADDRINUSE);
	FAILS(write(c, "x", 1), ENOTCONN);
	CHECK(listen(s, 5) == 0);
	p = (struct pollfd){ s, POLLIN, 0 };
	CHECK(poll(&p, 1, 0) == 0);
	if (fork() == 0) {
		if (connect(c, ADDR(here)) != 0 || write(c, "hello", 5) != 5 || read(c, buf, sizeof buf) != 6)
			_exit(1);
		_exit(memcmp(buf, "answer", 6) == 0 && read(c, buf, 1) == 0 ? 0 : 2);
	}
	close(c);
	CHECK(poll(&p, 1, 5000) == 1 && p.revents == POLLIN);
	CHECK((t = accept(s, (struct sockaddr *)&a, &len)) >= 0 && len == 2);
	len = sizeof a;
	CHECK(getsockname(t, (struct sockaddr *)&a, &len) == 0 && len == offsetof(struct sockaddr_un, sun_path) + 7 && strcmp(a.sun_path, "server") == 0);
	CHECK(recv(t, buf, 5, MSG_WAITALL) == 5 && memcmp(buf, "hello", 5) == 0);
	len = sizeof who;
	CHECK(getsockopt(t, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && who.pid > 0 && who.pid != getpid() && who.uid == getuid());
	CHECK(write(t, "answer", 6) == 6 && close(t) == 0);
	wait(&status);
	ended("client", status);
	FAILS(accept(t, NULL, NULL), EBADF);
	CHECK(fcntl(s, F_SETFL, O_NONBLOCK) == 0);
	FAILS(accept(s, NULL, NULL), EAGAIN);
	close(s);
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	FAILS(connect(c, ADDR(here)), ECONNREFUSED);
	CHECK(unlink("server") == 0 && close(c) == 0);
}

static void
datagrams(void)
{
	struct sockaddr_un log = named("log"), me = named("me"), from;
	socklen_t len = sizeof from;
	char buf[64];
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), c = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), i, one = 1;
	struct ucred who = { 0 };
	struct iovec iov = { buf, sizeof buf };
	union { struct cmsghdr h; char space[CMSG_SPACE(sizeof who)]; } control;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	struct stat st;

	FAILS(connect(c, ADDR(log)), ENOENT);
	CHECK(bind(s, ADDR(log)) == 0 && bind(c, ADDR(me)) == 0);
	CHECK(stat("log", &st) == 0 && S_ISSOCK(st.st_mode));
	FAILS(open("log", O_RDWR), ENXIO);
	CHECK(connect(c, ADDR(log)) == 0 && send(c, "<13>line", 8, 0) == 8);
	CHECK(recvfrom(s, buf, sizeof buf, 0, (struct sockaddr *)&from, &len) == 8 && len == 5 && strcmp(from.sun_path, "me") == 0);
	CHECK(setsockopt(s, SOL_SOCKET, SO_PASSCRED, &one, sizeof one) == 0);
	CHECK(send(c, "who", 3, 0) == 3 && recvmsg(s, &m, 0) == 3);
	CHECK(control.h.cmsg_type == SCM_CREDENTIALS && memcpy(&who, CMSG_DATA(&control.h), sizeof who) && who.pid == getpid());
	for (i = 0; send(c, "fill", 4, 0) == 4; i++)
		continue;
	CHECK(errno == EAGAIN && i > 5 && i < 1000);
	CHECK(recv(s, buf, sizeof buf, 0) == 4 && send(c, "room", 4, 0) == 4);
	close(s);
	FAILS(send(c, "gone", 4, 0), ECONNREFUSED);
	FAILS(sendto(c, "x", 1, 0, ADDR(log)), ECONNREFUSED);
	CHECK(unlink("log") == 0);
	FAILS(sendto(c, "x", 1, 0, ADDR(log)), ENOENT);
	CHECK(unlink("me") == 0 && close(c) == 0);
}

static void
abstract(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "\0hidden" };
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + 7;
	char buf[8];
	int s = socket(AF_UNIX, SOCK_DGRAM, 0), c = socket(AF_UNIX, SOCK_DGRAM, 0);

	CHECK(bind(s, (struct sockaddr *)&a, len) == 0);
	FAILS(bind(c, (struct sockaddr *)&a, len), EADDRINUSE);
	CHECK(sendto(c, "x", 1, 0, (struct sockaddr *)&a, len) == 1 && read(s, buf, sizeof buf) == 1);
	close(s);
	FAILS(sendto(c, "x", 1, 0, (struct sockaddr *)&a, len), ECONNREFUSED);
	close(c);
	FAILS(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
	FAILS(socket(AF_UNIX, SOCK_STREAM, 99), EPROTONOSUPPORT);
}

int
main(void)
{
	action(SIGPIPE, on_pipe, 0);
	enter_scratch();
	pairs();
	much();
	streams();
	datagrams();
	abstract();
	leave_scratch();
	return 0;
}
