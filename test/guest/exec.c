/* vfork and execve: arguments, environment, close-on-exec, signals, errors, scripts. */
#include "guest.h"

extern char **environ;

static void
show(int argc, char **argv)
{
	struct sigaction sa;
	int i;

	for (i = 1; i < argc; i++)
		say("argument %d '%s'\n", i, argv[i]);
	for (i = 0; environ[i] != NULL; i++)
		say("environment '%s'\n", environ[i]);
	say("descriptor 20 %s, 21 %s\n", fcntl(20, F_GETFD) == -1 ? "closed" : "open", fcntl(21, F_GETFD) == -1 ? "closed" : "open");
	sigaction(SIGUSR1, NULL, &sa);
	say("SIGUSR1 %s\n", sa.sa_handler == SIG_DFL ? "default" : "not default");
	sigaction(SIGUSR2, NULL, &sa);
	say("SIGUSR2 %s\n", sa.sa_handler == SIG_IGN ? "ignored" : "not ignored");
	exit(17);
}

static void nothing(int signo) { (void)signo; }

static void
try(const char *what, const char *path)
{
	char *argv[] = { "exec", "a b", "", "last", NULL };
	char *envp[] = { "GUEST_EXEC=1", "EMPTY=", NULL };
	int status, e = 0;
	volatile int shared = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		shared = 1;
		execve(path, argv, envp);
		shared = errno;
		_exit(100);
	}
	e = shared;
	waitpid(pid, &status, 0);
	ended(what, status);
	if (WEXITSTATUS(status) == 100)
		say("  ENOENT %d EACCES %d ENOEXEC %d ENOTDIR %d\n", e == ENOENT, e == EACCES, e == ENOEXEC, e == ENOTDIR);
	else
		CHECK(shared == 1);
}

static void
put(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0700);

	if (write(fd, text, strlen(text)) < 0)
		say("write fails\n");
	fchmod(fd, mode);
	close(fd);
}

int
main(int argc, char **argv)
{
	char self[256], script[300];
	ssize_t n;

	if (getenv("GUEST_EXEC") != NULL)
		show(argc, argv);
	n = readlink("/proc/self/exe", self, sizeof self - 1);
	self[n > 0 ? n : 0] = '\0';
	dup2(1, 20);
	dup2(1, 21);
	fcntl(20, F_SETFD, FD_CLOEXEC);
	signal(SIGUSR1, nothing);
	signal(SIGUSR2, SIG_IGN);
	enter_scratch();
	try("itself", self);
	try("a missing file", "nothing/here");
	put("plain", "no program at all\n", 0700);
	try("a text file", "plain");
	put("locked", "x", 0600);
	try("a file without x", "locked");
	try("a directory", ".");
	try("below a file", "plain/x");
	snprintf(script, sizeof script, "#! %s opt\n", self);
	put("script", script, 0700);
	try("a script", "./script");
	unlink("plain");
	unlink("locked");
	unlink("script");
	leave_scratch();
	return 0;
}
