/*
 * Threads that wait in all manners for each other, for time, and for a child process that is not frozen with them. A thaw takes them
 * back, but not what the child has heard and said: so each asks again until it hears the answer to its own question.
 */
#include "guest.h"
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <termios.h>
#include <time.h>

#define ROUNDS	3
#define PATIENCE_MS	20

static int ends[3], child_ends[3];	/* a socket pair, a terminal, a packet pair */
static sem_t *posted;			/* in memory shared with the child */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int progress, done[6];
static volatile sig_atomic_t alarms;

static void
pause_ms(int ms)
{
	struct timespec t = { 0, ms * 1000000L };

	nanosleep(&t, NULL);
}

static struct timespec
soon(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += PATIENCE_MS * 1000000L;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static void
tell(void)
{
	pthread_mutex_lock(&lock);
	progress++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

/* Gives back what it hears, and posts now and then; ends when the other side has. */
static void
companion(void)
{
	struct pollfd fds[3];
	char bytes[16];
	int i, n;

	for (;;) {
		for (i = 0; i < 3; i++)
			fds[i] = (struct pollfd){ child_ends[i], POLLIN, 0 };
		if (poll(fds, 3, 6) == 0)
			sem_post(posted);
		for (i = 0; i < 3; i++) {
			if (fds[i].revents == 0)
				continue;
			if ((n = read(child_ends[i], bytes, sizeof bytes)) <= 0)
				_exit(0);
			pause_ms(1);
			write(child_ends[i], bytes, n);
		}
	}
}

/* Waits by poll, by epoll's edges, or in read() itself. What it heard of may be gone: read before a thaw between the two calls. */
static int
heard(int which, int fd, int ep)
{
	struct pollfd one = { fd, POLLIN, 0 };
	struct epoll_event event;

	if (which == 0)
		return poll(&one, 1, PATIENCE_MS) == 1;
	return which == 1 ? epoll_wait(ep, &event, 1, PATIENCE_MS) == 1 : 1;
}

static void *
asker(void *arg)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	struct timeval t = { 0, PATIENCE_MS * 1000 };
	int which = (int)(intptr_t)arg, fd = ends[which], ep = epoll_create1(0), round = 0, i, n;
	char bytes[16], question;

	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
	if (which == 2)
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
	else
		fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
	while (round < ROUNDS) {
		question = (char)('a' + round);
		write(fd, &question, 1);
		if (!heard(which, fd, ep))
			continue;
		n = read(fd, bytes, sizeof bytes);
		for (i = 0; i < n; i++)
			if (bytes[i] == question) {
				round++;
				tell();
				break;
			}
	}
	/* Its epoll instance stays open: closed here, it would not come back for a state in which it is waited for. */
	done[which] = round;
	return NULL;
}

static void *
counter(void *arg)
{
	struct timespec t;

	pthread_mutex_lock(&lock);
	while (progress < 3 * ROUNDS) {
		t = soon();
		pthread_cond_timedwait(&changed, &lock, &t);
	}
	pthread_mutex_unlock(&lock);
	done[3] = ROUNDS;
	return arg;
}

static void *
listener(void *arg)
{
	struct timespec t;
	int i;

	for (i = 0; i < ROUNDS;) {
		t = soon();
		i += sem_timedwait(posted, &t) == 0;
	}
	done[4] = ROUNDS;
	return arg;
}

static void
alarmed(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info, (void)context;
	alarms++;
}

static void
open_ends(void)
{
	int pair[2], unlock = 0, number;
	char name[32];
	struct termios raw;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		_exit(2);
	ends[0] = pair[0];
	child_ends[0] = pair[1];
	ends[1] = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	if (ioctl(ends[1], TIOCSPTLCK, &unlock) != 0 || ioctl(ends[1], TIOCGPTN, &number) != 0)
		_exit(3);
	snprintf(name, sizeof name, "/dev/pts/%d", number);
	child_ends[1] = open(name, O_RDWR | O_NOCTTY);
	tcgetattr(child_ends[1], &raw);
	cfmakeraw(&raw);
	tcsetattr(child_ends[1], TCSANOW, &raw);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0)
		_exit(4);
	ends[2] = pair[0];
	child_ends[2] = pair[1];
	posted = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sem_init(posted, 1, 0);
}

int
main(void)
{
	struct itimerval every = { { 0, 5000 }, { 0, 5000 } };
	pthread_t t[5];
	sigset_t none, alarm_only;
	int i;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	open_ends();
	if (fork() == 0) {
		for (i = 0; i < 3; i++)
			close(ends[i]);
		companion();
	}
	for (i = 0; i < 3; i++)
		close(child_ends[i]);
	action(SIGALRM, alarmed, SA_RESTART);
	sigemptyset(&none);
	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm_only, NULL);
	for (i = 0; i < 5; i++)
		pthread_create(&t[i], NULL, i < 3 ? asker : i == 3 ? counter : listener, (void *)(intptr_t)i);
	setitimer(ITIMER_REAL, &every, NULL);
	while (alarms < 3)
		sigsuspend(&none);
	for (i = 0; i < 5; i++)
		pthread_join(t[i], NULL);
	say("%d %d %d %d %d, %s\n", done[0], done[1], done[2], done[3], done[4], progress == 3 * ROUNDS ? "all told" : "MISCOUNTED");
	return 0;
}
