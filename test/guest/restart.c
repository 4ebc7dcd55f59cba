/* A signal during a blocked call: EINTR without SA_RESTART, going on with it. */
#include "guest.h"
#include <poll.h>
#include <sys/time.h>
#include <time.h>

static int fds[2];

static void
tick(int signo, siginfo_t *info, void *context)
{
	(void)signo; (void)info; (void)context;
	say("tick\n");
}

static void
tick_and_feed(int signo, siginfo_t *info, void *context)
{
	tick(signo, info, context);
	if (write(fds[1], "x", 1) != 1)
		say("write fails\n");
}

static void
in_20ms(void)
{
	struct itimerval soon = { { 0, 0 }, { 0, 20000 } };

	setitimer(ITIMER_REAL, &soon, NULL);
}

int
main(void)
{
	struct timespec second = { 1, 0 }, left;
	struct pollfd nothing = { .fd = -1 };
	char c;

	if (pipe(fds) != 0)
		return 1;
	action(SIGALRM, tick, 0);
	in_20ms();
	FAILS(read(fds[0], &c, 1), EINTR);
	in_20ms();
	FAILS(nanosleep(&second, &left), EINTR);
	CHECK(left.tv_sec == 0 && left.tv_nsec > 500000000);
	in_20ms();
	FAILS(poll(&nothing, 1, 1000), EINTR);
	in_20ms();
	FAILS(pause(), EINTR);
	action(SIGALRM, tick, SA_RESTART);
	in_20ms();
	FAILS(poll(&nothing, 1, 1000), EINTR);
	action(SIGALRM, tick_and_feed, SA_RESTART);
	in_20ms();
	CHECK(read(fds[0], &c, 1) == 1 && c == 'x');
	return 0;
}
