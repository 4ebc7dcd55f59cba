/* What /proc tells of the machine when processes have come and gone, and who is charged for children. */
#include "guest.h"
#include <sys/resource.h>
#include <sys/socket.h>

static char text[16384];

/* The number after a word at the start of a line of a file, or -1. */
static long
number(const char *path, const char *word)
{
	int fd = open(path, O_RDONLY), at = 0;
	ssize_t n;

	while (fd >= 0 && (n = read(fd, text + at, sizeof text - 1 - (size_t)at)) > 0)
		at += (int)n;
	close(fd);
	text[at] = '\0';
	for (char *line = text; line != NULL; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		if (strncmp(line, word, strlen(word)) == 0)
			return strtol(line + strlen(word), NULL, 10);
	return -1;
}

static long
burn(long rounds)
{
	volatile long sum = 0;

	for (long i = 0; i < rounds; i++)
		sum += i;
	return sum;
}

static pid_t
worker(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		burn(4000000);
		_exit(0);
	}
	return pid;
}

static long
children(void)
{
	struct rusage used;

	getrusage(RUSAGE_CHILDREN, &used);
	return used.ru_utime.tv_sec * 1000000L + used.ru_utime.tv_usec;
}

int
main(void)
{
	char path[64], name[64];
	long before = number("/proc/stat", "cpu "), forks = number("/proc/stat", "processes "), mine;
	pid_t pid = worker();
	int s;

	/* The time of the dead is not forgotten. */
	CHECK(number("/proc/stat", "processes ") > forks);
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(number("/proc/stat", "cpu ") > before);
	CHECK(number("/proc/stat", "processes ") > forks);
	mine = children();
	CHECK(mine > 0);
	CHECK(number("/proc/vmstat", "pgfault ") >= 0 && number("/proc/vmstat", "pgpgin ") >= 0 && number("/proc/vmstat", "pswpout ") >= 0);

	/* Who ignores SIGCHLD collects nothing, and is charged nothing. */
	signal(SIGCHLD, SIG_IGN);
	worker();
	FAILS(waitpid(-1, NULL, 0), ECHILD);
	CHECK(children() == mine);

	/* net-tools wants two digits at least. */
	s = socket(AF_INET, SOCK_STREAM, 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", s);
	CHECK(readlink(path, name, sizeof name) >= 11 && strncmp(name, "socket:[", 8) == 0);
	return 0;
}
