/*
 * "We have put in place code to ensure that program can re-use pipes after a longjmp()." The paper prints no program; this one
 * does what the sentence says. A child answers every line it reads from one pipe on another. The parent freezes, sends a line,
 * crashes before it reads the answer, and goes back: both pipes work, and the answer that was under way when it crashed is
 * still there, because pipes are the kernel's and are not rolled back.
 */
#include <sys/checkpoint.h>
#include <sys/wait.h>

#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int to_child[2], from_child[2];

static void
my_handler(int signum)
{
	if (signum == SIGSEGV)
		tlongjmp(0);
	else
		tlongjmp(1);
}

static void
child(void)
{
	char line[64];
	ssize_t n, i;

	close(to_child[1]);
	close(from_child[0]);
	while ((n = read(to_child[0], line, sizeof line)) > 0) {
		for (i = 0; i < n; i++)
			line[i] = (char)toupper((unsigned char)line[i]);
		if (write(from_child[1], line, (size_t)n) != n)
			break;
	}
	_exit(0);
}

static void
send_line(const char *text)
{
	if (write(to_child[1], text, strlen(text)) < 0)
		perror("write");
}

static void
receive(void)
{
	char line[64];
	ssize_t n = read(from_child[0], line, sizeof line - 1);

	line[n > 0 ? n : 0] = '\0';
	printf("child says %s\n", line);
}

int
main(void)
{
	volatile int *nowhere = NULL;
	static int crashes;
	int status;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (pipe(to_child) != 0 || pipe(from_child) != 0 || signal(SIGSEGV, my_handler) == SIG_ERR)
		return 1;
	if (fork() == 0)
		child();
	close(to_child[0]);
	close(from_child[1]);
	send_line("before");
	receive();
	persist(&crashes, sizeof crashes);
	if (tsetjmp() < 0)
		perror("tsetjmp");
	if (crashes > 0)
		receive();
	if (crashes < 2) {
		send_line(crashes == 0 ? "first" : "second");
		crashes++;
		printf("crash %d\n", crashes);
		dup2(1, 9);	/* opened since the freeze: closed by the thaw */
		*nowhere = 1;
	}
	printf("end after %d crashes, descriptor 9 %s\n", crashes, fcntl(9, F_GETFD) == -1 ? "closed" : "open");
	close(to_child[1]);
	wait(&status);
	printf("child exit %d\n", status);
	return 0;
}
