/* Copy-on-write after fork: many processes change the same pages, nobody sees another's. */
#include "guest.h"

#define PAGES 64
#define PAGE 4096

int
main(void)
{
	unsigned char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int i, j, status, good = 1;

	for (i = 0; i < PAGES; i++)
		p[i * PAGE] = (unsigned char)i;
	for (i = 0; i < 8; i++) {
		if (fork() == 0) {
			for (j = i; j < PAGES; j += 3)
				p[j * PAGE] = (unsigned char)(100 + i);
			if (i == 4 && fork() == 0) {
				p[4 * PAGE] = 200;
				_exit(0);
			}
			for (j = 0; j < PAGES; j++)
				good &= p[j * PAGE] == (j >= i && (j - i) % 3 == 0 ? 100 + i : j);
			_exit(good ? i : 99);
		}
		p[i * PAGE + 1] = 1;
	}
	for (i = 0, j = 0; i < 8; i++) {
		wait(&status);
		j += WEXITSTATUS(status);
	}
	say("sum of statuses %d\n", j);
	for (i = 0; i < PAGES; i++)
		good &= p[i * PAGE] == i && p[i * PAGE + 1] == (i < 8);
	CHECK(good);
	/* The kernel's own stores break sharing too. */
	if (fork() == 0) {
		int fds[2];

		_exit(pipe(fds) == 0 && write(fds[1], "k", 1) == 1 && read(fds[0], p, 1) == 1 && p[0] == 'k' ? 0 : 1);
	}
	wait(&status);
	ended("read into a shared page", status);
	CHECK(p[0] == 0);
	return 0;
}
