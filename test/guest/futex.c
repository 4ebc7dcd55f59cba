/* futex: wait, wake, mismatch, timeout, between processes that share the page. */
#include "guest.h"
#include <sys/syscall.h>
#include <time.h>

#define WAIT 0
#define WAKE 1

static long
futex(volatile int *word, int op, int value, const struct timespec *timeout)
{
	long ts[2];

	if (timeout == NULL)
		return syscall(SYS_futex, word, op, value, NULL);
	ts[0] = (long)timeout->tv_sec;
	ts[1] = timeout->tv_nsec;
	return syscall(SYS_futex, word, op, value, ts);
}

int
main(void)
{
	volatile int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct timespec soon = { 0, 20000000 };
	int i, status, woken = 0;

	FAILS(futex(word, WAIT, 1, NULL), EAGAIN);
	FAILS(futex(word, WAIT, 0, &soon), ETIMEDOUT);
	FAILS(futex((int *)2, WAIT, 0, &soon), EINVAL);
	CHECK(futex(word, WAKE, 10, NULL) == 0);
	for (i = 0; i < 3; i++)
		if (fork() == 0) {
			__sync_fetch_and_add(&word[1], 1);
			while (word[0] == 0)
				futex(word, WAIT, 0, NULL);
			_exit(0);
		}
	while (word[1] < 3)
		usleep(1000);
	usleep(50000);
	woken = (int)futex(word, WAKE, 2, NULL);
	say("woken %d\n", woken);
	word[0] = 1;
	futex(word, WAKE, 100, NULL);
	for (i = 0; i < 3; i++) {
		wait(&status);
		ended("waiter", status);
	}
	return 0;
}
