/*
 * A server that knows nothing of checkpoints: it polls a pipe and does what each byte says. A child writes the bytes, given as
 * the argument, one every 30 ms. n counts; c spoils the count and faults; h spoils it and spins; a aborts; p makes every later round fault
 * before it reads; s spoils what u uses, which faults then; x faults elsewhere; f starts a worker that stays; w says how many children there are.
 */
#include "guest.h"
#include <poll.h>
#include <time.h>

static volatile int count, poisoned, spoiled, workers;
static volatile int *volatile nowhere = (volatile int *)16;

static void
drive(int fd, const char *commands)
{
	struct timespec gap = { 0, 30000000 };

	for (; *commands; commands++) {
		if (write(fd, commands, 1) != 1)
			_exit(1);
		nanosleep(&gap, NULL);
	}
	_exit(0);
}

static void
start_worker(int fd)
{
	workers++;
	if (fork() == 0) {
		close(fd);
		for (;;)
			pause();
	}
}

static void
obey(int fd, char command)
{
	switch (command) {
	case 'n':
		say("n%d\n", ++count);
		return;
	case 'c':
		count = 1000;
		*nowhere = 1;
		return;
	case 'x':
		count = *nowhere;
		return;
	case 'h':
		count = 1000;
		for (;;)
			continue;
	case 'a':
		count = 1000;
		abort();
	case 'p':
		poisoned = 1;
		return;
	case 's':
		spoiled = 1;
		return;
	case 'u':
		if (spoiled)
			*nowhere = 1;
		say("used %d\n", count);
		return;
	case 'f':
		start_worker(fd);
		return;
	case 'w':
		say("workers %d\n", workers);
		return;
	}
}

int
main(int argc, char **argv)
{
	struct pollfd p = { -1, POLLIN, 0 };
	int fds[2];
	char command;

	if (pipe(fds) != 0)
		return 1;
	if (fork() == 0)
		drive(fds[1], argc > 1 ? argv[1] : "nnn");
	close(fds[1]);
	p.fd = fds[0];
	for (;;) {
		if (poll(&p, 1, -1) < 0)
			return 1;
		if (poisoned)
			*nowhere = 2;
		if (read(fds[0], &command, 1) != 1)
			break;
		obey(fds[0], command);
	}
	say("end %d\n", count);
	return 0;
}
