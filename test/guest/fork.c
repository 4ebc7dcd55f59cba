/* fork: separate memory, shared offsets, wait in all its forms, orphans. */
#include "guest.h"

static int value = 1;

static void
memory_is_separate(void)
{
	int status;

	if (fork() == 0) {
		value = 2;
		say("child has %d\n", value);
		_exit(0);
	}
	wait(&status);
	say("parent has %d\n", value);
}

static void
offset_is_shared(void)
{
	char buf[8] = "";
	int fd = open("file", O_RDWR | O_CREAT, 0600), status;

	if (write(fd, "abcdef", 6) != 6)
		say("write fails\n");
	lseek(fd, 0, SEEK_SET);
	if (fork() == 0)
		_exit(read(fd, buf, 3) == 3 ? 0 : 1);
	wait(&status);
	CHECK(read(fd, buf, 3) == 3 && memcmp(buf, "def", 3) == 0);
	close(fd);
	unlink("file");
}

static void
many(void)
{
	int i, status, sum = 0, n = 0;
	pid_t pid;

	for (i = 0; i < 10; i++)
		if (fork() == 0)
			_exit(i);
	while ((pid = waitpid(-1, &status, 0)) > 0) {
		sum += WEXITSTATUS(status);
		n++;
	}
	say("%d children, sum %d\n", n, sum);
}

static void
no_hang(void)
{
	int fds[2], status = -1;
	char c;
	pid_t pid;

	if (pipe(fds) != 0)
		return;
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		_exit(read(fds[0], &c, 1) == 0 ? 3 : 4);
	}
	close(fds[0]);
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	close(fds[1]);
	CHECK(waitpid(pid, &status, 0) == pid);
	ended("reader", status);
}

static void
stopped_and_continued(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		raise(SIGSTOP);
		_exit(9);
	}
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	ended("child", status);
	kill(pid, SIGCONT);
	CHECK(waitpid(pid, &status, 0) == pid);
	ended("child", status);
}

int
main(void)
{
	enter_scratch();
	memory_is_separate();
	offset_is_shared();
	many();
	no_hang();
	stopped_and_continued();
	CHECK(getppid() >= 0 && getpid() > 0 && getpgrp() > 0);
	leave_scratch();
	return 0;
}
