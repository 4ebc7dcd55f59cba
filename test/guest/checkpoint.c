/* The checkpoint calls one after another: descriptors, returns, memory, registers, mask, persist, cache, status, errors. */
#include "guest.h"
#include <sys/checkpoint.h>

static volatile int global = 1;
static int kept = 1, checked[3] = { 1, 2, 3 }, notes[4];
static int jumps;		/* persisted: says how far the program is */

static void
errors(void)
{
	FAILS(tlongjmp(0), EINVAL);
	FAILS(tlongjmp(1), EINVAL);
	FAILS(sys_checkpoint(99), EINVAL);
	FAILS(sys_checkpoint(CHKPT_FREEZE | 0xf00), EINVAL);
	CHECK(chkpt_status(CHKPT_RECOVERED) == 0);
	CHECK(chkpt_status(CHKPT_NUMCHKPTS) == 0);
	FAILS(chkpt_status(CKPT_FROM_STATE), EINVAL);
	FAILS(chkpt_status(CKPT_TO_STATE), EINVAL);
	FAILS(chkpt_status(77), EINVAL);
	FAILS(persist((void *)0x10, 8), EFAULT);
	FAILS(cache(CHKPT_OUT, notes, sizeof notes), EINVAL);
	FAILS(cache(3, notes, sizeof notes), EINVAL);
	FAILS(cache(CHKPT_IN, (void *)0x10, 8), EFAULT);
}

static void
caching(void)
{
	notes[0] = 11;
	notes[3] = 14;
	CHECK(cache(CHKPT_IN, notes, sizeof notes) == 0);
	notes[0] = notes[3] = 0;
	CHECK(cache(CHKPT_OUT, notes, 8) == 0 && notes[0] == 11 && notes[3] == 0);
	CHECK(cache(CHKPT_OUT, notes, sizeof notes) == 0 && notes[3] == 14);
	FAILS(cache(CHKPT_OUT, notes, sizeof notes + 4), EINVAL);
}

static void
forward_and_back(void)
{
	volatile int local = 5;
	char *heap = malloc(100000), *late;
	sigset_t mask, now;
	int d;

	memset(heap, 'h', 100000);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	d = tsetjmp();
	say("freeze gives %d, jumps %d, recovered %d\n", d, jumps, chkpt_status(CHKPT_RECOVERED));
	sigprocmask(SIG_BLOCK, NULL, &now);
	say("local %d, global %d, heap %c, USR1 blocked %d, kept %d, checked %d\n", local, global, heap[99999], sigismember(&now, SIGUSR1), kept, checked[1]);
	if (jumps < 3) {
		jumps++;
		local = 6;
		global = 2;
		kept = 10 + jumps;
		checked[1] = jumps == 2 ? 1000 : 20 + jumps;	/* the second time out of its range: not carried over */
		memset(heap, 'x', 100000);
		late = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		*late = 1;
		sigemptyset(&mask);
		sigprocmask(SIG_SETMASK, &mask, NULL);
		free(heap);
		tlongjmp(jumps == 1 ? 1 : 0);
		say("thaw returned\n");
	}
	CHECK(chkpt_status(CKPT_TO_STATE) == 1);
	CHECK(chkpt_status(CKPT_NUMCHKPTS) == 1);
	free(heap);
}

static void
more_states(void)
{
	int a = tsetjmp(), b, here = jumps;

	say("state %d, jumps %d\n", a, jumps);
	global = 50;
	if (here == 3) {
		b = tsetjmp();
		say("state %d, jumps %d\n", b, jumps);
		if (jumps == 3) {
			global = 60;
			jumps = 4;
			tlongjmp(2);
		}
		CHECK(jumps == 5);
		say("global in state 3: %d\n", global);
	} else if (jumps == 4) {
		jumps = 5;
		CHECK(chkpt_status(CKPT_FROM_STATE) == 3 && chkpt_status(CKPT_TO_STATE) == 2);
		tlongjmp(3);		/* states after the one gone back to stay valid */
	}
	CHECK(sys_checkpoint(CHKPT_FREEZE_INTO, 2) == 2);
	CHECK(sys_checkpoint(CHKPT_DROP, 3) == 0);
	FAILS(tlongjmp(3), EINVAL);
	FAILS(sys_checkpoint(CHKPT_FREEZE_INTO, 3), EINVAL);
	CHECK(tsetjmp() == 4);		/* descriptors are not used again */
}

int
main(void)
{
	int status;

	CHECK(persist(&jumps, sizeof jumps) == 0);
	CHECK(persist(&kept, sizeof kept) == 0);
	CHECK(persist_check(checked, sizeof checked, CHKPT_CHECK_RANGE, 0, 100) == 0);
	errors();
	caching();
	forward_and_back();
	more_states();
	if (fork() == 0) {
		FAILS(tlongjmp(0), EINVAL);	/* a child has none */
		CHECK(tsetjmp() == 1);
		_exit(0);
	}
	wait(&status);
	ended("child", status);
	return 0;
}
