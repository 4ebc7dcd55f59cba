/*
 * What the programs that ask odd questions share: T(x) prints the call as it is written and its answer, an errno by its
 * name. Raw calls go through syscall(), so that no C library checks the arguments first.
 */
#ifndef ODD_H
#define ODD_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

/* musl's names for the calls with 32-bit times. */
#ifndef SYS_gettimeofday
#define SYS_gettimeofday	SYS_gettimeofday_time32
#define SYS_clock_gettime	SYS_clock_gettime32
#define SYS_clock_getres	SYS_clock_getres_time32
#define SYS_clock_nanosleep	SYS_clock_nanosleep_time32
#endif
#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ	1031
#define F_GETPIPE_SZ	1032
#endif

#define NOWHERE	((void *)16)		/* never mapped */
#define HIGH	((void *)0xfffff000u)	/* not the program's half */
#define PAGE	4096

static inline const char *
errno_name(int e)
{
	static char number[16];
	static const struct { int e; const char *name; } names[] = {
#define N(x)	{ x, #x }
		N(EPERM), N(ENOENT), N(ESRCH), N(EINTR), N(EIO), N(ENXIO), N(E2BIG), N(ENOEXEC), N(EBADF), N(ECHILD), N(EAGAIN), N(ENOMEM),
		N(EACCES), N(EFAULT), N(ENOTBLK), N(EBUSY), N(EEXIST), N(EXDEV), N(ENODEV), N(ENOTDIR), N(EISDIR), N(EINVAL), N(ENFILE),
		N(EMFILE), N(ENOTTY), N(ETXTBSY), N(EFBIG), N(ENOSPC), N(ESPIPE), N(EROFS), N(EMLINK), N(EPIPE), N(EDOM), N(ERANGE),
		N(EDEADLK), N(ENAMETOOLONG), N(ENOSYS), N(ENOTEMPTY), N(ELOOP), N(EOVERFLOW), N(ENOTSOCK), N(EDESTADDRREQ), N(EMSGSIZE),
		N(EPROTOTYPE), N(ENOPROTOOPT), N(EPROTONOSUPPORT), N(ESOCKTNOSUPPORT), N(EOPNOTSUPP), N(EAFNOSUPPORT), N(EADDRINUSE),
		N(EADDRNOTAVAIL), N(ECONNREFUSED), N(ECONNRESET), N(EISCONN), N(ENOTCONN), N(ETIMEDOUT), N(EALREADY), N(EINPROGRESS),
#undef N
	};
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].e == e)
			return names[i].name;
	snprintf(number, sizeof number, "errno %d", e);
	return number;
}

static inline void
say(const char *format, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, format);
	int n = vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	if (write(1, line, n) != n)
		_exit(99);
}

#define T(x)	do {								\
	errno = 0;								\
	long r_ = (long)(x);							\
	if (r_ == -1 && errno != 0)						\
		say("%s = %s\n", #x, errno_name(errno));			\
	else									\
		say("%s = %ld\n", #x, r_);					\
} while (0)

/* For addresses: only whether it worked. */
#define P(x)	do {								\
	errno = 0;								\
	say("%s: %s\n", #x, (void *)(x) == MAP_FAILED ? errno_name(errno) : "mapped");	\
} while (0)

static inline void
ended(const char *who, int status)
{
	say("%s: %s %d\n", who, WIFEXITED(status) ? "exit" : WIFSIGNALED(status) ? "signal" : WIFSTOPPED(status) ? "stopped" : "status",
	    WIFEXITED(status) ? WEXITSTATUS(status) : WIFSIGNALED(status) ? WTERMSIG(status) : WIFSTOPPED(status) ? WSTOPSIG(status) : status);
}

/* How a child that runs the statement ends. */
#define CHILD(statement) do {							\
	int status_, pid_ = fork();						\
	if (pid_ == 0) { statement; _exit(0); }					\
	waitpid(pid_, &status_, WUNTRACED);					\
	ended(#statement, status_);						\
} while (0)

#endif
