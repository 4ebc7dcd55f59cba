/* Signals inside signal handlers; SA_NODEFER; registers and FPU state survive. */
#include "guest.h"

static int level;

static void
inner(int signo, siginfo_t *info, void *context)
{
	volatile double spoil = 3.5;

	(void)signo; (void)info; (void)context;
	spoil = spoil * spoil + level;
	say("inner at level %d\n", level);
}

static void
outer(int signo, siginfo_t *info, void *context)
{
	(void)signo; (void)info; (void)context;
	level++;
	say("outer in %d\n", level);
	raise(SIGUSR2);
	say("outer out %d\n", level);
	level--;
}

static void
again(int signo, siginfo_t *info, void *context)
{
	(void)info; (void)context;
	say("again in %d\n", ++level);
	if (level < 3)
		raise(signo);
	say("again out %d\n", level--);
}

int
main(void)
{
	double x = 1.25, y = 2.5;
	register unsigned int kept = 0x12345678;

	action(SIGUSR1, outer, 0);
	action(SIGUSR2, inner, 0);
	__asm__ volatile("" : "+f"(x), "+f"(y), "+r"(kept));
	raise(SIGUSR1);
	__asm__ volatile("" : "+f"(x), "+f"(y), "+r"(kept));
	say("x*y = %.4f, kept %x\n", x * y, kept);
	action(SIGUSR1, again, SA_NODEFER);
	raise(SIGUSR1);
	return 0;
}
