/* System V semaphores and shared memory: the global resources of the paper. */
#include "guest.h"
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>

union semun { int val; struct semid_ds *buf; unsigned short *array; };

static void
change(int id, unsigned short n, short by, short flags)
{
	struct sembuf op = { n, by, flags };

	if (semop(id, &op, 1) != 0)
		say("semop fails with %d\n", errno);
}

static void
semaphores(void)
{
	struct sembuf two[2] = { { 0, -1, IPC_NOWAIT }, { 1, -1, IPC_NOWAIT } };
	union semun arg;
	unsigned short values[2] = { 3, 0 };
	int id = semget(IPC_PRIVATE, 2, IPC_CREAT | 0600), status, removed;

	CHECK(id >= 0);
	arg.array = values;
	CHECK(semctl(id, 0, SETALL, arg) == 0);
	FAILS(semop(id, two, 2), EAGAIN);
	CHECK(semctl(id, 0, GETVAL) == 3);
	if (fork() == 0) {
		change(id, 1, -1, 0);
		change(id, 0, -2, SEM_UNDO);
		_exit(semctl(id, 0, GETVAL));
	}
	change(id, 1, 1, 0);
	wait(&status);
	ended("child", status);
	say("after undo: %d\n", semctl(id, 0, GETVAL));
	CHECK(semctl(id, 1, GETVAL) == 0);
	CHECK(semctl(id, 0, GETNCNT) == 0);
	FAILS(semctl(id, 5, GETVAL), EINVAL);
	if (fork() == 0) {
		FAILS(semop(id, &two[1], 1), EAGAIN);
		two[1].sem_flg = 0;
		FAILS(semop(id, &two[1], 1), EIDRM);
		_exit(0);
	}
	while (semctl(id, 1, GETNCNT) == 0)
		usleep(1000);
	removed = semctl(id, 0, IPC_RMID);
	wait(&status);
	CHECK(removed == 0);
	ended("waiter of a removed set", status);
	FAILS(semctl(id, 0, GETVAL), EINVAL);
}

static void
shared_memory(void)
{
	int id = shmget(0x5b0c, 5000, IPC_CREAT | IPC_EXCL | 0600), status;
	volatile int *p, *q;
	struct shmid_ds ds;

	CHECK(id >= 0);
	FAILS(shmget(0x5b0c, 5000, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	CHECK(shmget(0x5b0c, 0, 0) == id);
	FAILS(shmget(0x5b0d, 10, 0), ENOENT);
	p = shmat(id, NULL, 0);
	q = shmat(id, NULL, 0);
	CHECK(p != (void *)-1 && q != (void *)-1 && p != q && p[0] == 0);
	p[5] = 11;
	CHECK(q[5] == 11);
	if (fork() == 0) {
		p[6] = 12;
		_exit(q[5]);
	}
	wait(&status);
	ended("child", status);
	CHECK(p[6] == 12 && q[6] == 12);
	CHECK(shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_segsz == 5000 && ds.shm_nattch == 2);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
	CHECK(q[6] == 12);
	CHECK(shmdt((void *)q) == 0 && p[6] == 12);
	CHECK(shmdt((void *)p) == 0);
	FAILS(shmdt((void *)p), EINVAL);
	FAILS(shmat(id, NULL, 0), EINVAL);
}

int
main(void)
{
	semaphores();
	shared_memory();
	return 0;
}
