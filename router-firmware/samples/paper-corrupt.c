/*
 * The first sample of the paper: a program that corrupts itself on request and goes back. Edits to its text:
 *
 *  1. #include lines; `Void` is void; main has a type; typographic quotes are straight.
 *  2. `getchar()\\'y'` is unreadable in print: getchar() == 'y'.
 *  3. "perform an operation that causes segmentation fault" is a store through a null pointer, after a word of the
 *     program's data has been overwritten, so that one can see that it comes back.
 *  4. The question is asked in a loop, so that going back can be seen more than once, and it ends at 'n' or end of input.
 *  5. stdin is unbuffered: its buffer would be rolled back too, and with it the answers already read but not yet used.
 *  6. After the freeze chkpt_status tells whether it returned or was jumped to, for the output only.
 *  7. The printf before the crash is flushed, else a thaw takes it back.
 */
#include <sys/checkpoint.h>

#include <signal.h>
#include <stdio.h>

static volatile int value = 1;

static void
my_handler(int signum)
{
	if (signum == SIGSEGV)
		tlongjmp(0);
	else
		tlongjmp(1);
}

int
main(void)
{
	volatile int *nowhere = NULL;
	int c;

	setvbuf(stdin, NULL, _IONBF, 0);
	signal(SIGSEGV, my_handler);
	if (tsetjmp() < 0)
		perror("tsetjmp");
	if (chkpt_status(CHKPT_RECOVERED) == 1)
		printf("recovered: from state %d to state %d, signal %d, value %d\n", chkpt_status(CKPT_FROM_STATE),
		    chkpt_status(CKPT_TO_STATE), chkpt_status(CKPT_SIGTYPE), value);
	do {
		printf("do you want to corrupt the program\n");
		fflush(stdout);
		c = getchar();
		if (c == 'y') {
			value = 666;
			*nowhere = 1;
		}
	} while (c != 'n' && c != EOF);
	printf("value %d, checkpoints %d\n", value, chkpt_status(CKPT_NUMCHKPTS));
	return 0;
}
