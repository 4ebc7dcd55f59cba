/* Delay slots, branch-likely, jump and link, conditional moves, a fault in a delay slot, madd, ext and ins. */
#include "guest.h"

static int
likely(int x)
{
	int r;

	__asm__ volatile(
	    ".set push\n.set noreorder\n.set nomacro\n"
	    "move %0, $0\n"
	    "beql %1, $0, 1f\n"
	    " addiu %0, %0, 1\n"		/* only when taken */
	    "addiu %0, %0, 10\n"
	    "1: addiu %0, %0, 100\n"
	    ".set pop" : "=&r"(r) : "r"(x));
	return r;
}

static int
slot_reads_old(int x)
{
	int r;

	__asm__ volatile(
	    ".set push\n.set noreorder\n"
	    "bltzal %1, 1f\n"
	    " addu %0, %1, %1\n"
	    "addiu %0, %0, 1000\n"
	    "1: nop\n"
	    ".set pop" : "=&r"(r) : "r"(x) : "$31");
	return r;
}

static sigjmp_buf home;
static volatile uintptr_t at;

static void
caught(int signo, siginfo_t *info, void *context)
{
	(void)signo; (void)context;
	at = (uintptr_t)info->si_addr;
	siglongjmp(home, 1);
}

static int
fault_in_slot(uintptr_t addr)
{
	__asm__ volatile(
	    ".set push\n.set noreorder\n"
	    "b 1f\n"
	    " sw $0, 0(%0)\n"
	    "1: nop\n"
	    ".set pop" : : "r"(addr) : "memory");
	return 0;
}

int
main(void)
{
	volatile int five = 5, minus = -3;
	int r, s;
	unsigned lo, hi;

	say("likely %d %d\n", likely(0), likely(1));
	say("slot %d %d\n", slot_reads_old(-4), slot_reads_old(4));
	action(SIGSEGV, caught, 0);
	if (sigsetjmp(home, 1) == 0)
		fault_in_slot(0x40);
	else
		say("fault in a slot at %x\n", (unsigned)at);
	__asm__("mult %2, %3\n madd %2, %2\n msub %3, %3\n mflo %0\n mfhi %1" : "=&r"(lo), "=&r"(hi) : "r"(five), "r"(minus) : "hi", "lo");
	say("madd %d %d\n", (int)lo, (int)hi);
	__asm__("ext %0, %1, 4, 8" : "=r"(r) : "r"(0x12345678));
	s = -1;
	__asm__("ins %0, %1, 8, 12" : "+r"(s) : "r"(0xabc));
	say("ext %x ins %x\n", r, s);
	__asm__("movz %0, %1, $0" : "=r"(r) : "r"(five), "0"(1));
	__asm__("movn %0, %1, $0" : "=r"(s) : "r"(five), "0"(1));
	say("movz %d movn %d\n", r, s);
	__asm__("wsbh %0, %1\n rotr %0, %0, 16" : "=r"(r) : "r"(0x11223344));
	__asm__("seb %0, %1" : "=r"(s) : "r"(0x180));
	say("swap %x seb %d\n", r, s);
	return 0;
}
