/* The break: grows with zeros, shrinks, and what was given back is zero again. */
#include "guest.h"
#include <sys/syscall.h>

static char *
set(char *to)
{
	return (char *)syscall(SYS_brk, to);
}

int
main(void)
{
	char *start = set(NULL), *p;
	int i, zero = 1;

	CHECK(start != NULL);
	CHECK(set(start + 10000) == start + 10000);
	for (i = 0; i < 10000; i++)
		zero &= start[i] == 0;
	CHECK(zero);
	memset(start, 1, 10000);
	CHECK(set(start + 5) == start + 5);
	CHECK(start[4] == 1);
	CHECK(set(start + 20000) == start + 20000);
	p = (char *)(((uintptr_t)start + 5 + 4095) & ~(uintptr_t)4095);
	CHECK(*p == 0);
	CHECK(set((char *)16) == start + 20000);
	CHECK(set((char *)0x7fff0000) == start + 20000);
	return 0;
}
