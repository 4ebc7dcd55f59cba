/* Pseudo-terminals: the line discipline, echo, signals, job control, hang-up (termios(3), pty(7), ioctl_tty(2)). */
#include "guest.h"
#include <time.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;
static char name[64];
static volatile sig_atomic_t caught;

static void
note(int signo)
{
	caught = signo;
}

/* What a descriptor gives, control characters made visible. */
static void
show(const char *what, int fd)
{
	unsigned char bytes[256];
	char text[1100] = "";
	int n = (int)read(fd, bytes, sizeof bytes), i, at = 0;

	if (n < 0) {
		say("%s: %s\n", what, strerror(errno));
		return;
	}
	for (i = 0; i < n; i++)
		at += sprintf(text + at, bytes[i] < 32 || bytes[i] > 126 ? "\\x%02x" : "%c", bytes[i]);
	say("%s: %d bytes \"%s\"\n", what, n, text);
}

static void
press(const char *keys)
{
	if (write(master, keys, strlen(keys)) != (ssize_t)strlen(keys))
		_exit(95);
}

/* A kernel's line discipline may look at what was typed a little later. */
static void
settle(void)
{
	struct timespec gap = { 0, 200000000 };

	nanosleep(&gap, NULL);
}

static void
type(const char *keys)
{
	say("typed %d\n", (int)strlen(keys));
	press(keys);
}

static void
pair(void)
{
	master = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK(master >= 0 && grantpt(master) == 0);
	CHECK(open(ptsname(master), O_RDWR | O_NOCTTY) < 0 && errno == EIO);
	CHECK(unlockpt(master) == 0);
	CHECK(ptsname_r(master, name, sizeof name) == 0 && strncmp(name, "/dev/pts/", 9) == 0);
	slave = open(name, O_RDWR | O_NOCTTY);
	CHECK(slave >= 0 && isatty(slave));
}

/* Turns between two processes, without a word. */
static void
pass_on(int fd)
{
	if (write(fd, "r", 1) != 1)
		_exit(98);
}

static void
await(int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		_exit(97);
}

static void
editing(void)
{
	int waiting;

	type("hello\n");
	settle();
	CHECK(ioctl(slave, FIONREAD, &waiting) == 0 && waiting == 6);
	show("line", slave);
	show("its echo", master);
	type("abX\x7f" "c\r");
	show("erased one", slave);
	show("its echo", master);
	type("gone\x15kept\n");
	show("killed", slave);
	show("its echo", master);
	type("two words\x17" "w\n");
	show("word erased", slave);
	show("its echo", master);
	type("a\x16\x03z\n");
	show("literal", slave);
	show("its echo", master);
	type("part\x04");
	show("end of file after text", slave);
	type("\x04");
	show("end of file alone", slave);
	show("its echo", master);
	type("one\ntwo\n");
	show("first of two lines", slave);
	show("second of two lines", slave);
	show("their echo", master);
	CHECK(write(slave, "out\n", 4) == 4);
	show("output", master);
}

static void
raw(void)
{
	struct termios old, t;

	CHECK(tcgetattr(slave, &old) == 0);
	t = old;
	cfmakeraw(&t);
	CHECK(tcsetattr(slave, TCSANOW, &t) == 0);
	type("a\r\x03\x7f");
	show("raw", slave);
	CHECK(write(slave, "x\n", 2) == 2);
	show("raw output", master);
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 0;
	CHECK(tcsetattr(slave, TCSANOW, &t) == 0);
	show("nothing, at once", slave);
	t.c_cc[VTIME] = 1;
	CHECK(tcsetattr(slave, TCSANOW, &t) == 0);
	show("nothing, after a tenth", slave);
	t.c_cc[VMIN] = 3;
	t.c_cc[VTIME] = 0;
	CHECK(tcsetattr(slave, TCSANOW, &t) == 0);
	CHECK(fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
	type("abc");
	show("three wanted, three there", slave);
	show("three wanted, none there", slave);
	CHECK(fcntl(slave, F_SETFL, O_RDWR) == 0);
	CHECK(tcsetattr(slave, TCSANOW, &old) == 0);
}

static void
flow(void)
{
	CHECK(fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
	type("\x13");
	settle();
	CHECK(write(slave, "held", 4) < 0 && errno == EAGAIN);
	type("\x11");
	settle();
	CHECK(write(slave, "let go", 6) == 6);
	CHECK(fcntl(slave, F_SETFL, O_RDWR) == 0);
	show("after ^S and ^Q", master);
}

/* A session of its own on the terminal; says what happens to it through a pipe to keep the order. */
static void
session(void)
{
	int told[2], status, pgrp;
	char byte = 0;
	pid_t child;

	CHECK(pipe(told) == 0);
	child = fork();
	if (child == 0) {
		struct sigaction act = { .sa_handler = note };
		struct winsize size;
		pid_t job;

		close(master);
		CHECK(setsid() > 0);
		FAILS(open("/dev/tty", O_RDWR), ENXIO);
		close(slave);
		slave = open(name, O_RDWR);
		CHECK(slave >= 0 && tcgetpgrp(slave) == getpid() && tcgetsid(slave) == getpid());
		CHECK(ioctl(slave, TIOCSCTTY, 0) == 0);
		sigaction(SIGINT, &act, NULL);
		sigaction(SIGWINCH, &act, NULL);
		sigaction(SIGHUP, &act, NULL);
		pass_on(told[1]);
		while (!caught)
			poll(NULL, 0, 10);
		say("caught %s\n", caught == SIGINT ? "SIGINT" : "something else");
		caught = 0;
		pass_on(told[1]);
		while (!caught)
			poll(NULL, 0, 10);
		CHECK(caught == SIGWINCH && ioctl(slave, TIOCGWINSZ, &size) == 0 && size.ws_row == 30 && size.ws_col == 100);
		caught = 0;
		job = fork();
		if (job == 0) {
			setpgid(0, 0);
			read(slave, &byte, 1);
			_exit(7);
		}
		setpgid(job, job);
		CHECK(waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
		CHECK(tcsetpgrp(slave, job) == 0 && tcgetpgrp(slave) == job);
		CHECK(kill(job, SIGCONT) == 0);
		pass_on(told[1]);
		CHECK(waitpid(job, &status, 0) == job && WIFEXITED(status) && WEXITSTATUS(status) == 7);
		signal(SIGTTOU, SIG_IGN);
		CHECK(tcsetpgrp(slave, getpid()) == 0);
		pass_on(told[1]);
		while (!caught)
			poll(NULL, 0, 10);
		CHECK(caught == SIGHUP);
		show("after the hang-up", slave);
		CHECK(write(slave, "x", 1) < 0 && errno == EIO);
		_exit(5);
	}
	close(slave);
	await(told[0]);
	press("\x03");
	await(told[0]);
	show("the echo of ^C", master);
	if (ioctl(master, TIOCSWINSZ, &(struct winsize){ 30, 100, 0, 0 }) != 0)
		_exit(96);
	await(told[0]);
	press("k\n");
	await(told[0]);
	CHECK(ioctl(master, TIOCGPGRP, &pgrp) == 0 && pgrp == child);
	close(master);
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 5);
}

static void
closing(void)
{
	struct pollfd p = { 0, POLLIN, 0 };

	pair();
	CHECK(write(slave, "last", 4) == 4);
	close(slave);
	p.fd = master;
	CHECK(poll(&p, 1, 0) == 1 && (p.revents & POLLHUP));
	show("what was written before", master);
	show("then", master);
	slave = open(name, O_RDWR | O_NOCTTY);
	CHECK(slave >= 0 && write(slave, "again", 5) == 5);
	show("after it was opened again", master);
	CHECK(close(master) == 0 && access(name, F_OK) < 0);
}

int
main(void)
{
	alarm(60);
	pair();
	editing();
	raw();
	flow();
	session();
	closing();
	return 0;
}
