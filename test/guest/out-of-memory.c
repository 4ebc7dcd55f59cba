/* A child touches more memory than the machine has: one process is killed, chosen and logged; the others go on. */
#include "guest.h"

int
main(void)
{
	int status;
	long total = 0;
	char *p;

	if (fork() == 0) {
		for (;;) {
			p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (p == MAP_FAILED)
				_exit(12);
			memset(p, 1, 1 << 20);
			total++;
		}
	}
	wait(&status);
	CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) || (WIFEXITED(status) && WEXITSTATUS(status) == 12));
	p = malloc(2 << 20);
	CHECK(p != NULL);
	memset(p, 2, 2 << 20);
	CHECK(p[(2 << 20) - 1] == 2);
	return 0;
}
