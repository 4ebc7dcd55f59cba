/* System V message queues: order and choice by type, limits, waiting on both sides, removal under a waiter. */
#include "guest.h"
#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>

struct message {
	long type;
	char text[8192];
};

static struct message m;
static volatile sig_atomic_t alarms;

static void
on_alarm(int signo)
{
	(void)signo;
	alarms++;
}

static int
put(int id, long type, const char *text, int flags)
{
	m.type = type;
	strcpy(m.text, text);
	return msgsnd(id, &m, strlen(text), flags);
}

static void
get(int id, size_t size, long type, int flags)
{
	ssize_t n;

	memset(&m, 0, sizeof m);
	n = msgrcv(id, &m, size, type, flags);
	if (n < 0)
		say("receive %ld: errno %d\n", type, errno);
	else
		say("receive %ld: %d bytes of type %ld, %s\n", type, (int)n, m.type, m.text);
}

static void
choices(int id)
{
	int i;
	static const char *const words[] = { "first", "second", "third", "fourth", "fifth" };
	static const long types[] = { 5, 3, 7, 3, 1 };

	for (i = 0; i < 5; i++)
		CHECK(put(id, types[i], words[i], 0) == 0);
	get(id, 100, 3, 0);
	get(id, 100, -6, 0);
	get(id, 100, 7, MSG_EXCEPT);
	get(id, 100, 9, IPC_NOWAIT);
	get(id, 2, 0, 0);
	get(id, 2, 0, MSG_NOERROR);
	get(id, 100, -2, IPC_NOWAIT);
	get(id, 100, 0, 0);
	get(id, 100, 0, IPC_NOWAIT);
}

static void
limits(int id)
{
	struct msqid_ds about;
	int sent = 0;

	m.type = 0;
	FAILS(msgsnd(id, &m, 1, 0), EINVAL);
	m.type = 1;
	FAILS(msgsnd(id, &m, 8193, 0), EINVAL);
	FAILS(msgsnd(id, (void *)4, 8, 0), EFAULT);
	FAILS(msgrcv(id, &m, (size_t)-1, 0, IPC_NOWAIT), EINVAL);
	CHECK(msgctl(id, IPC_STAT, &about) == 0);
	about.msg_qbytes = 100;
	CHECK(msgctl(id, IPC_SET, &about) == 0);
	while (msgsnd(id, &m, 30, IPC_NOWAIT) == 0)
		sent++;
	say("sent %d, then errno %d\n", sent, errno);
	CHECK(msgctl(id, IPC_STAT, &about) == 0);
	say("%lu messages, %lu bytes of %lu; mode %o; last sender %s, last receiver %s\n", (unsigned long)about.msg_qnum, (unsigned long)about.__msg_cbytes,
	    (unsigned long)about.msg_qbytes, (unsigned)about.msg_perm.mode, about.msg_lspid == getpid() ? "me" : "another", about.msg_lrpid == getpid() ? "me" : "another");
	CHECK(about.msg_stime > 0 && about.msg_rtime > 0 && about.msg_ctime >= about.msg_stime);
	/* A full queue that gets room. */
	if (fork() == 0) {
		usleep(20000);
		_exit(msgrcv(id, &m, 100, 0, 0) == 30 ? 0 : 1);
	}
	CHECK(msgsnd(id, &m, 30, 0) == 0);
	CHECK(wait(NULL) > 0);
}

static void
waiting(int id)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	int status, removed;

	while (msgrcv(id, &m, 100, 0, IPC_NOWAIT) >= 0)
		;
	if (fork() == 0) {
		usleep(20000);
		_exit(put(id, 2, "late", 0));
	}
	get(id, 100, 2, 0);
	wait(&status);
	ended("sender", status);
	/* Not started again, whatever SA_RESTART says. */
	sigaction(SIGALRM, &action, NULL);
	alarm(1);
	get(id, 100, 0, 0);
	say("alarms %d\n", (int)alarms);
	if (fork() == 0) {
		get(id, 100, 0, 0);
		_exit(0);
	}
	usleep(300000);
	removed = msgctl(id, IPC_RMID, NULL);
	wait(&status);
	CHECK(removed == 0);
	ended("waiter of a removed queue", status);
	FAILS(msgctl(id, IPC_RMID, NULL), EINVAL);
	FAILS(msgsnd(id, &m, 1, 0), EINVAL);
}

int
main(void)
{
	int id = msgget(0x5b0d, IPC_CREAT | IPC_EXCL | 0600);

	CHECK(id >= 0);
	FAILS(msgget(0x5b0d, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	FAILS(msgget(0x5b0e, 0600), ENOENT);
	CHECK(msgget(0x5b0d, 0600) == id);
	choices(id);
	limits(id);
	waiting(id);
	id = msgget(IPC_PRIVATE, 0600);
	CHECK(msgctl(id, IPC_RMID, NULL) == 0);
	return 0;
}
