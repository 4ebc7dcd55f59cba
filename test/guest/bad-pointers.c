/* System calls given wild addresses fail with EFAULT and harm nothing. */
#include "guest.h"
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>

#define WILD	((void *)0x10)
#define HIGH	((void *)0x80000000u)
#define TOP	((void *)0xfffffff0u)

int
main(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *end = page + 4096;
	int fds[2], null = open("/dev/zero", O_RDONLY);

	munmap(end, 4096);
	if (pipe(fds) != 0)
		return 1;
	FAILS(write(fds[1], WILD, 5), EFAULT);
	FAILS(write(fds[1], HIGH, 5), EFAULT);
	FAILS(write(fds[1], TOP, 100), EFAULT);
	FAILS(read(null, WILD, 5), EFAULT);
	FAILS(syscall(SYS_open, WILD, O_RDONLY), EFAULT);
	FAILS(syscall(SYS_open, HIGH, O_RDONLY), EFAULT);
	memset(end - 4, '/', 4);
	FAILS(syscall(SYS_open, end - 4, O_RDONLY), EFAULT);
	FAILS(syscall(SYS_nanosleep, WILD, NULL), EFAULT);
	FAILS(syscall(SYS_poll, WILD, 3, 0), EFAULT);
	FAILS(syscall(SYS_rt_sigaction, SIGUSR1, WILD, NULL, 16), EFAULT);
	FAILS(syscall(SYS_rt_sigprocmask, SIG_BLOCK, WILD, NULL, 16), EFAULT);
	FAILS(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, NULL, 8), EINVAL);
	FAILS(syscall(SYS_uname, WILD), EFAULT);
	FAILS(syscall(SYS_getcwd, WILD, 100), EFAULT);
	FAILS(syscall(SYS_execve, WILD, NULL, NULL), EFAULT);
	FAILS(syscall(SYS_wait4, -1, WILD, 0, NULL), ECHILD);
	FAILS(syscall(SYS_sigaltstack, WILD, NULL), EFAULT);
	FAILS(syscall(4999), ENOSYS);
	CHECK(write(fds[1], end - 4, 4) == 4);
	CHECK(read(fds[0], end - 4, 4) == 4);
	return 0;
}
