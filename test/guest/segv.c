/* A null pointer is followed: the process dies of SIGSEGV. */
#include "guest.h"

int
main(void)
{
	volatile int *nowhere = NULL;

	say("before\n");
	*nowhere = 1;
	say("after\n");
	return 0;
}
