/* Copies standard input to standard output with read and write. */
#include "guest.h"

int
main(void)
{
	char buf[100];
	ssize_t n;
	int reads = 0;

	while ((n = read(0, buf, sizeof buf)) > 0) {
		if (write(1, buf, (size_t)n) != n)
			return 1;
		reads++;
	}
	say("[end of file after %s]\n", reads > 0 ? "data" : "nothing");
	return n == 0 ? 0 : 2;
}
