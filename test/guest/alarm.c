/* alarm and interval timers. */
#include "guest.h"
#include <sys/time.h>
#include <time.h>

static volatile int ticks;

static void tick(int signo) { (void)signo; ticks++; }

static long
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int
main(void)
{
	struct itimerval every = { { 0, 10000 }, { 0, 10000 } }, off = { { 0, 0 }, { 0, 0 } }, old;
	long start = now_ms(), took;
	int status;

	signal(SIGALRM, tick);
	CHECK(alarm(100) == 0);
	CHECK(alarm(0) == 100);
	CHECK(alarm(1) == 0);
	pause();
	took = now_ms() - start;
	CHECK(ticks == 1 && took >= 990 && took < 5000);
	CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
	while (ticks < 6)
		pause();
	CHECK(getitimer(ITIMER_REAL, &old) == 0 && old.it_interval.tv_usec == 10000);
	CHECK(setitimer(ITIMER_REAL, &off, &old) == 0 && old.it_interval.tv_usec == 10000);
	CHECK(getitimer(ITIMER_REAL, &old) == 0 && old.it_value.tv_usec == 0 && old.it_value.tv_sec == 0);
	CHECK(alarm(50) == 0);
	if (fork() == 0)
		_exit(alarm(0) == 0 ? 0 : 1);
	wait(&status);
	ended("a child has no alarm", status);
	CHECK(alarm(0) == 50);
	if (fork() == 0) {
		signal(SIGALRM, SIG_DFL);
		alarm(1);
		for (;;)
			;
	}
	wait(&status);
	ended("endless loop", status);
	return 0;
}
