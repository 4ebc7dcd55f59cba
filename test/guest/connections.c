/*
 * Both ends of streams whose every byte is known, for tests that freeze and thaw them at any moment: a server in the manner of its
 * argument, or a client of the address in its second one. A request is kind, id and a length; see `kinds`. Nothing waits for ever.
 */
#include "guest.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

/*
 * kinds:	'd'	length bytes of the id's pattern, then the end
 *		'k'	the same, and the connection is kept for another request
 *		'h'	the same as 'd', when the peer has ended its side
 *		'u'	takes length bytes of the pattern, answers 'y' or 'n' and ends
 *		'!'	a fault
 */
#define REQUEST	4
#define MOST	64
#define CHUNK	1000
#define PATIENCE_MS	3000

struct conn {
	int used, got, upload, bad;
	unsigned length, done;
	unsigned char request[REQUEST];
	long long since;
};

static struct conn conns[MOST];
static unsigned char bytes[3][CHUNK];

static unsigned char
pattern(unsigned id, unsigned at)
{
	return (unsigned char)(id * 37 + at * 7 + (at >> 8) * 11);
}

static long long
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* ---- one connection at a time, blocking */

static void
patience(int fd)
{
	struct timeval t = { PATIENCE_MS / 1000, 0 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}

static int
give(int fd, unsigned id, unsigned length, unsigned char *buffer)
{
	unsigned at, n, i;

	for (at = 0; at < length; at += n) {
		n = length - at < CHUNK ? length - at : CHUNK;
		for (i = 0; i < n; i++)
			buffer[i] = pattern(id, at + i);
		if (send(fd, buffer, n, MSG_NOSIGNAL) != (ssize_t)n)
			return -1;
	}
	return 0;
}

static void
take(int fd, unsigned id, unsigned length, unsigned char *buffer)
{
	unsigned at = 0;
	int n, i, bad = 0;

	while (at < length) {
		if ((n = recv(fd, buffer, length - at < CHUNK ? length - at : CHUNK, 0)) <= 0)
			return;
		for (i = 0; i < n; i++)
			bad |= buffer[i] != pattern(id, at + i);
		at += n;
	}
	send(fd, bad ? "n" : "y", 1, MSG_NOSIGNAL);
}

static void
serve(int fd, unsigned char *buffer)
{
	unsigned char request[REQUEST];
	unsigned length;

	patience(fd);
	while (recv(fd, request, REQUEST, MSG_WAITALL) == REQUEST) {
		length = request[2] | request[3] << 8;
		if (request[0] == '!')
			*(volatile int *)NULL = 1;
		if (request[0] == 'u')
			take(fd, request[1], length, buffer);
		if (request[0] == 'h' && recv(fd, buffer, 1, 0) != 0)
			break;
		if (request[0] == 'u' || give(fd, request[1], length, buffer) != 0 || request[0] != 'k')
			break;
	}
	close(fd);
}

static void
blocking(int listener)
{
	int fd;

	for (;;)
		if ((fd = accept(listener, NULL, NULL)) >= 0)
			serve(fd, bytes[0]);
}

/* ---- three threads that accept, and one that waits to be told of it */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int the_listener, served;

static void *
worker(void *arg)
{
	int fd;

	for (;;) {
		if ((fd = accept(the_listener, NULL, NULL)) < 0)
			continue;
		serve(fd, bytes[(intptr_t)arg]);
		pthread_mutex_lock(&lock);
		served++;
		pthread_cond_signal(&changed);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void
threaded(int listener)
{
	pthread_t t;
	intptr_t i;
	int seen = 0;

	the_listener = listener;
	for (i = 0; i < 3; i++)
		pthread_create(&t, NULL, worker, (void *)i);
	pthread_mutex_lock(&lock);
	for (;;) {
		while (served == seen)
			pthread_cond_wait(&changed, &lock);
		if (seen++ > served)
			say("counted beyond\n");
	}
}

/* ---- an epoll set, level- or edge-triggered; the listener of the second is armed for one event at a time */

static int ep, edge;

static void
watch(int fd, unsigned events, int again)
{
	struct epoll_event event = { .events = events | (edge ? EPOLLET : 0), .data.fd = fd };

	epoll_ctl(ep, again ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
}

static void
finish(int fd)
{
	conns[fd].used = 0;
	close(fd);
}

static void
welcome(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		if (fd >= MOST) {
			close(fd);
			continue;
		}
		memset(&conns[fd], 0, sizeof conns[fd]);
		conns[fd].used = 1;
		conns[fd].since = now();
		watch(fd, EPOLLIN, 0);
	}
	if (edge)
		watch(listener, EPOLLIN | EPOLLONESHOT, 1);
}

/* 1: go on, 0: wait, -1: the end. */
static int
ask(int fd, struct conn *c)
{
	int n = recv(fd, c->request + c->got, REQUEST - c->got, 0);

	if (n <= 0)
		return n < 0 && errno == EAGAIN ? 0 : -1;
	c->got += n;
	if (c->got < REQUEST)
		return 1;
	c->length = c->request[2] | c->request[3] << 8;
	if (c->request[0] == '!')
		*(volatile int *)NULL = 1;
	c->done = 0;
	c->upload = c->request[0] == 'u';
	if (!c->upload && c->request[0] != 'h')
		watch(fd, EPOLLOUT, 1);
	return 1;
}

static int
upload(int fd, struct conn *c)
{
	int n, i;

	if (c->done < c->length) {
		if ((n = recv(fd, bytes[0], c->length - c->done < CHUNK ? c->length - c->done : CHUNK, 0)) <= 0)
			return n < 0 && errno == EAGAIN ? 0 : -1;
		for (i = 0; i < n; i++)
			c->bad |= bytes[0][i] != pattern(c->request[1], c->done + i);
		c->done += n;
		return 1;
	}
	send(fd, c->bad ? "n" : "y", 1, MSG_NOSIGNAL);
	return -1;
}

static int
download(int fd, struct conn *c)
{
	unsigned n = c->length - c->done < CHUNK ? c->length - c->done : CHUNK, i;
	int sent;

	if (n == 0) {
		if (c->request[0] != 'k')
			return -1;
		c->got = 0;
		watch(fd, EPOLLIN, 1);
		return 1;
	}
	for (i = 0; i < n; i++)
		bytes[0][i] = pattern(c->request[1], c->done + i);
	if ((sent = send(fd, bytes[0], n, MSG_NOSIGNAL)) < 0)
		return errno == EAGAIN ? 0 : -1;
	c->done += sent;
	return 1;
}

static int
step(int fd, struct conn *c)
{
	int n;
	char byte;

	c->since = now();
	if (c->got < REQUEST)
		return ask(fd, c);
	if (c->upload)
		return upload(fd, c);
	if (c->request[0] == 'h') {
		if ((n = recv(fd, &byte, 1, 0)) != 0)
			return n < 0 && errno == EAGAIN ? 0 : -1;
		c->request[0] = 'd';
		watch(fd, EPOLLOUT, 1);
	}
	return download(fd, c);
}

static void
sweep(void)
{
	long long limit = now() - PATIENCE_MS;
	int fd;

	for (fd = 0; fd < MOST; fd++)
		if (conns[fd].used && conns[fd].since < limit)
			finish(fd);
}

static void
events(int listener)
{
	struct epoll_event ready[4];
	int n, i, fd, result;

	fcntl(listener, F_SETFL, O_NONBLOCK);
	ep = epoll_create1(0);
	watch(listener, EPOLLIN | (edge ? EPOLLONESHOT : 0), 0);
	for (;;) {
		n = epoll_wait(ep, ready, 4, 100);
		for (i = 0; i < n; i++) {
			if ((fd = ready[i].data.fd) == listener) {
				welcome(listener);
				continue;
			}
			while ((result = step(fd, &conns[fd])) > 0)
				continue;
			if (result < 0)
				finish(fd);
		}
		sweep();
	}
}

/* ---- the other end */

static struct sockaddr_in peer;

static int
dial(int waiting)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), error = 0;
	socklen_t length = sizeof error;
	struct epoll_event event = { .events = EPOLLOUT | EPOLLONESHOT };

	patience(fd);
	if (waiting)
		return connect(fd, (struct sockaddr *)&peer, sizeof peer) == 0 ? fd : (close(fd), -1);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (connect(fd, (struct sockaddr *)&peer, sizeof peer) != 0 && errno == EINPROGRESS) {
		epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
		if (epoll_wait(ep, &event, 1, PATIENCE_MS) == 1)
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
		else
			error = ETIMEDOUT;
		epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL);
	}
	fcntl(fd, F_SETFL, 0);
	return error == 0 ? fd : (close(fd), -1);
}

/* 1: answered, 0: the connection failed, -1: wrong bytes. */
static int
fetch(int fd, int kind, unsigned id, unsigned length)
{
	unsigned char request[REQUEST] = { kind, id, length & 255, length >> 8 };
	unsigned at, wanted = kind == 'u' ? 1 : length;
	int n, i;

	if (send(fd, request, REQUEST, MSG_NOSIGNAL) != REQUEST || (kind == 'u' && give(fd, id, length, bytes[0]) != 0))
		return 0;
	if (kind == 'h')
		shutdown(fd, SHUT_WR);
	for (at = 0; at < wanted; at += n) {
		if ((n = recv(fd, bytes[0], CHUNK, 0)) <= 0)
			return 0;
		for (i = 0; i < n; i++)
			if (bytes[0][i] != (kind == 'u' ? 'y' : pattern(id, at + i)))
				return -1;
	}
	return kind == 'k' || recv(fd, bytes[0], 1, 0) == 0;
}

static void
client(const char *address)
{
	static const char kinds[] = "dukh";
	int fd, i, result = 0, torn = 0, tries = 0;

	peer.sin_family = AF_INET;
	peer.sin_port = htons(80);
	peer.sin_addr.s_addr = inet_addr(address);
	ep = epoll_create1(0);
	for (i = 0; i < 8; i += result > 0) {
		result = 0;
		if (tries++ > 40) {
			say("no end\n");
			return;
		}
		if ((fd = dial(i & 1)) < 0)
			continue;
		result = fetch(fd, kinds[i / 2], i, 400 + 700 * i);
		torn += result < 0;
		close(fd);
	}
	say("%d torn\n", torn);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(80) };
	int listener, on = 1;

	(void)argc;
	if (strcmp(argv[1], "client") == 0)
		return client(argv[2]), 0;
	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	/* A state that was gone back from may have bound it: that is not undone. */
	if ((bind(listener, (struct sockaddr *)&any, sizeof any) != 0 && errno != EINVAL) || listen(listener, 4) != 0)
		return 1;
	edge = strcmp(argv[1], "edge") == 0;
	if (strcmp(argv[1], "threads") == 0)
		threaded(listener);
	else if (strcmp(argv[1], "blocking") == 0)
		blocking(listener);
	else
		events(listener);
	return 0;
}
