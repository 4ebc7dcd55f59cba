/* Blocked signals wait; a real-time signal queues, an ordinary one does not; the mask during and after a handler. */
#include "guest.h"

static int count;

static void
counting(int signo, siginfo_t *info, void *context)
{
	sigset_t now;

	(void)info; (void)context;
	count++;
	sigprocmask(SIG_BLOCK, NULL, &now);
	say("handler %s: itself blocked %d, SIGUSR2 blocked %d\n", signo == SIGUSR1 ? "USR1" : "RT", sigismember(&now, signo),
	    sigismember(&now, SIGUSR2));
}

int
main(void)
{
	sigset_t set, old, waiting;
	struct sigaction sa;
	struct timespec soon = { 0, 1000000 };
	int signo, i;

	action(SIGUSR1, counting, 0);
	memset(&sa, 0, sizeof sa);
	sa.sa_sigaction = counting;
	sa.sa_flags = SA_SIGINFO;
	sigaddset(&sa.sa_mask, SIGUSR2);
	sigaction(SIGRTMIN, &sa, NULL);

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
	for (i = 0; i < 3; i++) {
		raise(SIGUSR1);
		raise(SIGRTMIN);
	}
	CHECK(count == 0);
	CHECK(sigpending(&waiting) == 0 && sigismember(&waiting, SIGUSR1) == 1);
	CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
	say("handlers run: %d\n", count);
	CHECK(sigpending(&waiting) == 0 && sigismember(&waiting, SIGUSR1) == 0);

	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	CHECK(sigwait(&set, &signo) == 0 && signo == SIGUSR1);
	FAILS(sigtimedwait(&set, NULL, &soon), EAGAIN);
	raise(SIGUSR1);
	FAILS(sigsuspend(&old), EINTR);
	CHECK(sigprocmask(SIG_BLOCK, NULL, &old) == 0 && sigismember(&old, SIGUSR1) == 1);
	sigfillset(&set);
	CHECK(sigprocmask(SIG_SETMASK, &set, NULL) == 0);
	sigprocmask(SIG_BLOCK, NULL, &old);
	CHECK(sigismember(&old, SIGKILL) == 0 && sigismember(&old, SIGSTOP) == 0);
	return 0;
}
