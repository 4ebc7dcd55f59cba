/* Misaligned loads and stores: lwl/lwr pairs, and plain ones that the kernel fixes up. */
#include "guest.h"

struct packed { char pad; uint32_t word; uint16_t half; uint64_t wide; } __attribute__((packed));

static char buf[64] __attribute__((aligned(8)));

/* Volatile asm, so that the compiler neither splits the access nor knows that it is misaligned. */
#define LOAD(op, p, v)	__asm__ volatile(op " %0, 0(%1)" : "=r"(v) : "r"(p) : "memory")
#define STORE(op, p, v)	__asm__ volatile(op " %0, 0(%1)" : : "r"(v), "r"(p) : "memory")

static void
fill(void)
{
	int i;

	for (i = 0; i < 64; i++)
		buf[i] = (char)(0x70 + i * 9);
}

int
main(void)
{
	struct packed *p = (struct packed *)buf;
	uint32_t v;
	double d;
	int i;

	fill();
	say("packed %x %x %llx\n", p->word, p->half, (unsigned long long)p->wide);
	p->word = 0x11223344;
	p->wide = 0x5566778899aabbccull;
	say("stored %02x %02x %02x %02x\n", buf[1] & 255, buf[4] & 255, buf[7] & 255, buf[14] & 255);
	fill();
	for (i = 1; i < 4; i++) {
		LOAD("lw", buf + i, v);
		say("lw %d %x\n", i, v);
	}
	LOAD("lh", buf + 3, v);
	say("lh %x\n", v);
	LOAD("lhu", buf + 3, v);
	say("lhu %x\n", v);
	STORE("sw", buf + 9, 0xcafebabe);
	STORE("sh", buf + 15, 0xbeef);
	for (i = 8; i < 18; i++)
		say("%02x%s", buf[i] & 255, i == 17 ? "\n" : " ");
	d = 1234.5;
	memcpy(buf + 20, &d, sizeof d);
	__asm__ volatile("ldc1 %0, 4(%1)" : "=f"(d) : "r"(buf + 16) : "memory");
	say("ldc1 at 4 mod 8: %.1f\n", d);
	d = -0.25;
	__asm__ volatile("sdc1 %0, 0(%1)" : : "f"(d), "r"(buf + 36) : "memory");
	memcpy(&d, buf + 36, sizeof d);
	say("sdc1 at 4 mod 8: %.2f\n", d);
	return 0;
}
