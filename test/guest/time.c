/* Clocks advance together, sleep as asked, and convert as the calendar says. */
#include "guest.h"
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

static int64_t
ns(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) != 0)
		return -1;
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int
main(void)
{
	struct timespec nap = { 0, 50000000 }, res, until;
	struct timeval tv;
	struct tm tm;
	time_t epoch_day = 1000000000;
	char text[64];
	int64_t mono = ns(CLOCK_MONOTONIC), real = ns(CLOCK_REALTIME), cpu = ns(CLOCK_PROCESS_CPUTIME_ID);
	volatile unsigned spin;

	CHECK(nanosleep(&nap, NULL) == 0);
	CHECK(ns(CLOCK_MONOTONIC) - mono >= 50000000);
	CHECK(ns(CLOCK_REALTIME) - real >= 50000000);
	for (spin = 0; spin < 3000000; spin++)
		;
	CHECK(ns(CLOCK_PROCESS_CPUTIME_ID) > cpu);
	CHECK(ns(CLOCK_PROCESS_CPUTIME_ID) - cpu < ns(CLOCK_MONOTONIC) - mono);
	CHECK(clock_getres(CLOCK_MONOTONIC, &res) == 0 && res.tv_sec == 0);
	FAILS(clock_gettime(99, &res), EINVAL);
	CHECK(gettimeofday(&tv, NULL) == 0 && tv.tv_sec >= real / 1000000000);
	CHECK(time(NULL) >= tv.tv_sec);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += 20000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == 0);
	nap.tv_nsec = 2000000000;
	FAILS(nanosleep(&nap, NULL), EINVAL);
	gmtime_r(&epoch_day, &tm);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %a", &tm);
	say("%s, back %d\n", text, mktime(&tm) == epoch_day);
	CHECK(times(NULL) != (clock_t)-1);
	return 0;
}
