/* epoll (level, edge, one shot), eventfd and timerfd. */
#include "guest.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>

static struct epoll_event out[4];

static void
watch(int ep, int op, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event ev = { .events = events, .data.u64 = data };

	say("epoll_ctl %d: %d\n", op, epoll_ctl(ep, op, fd, &ev));
}

static void
with_epoll(void)
{
	struct pollfd pf;
	int p[2], ep = epoll_create1(EPOLL_CLOEXEC);
	char c[8];

	CHECK(fcntl(ep, F_GETFD) == FD_CLOEXEC);
	CHECK(pipe2(p, O_NONBLOCK) == 0);
	watch(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLET, 0x1122334455667788ull);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], out), EEXIST);
	FAILS(epoll_ctl(ep, EPOLL_CTL_MOD, p[1], out), ENOENT);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, 99, out), EBADF);
	FAILS(epoll_wait(p[0], out, 4, 0), EINVAL);
	CHECK(epoll_wait(ep, out, 4, 0) == 0);
	CHECK(write(p[1], "abc", 3) == 3);
	CHECK(epoll_wait(ep, out, 4, 1000) == 1);
	say("events %x data %llx\n", out[0].events, (unsigned long long)out[0].data.u64);
	CHECK(epoll_wait(ep, out, 4, 10) == 0);
	CHECK(write(p[1], "d", 1) == 1);
	CHECK(epoll_wait(ep, out, 4, 0) == 1);
	CHECK(read(p[0], c, sizeof c) == 4);
	watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 1);
	CHECK(write(p[1], "e", 1) == 1);
	CHECK(epoll_wait(ep, out, 4, 0) == 1);
	CHECK(epoll_wait(ep, out, 4, 0) == 0);
	watch(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 2);
	watch(ep, EPOLL_CTL_ADD, p[1], EPOLLOUT, 3);
	CHECK(epoll_wait(ep, out, 4, 0) == 2);
	CHECK(epoll_wait(ep, out, 1, 0) == 1);
	pf.fd = ep;
	pf.events = POLLIN;
	CHECK(poll(&pf, 1, 0) == 1);
	close(p[1]);
	CHECK(epoll_wait(ep, out, 4, 0) == 1);
	say("events %x\n", out[0].events);
	close(p[0]);
	CHECK(epoll_wait(ep, out, 4, 0) == 0);
	close(ep);
}

/* A child writes while the parent sleeps in epoll_wait. */
static void
woken(void)
{
	struct timespec pause = { 0, 20000000 };
	int p[2], status, ep = epoll_create1(0);

	if (pipe(p) != 0)
		return;
	watch(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 9);
	if (fork() == 0) {
		nanosleep(&pause, NULL);
		_exit(write(p[1], "x", 1) == 1 ? 0 : 1);
	}
	CHECK(epoll_wait(ep, out, 4, -1) == 1 && out[0].data.u64 == 9);
	wait(&status);
	ended("writer", status);
	close(p[0]);
	close(p[1]);
	close(ep);
}

static void
with_eventfd(void)
{
	int fd = eventfd(3, EFD_NONBLOCK), semaphore = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
	uint64_t v;

	CHECK(read(fd, &v, 8) == 8 && v == 3);
	FAILS(read(fd, &v, 8), EAGAIN);
	v = 5;
	CHECK(write(fd, &v, 8) == 8 && write(fd, &v, 8) == 8);
	CHECK(read(fd, &v, 8) == 8 && v == 10);
	FAILS(read(fd, &v, 4), EINVAL);
	CHECK(read(semaphore, &v, 8) == 8 && v == 1);
	CHECK(read(semaphore, &v, 8) == 8 && v == 1);
	FAILS(read(semaphore, &v, 8), EAGAIN);
	close(fd);
	close(semaphore);
}

static void
with_timerfd(void)
{
	struct itimerspec set = { { 0, 10000000 }, { 0, 20000000 } }, now;
	struct timespec pause = { 0, 55000000 };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct pollfd pf = { fd, POLLIN, 0 };
	uint64_t v;

	FAILS(timerfd_create(77, 0), EINVAL);
	CHECK(timerfd_settime(fd, 0, &set, NULL) == 0);
	FAILS(read(fd, &v, 8), EAGAIN);
	CHECK(timerfd_gettime(fd, &now) == 0 && now.it_interval.tv_nsec == 10000000 && now.it_value.tv_nsec > 0);
	CHECK(poll(&pf, 1, 1000) == 1 && pf.revents == POLLIN);
	nanosleep(&pause, NULL);
	CHECK(read(fd, &v, 8) == 8 && v >= 6 && v < 60);
	memset(&set, 0, sizeof set);
	CHECK(timerfd_settime(fd, 0, &set, &now) == 0 && now.it_interval.tv_nsec == 10000000);
	CHECK(poll(&pf, 1, 30) == 0);
	close(fd);
}

int
main(void)
{
	with_epoll();
	woken();
	with_eventfd();
	with_timerfd();
	return 0;
}
