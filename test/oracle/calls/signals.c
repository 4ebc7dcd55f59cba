/* Invalid signals, signals in vfork children, races of EINTR, timers' rounding, wait's options. */
#include "odd.h"

static volatile int heard;
static void count(int s) { heard += s; }

int
main(void)
{
	struct sigaction sa = { .sa_handler = count }, old;
	struct itimerval it = { { 0, 0 }, { 0, 1 } };
	sigset_t set, none;
	siginfo_t si;
	int p[2], status, pid;
	char b[8];

	for (int s = -1; s < 2; s++) { T(sigaction(s, &sa, NULL)); T(kill(getpid(), s == 1 ? 0 : s)); }
	T(syscall(SYS_rt_sigaction, 127, NULL, &old, 16)); T(syscall(SYS_rt_sigaction, 129, NULL, NULL, 16)); T(syscall(SYS_rt_sigaction, SIGKILL, NULL, NULL, 16)); T(sigaction(SIGKILL, &sa, NULL)); T(sigaction(SIGSTOP, &sa, NULL)); T(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 8)); T(syscall(SYS_rt_sigprocmask, 99, NULL, NULL, 16)); sigfillset(&set); T(syscall(SYS_rt_sigprocmask, 99, &set, NULL, 16)); T(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 15));
	T(kill(0x7fffffff, 0)); T(kill(getpid(), 200)); T(syscall(SYS_tkill, -1, 0)); T(syscall(SYS_tkill, 0, 0)); T(syscall(SYS_tgkill, 0, getpid(), 0)); T(syscall(SYS_tgkill, getpid(), getpid(), 200)); T(syscall(SYS_tkill, 0x7fffffff, 1));
	sigaction(SIGUSR1, &sa, NULL); sigaction(SIGALRM, &sa, NULL); sigemptyset(&none); sigemptyset(&set); sigaddset(&set, SIGUSR1);
	heard = 0; sigprocmask(SIG_BLOCK, &set, NULL); kill(getpid(), SIGUSR1); kill(getpid(), SIGUSR1); T(heard); T(sigsuspend(&none)); T(heard == SIGUSR1); T(sigpending(&set)); T(sigismember(&set, SIGUSR1));
	sigemptyset(&set); sigaddset(&set, SIGUSR1); kill(getpid(), SIGUSR1); T(sigtimedwait(&set, &si, &(struct timespec){ 0, 0 }) == SIGUSR1); T(sigtimedwait(&set, &si, &(struct timespec){ 0, 1000 })); T(sigtimedwait(&set, &si, &(struct timespec){ 0, -1 })); sigprocmask(SIG_UNBLOCK, &set, NULL);
	T(pipe(p)); heard = 0; T(setitimer(ITIMER_REAL, &it, NULL)); usleep(20000); T(heard == SIGALRM); it.it_value.tv_usec = 1000000; T(setitimer(ITIMER_REAL, &it, NULL)); it.it_value.tv_usec = -1; T(setitimer(ITIMER_REAL, &it, NULL)); it.it_value.tv_usec = 0; T(setitimer(99, &it, NULL)); T(getitimer(99, &it));
	it.it_value.tv_usec = 20000; setitimer(ITIMER_REAL, &it, NULL); T(read(p[0], b, 1)); setitimer(ITIMER_REAL, &it, NULL); T(poll(NULL, 0, 1000)); setitimer(ITIMER_REAL, &it, NULL); T(usleep(1000000)); setitimer(ITIMER_REAL, &it, NULL); T(waitpid(-1, &status, 0)); setitimer(ITIMER_REAL, &it, NULL); T(pause());
	sa.sa_flags = SA_RESTART; sigaction(SIGALRM, &sa, NULL); setitimer(ITIMER_REAL, &it, NULL); T(poll(NULL, 0, 200)); if ((pid = fork()) == 0) { usleep(60000); _exit(write(p[1], "x", 1) != 1); } setitimer(ITIMER_REAL, &it, NULL); T(read(p[0], b, 1)); T(waitpid(pid, &status, 0) == pid); setitimer(ITIMER_REAL, &it, NULL); T(select(0, NULL, NULL, NULL, &(struct timeval){ 0, 200000 }));
	alarm(5); T(alarm(0)); it.it_value.tv_sec = 3; it.it_value.tv_usec = 1; setitimer(ITIMER_REAL, &it, NULL); T(alarm(0) >= 3); it.it_value.tv_sec = 0; it.it_value.tv_usec = 1; setitimer(ITIMER_REAL, &it, NULL); usleep(10000); T(alarm(0));
	CHILD(raise(SIGSTOP)); T(waitpid(-1, &status, WNOHANG)); T(kill(-1 - getpid(), 0)); kill(0, SIGCONT); T(wait(&status) > 0); ended("continued", status);
	T(syscall(SYS_wait4, -1, &status, 0x100000, NULL)); T(syscall(SYS_wait4, 0x80000000, &status, WNOHANG, NULL)); T(syscall(SYS_wait4, 999999, &status, 0, NULL)); T(waitid(P_ALL, 0, &si, 0)); T(waitid(99, 0, &si, WEXITED)); T(waitid(P_PID, -1, &si, WEXITED)); T(waitid(P_PID, 999999, &si, WEXITED));
	if ((pid = fork()) == 0) _exit(7); T(waitid(P_PID, pid, &si, WEXITED | WNOWAIT)); T(si.si_status); T(si.si_code == CLD_EXITED); T(syscall(SYS_wait4, pid, NOWHERE, 0, NULL)); T(waitpid(pid, &status, 0));
	if (vfork() == 0) { kill(getpid(), SIGKILL); _exit(1); } T(wait(&status) > 0); ended("vfork and SIGKILL", status); heard = 0; if (vfork() == 0) { raise(SIGUSR1); _exit(heard != 0); } while (wait(&status) < 0 && errno == EINTR) /* musl's raise() strikes the parent */; ended("vfork and a handler", status);
	CHILD(signal(SIGPIPE, SIG_DFL); close(p[0]); T(write(p[1], "x", 1))); CHILD(signal(SIGPIPE, SIG_IGN); close(p[0]); T(write(p[1], "x", 1)); T(write(p[1], "x", 0)));
	T(sigaltstack(&(stack_t){ b, 0, 8 }, NULL)); T(sigaltstack(&(stack_t){ b, 99, 8192 }, NULL)); T(sigaltstack(&(stack_t){ NULL, SS_DISABLE, 0 }, NULL)); CHILD(signal(SIGSEGV, SIG_IGN); *(volatile int *)NOWHERE = 1); CHILD(sigset_t s; sigfillset(&s); sigprocmask(SIG_BLOCK, &s, NULL); *(volatile int *)NOWHERE = 1); CHILD(abort()); CHILD(signal(SIGABRT, SIG_IGN); abort());
	return 0;
}
