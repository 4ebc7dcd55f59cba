/* The stack overflows; the handler runs on the alternate stack and jumps out, twice. */
#include "guest.h"

static char spare[16384];
static sigjmp_buf home;
static volatile int depth;

static int
on_spare(const void *p)
{
	return (const char *)p >= spare && (const char *)p < spare + sizeof spare;
}

static void
overflowed(int signo, siginfo_t *info, void *context)
{
	stack_t now;
	int here;

	(void)info; (void)context;
	sigaltstack(NULL, &now);
	say("signal %d on the alternate stack: %d, SS_ONSTACK %d, deep %d\n", signo, on_spare(&here),
	    (now.ss_flags & SS_ONSTACK) != 0, depth > 1000);
	siglongjmp(home, 1);
}

__attribute__((noinline)) static int
recurse(volatile int *up)
{
	volatile int pad[64];

	pad[0] = *up + 1;
	depth = pad[0];
	return depth > 0 ? recurse(pad) + pad[0] : 0;
}

int
main(void)
{
	stack_t stack = { .ss_sp = spare, .ss_size = sizeof spare }, old;
	volatile int zero = 0, i;

	CHECK(sigaltstack(NULL, &old) == 0 && old.ss_flags == SS_DISABLE);
	CHECK(sigaltstack(&stack, NULL) == 0);
	action(SIGSEGV, overflowed, SA_ONSTACK);
	for (i = 0; i < 2; i++) {
		if (sigsetjmp(home, 1) == 0)
			recurse((volatile int *)&zero);
		else
			say("back\n");
	}
	CHECK(sigaltstack(NULL, &old) == 0 && old.ss_flags == 0 && old.ss_sp == spare);
	stack.ss_size = 512;
	FAILS(sigaltstack(&stack, NULL), ENOMEM);
	stack.ss_flags = SS_DISABLE;
	CHECK(sigaltstack(&stack, NULL) == 0);
	return 0;
}
