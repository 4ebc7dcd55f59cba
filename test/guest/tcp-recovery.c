/* A server that freezes itself before it accepts, faults on some requests and is thawed: it goes on accepting, and connections keep their rules. */
#include "guest.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/checkpoint.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define ROUNDS	40

static struct sockaddr_in address;
static int thaws;		/* persisted */

static void
back(int signo)
{
	(void)signo;
	thaws++;
	tlongjmp(0);
	say("thaw fails with %d\n", errno);
	_exit(1);
}

static int
dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
		_exit(3);
	return fd;
}

/* Requests good and bad in turn, some left unaccepted meanwhile; exits with the number of wrong answers. */
static void
client(void)
{
	int i, fd, other, wrong = 0;
	char c;

	for (i = 0; i < ROUNDS; i++) {
		other = dial();		/* waits in the backlog across the thaw */
		fd = dial();
		write(other, i % 3 == 0 ? "X" : "a", 1);
		write(fd, i % 2 == 0 ? "X" : "b", 1);
		if (read(other, &c, 1) != (i % 3 == 0 ? 0 : 1) || (i % 3 != 0 && c != 'a'))
			wrong++;
		if (read(fd, &c, 1) != (i % 2 == 0 ? 0 : 1) || (i % 2 != 0 && c != 'b'))
			wrong++;
		close(other);
		close(fd);
	}
	fd = dial();
	write(fd, "q", 1);
	_exit(wrong);
}

static void
serve(int listener)
{
	struct epoll_event event = { .events = EPOLLIN };
	int ep = epoll_create1(0), fd, status;
	char c;
	pid_t child;

	epoll_ctl(ep, EPOLL_CTL_ADD, listener, &event);
	persist(&thaws, sizeof thaws);
	if ((child = fork()) == 0)
		client();
	tsetjmp();
	for (;;) {
		epoll_wait(ep, &event, 1, -1);
		fd = accept(listener, NULL, NULL);
		if (read(fd, &c, 1) != 1)
			say("no request\n");
		if (c == 'q')
			break;
		if (c == 'X')
			*(volatile int *)NULL = 1;
		write(fd, &c, 1);
		close(fd);
	}
	close(fd);
	close(ep);
	waitpid(child, &status, 0);
	ended("client", status);
	CHECK(thaws == (ROUNDS + 2) / 3 + ROUNDS / 2);
}

/* Two connections that were there at the freeze: one is used before the fault, one is not. */
static void
policies(int listener)
{
	int used = dial(), used_end = accept(listener, NULL, NULL), idle = dial(), idle_end = accept(listener, NULL, NULL), kept = dial(), kept_end = accept(listener, NULL, NULL);
	char c[4];

	CHECK(checkpoint_ctl(CHKPT_CTL_DESCRIPTOR, used_end, CHKPT_FD_RESET) == 0 && checkpoint_ctl(CHKPT_CTL_DESCRIPTOR, idle_end, CHKPT_FD_RESET) == 0);
	thaws = 0;
	tsetjmp();
	if (thaws == 0) {
		write(used, "ab", 2);
		write(kept, "cd", 2);
		read(used_end, c, 1);
		read(kept_end, c, 1);
		*(volatile int *)NULL = 1;
	}
	FAILS(read(used_end, c, 1), ECONNRESET);
	FAILS(read(used, c, 1), ECONNRESET);
	CHECK(write(idle, "x", 1) == 1 && read(idle_end, c, 1) == 1 && c[0] == 'x');
	CHECK(read(kept_end, c, 1) == 1 && c[0] == 'd');	/* the default: what was read is gone, the rest is there */
	CHECK(write(kept_end, "e", 1) == 1 && read(kept, c, 1) == 1 && c[0] == 'e');
	/* What is written counts as well. */
	thaws = 0;
	tsetjmp();
	if (thaws == 0) {
		write(idle_end, "half an ans", 11);
		*(volatile int *)NULL = 1;
	}
	FAILS(recv(idle_end, c, 1, MSG_DONTWAIT), ECONNRESET);
	FAILS(write(used_end, "x", 1), EPIPE);
}

int
main(void)
{
	struct sigaction sa;
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	memset(&sa, 0, sizeof sa);
	sa.sa_handler = back;
	sigaction(SIGSEGV, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 5) == 0);
	getsockname(listener, (struct sockaddr *)&address, &length);
	serve(listener);
	policies(listener);
	return 0;
}
