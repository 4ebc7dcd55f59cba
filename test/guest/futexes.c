/* futexes: requeue, compare, bitsets, wake-and-change, interruption; and threads that join, cancel and die together. */
#include "guest.h"
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>

#define WAIT 0
#define WAKE 1
#define REQUEUE 3
#define CMP_REQUEUE 4
#define WAKE_OP 5
#define WAIT_BITSET 9
#define WAKE_BITSET 10
#define PRIVATE 128

static volatile int words[4], asleep, awake;

static long
futex(volatile int *word, int op, int value, long value2, volatile int *word2, int value3)
{
	return syscall(SYS_futex, word, op | PRIVATE, value, value2, word2, value3);
}

static void *
sleeper(void *mask)
{
	__sync_fetch_and_add(&asleep, 1);
	futex(&words[0], WAIT_BITSET, 0, 0, NULL, (int)(long)mask);
	__sync_fetch_and_add(&awake, 1);
	return mask;
}

static void
settle(volatile int *what, int value)
{
	int i;

	for (i = 0; *what < value && i < 2000; i++)
		usleep(1000);
	usleep(20000);
}

static void
start(pthread_t *threads, int n, const long *masks)
{
	int i;

	asleep = awake = 0;
	for (i = 0; i < n; i++)
		pthread_create(&threads[i], NULL, sleeper, (void *)masks[i]);
	settle(&asleep, n);
}

static void
join(pthread_t *threads, int n)
{
	while (n-- > 0)
		pthread_join(threads[n], NULL);
}

static void
bitsets(void)
{
	static const long masks[4] = { 1, 2, 3, 4 };
	pthread_t threads[4];

	start(threads, 4, masks);
	say("woken by 8: %ld\n", futex(&words[0], WAKE_BITSET, 10, 0, NULL, 8));
	say("woken by 2: %ld\n", futex(&words[0], WAKE_BITSET, 10, 0, NULL, 2));
	settle(&awake, 2);
	say("awake %d\n", awake);
	say("woken by any: %ld\n", futex(&words[0], WAKE, 10, 0, NULL, 0));
	join(threads, 4);
	FAILS(futex(&words[0], WAIT_BITSET, 0, 0, NULL, 0), EINVAL);
	FAILS(futex(&words[0], WAKE_BITSET, 1, 0, NULL, 0), EINVAL);
}

static void
requeueing(void)
{
	static const long any[5] = { -1, -1, -1, -1, -1 };
	pthread_t threads[5];

	start(threads, 5, any);
	FAILS(futex(&words[0], CMP_REQUEUE, 1, 2, &words[1], 99), EAGAIN);
	say("woken and moved %ld\n", futex(&words[0], CMP_REQUEUE, 1, 2, &words[1], 0));
	say("woken and moved without comparing %ld\n", futex(&words[0], REQUEUE, 0, 1, &words[1], 0));
	say("woken at the first %ld\n", futex(&words[0], WAKE, 10, 0, NULL, 0));
	say("woken at the second %ld\n", futex(&words[1], WAKE, 10, 0, NULL, 0));
	join(threads, 5);
}

static void
wake_op(void)
{
	static const long any[2] = { -1, -1 };
	pthread_t threads[2];

	start(threads, 2, any);
	words[2] = 5;
	/* words[2] += 3; then wake at words[2] too if it was 5 before. */
	say("woken %ld\n", futex(&words[0], WAKE_OP, 10, 10, &words[2], (1 << 28) | (0 << 24) | (3 << 12) | 5));
	say("changed to %d\n", words[2]);
	join(threads, 2);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int queue, consumed;

static void *
consumer(void *argument)
{
	int i;

	(void)argument;
	for (i = 0; i < 100; i++) {
		pthread_mutex_lock(&mutex);
		while (queue == 0)
			pthread_cond_wait(&cond, &mutex);
		queue--;
		consumed++;
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void
conditions(void)
{
	pthread_t threads[3];
	int i;

	for (i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, consumer, NULL);
	for (i = 0; i < 300; i++) {
		pthread_mutex_lock(&mutex);
		queue++;
		pthread_cond_signal(&cond);
		pthread_mutex_unlock(&mutex);
	}
	join(threads, 3);
	say("consumed %d, left %d\n", consumed, queue);
}

static void *
endless(void *argument)
{
	(void)argument;
	for (;;)
		pause();
	return NULL;
}

/* One thread's end is not the process's; exit_group and a signal end all. */
static void
ends(void)
{
	pthread_t thread;
	void *result;
	int status;

	pthread_create(&thread, NULL, endless, NULL);
	pthread_cancel(thread);
	CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
	if (fork() == 0) {
		pthread_create(&thread, NULL, endless, NULL);
		_exit(3);
	}
	wait(&status);
	ended("with a thread", status);
	if (fork() == 0) {
		pthread_create(&thread, NULL, endless, NULL);
		usleep(1000);
		pthread_kill(thread, SIGTERM);
		pause();
	}
	wait(&status);
	ended("killed through a thread", status);
	if (fork() == 0) {
		pthread_create(&thread, NULL, endless, NULL);
		pthread_detach(thread);
		execl("/proc/self/exe", "futexes", "again", (char *)NULL);
		_exit(98);
	}
	wait(&status);
	ended("executed", status);
}

int
main(int argc, char **argv)
{
	sem_t semaphore;
	struct timespec past = { 1, 0 };

	(void)argv;
	if (argc > 1) {
		CHECK(getpid() == syscall(SYS_gettid));
		return 21;
	}
	bitsets();
	requeueing();
	wake_op();
	conditions();
	sem_init(&semaphore, 0, 1);
	CHECK(sem_wait(&semaphore) == 0);
	FAILS(sem_timedwait(&semaphore, &past), ETIMEDOUT);
	FAILS(sem_trywait(&semaphore), EAGAIN);
	ends();
	return 0;
}
