/* close() of a socket with SO_LINGER and a time waits until the peer has acknowledged everything, its time is over, or a signal comes. */
#include "guest.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

static struct sockaddr_in address;
static int listener;
static pid_t reader;

static long
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
nothing(int signo)
{
	(void)signo;
}

/* A child that has let go of the socket, so that the parent's is the last. */
static pid_t
child_without(int fd)
{
	int p[2];
	char c;
	pid_t pid;

	if (pipe(p) != 0)
		_exit(2);
	if ((pid = fork()) == 0) {
		close(fd);
		close(p[0]);
		close(p[1]);
		return 0;
	}
	close(p[1]);
	if (read(p[0], &c, 1) != 0)
		say("a byte from nowhere\n");
	close(p[0]);
	return pid;
}

/* More than both buffers hold, to a peer that reads after so many milliseconds (0: never) and then to the end. */
static int
stuffed(int milliseconds)
{
	static char block[4096];
	int fd = socket(AF_INET, SOCK_STREAM, 0), small = 8192, other, n;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
	other = accept(listener, NULL, NULL);
	while (send(fd, block, sizeof block, MSG_DONTWAIT) > 0)
		;
	if ((reader = child_without(fd)) == 0) {
		close(listener);
		if (milliseconds == 0)
			pause();
		usleep((useconds_t)milliseconds * 1000);
		while ((n = read(other, block, sizeof block)) > 0)
			;
		_exit(n == 0 ? 0 : 1);
	}
	close(other);
	return fd;
}

static void
stop_reader(void)
{
	int status;

	kill(reader, SIGKILL);
	waitpid(reader, &status, 0);
	ended("reader", status);
}

static void
linger(int fd, int on, int seconds)
{
	struct linger l = { on, seconds };

	CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l) == 0);
}

/* How long close() takes, in words. */
static void
closes(int fd, const char *how)
{
	long before = now(), took;
	int result = close(fd);

	took = now() - before;
	say("%s: close gives %d %s\n", how, result, took < 100 ? "at once" : took < 900 ? "in between" : took < 1500 ? "after a second" : "late");
}

int
main(void)
{
	struct sigaction act = { .sa_handler = nothing, .sa_flags = SA_RESTART };
	struct timespec wait_a_bit = { 0, 300000000 };
	socklen_t size = sizeof address;
	int small = 8192, fd, other, status;

	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 8) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&address, &size) == 0);

	fd = stuffed(300);
	closes(fd, "no linger");
	wait(&status);
	ended("reader", status);
	fd = stuffed(300);
	linger(fd, 1, 30);
	closes(fd, "a peer that reads later");
	wait(&status);
	ended("reader", status);
	fd = stuffed(0);
	linger(fd, 1, 1);
	closes(fd, "a peer that never reads");
	stop_reader();
	fd = stuffed(0);
	linger(fd, 1, 30);
	sigaction(SIGALRM, &act, NULL);
	if (child_without(fd) == 0) {
		nanosleep(&wait_a_bit, NULL);
		kill(getppid(), SIGALRM);
		_exit(0);
	}
	closes(fd, "a signal");
	FAILS(close(fd), EBADF);
	wait(&status);
	ended("sender of the signal", status);
	stop_reader();
	fd = stuffed(300);
	linger(fd, 1, 30);
	other = dup(fd);
	closes(fd, "a duplicate is left");
	closes(other, "the duplicate");
	wait(&status);
	ended("reader", status);
	return 0;
}
