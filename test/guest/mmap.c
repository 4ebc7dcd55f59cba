/* Private, shared and file mappings: who sees whose stores; coherence with read and write. */
#include "guest.h"

#define PAGE 4096

static void
across_fork(void)
{
	int *priv = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;

	CHECK(priv != MAP_FAILED && shared != MAP_FAILED);
	CHECK(*priv == 0 && *shared == 0);
	*priv = *shared = 1;
	if (fork() == 0) {
		*priv = *shared = 2;
		_exit(0);
	}
	wait(&status);
	say("private %d, shared %d\n", *priv, *shared);
	munmap(priv, PAGE);
	munmap(shared, PAGE);
}

static void
of_a_file(void)
{
	char *shared, *priv, buf[8] = "";
	struct stat st;
	int fd = open("file", O_RDWR | O_CREAT, 0600);

	CHECK(ftruncate(fd, PAGE + 10) == 0);
	shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	priv = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(shared != MAP_FAILED && priv != MAP_FAILED);
	memcpy(shared, "mapped", 6);
	CHECK(pread(fd, buf, 6, 0) == 6 && memcmp(buf, "mapped", 6) == 0);
	CHECK(memcmp(priv, "mapped", 6) == 0);
	CHECK(pwrite(fd, "WRITE", 5, PAGE) == 5);
	CHECK(memcmp(shared + PAGE, "WRITE", 5) == 0);
	memcpy(priv, "secret", 6);
	CHECK(pread(fd, buf, 6, 0) == 6 && memcmp(buf, "mapped", 6) == 0);
	CHECK(memcmp(shared, "mapped", 6) == 0);
	CHECK(shared[PAGE + 20] == 0);
	CHECK(msync(shared, PAGE, MS_SYNC) == 0);
	close(fd);
	memcpy(shared + 6, "!", 1);
	CHECK(stat("file", &st) == 0 && st.st_size == PAGE + 10);
	unlink("file");
	CHECK(shared[6] == '!');
	munmap(shared, 2 * PAGE);
	munmap(priv, 2 * PAGE);
}

static void
past_the_end(int signo, siginfo_t *info, void *context)
{
	(void)context;
	say("signal %d, si_code %d\n", signo, info->si_code);
	_exit(0);
}

static void
beyond_the_file(void)
{
	volatile char *p;
	int status, fd = open("short", O_RDWR | O_CREAT, 0600);

	CHECK(ftruncate(fd, 10) == 0);
	p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(p[100] == 0);
	if (fork() == 0) {
		action(SIGBUS, past_the_end, 0);
		action(SIGSEGV, past_the_end, 0);
		(void)p[PAGE];
		_exit(1);
	}
	wait(&status);
	ended("load past the end of the file", status);
	close(fd);
	unlink("short");
}

static void
fixed_and_holes(void)
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *q;
	unsigned char vec[4];

	memset(p, 7, 4 * PAGE);
	CHECK(munmap(p + PAGE, PAGE) == 0);
	FAILS(mincore(p + PAGE, PAGE, vec), ENOMEM);
	q = mmap(p + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(q == p + PAGE && q[0] == 0 && q[-1] == 7 && q[PAGE] == 7);
	CHECK(madvise(p, PAGE, MADV_DONTNEED) == 0 && p[0] == 0);
	FAILS(munmap(p + 1, PAGE), EINVAL);
	FAILS(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL);
	FAILS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0), EBADF);
	CHECK(munmap(p, 4 * PAGE) == 0);
}

static void
needs_rights(void)
{
	int fd = open("ro", O_RDWR | O_CREAT, 0600);

	CHECK(ftruncate(fd, PAGE) == 0);
	close(fd);
	fd = open("ro", O_RDONLY);
	FAILS(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EACCES);
	CHECK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	close(fd);
	unlink("ro");
}

int
main(void)
{
	enter_scratch();
	across_fork();
	of_a_file();
	beyond_the_file();
	fixed_and_holes();
	needs_rights();
	leave_scratch();
	return 0;
}
