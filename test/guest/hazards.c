/* What a rollback does to descriptors, timers, threads and shared things, and what it cannot take back. */
#include "guest.h"
#include <pthread.h>
#include <sys/checkpoint.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/time.h>

static int again;		/* persisted: how often the state at hand was thawed */
static int bounded[2] = { 5, 6 };
static int summed[4];

/* Freeze anew; true the first time, false after the thaw. */
#define FIRST()		(again = 0, tsetjmp() > 0 && again == 0)
#define BACK()		(again++, tlongjmp(0), say("thaw failed, errno %d\n", errno))

static void
semaphore(void)
{
	int id = semget(IPC_PRIVATE, 1, 0600);
	struct sembuf up = { 0, 1, 0 }, down = { 0, -1, IPC_NOWAIT };

	semop(id, &up, 1);
	CHECK(semop(id, &down, 1) == 0);
	if (FIRST()) {
		semop(id, &up, 1);
		BACK();
	}
	CHECK(semctl(id, 0, GETVAL) == 1);	/* not taken again, though the program believes it holds it */
	semctl(id, 0, IPC_RMID);
}

static void
lock(void)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open("lock", O_RDWR | O_CREAT, 0600);

	CHECK(fcntl(fd, F_SETLK, &whole) == 0);
	if (FIRST()) {
		whole.l_type = F_UNLCK;
		fcntl(fd, F_SETLK, &whole);
		BACK();
	}
	close(fd);
	unlink("lock");
}

static void
descriptors(void)
{
	int fd, twin, other, p[2];
	char c[8] = "";

	fd = open("data", O_RDWR | O_CREAT, 0600);
	CHECK(write(fd, "abcdef", 6) == 6 && lseek(fd, 1, SEEK_SET) == 1);
	twin = dup(fd);
	other = open("data", O_RDONLY);
	CHECK(pipe(p) == 0);
	if (FIRST()) {
		CHECK(read(fd, c, 2) == 2 && memcmp(c, "bc", 2) == 0);
		close(twin);
		close(other);
		CHECK(open("data", O_RDONLY) == twin);
		CHECK(write(p[1], "live", 4) == 4);
		fcntl(p[0], F_SETFL, O_NONBLOCK);
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		dup2(p[0], 77);
		BACK();
	}
	CHECK(lseek(twin, 0, SEEK_CUR) == 1);	/* the offset is back, the number too */
	CHECK(read(twin, c, 1) == 1 && c[0] == 'b' && lseek(fd, 0, SEEK_CUR) == 2);
	FAILS(read(other, c, 1), EBADF);
	FAILS(fcntl(77, F_GETFD), EBADF);
	CHECK((fcntl(p[0], F_GETFL) & O_NONBLOCK) == 0 && fcntl(fd, F_GETFD) == 0);
	CHECK(read(p[0], c, 8) == 4 && memcmp(c, "live", 4) == 0);
	close(fd), close(twin), close(p[0]), close(p[1]);
	unlink("data");
}

static void
policies(void)
{
	int keep[2], drop[2], reset[2], quiet[2];
	char c[8];

	CHECK(pipe(keep) == 0 && pipe(drop) == 0 && pipe(reset) == 0 && pipe(quiet) == 0);
	CHECK(checkpoint_ctl(CHKPT_CTL_DESCRIPTOR, drop[0], CHKPT_FD_DRAIN) == 0);
	CHECK(checkpoint_ctl(CHKPT_CTL_DESCRIPTOR, reset[0], CHKPT_FD_RESET) == 0);
	CHECK(checkpoint_ctl(CHKPT_CTL_DESCRIPTOR, quiet[0], CHKPT_FD_RESET) == 0);
	FAILS(checkpoint_ctl(CHKPT_CTL_DESCRIPTOR, 900, CHKPT_FD_DRAIN), EBADF);
	FAILS(checkpoint_ctl(CHKPT_CTL_DESCRIPTOR, drop[0], 9), EINVAL);
	FAILS(checkpoint_ctl(99, 0, 0), EINVAL);
	if (FIRST()) {
		write(keep[1], "1234", 4), write(drop[1], "1234", 4), write(reset[1], "1234", 4), write(quiet[1], "1234", 4);
		CHECK(read(keep[0], c, 1) == 1 && read(reset[0], c, 1) == 1);
		BACK();
	}
	fcntl(keep[0], F_SETFL, O_NONBLOCK), fcntl(drop[0], F_SETFL, O_NONBLOCK);
	fcntl(reset[0], F_SETFL, O_NONBLOCK), fcntl(quiet[0], F_SETFL, O_NONBLOCK);
	CHECK(read(keep[0], c, 8) == 3);
	FAILS(read(drop[0], c, 8), EAGAIN);
	FAILS(read(reset[0], c, 8), EAGAIN);	/* bytes had moved: the rest of the message goes */
	CHECK(read(quiet[0], c, 8) == 4);	/* none had: it stays */
	for (int i = 0; i < 2; i++)
		close(keep[i]), close(drop[i]), close(reset[i]), close(quiet[i]);
}

static void
shared(int flag)
{
	int *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t child;

	memory[0] = 1;
	if ((child = fork()) == 0)
		for (;;)
			pause();
	if (FIRST()) {
		memory[0] = 2;
		again++;
		sys_checkpoint(CHKPT_THAW | flag, 0);
	}
	say("shared word %d\n", memory[0]);
	kill(child, SIGKILL);
	wait(&status);
	ended("sharer", status);
	munmap(memory, 4096);
}

static void
checks(void)
{
	CHECK(persist_check(bounded, sizeof bounded, CHKPT_CHECK_RANGE, 0, 9) == 0);
	CHECK(persist_check(summed, sizeof summed, CHKPT_CHECK_CRC32, 0, 0) == 0);
	FAILS(persist_check(bounded, sizeof bounded, 7, 0, 9), EINVAL);
	FAILS(persist_check(bounded, 7, CHKPT_CHECK_RANGE, 0, 9), EINVAL);
	if (FIRST()) {
		bounded[0] = 10;	/* out of range */
		summed[0] = 1;		/* and the sum is not right */
		BACK();
	}
	CHECK(bounded[0] == 5 && summed[0] == 0);
	if (FIRST()) {
		bounded[0] = 9;
		BACK();
	}
	CHECK(bounded[0] == 9);
	CHECK(persist(bounded, 0) == 0 && persist(summed, 0) == 0);
	FAILS(persist(bounded, 0), EINVAL);
}

static void
timer(void)
{
	struct itimerval set = { { 0, 0 }, { 5, 0 } }, now;
	struct timespec second = { 1, 0 };

	setitimer(ITIMER_REAL, &set, NULL);
	if (FIRST()) {
		nanosleep(&second, NULL);
		getitimer(ITIMER_REAL, &now);
		CHECK(now.it_value.tv_sec < 4 || (now.it_value.tv_sec == 4 && now.it_value.tv_usec == 0));
		BACK();
	}
	getitimer(ITIMER_REAL, &now);
	CHECK(now.it_value.tv_sec == 4 && now.it_value.tv_usec > 900000);	/* what was left at the freeze */
	memset(&set, 0, sizeof set);
	setitimer(ITIMER_REAL, &set, NULL);
}

static int ends[2];
static volatile int got;

static void *
reader(void *unused)
{
	char c;

	while (read(ends[0], &c, 1) == 1)
		got += c - '0';
	return unused;
}

/* The other thread is blocked in read at the freeze, has gone at the thaw, and comes back into its read. */
static void
thread(void)
{
	struct timespec moment = { 0, 20000000 };
	pthread_t id;

	CHECK(pipe(ends) == 0);
	pthread_create(&id, NULL, reader, NULL);
	nanosleep(&moment, NULL);
	if (FIRST()) {
		write(ends[1], "3", 1);
		nanosleep(&moment, NULL);
		CHECK(got == 3);
		pthread_cancel(id);
		pthread_join(id, NULL);
		BACK();
	}
	CHECK(got == 0);
	write(ends[1], "4", 1);
	close(ends[1]);
	CHECK(pthread_join(id, NULL) == 0);
	CHECK(got == 4);
	close(ends[0]);
}

static void
again_and_again(int signo)
{
	(void)signo;
	again++;
	tlongjmp(0);
	_exit(1);
}

static void
loop(void)
{
	struct chkpt_jump jumps[16];
	volatile int *volatile bad = (volatile int *)16;
	int i, n, found = 0;

	signal(SIGSEGV, again_and_again);
	if (FIRST() || again < 3)
		*bad = 1;
	n = checkpoint_ctl(CHKPT_CTL_HISTORY, (intptr_t)jumps, 16);
	for (i = 0; i < n && i < 16; i++) {
		if (jumps[i].signo == SIGSEGV && jumps[i].addr == 16)
			found += jumps[i].count;
	}
	CHECK(found == 3);
	signal(SIGSEGV, SIG_DFL);
}

int
main(void)
{
	enter_scratch();
	CHECK(persist(&again, sizeof again) == 0);
	semaphore();
	lock();
	descriptors();
	policies();
	shared(0);
	shared(CHKPT_KEEP_SHARED);
	checks();
	timer();
	thread();
	loop();
	leave_scratch();
	return 0;
}
