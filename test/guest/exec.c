/* execve, vfork, posix_spawn: arguments, environment, close-on-exec, signals, errors, scripts. Exit 100 + n = error n of the list. */
#include "guest.h"
#include <spawn.h>

extern char **environ;

static void
show(int argc, char **argv)
{
	struct sigaction sa;
	int i;

	/* a script gets its own path and the interpreter's argument in front */
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

static char *arguments[] = { "exec", "a b", "", "last", NULL };
static char *environment[] = { "GUEST_EXEC=1", "EMPTY=", NULL };

static void
try(const char *what, const char *path)
{
	static const int errors[] = { ENOENT, EACCES, ENOEXEC, ENOTDIR, EFAULT };
	int status;
	size_t i;
	pid_t pid = vfork();

	if (pid == 0) {
		execve(path, arguments, environment);
		for (i = 0; i < sizeof errors / sizeof errors[0] && errors[i] != errno; i++)
			;
		_exit(100 + (int)i);
	}
	waitpid(pid, &status, 0);
	ended(what, status);
}

static void
spawn(const char *path)
{
	int status;
	pid_t pid;

	CHECK(posix_spawn(&pid, path, NULL, NULL, arguments, environment) == 0);
	waitpid(pid, &status, 0);
	ended("spawned", status);
	CHECK(posix_spawn(&pid, "/nothing/here", NULL, NULL, arguments, environment) == ENOENT);
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
	spawn(self);
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
