/* getrandom and AT_RANDOM: different every time they are asked, never blocking. */
#include "guest.h"
#include <sys/random.h>

int
main(void)
{
	unsigned char a[32], b[32];

	CHECK(getrandom(a, sizeof a, 0) == sizeof a && getrandom(b, sizeof b, GRND_NONBLOCK) == sizeof b);
	CHECK(memcmp(a, b, sizeof a) != 0);
	FAILS(getrandom(a, 1, 0x100), EINVAL);
	FAILS(getrandom((void *)8, 16, 0), EFAULT);
	return 0;
}
