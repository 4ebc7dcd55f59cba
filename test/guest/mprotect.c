/* Page protection: faults with SEGV_ACCERR and the right address, code written and run. */
#include "guest.h"

#define PAGE 4096

static sigjmp_buf home;
static volatile uintptr_t where;
static volatile int code;

static void
caught(int signo, siginfo_t *info, void *context)
{
	(void)context;
	where = (uintptr_t)info->si_addr;
	code = info->si_code;
	siglongjmp(home, signo);
}

static int
store_faults(volatile char *p)
{
	int signo = sigsetjmp(home, 1);

	if (signo == 0)
		*p = 1;
	return signo;
}

static int
load_faults(volatile char *p)
{
	int signo = sigsetjmp(home, 1);

	if (signo == 0)
		(void)*p;
	return signo;
}

static void
report(const char *what, int signo, const char *p)
{
	say("%s: signal %d", what, signo);
	if (signo != 0)
		say(", code %d, address right %d", code, where == (uintptr_t)p);
	say("\n");
}

/* A function of two instructions, changed after it has run: the processor must see the change. */
static void
code_in_memory(char *page)
{
	uint32_t *text = (uint32_t *)page;
	int (*function)(void) = (int (*)(void))page;

	text[0] = 0x03e00008;			/* jr ra */
	text[1] = 0x24020007;			/* addiu v0, zero, 7 */
	__builtin___clear_cache(page, page + 8);
	say("code returns %d\n", function());
	text[1] = 0x24020009;
	__builtin___clear_cache(page, page + 8);
	say("code returns %d\n", function());
}

int
main(void)
{
	char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	action(SIGSEGV, caught, 0);
	memset(p, 5, 3 * PAGE);
	CHECK(mprotect(p + PAGE, PAGE, PROT_READ) == 0);
	report("store before", store_faults(p + PAGE - 1), p + PAGE - 1);
	report("store inside", store_faults(p + PAGE + 123), p + PAGE + 123);
	report("load inside", load_faults(p + PAGE + 123), p + PAGE + 123);
	report("store after", store_faults(p + 2 * PAGE), p + 2 * PAGE);
	CHECK(mprotect(p + PAGE, PAGE, PROT_NONE) == 0);
	report("load of PROT_NONE", load_faults(p + PAGE), p + PAGE);
	CHECK(mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
	CHECK(p[PAGE + 5] == 5);
	report("store again", store_faults(p + PAGE), p + PAGE);
	munmap(p + 2 * PAGE, PAGE);
	report("store unmapped", store_faults(p + 2 * PAGE), p + 2 * PAGE);
	FAILS(mprotect(p + 2 * PAGE, PAGE, PROT_READ), ENOMEM);
	report("store to program text", store_faults((char *)(uintptr_t)store_faults), (char *)(uintptr_t)store_faults);
	CHECK(mprotect(p, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
	code_in_memory(p);
	return 0;
}
