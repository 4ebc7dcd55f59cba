/* Bad pointers to every pointer argument. */
#include "odd.h"

int
main(void)
{
	void *bad[] = { NOWHERE, HIGH, (void *)-1, mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) };
	const char *names[] = { "nowhere", "high", "last byte", "no access" };
	int fd = open("/bin/data", O_RDONLY), p[2];

	T(pipe(p));
	for (int i = 0; i < 4; i++) {
		void *b = bad[i];
		say("-- %s\n", names[i]);
		T(syscall(SYS_open, b, 0));
		T(syscall(SYS_openat, AT_FDCWD, b, 0));
		T(syscall(SYS_creat, b, 0600));
		T(syscall(SYS_stat64, b, b));
		T(syscall(SYS_stat64, "/", b));
		T(syscall(SYS_lstat64, "/", b));
		T(syscall(SYS_fstat64, fd, b));
		T(syscall(SYS_access, b, 0));
		T(syscall(SYS_chdir, b));
		T(syscall(SYS_chmod, b, 0));
		T(syscall(SYS_chown, b, 0, 0));
		T(syscall(SYS_mkdir, b, 0));
		T(syscall(SYS_rmdir, b));
		T(syscall(SYS_unlink, b));
		T(syscall(SYS_link, b, "x"));
		T(syscall(SYS_link, "/bin/data", b));
		T(syscall(SYS_symlink, b, "x"));
		T(syscall(SYS_symlink, "x", b));
		T(syscall(SYS_rename, b, "x"));
		T(syscall(SYS_rename, "/bin/data", b));
		T(syscall(SYS_readlink, b, b, 10));
		T(syscall(SYS_readlink, "/proc/self/exe", b, 10));
		T(syscall(SYS_truncate64, b, 0, 0, 0));
		T(syscall(SYS_statfs, "/", b));
		T(syscall(SYS_getcwd, b, 100));
		T(syscall(SYS_read, fd, b, 10));
		T(syscall(SYS_read, fd, b, 0));
		T(syscall(SYS_write, p[1], b, 10));
		T(syscall(SYS_write, p[1], b, 0));
		T(syscall(SYS_pread64, fd, b, 10, 0, 0, 0));
		T(syscall(SYS_readv, fd, b, 1));
		T(syscall(SYS_writev, p[1], b, 1));
		T(syscall(SYS_getdents64, fd, b, 100));
		T(syscall(SYS_pipe2, b, 0));
		T(syscall(SYS_poll, b, 1, 0));
		T(syscall(SYS__newselect, 1, b, NULL, NULL, NULL));
		T(syscall(SYS__newselect, 0, NULL, NULL, NULL, b));
		T(syscall(SYS_gettimeofday, b, NULL));
		T(syscall(SYS_clock_gettime, 0, b));
		T(syscall(SYS_clock_getres, 0, b));
		T(syscall(SYS_times, b));
		T(syscall(SYS_uname, b));
		T(syscall(SYS_sysinfo, b));
		T(syscall(SYS_getrusage, 0, b));
		T(syscall(SYS_getrlimit, RLIMIT_NOFILE, b));
		T(syscall(SYS_setrlimit, RLIMIT_NOFILE, b));
		T(syscall(SYS_getitimer, 0, b));
		T(syscall(SYS_rt_sigaction, SIGUSR1, b, NULL, 16));
		T(syscall(SYS_rt_sigaction, SIGUSR1, NULL, b, 16));
		T(syscall(SYS_rt_sigprocmask, SIG_BLOCK, b, NULL, 16));
		T(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, b, 16));
		T(syscall(SYS_rt_sigpending, b, 16));
		T(syscall(SYS_sigaltstack, b, NULL));
		T(syscall(SYS_sigaltstack, NULL, b));
		T(syscall(SYS_getgroups, 0, b));
		T(syscall(SYS_setgroups, 1, b));
		T(syscall(SYS_getresuid, b, b, b));
		T(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, b));
		T(syscall(SYS_utimensat, AT_FDCWD, b, NULL, 0));
		T(syscall(SYS_utimensat, AT_FDCWD, "/bin/data", b, 0));
		T(syscall(SYS_nanosleep, b, NULL) == 0);
		T(syscall(SYS_sched_getaffinity, 0, 128, b));
		T(syscall(SYS_execve, b, NULL, NULL));
		T(syscall(SYS_ioctl, p[0], FIONREAD, b));
		T(syscall(SYS_getrandom, b, 4, 0));
	}
	return 0;
}
