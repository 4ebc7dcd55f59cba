/* signalfd: signals read instead of delivered, what they carry, waiting by read, poll and epoll. */
#include "guest.h"
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

static void
show(const struct signalfd_siginfo *info)
{
	say("signal %u code %d from %s, status %d, value %d\n", info->ssi_signo, info->ssi_code, info->ssi_pid == (uint32_t)getpid() ? "me" : info->ssi_pid == 0 ? "nobody" : "another",
	    info->ssi_status, info->ssi_int);
}

static void
take(int fd, int most)
{
	struct signalfd_siginfo infos[4];
	ssize_t n = read(fd, infos, sizeof infos[0] * (size_t)most);
	int i;

	if (n < 0) {
		say("read: errno %d\n", errno);
		return;
	}
	say("read %d\n", (int)(n / (ssize_t)sizeof infos[0]));
	for (i = 0; i < n / (ssize_t)sizeof infos[0]; i++)
		show(&infos[i]);
}

int
main(void)
{
	sigset_t set;
	struct pollfd p;
	struct epoll_event event = { .events = EPOLLIN }, out;
	union sigval value = { .sival_int = 77 };
	char small[100];
	int fd, ep, status;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGRTMIN + 1);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_NONBLOCK));
	take(fd, 1);
	FAILS(read(fd, small, sizeof small), EINVAL);
	p.fd = fd;
	p.events = POLLIN;
	CHECK(poll(&p, 1, 0) == 0);
	/* Pending once, and those that queue; the lowest number first. */
	CHECK(sigqueue(getpid(), SIGRTMIN + 1, value) == 0);
	value.sival_int = 78;
	CHECK(sigqueue(getpid(), SIGRTMIN + 1, value) == 0);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
	take(fd, 4);
	take(fd, 4);
	CHECK(raise(SIGUSR1) == 0);
	take(fd, 1);
	/* Another set for the same descriptor. */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGKILL);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	CHECK(signalfd(fd, &set, 0) == fd);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(poll(&p, 1, 0) == 0);
	CHECK(kill(getpid(), SIGUSR2) == 0);
	take(fd, 4);
	FAILS(signalfd(0, &set, 0), EINVAL);
	FAILS(signalfd(99, &set, 0), EBADF);
	FAILS(signalfd(-1, &set, 1), EINVAL);
	/* A daemon's loop: an epoll set wakes for a child's end. */
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	CHECK(signalfd(fd, &set, 0) == fd);
	ep = epoll_create1(0);
	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event) == 0);
	CHECK(epoll_wait(ep, &out, 1, 0) == 0);
	if (fork() == 0) {
		usleep(20000);
		_exit(9);
	}
	CHECK(epoll_wait(ep, &out, 1, 5000) == 1);
	take(fd, 1);
	CHECK(wait(&status) > 0);
	ended("child", status);
	/* And a read that waits. */
	CHECK(fcntl(fd, F_SETFL, 0) == 0);
	if (fork() == 0) {
		usleep(20000);
		kill(getpid(), SIGKILL);
	}
	take(fd, 1);
	CHECK(wait(&status) > 0);
	ended("child", status);
	return 0;
}
