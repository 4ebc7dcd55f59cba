/*
 * What the guest test programs share. Output goes straight to descriptor 1, one write a line, so that it is the same
 * whatever libc buffers and whoever forks.
 */
#ifndef GUEST_H
#define GUEST_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>

static inline void
say(const char *format, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	if (write(1, line, (size_t)n) != n)
		_exit(99);
}

#define CHECK(x)	say("%s: %s\n", #x, (x) ? "yes" : "NO")

/* The call must fail with this errno. */
#define FAILS(x, e)	do {						\
	errno = 0;							\
	int failed_ = (long)(x) == -1 && errno == (e);			\
	say("%s fails with %s: %s\n", #x, #e, failed_ ? "yes" : "NO");	\
	if (!failed_)							\
		say("  errno %d\n", errno);				\
} while (0)

static inline void
action(int signo, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof sa);
	sa.sa_sigaction = handler;
	sa.sa_flags = SA_SIGINFO | flags;
	if (sigaction(signo, &sa, NULL) != 0)
		say("sigaction %d fails\n", signo);
}

/* How a child ended, in words. */
static inline void
ended(const char *who, int status)
{
	if (WIFEXITED(status))
		say("%s: exit %d\n", who, WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		say("%s: signal %d\n", who, WTERMSIG(status));
	else if (WIFSTOPPED(status))
		say("%s: stopped %d\n", who, WSTOPSIG(status));
	else
		say("%s: status %x\n", who, status);
}

/* A fresh directory under /tmp, entered. The ramdisk is thrown away with the machine; leave() is for other hosts. */
static char scratch_dir[64];

static inline void
enter_scratch(void)
{
	strcpy(scratch_dir, "/tmp/guestXXXXXX");
	if (mkdtemp(scratch_dir) == NULL || chdir(scratch_dir) != 0) {
		say("no scratch directory\n");
		_exit(98);
	}
}

static inline void
leave_scratch(void)
{
	if (chdir("/") != 0 || rmdir(scratch_dir) != 0)
		say("scratch directory is not empty\n");
}

#endif
