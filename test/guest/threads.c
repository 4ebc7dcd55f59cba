/* POSIX threads: create, join, mutex, condition, thread-local storage, signals to a thread. */
#include "guest.h"
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static __thread int mine = 5;
static int total, turn, atomic;

static void *
adder(void *arg)
{
	int i;

	mine += (int)(intptr_t)arg;
	for (i = 0; i < 1000; i++) {
		pthread_mutex_lock(&lock);
		total++;
		pthread_mutex_unlock(&lock);
		__sync_fetch_and_add(&atomic, 2);
	}
	return (void *)(intptr_t)mine;
}

static void *
second(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	while (turn != 1)
		pthread_cond_wait(&ready, &lock);
	say("second\n");
	turn = 2;
	pthread_cond_signal(&ready);
	pthread_mutex_unlock(&lock);
	return NULL;
}

int
main(void)
{
	pthread_t t[4];
	void *result;
	intptr_t sum = 0;
	int i;

	for (i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, adder, (void *)(intptr_t)i) == 0);
	for (i = 0; i < 4; i++) {
		pthread_join(t[i], &result);
		sum += (intptr_t)result;
	}
	say("total %d, atomic %d, thread-local sum %d, mine %d\n", total, atomic, (int)sum, mine);
	pthread_create(&t[0], NULL, second, NULL);
	pthread_mutex_lock(&lock);
	say("first\n");
	turn = 1;
	pthread_cond_signal(&ready);
	while (turn != 2)
		pthread_cond_wait(&ready, &lock);
	pthread_mutex_unlock(&lock);
	pthread_join(t[0], NULL);
	say("third\n");
	return 0;
}
