/* What a thaw does to descriptors that were used since the freeze: numbers, interest lists, streams, a connect that slept. */
#include "guest.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/checkpoint.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static struct sockaddr_in address;
static int listener, again;	/* `again` is persisted: the second time round */
static char c;

/* if (first()) { what is gone back from; back(); } */
static int
first(void)
{
	again = 0;
	tsetjmp();
	return !again;
}

static void
back(void)
{
	again = 1;
	tlongjmp(0);
	say("thaw fails with %d\n", errno);
	_exit(1);
}

static void
numbers(void)
{
	int fd = open("/dev/null", O_RDWR), other;

	if (first()) {
		close(fd);
		back();
	}
	FAILS(write(fd, "x", 1), EBADF);
	other = open("/dev/null", O_RDWR);
	CHECK(other > fd);		/* not under the number the program believes to have */
	close(other);
	if (first())			/* and a second freeze remembers that */
		back();
	other = open("/dev/null", O_RDWR);
	CHECK(other > fd);
	FAILS(close(fd), EBADF);
	CHECK(dup(other) == fd);	/* until it has let go */
	close(fd);
	fd = open("/dev/null", O_RDWR);
	if (first()) {
		close(fd);
		back();
	}
	CHECK(dup2(other, fd) == fd && write(fd, "x", 1) == 1);
	close(fd);
	close(other);
}

static int
watch(int ep, int operation, int fd, unsigned events, int data)
{
	struct epoll_event event = { .events = events, .data.u32 = data };

	return epoll_ctl(ep, operation, fd, &event);
}

/* What is reported first, and how many. */
static unsigned reported;

static int
wait_now(int ep)
{
	struct epoll_event events[4];
	int n = epoll_wait(ep, events, 4, 0);

	reported = n > 0 ? events[0].data.u32 : 0;
	return n;
}

static void
interests(void)
{
	int ep = epoll_create1(0), p[2], q[2], r[2], status;
	pid_t child;

	if (pipe(p) != 0 || pipe(q) != 0 || pipe(r) != 0)
		_exit(2);
	watch(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1);
	write(p[1], "x", 1);
	if (first()) {
		watch(ep, EPOLL_CTL_MOD, p[0], 0, 2);
		watch(ep, EPOLL_CTL_ADD, q[0], EPOLLIN, 3);
		write(q[1], "x", 1);
		back();
	}
	CHECK(wait_now(ep) == 1 && reported == 1);
	if (first()) {
		watch(ep, EPOLL_CTL_DEL, p[0], 0, 0);
		back();
	}
	CHECK(wait_now(ep) == 1 && reported == 1);
	watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 4);
	if (first()) {
		wait_now(ep);
		back();
	}
	CHECK(wait_now(ep) == 1 && reported == 4 && wait_now(ep) == 0);
	watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 5);
	if (first()) {
		wait_now(ep);
		back();
	}
	CHECK(wait_now(ep) == 1 && reported == 5);
	if (first())			/* nothing came since it was told */
		back();
	CHECK(wait_now(ep) == 0);
	if (first()) {			/* something came, and was told to the wrong state */
		write(p[1], "x", 1);
		wait_now(ep);
		back();
	}
	CHECK(wait_now(ep) == 1);
	watch(ep, EPOLL_CTL_ADD, r[0], EPOLLIN, 6);
	watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 7);
	if (first()) {
		close(r[0]);
		back();
	}
	CHECK(wait_now(ep) == 1 && reported == 7);
	/* A list that a child has as well is not this process's alone. */
	if ((child = fork()) == 0) {
		pause();
		_exit(0);
	}
	if (first()) {
		watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 8);
		back();
	}
	CHECK(wait_now(ep) == 1 && reported == 8);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	close(r[0]);
	close(ep);
}

static int
dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
		_exit(3);
	return fd;
}

static int
taken(int reset)
{
	int fd = accept(listener, NULL, NULL);

	if (reset)
		CHECK(checkpoint_ctl(CHKPT_CTL_DESCRIPTOR, fd, CHKPT_FD_RESET) == 0);
	return fd;
}

/* The end of our side is taken for the end of a message: it counts as bytes do. */
static void
half_closed(void)
{
	int peer = dial(), fd = taken(1);

	if (first()) {
		shutdown(fd, SHUT_WR);
		back();
	}
	FAILS(read(fd, &c, 1), ECONNRESET);
	close(fd);
	close(peer);
}

/* The rest of a message that was read in part is no message, though its sender has ended. */
static void
ended_stream(int both)
{
	int peer = dial(), fd = taken(1);

	write(peer, "ab", 2);
	shutdown(peer, SHUT_WR);
	if (both) {
		shutdown(fd, SHUT_WR);
		read(peer, &c, 1);
	}
	if (first()) {
		read(fd, &c, 1);
		back();
	}
	FAILS(read(fd, &c, 1), ECONNRESET);
	close(fd);
	close(peer);
}

/* Taken since the freeze: closed, or reset if that was asked for and it had begun. */
static void
taken_since(int reset)
{
	int peer = dial();

	write(peer, "a", 1);
	if (first()) {
		read(taken(reset), &c, 1);
		back();
	}
	if (reset)
		FAILS(read(peer, &c, 1), ECONNRESET);
	else
		CHECK(read(peer, &c, 1) == 0);
	close(peer);
}

/* What was asked for one connection is not asked for the next one under its number. */
static void
next_one(void)
{
	int peer = dial(), old = taken(1), fd;

	close(old);
	close(peer);
	peer = dial();
	fd = taken(0);
	write(peer, "ab", 2);
	if (first()) {
		read(fd, &c, 1);
		back();
	}
	CHECK(read(fd, &c, 1) == 1 && c == 'b');
	close(fd);
	close(peer);
}

static volatile int result;

static void *
dialler(void *arg)
{
	int fd = (int)(intptr_t)arg;

	result = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
	return NULL;
}

/* A thread that sleeps in connect() at the freeze and is connected by the time of the thaw learns of it then. */
static void
slow_connect(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), waiting[2], i;
	pthread_t t;

	listen(listener, 1);
	for (i = 0; i < 2; i++)
		waiting[i] = dial();
	result = -1;
	pthread_create(&t, NULL, dialler, (void *)(intptr_t)fd);
	usleep(10000);
	CHECK(result == -1);
	if (first()) {
		for (i = 0; i < 2; i++)
			close(accept(listener, NULL, NULL));
		pthread_join(t, NULL);
		CHECK(result == 0);
		back();
	}
	pthread_join(t, NULL);
	CHECK(result == 0);
	CHECK(write(fd, "x", 1) == 1 && read(taken(0), &c, 1) == 1 && c == 'x');
	for (i = 0; i < 2; i++)
		close(waiting[i]);
	close(fd);
}

int
main(void)
{
	socklen_t length = sizeof address;

	persist(&again, sizeof again);
	signal(SIGPIPE, SIG_IGN);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 5) == 0);
	getsockname(listener, (struct sockaddr *)&address, &length);
	numbers();
	interests();
	half_closed();
	ended_stream(0);
	ended_stream(1);
	taken_since(0);
	taken_since(1);
	next_one();
	slow_connect();
	return 0;
}
