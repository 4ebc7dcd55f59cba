/* robust futexes: whoever ends with a lock in hand leaves word of it, and a waiter learns so (set_robust_list(2)). */
#include "guest.h"
#include <pthread.h>
#include <stddef.h>
#include <sys/syscall.h>

struct shared {
	pthread_mutex_t mutex;
	volatile int ready;
};

static struct shared *s;

static const char *
name(int e)
{
	return e == 0 ? "0" : e == EOWNERDEAD ? "EOWNERDEAD" : e == ENOTRECOVERABLE ? "ENOTRECOVERABLE" : e == EBUSY ? "EBUSY" : strerror(e);
}

static void
fresh(void)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	printf("setrobust: %s\n", name(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST)));
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&s->mutex, &a);
	s->ready = 0;
}

static void *
taker(void *exits)
{
	pthread_mutex_lock(&s->mutex);
	s->ready = 1;
	if (!exits) {
		usleep(50000);
		syscall(SYS_exit, 0);	/* not even its C library knows */
	}
	return NULL;
}

static void
ask(const char *who)
{
	int e = pthread_mutex_lock(&s->mutex);

	printf("%s: lock %s", who, name(e));
	if (e == EOWNERDEAD)
		printf(", consistent %s", name(pthread_mutex_consistent(&s->mutex)));
	printf(", unlock %s", name(pthread_mutex_unlock(&s->mutex)));
	e = pthread_mutex_trylock(&s->mutex);
	printf(", again %s\n", name(e));
	if (e == 0)
		pthread_mutex_unlock(&s->mutex);
}

/* A child that takes the lock, tells, and ends in its way while the parent waits for the lock. */
static void
child(const char *who, void (*end)(void))
{
	int pid, status;

	fresh();
	if ((pid = fork()) == 0) {
		pthread_mutex_lock(&s->mutex);
		s->ready = 1;
		usleep(50000);
		end();
		_exit(1);
	}
	while (!s->ready)
		usleep(1000);
	ask(who);
	waitpid(pid, &status, 0);
}

static void killed(void) { kill(getpid(), SIGKILL); }
static int *volatile nowhere_mapped = (int *)16;
static void faults(void) { *nowhere_mapped = 1; }
static void exits(void) { _exit(0); }
static void becomes(void) { execl("/proc/self/exe", "robust", "nothing", (char *)NULL); }

/* Lists no C library makes: each child must end, and only what is its own be marked. */
struct entry { struct entry *next; unsigned word; };
static struct { struct entry *next; long offset; struct entry *pending; } *head;
static struct entry *entries;

static void
wild(const char *who, void (*list)(int tid))
{
	int status, pid = fork();

	if (pid == 0) {
		list(syscall(SYS_gettid));
		syscall(SYS_set_robust_list, head, sizeof *head);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("%s: status %d, words", who, status);
	for (int i = 0; i < 3; i++) {
		unsigned w = entries[i].word;
		printf(" %s%s%s", w & 0x80000000 ? "waiters|" : "", w & 0x40000000 ? "died|" : "", (w & 0x3fffffff) == 0 ? "nobody" : (w & 0x3fffffff) == (unsigned)pid ? "owner" : "other");
	}
	puts("");
}

static void
link3(int tid)
{
	for (int i = 0; i < 3; i++)
		entries[i] = (struct entry){ i < 2 ? &entries[i + 1] : (struct entry *)head, tid };
	head->next = entries;
	head->offset = offsetof(struct entry, word);
	head->pending = NULL;
}
static void plain(int tid) { link3(tid); entries[1].word = 1; entries[2].word |= 0x80000000; }
static void circle(int tid) { link3(tid); entries[2].next = entries; }
static void astray(int tid) { link3(tid); entries[1].next = (struct entry *)16; }
static void crooked(int tid) { link3(tid); entries[0].next = (struct entry *)((char *)&entries[1] + 2); }
static void pending(int tid) { link3(tid); head->next = (struct entry *)head; head->pending = &entries[1]; }
static void nowhere(int tid) { link3(tid); head = (void *)16; }

int
main(int argc, char **argv __attribute__((unused)))
{
	pthread_t t;
	void *at = NULL;
	size_t length = 0;

	setvbuf(stdout, NULL, _IONBF, 0);
	if (argc > 1)
		return 0;
	s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	head = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	entries = (void *)(head + 1);

	for (int i = 0; i < 2; i++) {
		fresh();
		pthread_create(&t, NULL, taker, (void *)(long)i);
		if (i)
			pthread_join(t, NULL);
		while (!s->ready)
			usleep(1000);
		ask(i ? "a thread returned" : "a thread ended");
	}
	child("killed", killed);
	child("faulted", faults);
	child("exited", exits);
	child("became another program", becomes);

	fresh();
	pthread_create(&t, NULL, taker, (void *)1);
	pthread_join(t, NULL);
	printf("left inconsistent: lock %s", name(pthread_mutex_lock(&s->mutex)));
	printf(", unlock %s", name(pthread_mutex_unlock(&s->mutex)));
	printf(", lock %s\n", name(pthread_mutex_lock(&s->mutex)));

	printf("wrong length: %s\n", syscall(SYS_set_robust_list, head, sizeof *head + 4) < 0 ? strerror(errno) : "0");
	printf("nobody's: %s\n", syscall(SYS_get_robust_list, 0x7fffff, &at, &length) < 0 ? strerror(errno) : "0");
	wild("plain", plain);
	printf("its own: %ld", (long)syscall(SYS_get_robust_list, 0, &at, &length));
	printf(", length %s\n", length == sizeof *head ? "right" : "wrong");
	wild("circle", circle);
	wild("astray", astray);
	wild("crooked", crooked);
	wild("pending", pending);
	wild("nowhere", nowhere);
	return 0;
}
