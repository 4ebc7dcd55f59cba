/* The wall clock set and steered: settimeofday, adjtime, adjtimex; the monotonic clock goes its way. */
#include "guest.h"
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>

#define NS 1000000000ll

static int64_t
ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * NS + t.tv_nsec;
}

static void
rest(int64_t nanoseconds)
{
	struct timespec t = { nanoseconds / NS, nanoseconds % NS };

	nanosleep(&t, NULL);
}

/* Microseconds the wall clock gains on the monotonic one in so many seconds. */
static long
gain(int seconds)
{
	int64_t before = ns(CLOCK_REALTIME) - ns(CLOCK_MONOTONIC);

	rest(seconds * NS);
	return (long)((ns(CLOCK_REALTIME) - ns(CLOCK_MONOTONIC) - before + 500) / 1000);
}

static void
near(const char *what, long value, long wanted, long tolerance)
{
	if (value >= wanted - tolerance && value <= wanted + tolerance)
		say("%s: about %ld\n", what, wanted);
	else
		say("%s: %ld, not %ld\n", what, value, wanted);
}

static void
setting(void)
{
	struct timeval tv = { 2000000000, 250000 }, bad = { 2000000000, 1000000 };
	struct timespec until;
	int64_t mono = ns(CLOCK_MONOTONIC);

	FAILS(settimeofday(&bad, NULL), EINVAL);
	CHECK(settimeofday(&tv, NULL) == 0);
	CHECK(ns(CLOCK_REALTIME) / NS == 2000000000);
	CHECK(time(NULL) == 2000000000);
	CHECK(ns(CLOCK_MONOTONIC) - mono < NS);
	FAILS(clock_settime(CLOCK_MONOTONIC, &until), EINVAL);
	/* Absolute times mean the clock as it is set. */
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 2;
	mono = ns(CLOCK_MONOTONIC);
	CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL) == 0);
	near("slept until two seconds later, ms", (long)((ns(CLOCK_MONOTONIC) - mono) / 1000000), 2000, 20);
	tv.tv_sec = 0;
	FAILS(settimeofday(&tv, NULL), EINVAL);
}

static void
slewing(void)
{
	struct timeval delta = { 0, 1500 };
	struct timex left = { .modes = ADJ_OFFSET_SS_READ };

	CHECK(adjtime(&delta, NULL) == 0);
	near("a second of adjtime, us", gain(1), 500, 5);
	CHECK(adjtimex(&left) == TIME_ERROR);
	near("left, us", left.offset, 1000, 10);
	near("three more seconds, us", gain(3), 1000, 10);
	near("and then none, us", gain(1), 0, 2);
}

static void
steering(void)
{
	struct timex t;

	memset(&t, 0, sizeof t);
	CHECK(adjtimex(&t) == TIME_ERROR);
	CHECK(t.status & STA_UNSYNC);
	say("tick %ld freq %ld tolerance %ld\n", t.tick, t.freq, t.tolerance);
	t.modes = ADJ_FREQUENCY;
	t.freq = 100 << 16;
	CHECK(adjtimex(&t) == TIME_ERROR);
	near("100 ppm for ten seconds, us", gain(10), 1000, 5);
	t.modes = ADJ_FREQUENCY | ADJ_TICK;
	t.freq = 0;
	t.tick = 9990;
	CHECK(clock_adjtime(CLOCK_REALTIME, &t) == TIME_ERROR);
	near("ticks of 9990 us for a second, us", gain(1), -1000, 5);
	t.tick = 8000;
	FAILS(adjtimex(&t), EINVAL);
	t.modes = ADJ_TICK | ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR | ADJ_NANO;
	t.tick = 10000;
	t.status = STA_PLL;
	t.maxerror = 1000;
	t.esterror = 10;
	CHECK(adjtimex(&t) == TIME_OK);
	near("maximum error after ten seconds, us", (rest(10 * NS), t.modes = 0, adjtimex(&t), t.maxerror), 6000, 500);
	/* The loop takes in a fixed part a second: with constant 2, a sixteenth. */
	t.modes = ADJ_OFFSET | ADJ_TIMECONST;
	t.constant = 2;
	t.offset = 16000000;
	CHECK(adjtimex(&t) == TIME_OK);
	near("a sixteenth of 16 ms, us", gain(1), 1000, 10);
	t.modes = 0;
	adjtimex(&t);
	near("left of it, us", t.offset / 1000, 15000, 50);
	t.modes = ADJ_SETOFFSET | ADJ_NANO;
	t.time.tv_sec = 5;
	t.time.tv_usec = 500000000;
	{
		int64_t before = ns(CLOCK_REALTIME) - ns(CLOCK_MONOTONIC);

		CHECK(adjtimex(&t) == TIME_OK);
		near("stepped, ms", (long)((ns(CLOCK_REALTIME) - ns(CLOCK_MONOTONIC) - before) / 1000000), 5500, 5);
	}
}

static void
unprivileged(void)
{
	struct timeval tv = { 2000000000, 0 }, little = { 0, 5 };
	struct timex t;

	CHECK(setuid(1000) == 0);
	memset(&t, 0, sizeof t);
	FAILS(settimeofday(&tv, NULL), EPERM);
	FAILS(adjtime(&little, NULL), EPERM);
	CHECK(adjtimex(&t) >= 0);
	t.modes = ADJ_FREQUENCY;
	FAILS(adjtimex(&t), EPERM);
}

int
main(void)
{
	setting();
	slewing();
	steering();
	unprivileged();
	return 0;
}
