/* waits: waitid in its forms, stop and continue seen by the parent, vfork, groups, children nobody wants. */
#include "guest.h"
#include <sys/resource.h>
#include <sys/syscall.h>

static volatile int children_heard, last_code, last_status;

static void
on_child(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)context;
	children_heard++;
	last_code = info->si_code;
	last_status = info->si_status;
}

static void
by_waitid(void)
{
	siginfo_t info;
	int go[2];
	char c = 'x';
	pid_t pid;

	if (pipe(go) != 0 || (pid = fork()) < 0)
		return;
	if (pid == 0) {
		raise(SIGSTOP);
		_exit(read(go[0], &c, 1) == 1 ? 5 : 6);
	}
	memset(&info, 0, sizeof info);
	CHECK(waitid(P_PID, (id_t)pid, &info, WSTOPPED) == 0 && info.si_pid == pid);
	say("code %d status %d\n", info.si_code, info.si_status);
	kill(pid, SIGCONT);
	CHECK(waitid(P_PID, (id_t)pid, &info, WCONTINUED) == 0);
	say("code %d status %d\n", info.si_code, info.si_status);
	CHECK(write(go[1], &c, 1) == 1);
	close(go[0]);
	close(go[1]);
	CHECK(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0);
	say("code %d status %d\n", info.si_code, info.si_status);
	CHECK(waitid(P_ALL, 0, &info, WEXITED) == 0 && info.si_signo == SIGCHLD);
	FAILS(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
	FAILS(waitid(P_ALL, 0, &info, 0), EINVAL);
	FAILS(waitpid(-1, NULL, 0x400), EINVAL);
	pid = fork();
	if (pid == 0)
		pause();
	memset(&info, 1, sizeof info);
	CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0);
	kill(pid, SIGTERM);
	CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED) == 0);
	say("code %d status %d\n", info.si_code, info.si_status);
}

static void
what_the_parent_hears(void)
{
	int status, go[2];
	char c = 'x';
	pid_t pid;

	action(SIGCHLD, on_child, SA_RESTART);
	pid = fork();
	if (pid == 0) {
		raise(SIGSTOP);
		raise(SIGTSTP);
		_exit(0);
	}
	waitpid(pid, &status, WUNTRACED);
	ended("child", status);
	say("heard %d: code %d status %d\n", children_heard, last_code, last_status);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	ended("child", status);
	say("code %d status %d\n", last_code, last_status);
	children_heard = 0;
	action(SIGCHLD, on_child, SA_RESTART | SA_NOCLDSTOP);
	if (pipe(go) != 0 || (pid = fork()) < 0)
		return;
	if (pid == 0) {
		raise(SIGSTOP);
		_exit(read(go[0], &c, 1) == 1 ? 0 : 1);
	}
	waitpid(pid, &status, WUNTRACED);
	say("heard %d\n", children_heard);
	kill(pid, SIGCONT);
	waitpid(pid, &status, WCONTINUED);
	CHECK(write(go[1], &c, 1) == 1);
	close(go[0]);
	close(go[1]);
	waitpid(pid, &status, 0);
	say("heard %d: code %d status %d\n", children_heard, last_code, last_status);
}

static void
nobody_wants_them(void)
{
	pid_t pid;

	action(SIGCHLD, on_child, SA_NOCLDWAIT);
	children_heard = 0;
	pid = fork();
	if (pid == 0)
		_exit(7);
	FAILS(waitpid(pid, NULL, 0), ECHILD);
	say("heard %d\n", children_heard);
	signal(SIGCHLD, SIG_IGN);
	pid = fork();
	if (pid == 0)
		_exit(7);
	FAILS(waitpid(pid, NULL, 0), ECHILD);
	FAILS(kill(pid, 0), ESRCH);
	signal(SIGCHLD, SIG_DFL);
}

static void
groups(void)
{
	int status, i, n = 0;
	pid_t first = fork();

	if (first == 0) {
		pause();
		_exit(0);
	}
	CHECK(setpgid(first, 0) == 0 && getpgid(first) == first);
	for (i = 0; i < 2; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			setpgid(0, first);
			pause();
			_exit(0);
		}
		setpgid(pid, first);
	}
	FAILS(setpgid(first, 99999), EPERM);
	CHECK(waitpid(-first, &status, WNOHANG) == 0);
	CHECK(kill(-first, SIGUSR1) == 0);
	while (waitpid(-first, &status, 0) > 0)
		n += WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1;
	say("%d members killed\n", n);
	FAILS(kill(-first, 0), ESRCH);
	if (fork() == 0) {
		CHECK(setsid() == getpid() && getsid(0) == getpid() && getpgrp() == getpid());
		FAILS(setsid(), EPERM);
		FAILS(setpgid(0, 0), EPERM);
		_exit(0);
	}
	wait(&status);
}

static int shared_by_vfork;

static void
vforked(void)
{
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		shared_by_vfork = 1;
		_exit(11);
	}
	say("after the child: %d\n", shared_by_vfork);
	waitpid(pid, &status, 0);
	ended("vforked", status);
}

static void
orphan(void)
{
	int fds[2], status;
	char c = 'x';

	if (pipe(fds) != 0)
		return;
	if (fork() == 0) {
		pid_t parent = getpid();

		if (fork() == 0) {
			while (getppid() == parent)
				usleep(1000);
			write(fds[1], &c, 1);
			_exit(0);
		}
		_exit(0);
	}
	close(fds[1]);
	wait(&status);
	CHECK(read(fds[0], &c, 1) == 1);
	FAILS(wait(&status), ECHILD);
	close(fds[0]);
}

static void
usage(void)
{
	struct rusage used;
	volatile long i;
	int status;

	memset(&used, 0xff, sizeof used);
	if (fork() == 0) {
		for (i = 0; i < 300000; i++)
			;
		_exit(0);
	}
	CHECK(wait4(-1, &status, 0, &used) > 0);
	CHECK(used.ru_utime.tv_sec < 60 && used.ru_utime.tv_usec < 1000000);
	CHECK(getrusage(RUSAGE_CHILDREN, &used) == 0 && used.ru_utime.tv_sec < 60);
	CHECK(getrusage(RUSAGE_SELF, &used) == 0);
	FAILS(getrusage(77, &used), EINVAL);
}

int
main(void)
{
	by_waitid();
	what_the_parent_hears();
	nobody_wants_them();
	groups();
	vforked();
	orphan();
	usage();
	return 0;
}
