/* mremap grows, moves and shrinks; contents go along. */
#include "guest.h"

#define PAGE 4096

int
main(void)
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *q;
	int i, good = 1;

	for (i = 0; i < 4 * PAGE; i++)
		p[i] = (char)(i >> 4);
	CHECK(mremap(p, 4 * PAGE, 2 * PAGE, 0) == p);
	/* Something in the way: it must move. */
	CHECK(mmap(p + 2 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p + 2 * PAGE);
	FAILS(mremap(p, 2 * PAGE, 3 * PAGE, 0), ENOMEM);
	q = mremap(p, 2 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q != p);
	for (i = 0; i < 2 * PAGE; i++)
		good &= q[i] == (char)(i >> 4);
	CHECK(good);
	CHECK(q[2 * PAGE] == 0 && q[8 * PAGE - 1] == 0);
	q[8 * PAGE - 1] = 1;
	FAILS(mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
	FAILS(mremap(q + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EINVAL);
	CHECK(munmap(q, 8 * PAGE) == 0);
	return 0;
}
