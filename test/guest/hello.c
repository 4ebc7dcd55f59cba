/* The smallest program that goes through a C library's start and stdio. */
#include <stdio.h>

int
main(void)
{
	printf("hello, router\n");
	return 0;
}
