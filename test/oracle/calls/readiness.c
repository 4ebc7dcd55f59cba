/* poll and select on everything; pipes' capacity; sockets that are halves. */
#include "odd.h"

static int
ready(int fd)
{
	struct pollfd p = { fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0 };
	int n = poll(&p, 1, 0);
	return n < 0 ? -errno : (p.revents & 0xffff);
}

int
main(void)
{
	int p[2], q[2], s[2], n = 0;
	char b[PAGE] = { 0 };
	fd_set set;
	struct sockaddr_un un = { AF_UNIX, "sock" };

	T(pipe(p)); T(pipe(q)); T(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	T(ready(p[0])); T(ready(p[1])); T(ready(open("/bin/data", O_RDONLY))); T(ready(open("/", O_RDONLY))); T(ready(open("/dev/null", O_RDWR))); T(ready(open("/dev/zero", O_RDWR))); T(ready(-1)); T(ready(99)); T(ready(s[0])); T(ready(open("/proc/self/stat", O_RDONLY)) & 0x41);
	T(write(p[1], "x", 1)); T(ready(p[0])); T(close(p[1])); T(ready(p[0])); T(read(p[0], b, 5)); T(ready(p[0])); T(read(p[0], b, 5)); T(close(q[0])); T(ready(q[1]));
	T(pipe(p)); fcntl(p[1], F_SETFL, O_NONBLOCK); fcntl(p[0], F_SETFL, O_NONBLOCK); T(read(p[0], b, 1)); while (write(p[1], b, 1000) > 0) n++; T(n); T(write(p[1], b, 1)); T(write(p[1], b, PAGE)); T(ready(p[1])); T(read(p[0], b, PAGE)); T(ready(p[1])); T(write(p[1], b, PAGE)); T(ioctl(p[0], FIONREAD, &n)); T(n);
	T(write(p[1], b, PAGE + 1) < 0); while (read(p[0], b, PAGE) > 0); for (n = 0; write(p[1], b, 1) == 1; n++); T(n); T(ready(p[1]));
	T(pipe2(p, O_DIRECT | O_NONBLOCK)); T(write(p[1], "ab", 2)); T(write(p[1], "cd", 2)); T(read(p[0], b, 10)); T(read(p[0], b, 1)); T(read(p[0], b, 10));
	T(write(s[0], "hello", 5)); T(ready(s[1])); T(recv(s[1], b, 2, MSG_PEEK)); T(recv(s[1], b, 10, MSG_DONTWAIT)); T(recv(s[1], b, 10, MSG_DONTWAIT)); T(shutdown(s[0], SHUT_WR)); T(ready(s[1])); T(ready(s[0])); T(read(s[1], b, 1)); T(send(s[0], b, 1, MSG_NOSIGNAL)); T(write(s[1], "x", 1)); T(close(s[1])); T(ready(s[0])); T(recv(s[0], b, 9, 0)); T(recv(s[0], b, 9, 0)); T(shutdown(s[0], 99)); T(send(s[0], b, 1, MSG_NOSIGNAL));
	T(socketpair(AF_UNIX, SOCK_DGRAM, 0, s)); T(send(s[0], "", 0, 0)); T(ready(s[1])); T(send(s[0], "long one", 8, 0)); T(recv(s[1], b, 9, 0)); T(recv(s[1], b, 3, MSG_TRUNC)); T(recv(s[1], b, 3, MSG_DONTWAIT)); T(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s)); T(send(s[0], "ab", 2, 0)); T(send(s[0], "cd", 2, 0)); T(recv(s[1], b, 9, 0)); T(recv(s[1], b, 1, 0)); T(recv(s[1], b, 9, MSG_DONTWAIT)); T(close(s[0])); T(recv(s[1], b, 9, 0));
	T(s[0] = socket(AF_UNIX, SOCK_STREAM, 0)); T(ready(s[0])); T(accept(s[0], NULL, NULL)); T(connect(s[0], (void *)&un, sizeof un)); T(bind(s[0], (void *)&un, 1)); T(bind(s[0], (void *)&un, sizeof un)); T(bind(s[0], (void *)&un, sizeof un)); T(connect(s[0], NOWHERE, 10)); T(listen(s[0], -1)); T(listen(s[0], 1)); T(ready(s[0])); T(recv(s[0], b, 1, 0)); T(send(s[0], b, 1, MSG_NOSIGNAL)); T(getpeername(s[0], (void *)&un, NOWHERE)); T(setsockopt(s[0], SOL_SOCKET, 9999, b, 4)); T(getsockopt(s[0], SOL_SOCKET, SO_TYPE, b, NOWHERE)); T(lseek(s[0], 0, 0)); T(open("sock", O_RDWR)); T((n = socket(AF_UNIX, SOCK_STREAM, 0)) > 0); strcpy(un.sun_path, "sock"); un.sun_family = AF_UNIX; T(connect(n, (void *)&un, sizeof un)); T(connect(n, (void *)&un, sizeof un)); T(ready(s[0]));
	FD_ZERO(&set); FD_SET(0, &set); FD_SET(p[1], &set); T(select(p[1] + 1, NULL, &set, NULL, &(struct timeval){ 0, 0 })); FD_ZERO(&set); FD_SET(500, &set); T(select(501, &set, NULL, NULL, &(struct timeval){ 0, 0 })); T(select(FD_SETSIZE, &set, NULL, NULL, &(struct timeval){ 0, 0 })); T(select(100000, NULL, NULL, NULL, &(struct timeval){ 0, 0 })); T(select(0, NULL, NULL, NULL, &(struct timeval){ 0, -1 })); T(select(0, NULL, NULL, NULL, &(struct timeval){ -1, 0 })); T(select(0, NULL, NULL, NULL, &(struct timeval){ 0, 2000000 }) );
	return 0;
}
