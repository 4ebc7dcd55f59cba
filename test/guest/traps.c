/* Divide by zero, overflow traps, break, illegal instructions, wild jumps: each signal with its code. */
#include "guest.h"

static void
caught(int signo, siginfo_t *info, void *context)
{
	(void)context;
	say("signal %d, si_code %d\n", signo, info->si_code);
	_exit(0);
}

static volatile int zero, max = 0x7fffffff;

static void divide(void) { zero = max / zero; }
static void modulo(void) { zero = max % zero; }
static void add_overflow(void) { __asm__ volatile("add $8, %0, %0" : : "r"(max) : "$8"); }
static void trap_if_equal(void) { __asm__ volatile("teq $0, $0, 5"); }
static void break_five(void) { __asm__ volatile("break 5"); }
static void break_overflow(void) { __asm__ volatile("break 6"); }
static void break_divide(void) { __asm__ volatile("break 7"); }
static void reserved(void) { __asm__ volatile(".word 0xfc000000"); }
static void privileged(void) { __asm__ volatile(".set push; .set noreorder; .word 0x40026000; .set pop"); }
static void jump_null(void) { ((void (*)(void))(uintptr_t)zero)(); }
static void jump_high(void) { ((void (*)(void))(uintptr_t)(0x80000000u + (unsigned)zero))(); }
static void jump_odd(void) { ((void (*)(void))((uintptr_t)divide + 2))(); }
static void jump_wild(void) { ((void (*)(void))(uintptr_t)0x41414140)(); }
static void load_kernel(void) { (void)*(volatile int *)(uintptr_t)0x80001000u; }
static void store_top(void) { *(volatile int *)(uintptr_t)0xfffffffcu = 1; }
static volatile double one = 1.0, none;
static void
float_trap(void)
{
	unsigned control;

	__asm__ volatile("cfc1 %0, $31" : "=r"(control));
	__asm__ volatile("ctc1 %0, $31" : : "r"(control | 1 << 10));	/* enable division by zero */
	one = one / none;
}
static void abort_now(void) { abort(); }
static const struct { const char *name; void (*run)(void); } cases[] = {
	{ "divide by zero", divide }, { "modulo zero", modulo }, { "add overflow", add_overflow }, { "teq code 5", trap_if_equal },
	{ "break 5", break_five }, { "break 6", break_overflow }, { "break 7", break_divide }, { "reserved instruction", reserved },
	{ "privileged instruction", privileged }, { "jump to null", jump_null }, { "jump above 2 GiB", jump_high },
	{ "jump to odd half", jump_odd }, { "jump to unmapped", jump_wild }, { "load above 2 GiB", load_kernel },
	{ "store at the top", store_top }, { "enabled FP exception", float_trap }, { "abort", abort_now },
};

int
main(void)
{
	static const int signals[] = { SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGBUS, SIGSEGV };
	size_t i, j;
	int status;

	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		say("%s: ", cases[i].name);
		if (fork() == 0) {
			for (j = 0; j < sizeof signals / sizeof signals[0]; j++)
				action(signals[j], caught, 0);
			cases[i].run();
			say("nothing happened\n");
			_exit(0);
		}
		wait(&status);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			ended("child", status);
	}
	return 0;
}
