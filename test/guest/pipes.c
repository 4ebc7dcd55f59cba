/* Pipes: order, end of file, EPIPE and SIGPIPE, non-blocking, atomic writes, full buffer, pipe2, FIFO. */
#include "guest.h"

static volatile int broken;

static void on_pipe(int signo) { broken = signo; }

static void
through_a_child(void)
{
	static char big[200000];
	int fds[2], status;
	unsigned long sum = 0, total = 0, i;
	ssize_t n;

	if (pipe(fds) != 0)
		return;
	for (i = 0; i < sizeof big; i++)
		big[i] = (char)(i * 7);
	if (fork() == 0) {
		close(fds[0]);
		_exit(write(fds[1], big, sizeof big) == (ssize_t)sizeof big ? 0 : 1);
	}
	close(fds[1]);
	memset(big, 0, sizeof big);
	while ((n = read(fds[0], big, 5000)) > 0)
		for (i = 0; i < (unsigned long)n; i++, total++)
			sum = sum * 31 + (unsigned char)big[i];
	wait(&status);
	ended("writer", status);
	say("read %lu bytes, sum %lx\n", total, sum & 0xffffffff);
	close(fds[0]);
}

static void
non_blocking(void)
{
	static char page[4096];
	int fds[2], n = 0;

	CHECK(pipe2(fds, O_NONBLOCK | O_CLOEXEC) == 0);
	CHECK(fcntl(fds[0], F_GETFD) == FD_CLOEXEC);
	FAILS(read(fds[0], page, 1), EAGAIN);
	while (write(fds[1], page, sizeof page) == sizeof page)
		n++;
	say("pages until full: %d\n", n);
	FAILS(write(fds[1], page, sizeof page), EAGAIN);
	CHECK(read(fds[0], page, sizeof page) == sizeof page);
	CHECK(write(fds[1], page, sizeof page) == sizeof page);
	close(fds[1]);
	while (read(fds[0], page, sizeof page) > 0)
		n--;
	say("left %d\n", n);
	CHECK(read(fds[0], page, 1) == 0);
	close(fds[0]);
}

static void
broken_pipe(void)
{
	int fds[2], status;

	if (pipe(fds) != 0)
		return;
	close(fds[0]);
	signal(SIGPIPE, on_pipe);
	FAILS(write(fds[1], "x", 1), EPIPE);
	CHECK(broken == SIGPIPE);
	signal(SIGPIPE, SIG_DFL);
	if (fork() == 0) {
		if (write(fds[1], "x", 1) < 0)
			_exit(1);
		_exit(0);
	}
	wait(&status);
	ended("writer to a broken pipe", status);
	close(fds[1]);
	FAILS(lseek(fds[1], 0, SEEK_CUR), EBADF);
}

static void
fifo(void)
{
	char buf[8] = "";
	int fd, status;

	CHECK(mkfifo("fifo", 0600) == 0);
	FAILS(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
	if (fork() == 0) {
		fd = open("fifo", O_WRONLY);
		_exit(write(fd, "fifo", 4) == 4 ? 0 : 1);
	}
	fd = open("fifo", O_RDONLY);
	CHECK(read(fd, buf, sizeof buf) == 4 && memcmp(buf, "fifo", 4) == 0);
	wait(&status);
	ended("fifo writer", status);
	CHECK(read(fd, buf, 1) == 0);
	FAILS(lseek(fd, 0, SEEK_SET), ESPIPE);
	close(fd);
	unlink("fifo");
}

int
main(void)
{
	enter_scratch();
	through_a_child();
	non_blocking();
	broken_pipe();
	fifo();
	leave_scratch();
	return 0;
}
