/*
 * A server that knows nothing of checkpoints: prefork WORKERS. The parent forks a pool that accepts clients of /tmp/prefork side by side and shares
 * a scoreboard; with no workers it forks a child for each client. A client sends one letter and reads the answer.
 *
 *   n  count, under a semaphore in the scoreboard        c  spoil the count and fault
 *   x  spoil the scoreboard so that the parent faults    d  take the semaphore, sleep, fault
 *   q  take a letter of a pipe that all share            t  take one and fault
 *   u  take a letter of a socket that all share          v  take one and fault
 *   s  count in a System V segment                       h  spoil the count and spin
 *   e  the worker ends, and the parent forks another     w  process ids of the workers, and how many were forked
 *   z  stop
 *
 * prefork - LETTERS is its client: it sends them, 30 ms apart, and prints the answers, "-" for none. After & it does not wait for the answer.
 */
#include "guest.h"
#include <poll.h>
#include <semaphore.h>
#include <time.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PATH	"/tmp/prefork"
#define MOST	8

struct board {
	sem_t lock;
	volatile int total, forked, stop;
	volatile pid_t workers[MOST];
	volatile int sane;
	int *volatile mark;
};

static struct board *board;
static volatile int *segment;
static int letters[2], pair[2], workers;
static volatile int *volatile nowhere = (volatile int *)16;

static void
pause_ms(int ms)
{
	struct timespec gap = { 0, ms * 1000000 };

	nanosleep(&gap, NULL);
}

static int
at_path(int fd, int (*call)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_un a;

	memset(&a, 0, sizeof a);
	a.sun_family = AF_UNIX;
	strcpy(a.sun_path, PATH);
	return call(fd, (struct sockaddr *)&a, sizeof a);
}

static void
answer(int fd, const char *format, ...)
{
	char line[128];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	if (write(fd, line, (size_t)n) != n)
		_exit(5);
}

static void
count(int fd)
{
	int now;

	while (sem_wait(&board->lock) != 0)
		continue;
	now = ++board->total;
	sem_post(&board->lock);
	answer(fd, "n%d", now);
}

static char
take_letter(int fd)
{
	char c;

	return read(fd, &c, 1) == 1 ? c : '?';
}

static void
spoil(void)
{
	board->total = 1000;
	*nowhere = 1;
}

static void
serve(int fd, char letter)
{
	switch (letter) {
	case 'n':
		count(fd);
		return;
	case 'c':
		spoil();
		return;
	case 'x':
		board->total = 1000;
		board->mark = (int *)nowhere;
		answer(fd, "x");
		return;
	case 'd':
		sem_wait(&board->lock);
		pause_ms(60);
		spoil();
		return;
	case 'q':
		answer(fd, "q%c", take_letter(letters[0]));
		return;
	case 't':
		take_letter(letters[0]);
		spoil();
		return;
	case 'u':
		answer(fd, "u%c", take_letter(pair[0]));
		return;
	case 'v':
		take_letter(pair[0]);
		spoil();
		return;
	case 's':
		answer(fd, "s%d", ++*segment);
		return;
	case 'h':
		board->total = 1000;
		for (;;)
			continue;
	case 'e':
		answer(fd, "e");
		_exit(3);
	case 'w':
		answer(fd, "w %d %d forked %d", board->workers[0], board->workers[1], board->forked);
		return;
	case 'z':
		board->stop = 1;
		answer(fd, "z");
		return;
	}
}

/* One client. The connection is waited for as an event loop does. */
static void
one_client(int connection)
{
	struct pollfd p = { connection, POLLIN, 0 };
	char letter;

	if (poll(&p, 1, -1) == 1 && read(connection, &letter, 1) == 1)
		serve(connection, letter);
	close(connection);
}

static void
start_worker(int slot, int listener)
{
	pid_t pid = fork();

	if (pid == 0) {
		int connection;

		for (;;)
			if ((connection = accept(listener, NULL, NULL)) >= 0)
				one_client(connection);
	}
	board->workers[slot] = pid;
	board->forked++;
}

static void
look_after(int listener)
{
	int status, slot;
	pid_t pid;

	if (*board->mark != 42)
		exit(4);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (workers == 0 && status != 0)
			ended("child", status);
		for (slot = 0; slot < workers; slot++)
			if (board->workers[slot] == pid)
				start_worker(slot, listener);
	}
}

static void
fork_for_client(int listener)
{
	int connection = accept(listener, NULL, NULL);

	if (connection < 0)
		return;
	if (fork() == 0) {
		one_client(connection);
		_exit(0);
	}
	close(connection);
}

static int
server(void)
{
	struct pollfd p = { socket(AF_UNIX, SOCK_STREAM, 0), POLLIN, 0 };
	int slot;

	board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	segment = shmat(shmget(IPC_PRIVATE, 4096, 0600), NULL, 0);
	if (board == MAP_FAILED || segment == (void *)-1 || sem_init(&board->lock, 1, 1) != 0 || pipe(letters) != 0
	    || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return 1;
	board->sane = 42;
	board->mark = (int *)&board->sane;
	if (write(letters[1], "abcdef", 6) != 6 || write(pair[1], "ghijkl", 6) != 6 || at_path(p.fd, bind) != 0 || listen(p.fd, 8) != 0)
		return 1;
	for (slot = 0; slot < workers; slot++)
		start_worker(slot, p.fd);
	while (!board->stop) {
		if (poll(&p, workers == 0 ? 1 : 0, 25) == 1)
			fork_for_client(p.fd);
		look_after(p.fd);
	}
	for (slot = 0; slot < workers; slot++)
		kill(board->workers[slot], SIGKILL);
	say("end %d\n", board->total);
	return 0;
}

static int
client(const char *commands)
{
	static char alone[2];
	char line[128];
	ssize_t n;
	int fd;

	pause_ms(100);
	for (; *commands; commands++, pause_ms(30)) {
		if (*commands == '&') {
			alone[0] = *++commands;
			if (fork() != 0)
				continue;
			commands = alone;
		}
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (at_path(fd, connect) != 0 || write(fd, commands, 1) != 1)
			return 1;
		n = read(fd, line, sizeof line - 1);
		line[n > 0 ? n : 0] = 0;
		say("%s\n", n > 0 ? line : "-");
		close(fd);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc > 2)
		return client(argv[2]);
	workers = argc > 1 ? atoi(argv[1]) : 2;
	return server();
}
