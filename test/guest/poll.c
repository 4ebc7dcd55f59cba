/* poll, select and pselect over pipes: readiness, hang-up, timeouts, bad descriptors. */
#include "guest.h"
#include <poll.h>
#include <sys/select.h>
#include <time.h>

static long
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
with_poll(int *fds)
{
	struct pollfd p[3] = { { fds[0], POLLIN, 0 }, { fds[1], POLLOUT, 0 }, { -1, POLLIN, 7 } };
	struct pollfd bad = { 77, POLLIN, 0 };
	long start = now_ms(), took;
	char c;

	CHECK(poll(p, 1, 0) == 0);
	CHECK(poll(p, 1, 30) == 0);
	took = now_ms() - start;
	CHECK(took >= 29 && took < 1000);
	CHECK(poll(p, 3, -1) == 1);
	say("revents %x %x %x\n", p[0].revents, p[1].revents, p[2].revents);
	if (write(fds[1], "x", 1) != 1)
		return;
	CHECK(poll(p, 3, -1) == 2);
	say("revents %x %x %x\n", p[0].revents, p[1].revents, p[2].revents);
	CHECK(read(fds[0], &c, 1) == 1);
	CHECK(poll(&bad, 1, 0) == 1);
	say("closed descriptor: %x\n", bad.revents);
}

static void
with_select(int *fds)
{
	struct timeval tv = { 0, 20000 };
	struct timespec ts = { 0, 20000000 };
	fd_set r, w;

	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(fds[0], &r);
	CHECK(select(fds[0] + 1, &r, NULL, NULL, &tv) == 0);
	CHECK(!FD_ISSET(fds[0], &r));
	FD_SET(fds[0], &r);
	FD_SET(fds[1], &w);
	CHECK(select(fds[1] + 1, &r, &w, NULL, NULL) == 1);
	CHECK(!FD_ISSET(fds[0], &r) && FD_ISSET(fds[1], &w));
	if (write(fds[1], "yy", 2) != 2)
		return;
	FD_SET(fds[0], &r);
	CHECK(pselect(fds[0] + 1, &r, NULL, NULL, &ts, NULL) == 1);
	/* select looks at no descriptor past the table's end: it must have grown, whatever this process inherited */
	CHECK(dup2(fds[0], 300) == 300 && close(300) == 0);
	FD_SET(70, &r);
	FAILS(select(71, &r, NULL, NULL, &tv), EBADF);
}

static void
hang_up(int *fds)
{
	struct pollfd p = { fds[0], POLLIN, 0 };
	char buf[4];

	close(fds[1]);
	CHECK(poll(&p, 1, -1) == 1);
	say("writer gone, data left: %x\n", p.revents);
	CHECK(read(fds[0], buf, sizeof buf) == 2);
	CHECK(poll(&p, 1, -1) == 1);
	say("writer gone, no data: %x\n", p.revents);
}

static void
woken_by_a_child(void)
{
	struct timespec short_while = { 0, 30000000 };
	struct pollfd p;
	int fds[2], status;

	if (pipe(fds) != 0)
		return;
	if (fork() == 0) {
		nanosleep(&short_while, NULL);
		_exit(write(fds[1], "z", 1) == 1 ? 0 : 1);
	}
	p = (struct pollfd){ fds[0], POLLIN, 0 };
	CHECK(poll(&p, 1, 5000) == 1 && p.revents == POLLIN);
	wait(&status);
	ended("child", status);
}

int
main(void)
{
	int fds[2];

	if (pipe(fds) != 0)
		return 1;
	with_poll(fds);
	with_select(fds);
	hang_up(fds);
	woken_by_a_child();
	return 0;
}
