#define _GNU_SOURCE		/* pipe2 */
#include "init.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int wake[2];		/* written by the handler, so that a child's end also ends a poll that is about to begin */

void
say(const char *format, ...)
{
	char line[256];
	va_list ap;
	int n;

	n = snprintf(line, sizeof line, "init: ");
	va_start(ap, format);
	n += vsnprintf(line + n, sizeof line - (size_t)n - 1, format, ap);
	va_end(ap);
	if (n > (int)sizeof line - 2)
		n = (int)sizeof line - 2;
	line[n++] = '\n';
	if (write(1, line, (size_t)n) < 0)
		return;
}

int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
child_ended(int signo)
{
	int saved = errno;

	(void)signo;
	if (write(wake[1], "", 1) < 0)
		errno = saved;
	errno = saved;
}

static void
open_console(void)
{
	int fd = open("/dev/console", O_RDWR);

	if (fd < 0)
		return;
	dup2(fd, 0);
	dup2(fd, 1);
	dup2(fd, 2);
	if (fd > 2)
		close(fd);
}

static void
reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		daemon_ended(pid, status);
}

static void
wait_for_something(int timeout)
{
	struct pollfd p = { wake[0], POLLIN, 0 };
	char drained[64];

	poll(&p, 1, timeout);
	while (read(wake[0], drained, sizeof drained) > 0)
		;
}

int
main(int argc, char **argv)
{
	int i;

	open_console();
	if (pipe2(wake, O_NONBLOCK | O_CLOEXEC) != 0) {
		say("no pipe");
		return 1;
	}
	signal(SIGCHLD, child_ended);
	read_configuration(argc > 1 ? argv[1] : "/etc/init.conf");
	say("up");
	for (i = 0; i < daemon_count; i++)
		start_daemon(&daemons[i]);
	for (;;) {
		reap();
		wait_for_something(start_due_daemons());
	}
}
