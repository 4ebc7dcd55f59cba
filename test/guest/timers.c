/* timers: interval timers of all kinds, timer_create, sleeping till a time, waiting for signals with values. */
#include "guest.h"
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

static volatile int count, last_code, last_value;

static void
on_timer(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)context;
	count++;
	last_code = info->si_code;
	last_value = info->si_value.sival_int;
}

static long
milliseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

static void
counted(const char *name, int which, int signo)
{
	struct itimerval every = { { 0, 10000 }, { 0, 10000 } }, none = { { 0, 0 }, { 0, 0 } }, left;
	volatile long i;

	count = 0;
	action(signo, on_timer, SA_RESTART);
	CHECK(setitimer(which, &every, NULL) == 0);
	CHECK(getitimer(which, &left) == 0 && left.it_interval.tv_usec == 10000 && (left.it_value.tv_usec > 0 || left.it_value.tv_sec > 0));
	while (count < 3)
		for (i = 0; i < 1000; i++)
			;
	CHECK(setitimer(which, &none, &left) == 0 && left.it_interval.tv_usec == 10000);
	say("%s: three times, code %d\n", name, last_code);
	CHECK(getitimer(which, &left) == 0 && left.it_value.tv_sec == 0 && left.it_value.tv_usec == 0);
}

static void
by_timer_create(void)
{
	struct sigevent event;
	struct itimerspec spec = { { 0, 5000000 }, { 0, 5000000 } }, now;
	timer_t timer;

	memset(&event, 0, sizeof event);
	event.sigev_notify = SIGEV_SIGNAL;
	event.sigev_signo = SIGRTMIN + 1;
	event.sigev_value.sival_int = 1234;
	action(SIGRTMIN + 1, on_timer, SA_RESTART);
	count = 0;
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	CHECK(timer_settime(timer, 0, &spec, NULL) == 0);
	while (count < 3)
		pause();
	say("code %d value %d\n", last_code, last_value);
	CHECK(timer_gettime(timer, &now) == 0 && now.it_interval.tv_nsec == 5000000 && now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 5000000);
	CHECK(timer_delete(timer) == 0);
	FAILS(timer_create(77, &event, &timer), EINVAL);
	event.sigev_signo = 1000;
	FAILS(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
}

static void
sleeping(void)
{
	struct timespec at, rest = { 0, 0 }, bad = { 0, 1000000000 };
	struct itimerval once = { { 0, 0 }, { 0, 20000 } };
	long before = milliseconds(CLOCK_MONOTONIC), after;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_nsec += 30000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_nsec -= 1000000000;
		at.tv_sec++;
	}
	CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == 0);
	after = milliseconds(CLOCK_MONOTONIC);
	CHECK(after - before >= 30 && after - before < 1000);
	clock_gettime(CLOCK_REALTIME, &at);
	CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL) == 0);
	FAILS(nanosleep(&bad, NULL), EINVAL);
	action(SIGALRM, on_timer, SA_RESTART);
	setitimer(ITIMER_REAL, &once, NULL);
	at.tv_sec = 5;
	at.tv_nsec = 0;
	FAILS(nanosleep(&at, &rest), EINTR);
	CHECK(rest.tv_sec == 4 && rest.tv_nsec > 500000000);
	CHECK(clock_getres(CLOCK_MONOTONIC, &at) == 0 && at.tv_sec == 0 && at.tv_nsec >= 1);
	FAILS(clock_gettime(77, &at), EINVAL);
}

/* A stop and a continue in the middle do not end a sleep, nor make it longer. */
static void
stopped_in_sleep(void)
{
	int status;
	long before = milliseconds(CLOCK_MONOTONIC), took;
	pid_t pid = fork();

	if (pid == 0) {
		struct timespec time = { 0, 200000000 };

		_exit(nanosleep(&time, NULL) == 0 ? 0 : 1);
	}
	usleep(20000);
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	kill(pid, SIGCONT);
	waitpid(pid, &status, 0);
	took = milliseconds(CLOCK_MONOTONIC) - before;
	ended("sleeper", status);
	CHECK(took >= 200 && took < 2000);
}

static void
waiting_for_signals(void)
{
	sigset_t set, pending;
	siginfo_t info;
	struct timespec soon = { 0, 20000000 };
	union sigval value;
	int i;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 5);
	sigprocmask(SIG_BLOCK, &set, NULL);
	FAILS(sigtimedwait(&set, &info, &soon), EAGAIN);
	for (i = 1; i <= 3; i++) {
		value.sival_int = i * 11;
		sigqueue(getpid(), SIGRTMIN + 5, value);
		sigqueue(getpid(), SIGUSR1, value);
	}
	CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1) && sigismember(&pending, SIGRTMIN + 5) && !sigismember(&pending, SIGUSR2));
	while ((i = sigtimedwait(&set, &info, &soon)) > 0)
		say("%s code %d value %d\n", i == SIGUSR1 ? "USR1" : "RT", info.si_code, info.si_value.sival_int);
	if (fork() == 0) {
		usleep(20000);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	CHECK(sigwaitinfo(&set, &info) == SIGUSR1 && info.si_code == SI_USER);
	wait(NULL);
	if (fork() == 0) {
		usleep(20000);
		kill(getppid(), SIGALRM);
		_exit(0);
	}
	/* musl's own function would go on after EINTR. */
	FAILS(syscall(SYS_rt_sigtimedwait, &set, &info, NULL, 16), EINTR);
	wait(NULL);
	FAILS(syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR1, memset(&info, 0, sizeof info)), EPERM);
}

int
main(void)
{
	struct tms used;

	counted("real", ITIMER_REAL, SIGALRM);
	counted("virtual", ITIMER_VIRTUAL, SIGVTALRM);
	counted("profiling", ITIMER_PROF, SIGPROF);
	by_timer_create();
	sleeping();
	stopped_in_sleep();
	waiting_for_signals();
	CHECK(times(&used) != (clock_t)-1 && used.tms_utime >= 0);
	CHECK(milliseconds(CLOCK_PROCESS_CPUTIME_ID) > 20);
	return 0;
}
