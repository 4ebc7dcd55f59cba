/*
 * Programs that take all they can get: `attacks NAME [COUNT]`. Each ends by itself or goes on for ever, as its name says in attacks.ts.
 * What matters is not what it prints but what is left of the machine and of the host afterwards.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "guest.h"
#include <sys/checkpoint.h>

static int count;
static char *self;

static void report(const char *what, long n)
{
	say("%s: %d, %s\n", what, n, n < 0 || errno == 0 ? "no error" : strerror(errno));
}

static void raise_fd_limit(void)
{
	struct rlimit limit = {65536, 65536};
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0) {
		getrlimit(RLIMIT_NOFILE, &limit);
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* ---- processes and threads */

static void forkbomb(void)
{
	for (;;) fork();
}

static void forks(void)
{
	long n = 0;
	int ready[2];
	if (pipe(ready) < 0) return;
	for (;; n++) {
		pid_t pid = fork();
		if (pid < 0) break;
		if (pid == 0) {
			char c;
			close(ready[1]);
			read(ready[0], &c, 1);
			_exit(0);
		}
	}
	report("children", n > 10);
	close(ready[1]);
	while (wait(NULL) > 0) ;
}

static void orphans(void)
{
	for (;;) if (fork() == 0 && fork() == 0) _exit(0);
}

static void vforks(void)
{
	for (;;) {
		pid_t pid = vfork();
		if (pid == 0) _exit(0);
		if (pid > 0) waitpid(pid, NULL, 0);
	}
}

/* No stack, shared memory, every kind of flag: most answers are errors, some children crash. */
static void clones(void)
{
	for (unsigned flags = 0; flags < 4096; flags++) syscall(SYS_clone, flags << 8 | SIGCHLD, 0, 0, 0, 0);
	_exit(0);
}

static int sleeper(void *argument)
{
	(void)argument;
	while (syscall(SYS_pause) < 0) ;
	return 0;
}

static void threadbomb(void)
{
	/* Over one stack: pause() writes nothing to it that matters. */
	static char stack[65536];
	long n = 0;
	while (n < 1000000 && clone(sleeper, stack + 32768, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, NULL) > 0) n++;
	report("threads", n > 10);
	syscall(SYS_exit_group, 0);
}

static void sharedbomb(void)
{
	long n = 0;
	for (;; n++) {
		long pid = syscall(SYS_clone, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0);
		if (pid < 0) break;
		if (pid == 0) for (;;) syscall(SYS_pause);
	}
	report("processes in one memory", n > 10);
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGKILL);
}

static void execloop(void)
{
	char *argv[] = {self, "execloop", NULL};
	execv(self, argv);
}

static void bigexec(void)
{
	static char *argv[200000];
	int n = 0;
	argv[n++] = self;
	argv[n++] = "execchild";
	for (; n < 170000; n++) argv[n] = n & 1 ? "ab" : "";
	argv[n] = NULL;
	for (int i = 0; i < 40; i++) if (fork() == 0) { execv(self, argv); _exit(1); }
	for (int i = 0; i < 40; i++) wait(NULL);
	for (n = 0; n < 199999; n++) argv[n] = "0123456789012345678901234567890123456789";
	errno = 0;
	report("huge argv", execv(self, argv) == -1);
}

static void execchild(void)
{
	for (int i = 0; i < 20; i++) if (fork() == 0) pause();
	sleep(1);
	kill(0, SIGKILL);
}

/* ---- descriptors */

static int fill_fds(int (*open_one)(void))
{
	int n = 0;
	raise_fd_limit();
	while (n < 100000 && open_one() >= 0) n++;
	return n;
}

static int one_pipe(void) { int p[2]; return pipe(p); }
static int one_udp(void) { return socket(AF_INET, SOCK_DGRAM, 0); }
static int one_epoll(void) { return epoll_create1(0); }
static int one_eventfd(void) { return eventfd(0, 0); }
static int one_timerfd(void) { return timerfd_create(CLOCK_MONOTONIC, 0); }
static int one_file(void) { return open("/tmp/f", O_CREAT | O_RDWR, 0644); }
static int one_proc(void) { return open("/proc/self/maps", O_RDONLY); }
static int one_dup(void) { return dup(0); }

static void fds(void)
{
	int (*kinds[])(void) = {one_pipe, one_udp, one_epoll, one_eventfd, one_timerfd, one_file, one_proc, one_dup};
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			errno = 0;
			int n = fill_fds(kinds[i]);
			say("kind %d: %s, %s\n", i, n > 100 ? "many" : "few", strerror(errno));
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
}

/* A full table in every child of a bomb. */
static void fdforks(void)
{
	fill_fds(one_dup);
	close(100);
	close(101);
	forks();
}

static void fdprocs(void)
{
	for (int i = 0; i < 200; i++) if (fork() == 0) { fill_fds(one_pipe); pause(); }
	sleep(5);
	kill(0, SIGKILL);
}

static void fullpipes(void)
{
	static char junk[65536];
	long total = 0;
	raise_fd_limit();
	for (;;) {
		int p[2];
		if (pipe2(p, O_NONBLOCK) < 0) break;
		fcntl(p[1], F_SETPIPE_SZ, 1 << 20);
		long n;
		while ((n = write(p[1], junk, sizeof junk)) > 0) total += n;
		if (errno != EAGAIN) break;
	}
	report("pipes filled", total > 1000000);
}

static void bytepipes(void)
{
	raise_fd_limit();
	for (int i = 0; i < 20; i++) {
		int p[2];
		if (pipe2(p, O_NONBLOCK) < 0) break;
		fcntl(p[1], F_SETPIPE_SZ, 1 << 20);
		while (write(p[1], "x", 1) > 0) ;
	}
	errno = 0;
	report("pipes filled by bytes", 1);
}

static void bytesockets(void)
{
	raise_fd_limit();
	for (int i = 0; i < count; i++) {
		int p[2];
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, p) < 0) break;
		while (send(p[1], "x", 1, MSG_DONTWAIT) > 0) ;
		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p) < 0) break;
		while (send(p[1], "", 0, MSG_DONTWAIT) >= 0) ;
	}
	errno = 0;
	report("sockets filled by bytes", 1);
}

static void fullsockets(void)
{
	static char junk[65536];
	raise_fd_limit();
	for (int i = 0; i < 3000; i++) {
		int p[2];
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, p) < 0) break;
		while (send(p[1], junk, sizeof junk, MSG_DONTWAIT) > 0) ;
	}
	errno = 0;
	report("sockets filled", 1);
}

static void udpunread(void)
{
	static char junk[1400];
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof to;
	raise_fd_limit();
	int out = socket(AF_INET, SOCK_DGRAM, 0);
	for (int i = 0; i < 1500; i++) {
		int s = socket(AF_INET, SOCK_DGRAM, 0);
		int big = 1 << 30;
		if (s < 0) break;
		setsockopt(s, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
		setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof big);
		to.sin_port = 0;
		bind(s, (struct sockaddr *)&to, sizeof to);
		getsockname(s, (struct sockaddr *)&to, &size);
		for (int k = 0; k < 300; k++) sendto(out, junk, sizeof junk, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to);
	}
	errno = 0;
	report("unread datagrams", 1);
}

/* A chain of sockets, each in flight inside the next; and a socket in flight to itself. */
static int send_fd(int by, int fd)
{
	char room[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {"x", 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return sendmsg(by, &m, MSG_DONTWAIT);
}

static void rights(void)
{
	int inner[2];
	socketpair(AF_UNIX, SOCK_STREAM, 0, inner);
	long n = 0;
	errno = 0;
	for (; n < 50000; n++) {
		int outer[2];
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, outer) < 0) break;
		if (send_fd(outer[1], inner[0]) < 0) break;
		if (send_fd(outer[1], inner[1]) < 0) break;
		close(inner[0]);
		close(inner[1]);
		inner[0] = outer[0];
		inner[1] = outer[1];
	}
	report("chain of descriptors in flight", n > 10);
	close(inner[0]);
	close(inner[1]);
	errno = 0;
	for (n = 0; n < 50000; n++) {
		int p[2];
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, p) < 0) break;
		send_fd(p[0], p[1]);
		send_fd(p[1], p[0]);
		close(p[0]);
		close(p[1]);
	}
	report("sockets lost in flight", n > 10);
}

static void control(void)
{
	static char room[1 << 20];
	int p[2];
	socketpair(AF_UNIX, SOCK_DGRAM, 0, p);
	struct iovec iov = {"x", 1};
	for (unsigned i = 0; i < 3000; i++) {
		struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = i * 349};
		for (unsigned at = 0; at + 12 < m.msg_controllen; at += 12 + (i & 4)) {
			unsigned header[3] = {12 + (i & 7), SOL_SOCKET, i % 40};
			memcpy(room + at, header, sizeof header);
		}
		sendmsg(p[0], &m, MSG_DONTWAIT);
	}
	errno = 0;
	report("control messages", 1);
}

static void epolls(void)
{
	static int many[60000];
	int n = 0, watches = 0;
	raise_fd_limit();
	int target = eventfd(0, 0);
	while (n < 60000 && (many[n] = dup(target)) >= 0) n++;
	/* Half of the table becomes epoll instances that watch all the others. */
	for (int i = n / 2; i < n && i < n / 2 + count; i++) {
		close(many[i]);
		int e = epoll_create1(0);
		for (int k = 0; k < n / 2; k++) {
			struct epoll_event ev = {EPOLLIN | EPOLLET, {0}};
			if (epoll_ctl(e, EPOLL_CTL_ADD, many[k], &ev) == 0) watches++;
		}
	}
	unsigned long long one = 1;
	for (int i = 0; i < 20; i++) write(target, &one, 8);
	struct pollfd all[1024];
	for (int i = 0; i < 1024; i++) all[i] = (struct pollfd){many[n / 2 + i % count], POLLIN, 0};
	poll(all, 1024, 10);
	errno = 0;
	report("watches", watches > 100);
}

static void polls(void)
{
	static struct pollfd many[70000];
	raise_fd_limit();
	int p[2];
	pipe(p);
	for (int i = 0; i < 70000; i++) many[i] = (struct pollfd){p[0], POLLIN, 0};
	poll(many, 0x7fffffff, 0);
	poll(many, 65537, 0);
	for (int i = 0; i < 20; i++) poll(many, 65536, 1);
	for (int i = 0; i < 20; i++) poll(many, 4096, 1);
	static fd_set sets[64];
	memset(sets, 0xff, sizeof sets);
	struct timeval tv = {0, 10};
	select(0x7fffffff, sets, sets + 8, sets + 16, &tv);
	select(65536, sets, NULL, NULL, &tv);
	select(-1, sets, NULL, NULL, &tv);
	errno = 0;
	report("polls", 1);
}

static void iovecs(void)
{
	static struct iovec iov[1024];
	size_t size = 8 << 20;
	char *big = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(big, 'x', size);
	for (int i = 0; i < 1024; i++) iov[i] = (struct iovec){big, size};
	int p[2], s[2];
	pipe2(p, O_NONBLOCK);
	socketpair(AF_UNIX, SOCK_STREAM, 0, s);
	int udp = socket(AF_INET, SOCK_DGRAM, 0), file = open("/tmp/big", O_CREAT | O_RDWR, 0644), null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR), random = open("/dev/urandom", O_RDONLY);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	connect(udp, (struct sockaddr *)&to, sizeof to);
	fcntl(s[0], F_SETFL, O_NONBLOCK);
	int targets[] = {p[1], s[0], udp, file, null};
	for (unsigned i = 0; i < 5; i++) {
		long most = writev(targets[i], iov, 255);
		say("writev to %d: %s\n", i, most >= 0 ? "some" : strerror(errno));
		struct msghdr m = {.msg_iov = iov, .msg_iovlen = 255};
		sendmsg(targets[i], &m, MSG_DONTWAIT);
		m.msg_iovlen = 1024;
		sendmsg(targets[i], &m, MSG_DONTWAIT);
		write(targets[i], big, 0x7fffffff);
		send(targets[i], big, 0x7fffffff, MSG_DONTWAIT);
	}
	ftruncate(file, 0);
	readv(zero, iov, 255);
	readv(random, iov, 255);
	read(zero, big, 0x7fffffff);
	read(random, big, 0x7fffffff);
	syscall(SYS_getrandom, big, 0x7fffffff, 0);
	recv(s[1], big, 0x7fffffff, MSG_DONTWAIT);
	errno = 0;
	report("huge transfers", 1);
}

/* ---- files */

static void manyfiles(void)
{
	char name[64];
	long n = 0;
	mkdir("/tmp/d", 0755);
	for (;; n++) {
		snprintf(name, sizeof name, "/tmp/d/%ld", n);
		int fd = open(name, O_CREAT | O_WRONLY, 0644);
		if (fd < 0) break;
		close(fd);
	}
	report("files", n > 1000);
	static char buffer[65536];
	int dir = open("/tmp/d", O_RDONLY | O_DIRECTORY);
	long entries = 0, got;
	while ((got = syscall(SYS_getdents64, dir, buffer, sizeof buffer)) > 0) entries += got;
	report("listed", entries > 1000);
	int procs = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);
	while (syscall(SYS_getdents64, procs, buffer, 512) > 0) ;
	for (long i = 0; i < n; i++) {
		snprintf(name, sizeof name, "/tmp/d/%ld", i);
		unlink(name);
	}
	rmdir("/tmp/d");
	/* The first file may find no room for its name while the directory is full. */
	errno = 0;
	report("removed", 1);
}

static void hugefile(void)
{
	static char junk[65536];
	int fd = open("/tmp/huge", O_CREAT | O_RDWR, 0644);
	long n, total = 0;
	while ((n = write(fd, junk, sizeof junk)) > 0) total += n;
	report("huge file", total > 1000000);
	ftruncate(fd, 0);
	errno = 0;
	for (int shift = 20; shift < 63; shift++) {
		long long at = 1LL << shift;
		pwrite(fd, "x", 1, at);
		pwrite(fd, "x", 1, at - 1);
		ftruncate(fd, at);
		posix_fallocate(fd, at, 4096);
	}
	char c;
	pread(fd, &c, 1, 1LL << 40);
	char *m = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	for (int i = 0; m != MAP_FAILED && i < 16; i++) m[i * 65536] = 1;
	close(fd);
	unlink("/tmp/huge");
	errno = 0;
	report("sparse", 1);
}

static void deepdirs(void)
{
	chdir("/tmp");
	long n = 0;
	for (; n < 20000; n++) if (mkdir("d", 0755) < 0 || chdir("d") < 0) break;
	report("deep", n > 100);
	char where[8192];
	long r = syscall(SYS_getcwd, where, sizeof where);
	say("getcwd: %s\n", r < 0 ? strerror(errno) : "fits");
	rename("/tmp/d", "/tmp/d/d/d");
	symlink("d", "loop");
	chdir("/");
	chdir("/proc/self/cwd");
	fork();
	errno = 0;
	report("deep done", 1);
}

static void links(void)
{
	char a[300], b[300], longname[300];
	memset(longname, 'n', 255);
	longname[255] = 0;
	chdir("/tmp");
	close(open("one", O_CREAT | O_WRONLY, 0644));
	long n = 0;
	for (; n < 100000; n++) {
		snprintf(a, sizeof a, "%.240s%ld", longname, n);
		if (link("one", a) < 0) break;
	}
	report("hard links", n > 1000);
	for (long i = 0; i < n; i++) {
		snprintf(a, sizeof a, "%.240s%ld", longname, i);
		unlink(a);
	}
	symlink("one", "s0");
	for (int i = 1; i < 200; i++) {
		snprintf(a, sizeof a, "s%d", i - 1);
		snprintf(b, sizeof b, "s%d", i);
		symlink(a, b);
	}
	say("chain: %s\n", open("s199", O_RDONLY) < 0 ? strerror(errno) : "opened");
	char *path = malloc(1 << 20);
	memset(path, '/', 1 << 20);
	path[(1 << 20) - 1] = 0;
	say("long path: %s\n", open(path, O_RDONLY) < 0 ? strerror(errno) : "opened");
	for (int i = 0; i < 2000; i++) memcpy(path + 2 * i, "./", 2);
	path[4000] = 0;
	open(path, O_RDONLY);
	symlink("self/self/self/self/self/self/self/self", "self");
	errno = 0;
	say("self: %s\n", open("self", O_RDONLY) < 0 ? strerror(errno) : "opened");
}

static void filelocks(void)
{
	int fd = open("/tmp/locked", O_CREAT | O_RDWR, 0644);
	long n = 0;
	for (; n < count; n++) {
		struct flock l = {.l_type = F_WRLCK, .l_start = n * 2, .l_len = 1};
		if (fcntl(fd, F_SETLK, &l) < 0) break;
	}
	report("locks", n > 100);
}

/* ---- memory */

static void mmapall(void)
{
	long n = 0;
	for (size_t size = 1 << 26; size >= 4096; size /= 2)
		while (mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED) n++;
	report("everything mapped", n > 10);
}

static void tinymaps(void)
{
	long n = 0;
	for (;; n++) if (mmap(NULL, 4096, n & 1 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) break;
	report("tiny mappings", n > 1000);
	int maps = open("/proc/self/maps", O_RDONLY);
	static char buffer[4096];
	for (int i = 0; i < 50; i++) read(maps, buffer, sizeof buffer);
	forks();
}

/* Shared anonymous memory: an object for every mapping. */
static void sharedmaps(void)
{
	long n = 0;
	for (;; n++) if (mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) break;
	report("shared mappings", n > 1000);
}

static void mremaps(void)
{
	size_t size = 4096;
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (;;) {
		char *next = mremap(at, size, size * 2, MREMAP_MAYMOVE);
		if (next == MAP_FAILED) break;
		at = next;
		size *= 2;
	}
	report("mremap", size > 65536);
	for (int i = 0; i < 2000; i++) {
		char *next = mremap(at, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)(0x20000000 + (i & 1) * 0x10000000));
		if (next == MAP_FAILED) break;
		at = next;
	}
	for (int i = 0; i < 200; i++) mprotect(at, size, i & 1 ? PROT_READ : PROT_NONE);
	madvise(at, size, MADV_DONTNEED);
	msync(at, size, MS_SYNC);
	munmap((void *)0x10000, 0x7ff00000);
}

static int recurse(int depth)
{
	volatile char frame[1024];
	frame[0] = depth;
	return recurse(depth + 1) + frame[0];
}

static void stack(void)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	if (count) setrlimit(RLIMIT_STACK, &all);
	recurse(0);
}

static void brks(void)
{
	long total = 0;
	char *p;
	while ((p = sbrk(65536)) != (void *)-1) { for (int i = 0; i < 65536; i += 4096) p[i] = 1; total++; }
	report("break", total > 10);
}

static void sysv(void)
{
	long n = 0;
	for (; n < 100000; n++) {
		int id = shmget(IPC_PRIVATE, 1 << 20, IPC_CREAT | 0600);
		if (id < 0) break;
		shmat(id, NULL, 0);
	}
	report("segments", n > 10);
	for (n = 0; n < 100000; n++) {
		int id = semget(IPC_PRIVATE, 250, IPC_CREAT | 0600);
		if (id < 0) break;
		struct sembuf up[250];
		for (int i = 0; i < 250; i++) up[i] = (struct sembuf){i, 1, SEM_UNDO};
		semop(id, up, 250);
		semop(id, up, 100);
	}
	report("semaphores", n > 10);
	for (int id = 0; id < 100; id++) { shmctl(id, IPC_RMID, NULL); semctl(id, 0, IPC_RMID); }
}

static void shmkeep(void)
{
	int id = shmget(IPC_PRIVATE, 1 << 20, IPC_CREAT | 0600);
	long n = 0;
	for (; n < 100000; n++) if (shmat(id, NULL, 0) == (void *)-1) break;
	report("attached", n > 10);
	shmctl(id, IPC_RMID, NULL);
	forks();
}

static void codeloop(void)
{
	unsigned *code = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (unsigned i = 0;; i++) {
		unsigned *at = code + (i * 1024 & 0x3ffff);
		at[0] = 0x03e00008;			/* jr $ra */
		at[1] = 0x24020000 | (i & 0x7fff);	/* li $v0, i */
		__builtin___clear_cache((char *)at, (char *)(at + 2));
		if (((unsigned (*)(void))at)() != (i & 0x7fff)) { say("stale code\n"); _exit(1); }
	}
}

/* ---- signals, timers, futexes */

static void nothing(int signo) { (void)signo; }

static void itimers(void)
{
	struct itimerval fast = {{0, 1}, {0, 1}};
	signal(SIGALRM, nothing);
	signal(SIGVTALRM, nothing);
	signal(SIGPROF, nothing);
	setitimer(ITIMER_REAL, &fast, NULL);
	setitimer(ITIMER_VIRTUAL, &fast, NULL);
	setitimer(ITIMER_PROF, &fast, NULL);
	for (;;) ;
}

static void posixtimers(void)
{
	signal(SIGALRM, SIG_IGN);
	sleep(2);
	for (int i = 0; i < 100; i++) {
		struct sigevent ev = {.sigev_notify = i & 1 ? SIGEV_NONE : SIGEV_SIGNAL, .sigev_signo = SIGALRM};
		int id;
		if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &id) < 0) break;
		/* Once from long ago and then every nanosecond. */
		int spec[4] = {0, 1, 0, 1};
		syscall(SYS_timer_settime32, id, 1, spec, NULL);
	}
	for (;;) ;
}

static void rearm(void)
{
	for (int i = 0; i < count; i++) {
		alarm(1000000);
		struct pollfd none = {0, 0, 0};
		poll(&none, 0, 0);
	}
	errno = 0;
	report("re-armed", 1);
}

static void rtsignals(void)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	long n = 0;
	union sigval value = {0};
	for (; n < count; n++) if (sigqueue(getpid(), SIGRTMIN + 3, value) < 0) break;
	report("queued", n > 100);
	for (n = 0; n < count; n++) if (kill(getpid(), SIGRTMIN + 4) < 0) break;
}

static void sigstorm(void)
{
	signal(SIGUSR1, nothing);
	pid_t other = fork();
	for (;;) kill(other ? other : getppid(), SIGUSR1);
}

static void selfstop(void)
{
	pid_t child = fork();
	if (child == 0) for (;;) kill(getpid(), SIGSTOP);
	for (;;) kill(child, SIGCONT);
}

static void faults(void)
{
	struct sigaction ignore = {.sa_handler = nothing, .sa_flags = SA_NODEFER};
	sigaction(SIGSEGV, &ignore, NULL);
	*(volatile int *)(uintptr_t)(8 + count) = 1;
	for (;;) ;
}

static void futexwaiters(void)
{
	static int word;
	long n = 0;
	for (; n < 3000; n++) {
		pid_t pid = fork();
		if (pid < 0) break;
		if (pid == 0) { syscall(SYS_futex, &word, 0, 0, NULL); _exit(0); }
	}
	report("waiters", n > 10);
	for (int i = 0; i < 100000; i++) syscall(SYS_futex, &word, 1, 0x7fffffff);
	kill(0, SIGKILL);
}

/* ---- records */

static void flood(void)
{
	static char text[60000];
	memset(text, 'A', sizeof text);
	for (int i = 0; i < count; i++) { write(1, text, sizeof text); if (i & 1) write(1, "\n\n\n\n", 4); }
}

static void newlines(void)
{
	static char text[8192];
	memset(text, '\n', sizeof text);
	for (;;) write(1, text, sizeof text);
}

static void unknowns(void)
{
	char name[40];
	for (int i = 0; i < count; i++) {
		syscall(5000 + i);
		syscall(-i);
		snprintf(name, sizeof name, "\033[31m%d\n", i);
		prctl(PR_SET_NAME, name);
		syscall(9999999);
		ioctl(0, i, 0);
		int s = socket(i % 50, i % 7, i);
		if (s >= 0) { setsockopt(s, i, i, name, 4); close(s); }
		snprintf(name, sizeof name, "/proc/x%d", i);
		open(name, O_RDONLY);
		snprintf(name, sizeof name, "/dev/x%d", i);
		open(name, O_RDONLY);
	}
	errno = 0;
	report("unknown calls", 1);
}

static void procreads(void)
{
	static char buffer[65536];
	const char *names[] = {"maps", "status", "stat", "statm", "cmdline", "environ", "fd", "auxv", "mounts", "exe", "cwd"};
	char path[64];
	for (int round = 0; round < count; round++) for (int pid = 0; pid < 400; pid++) for (unsigned i = 0; i < 11; i++) {
		snprintf(path, sizeof path, "/proc/%d/%s", pid, names[i]);
		int fd = open(path, O_RDONLY);
		if (fd < 0) continue;
		while (read(fd, buffer, sizeof buffer) > 0) ;
		close(fd);
	}
	errno = 0;
	report("read /proc", 1);
}

/* ---- checkpoints */

static void checkpoints(void)
{
	static char data[262144];
	int stores[] = {CHKPT_STORE_VNODE, CHKPT_STORE_COPY, CHKPT_STORE_POOL, CHKPT_STORE_SHARE};
	for (int s = 0; s < 4; s++) {
		int n = 0;
		for (; n < 10000; n++) {
			data[n * 4096 % sizeof data]++;
			if (sys_checkpoint(CHKPT_FREEZE | stores[s], 0) < 0) break;
		}
		say("store %d: %s\n", s, strerror(errno));
	}
}

static void checkforks(void)
{
	for (int i = 0; i < count; i++) {
		for (int k = 0; k < 4; k++) sys_checkpoint(CHKPT_FREEZE | CHKPT_STORE_SHARE, 0);
		if (fork() != 0) pause();
	}
}

static void thawloop(void)
{
	int d = sys_checkpoint(CHKPT_FREEZE | CHKPT_STORE_SHARE, 0);
	sys_checkpoint(CHKPT_THAW, d);
}

static void keeps(void)
{
	size_t size = 1 << 30;
	char *big = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	errno = 0;
	int n = 0;
	if (big == MAP_FAILED) big = mmap(NULL, size = 32 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (; n < 1000; n++) if (persist(big + n * 16, size - n * 16) < 0) break;
	say("ranges: %s\n", strerror(errno));
	int d = sys_checkpoint(CHKPT_FREEZE | CHKPT_STORE_SHARE, 0);
	if (chkpt_status(CHKPT_RECOVERED) == 0) {
		for (n = 0; n < 10000000; n++) if (cache(CHKPT_IN, big + n, 1) < 0) break;
		say("cached: %s\n", strerror(errno));
		say("cache all: %s\n", cache(CHKPT_IN, big, size) < 0 ? strerror(errno) : "done");
		sys_checkpoint(CHKPT_THAW, d);
		say("thaw: %s\n", strerror(errno));
	}
	say("end\n");
}

static void busy(void) { for (;;) ; }

#define A(name) {#name, name}
static const struct { const char *name; void (*run)(void); } attacks[] = {
	A(forkbomb), A(forks), A(orphans), A(vforks), A(clones), A(threadbomb), A(sharedbomb), A(execloop), A(bigexec), A(execchild),
	A(fds), A(fdforks), A(fdprocs), A(fullpipes), A(bytepipes), A(bytesockets), A(fullsockets), A(udpunread), A(rights), A(control), A(epolls), A(polls), A(iovecs),
	A(manyfiles), A(hugefile), A(deepdirs), A(links), A(filelocks),
	A(mmapall), A(tinymaps), A(sharedmaps), A(mremaps), A(stack), A(brks), A(sysv), A(shmkeep), A(codeloop),
	A(itimers), A(posixtimers), A(rearm), A(rtsignals), A(sigstorm), A(selfstop), A(faults), A(futexwaiters),
	A(flood), A(newlines), A(unknowns), A(procreads), A(checkpoints), A(checkforks), A(thawloop), A(keeps), A(busy),
};

int main(int argc, char **argv)
{
	self = argv[0];
	count = argc > 2 ? atoi(argv[2]) : 0;
	for (unsigned i = 0; i < sizeof attacks / sizeof *attacks; i++)
		if (argc > 1 && strcmp(argv[1], attacks[i].name) == 0) attacks[i].run();
	return 0;
}
