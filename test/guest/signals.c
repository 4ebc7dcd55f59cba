/* Handlers, siginfo, default and ignored actions. */
#include "guest.h"

static volatile sig_atomic_t seen;

static void
plain(int signo)
{
	seen = signo;
}

static void
informed(int signo, siginfo_t *info, void *context)
{
	say("signal %d, si_signo %d, si_code %d, from me %d, context %s\n", signo, info->si_signo, info->si_code,
	    info->si_pid == getpid(), context != NULL ? "given" : "missing");
}

static void
fault(int signo, siginfo_t *info, void *context)
{
	(void)context;
	say("signal %d, si_code %d, si_addr %#lx\n", signo, info->si_code, (unsigned long)info->si_addr);
	_exit(0);
}

static void
fault_at(uintptr_t addr, int store)
{
	int status;

	if (fork() == 0) {
		action(SIGSEGV, fault, 0);
		action(SIGBUS, fault, 0);
		if (store)
			*(volatile char *)addr = 1;
		else
			(void)*(volatile char *)addr;
		_exit(1);
	}
	wait(&status);
	ended(store ? "store" : "load", status);
}

int
main(void)
{
	struct sigaction old;
	union sigval value;
	int status;

	signal(SIGUSR1, plain);
	raise(SIGUSR1);
	say("plain handler saw %d\n", seen);
	CHECK(sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == plain);
	action(SIGUSR2, informed, 0);
	kill(getpid(), SIGUSR2);
	value.sival_int = 7;
	CHECK(sigqueue(getpid(), SIGUSR2, value) == 0);
	signal(SIGTERM, SIG_IGN);
	CHECK(raise(SIGTERM) == 0);
	CHECK(kill(getpid(), 0) == 0);
	FAILS(kill(getpid(), 200), EINVAL);
	FAILS(kill(30000, SIGTERM), ESRCH);
	FAILS(sigaction(SIGKILL, &old, NULL), EINVAL);
	action(SIGUSR1, informed, SA_RESETHAND);
	raise(SIGUSR1);
	CHECK(sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == SIG_DFL);
	if (fork() == 0) {
		raise(SIGUSR1);
		_exit(0);
	}
	wait(&status);
	ended("default action of SIGUSR1", status);
	fault_at(0x10, 0);
	fault_at(0x20, 1);
	return 0;
}
