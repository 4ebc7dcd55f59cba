/* RLIMIT_AS and the end of memory are errors a program can see: ENOMEM, malloc returns NULL, and it goes on. */
#include "guest.h"
#include <sys/resource.h>

int
main(void)
{
	struct rlimit limit = { 16 << 20, 16 << 20 }, now;
	void *block[64];
	int n = 0;

	CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
	CHECK(getrlimit(RLIMIT_AS, &now) == 0 && now.rlim_cur == 16 << 20);
	while (n < 64 && (block[n] = malloc(1 << 20)) != NULL) {
		memset(block[n], n, 1 << 20);
		n++;
	}
	CHECK(n >= 8 && n < 16 && errno == ENOMEM);
	FAILS(mmap(NULL, 16 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
	while (n > 0)
		free(block[--n]);
	CHECK((block[0] = malloc(4 << 20)) != NULL);
	limit.rlim_cur = 32 << 20;
	FAILS(setrlimit(RLIMIT_AS, &limit), EINVAL);
	limit.rlim_cur = limit.rlim_max = 8;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	while ((n = open("/dev/null", O_RDONLY)) >= 0)
		;
	CHECK(errno == EMFILE);
	return 0;
}
