/* sigsetjmp from a handler restores the mask, so that the same fault is caught again and again. */
#include "guest.h"

static sigjmp_buf home;
static jmp_buf bare;

static void
jump(int signo, siginfo_t *info, void *context)
{
	(void)context;
	siglongjmp(home, signo * 1000 + (int)(uintptr_t)info->si_addr);
}

static void
deep(int n)
{
	if (n == 0)
		longjmp(bare, 5);
	deep(n - 1);
}

int
main(void)
{
	volatile int i;
	int r;
	sigset_t now;

	action(SIGSEGV, jump, 0);
	for (i = 1; i <= 5; i++) {
		r = sigsetjmp(home, 1);
		if (r == 0)
			*(volatile char *)(uintptr_t)i = 0;
		say("caught %d\n", r);
	}
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(sigismember(&now, SIGSEGV) == 0);
	r = setjmp(bare);
	say("setjmp gives %d\n", r);
	if (r == 0)
		deep(20);
	if (setjmp(bare) == 0)
		longjmp(bare, 0);
	else
		say("longjmp with 0 gives 1\n");
	return 0;
}
