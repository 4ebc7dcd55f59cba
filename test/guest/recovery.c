/* Crash, recover, crash again, recover: handler on the alternate stack, stack overflow, alarm, abort; every store. */
#include "guest.h"
#include <sys/checkpoint.h>
#include <sys/time.h>

static int *step;		/* persisted, in a mapping of its own: the wild stores below run over everything else */
static char spare[16384];
static volatile int depth;

static void
back(int signo)
{
	(void)signo;
	tlongjmp(0);
	say("thaw fails with %d\n", errno);
	_exit(1);
}

__attribute__((noinline)) static int
recurse(volatile int *up)
{
	volatile int pad[64];

	pad[0] = *up + 1;
	depth = pad[0];
	return depth > 0 ? recurse(pad) + pad[0] : 0;
}

static void
wild_stores(void)
{
	volatile unsigned char *p = (volatile unsigned char *)&depth;

	for (;;)
		*p++ = 0xdb;		/* through the data, up to its end */
}

static void
hang(void)
{
	struct itimerval soon = { { 0, 0 }, { 0, 20000 } };

	setitimer(ITIMER_REAL, &soon, NULL);
	for (;;)
		;
}

static void
crash(int how)
{
	volatile int zero = 0;

	switch (how) {
	case 0: case 1: *(volatile int *)NULL = 1; break;
	case 2: recurse(&zero); break;
	case 3: wild_stores(); break;
	case 4: hang(); break;
	case 5: abort();
	case 6: ((void (*)(void))0x41414140)(); break;
	case 7: ((void (*)(void))0x80000000)(); break;
	case 8: __asm__ volatile(".word 0xfc000000"); break;
	case 9: zero = depth / zero; break;
	}
}

static void
round_of(int store)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGALRM };
	stack_t stack = { .ss_sp = spare, .ss_size = sizeof spare };
	struct sigaction sa;
	size_t i;

	memset(&sa, 0, sizeof sa);
	sa.sa_handler = back;
	sa.sa_flags = SA_ONSTACK;
	sigaltstack(&stack, NULL);
	for (i = 0; i < sizeof signals / sizeof signals[0]; i++)
		sigaction(signals[i], &sa, NULL);
	step = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	persist(step, sizeof *step);
	say("freeze %s\n", sys_checkpoint(CHKPT_FREEZE | store) == 1 ? "into 1" : "elsewhere");
	if (*step > 0)
		say("step %d after signal %d\n", *step, chkpt_status(CHKPT_SIGTYPE));
	if (*step < 10) {
		(*step)++;
		crash(*step - 1);
		say("no crash\n");
	}
	_exit(0);
}

int
main(void)
{
	static const int stores[] = { CHKPT_STORE_DEFAULT, CHKPT_STORE_VNODE, CHKPT_STORE_COPY, CHKPT_STORE_POOL, CHKPT_STORE_SHARE };
	size_t i;
	int status;

	for (i = 0; i < sizeof stores / sizeof stores[0]; i++) {
		say("store %x\n", stores[i]);
		if (fork() == 0)
			round_of(stores[i]);
		wait(&status);
		ended("round", status);
	}
	return 0;
}
