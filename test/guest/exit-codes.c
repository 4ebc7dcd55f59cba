/* Exit statuses, exit handlers, and what a parent sees of them. */
#include "guest.h"

static void first(void) { say("first handler\n"); }
static void second(void) { say("second handler\n"); }

static void
child(int how)
{
	switch (how) {
	case 0: exit(0);
	case 1: exit(1);
	case 2: exit(256 + 7);
	case 3: _exit(-1);
	case 4: abort();
	case 5: raise(SIGKILL); break;
	case 6: raise(SIGTERM); break;
	}
	_exit(50);
}

int
main(void)
{
	char name[16];
	int how, status;
	pid_t pid;

	for (how = 0; how < 7; how++) {
		pid = fork();
		if (pid == 0)
			child(how);
		CHECK(waitpid(pid, &status, 0) == pid);
		snprintf(name, sizeof name, "child %d", how);
		ended(name, status);
	}
	FAILS(waitpid(-1, &status, 0), ECHILD);
	atexit(first);
	atexit(second);
	exit(42);
}
