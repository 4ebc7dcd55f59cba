/* Closed, wrong and ridiculous descriptors; dup2 onto itself; fcntl's corners. */
#include "odd.h"

int
main(void)
{
	int bad[] = { -1, 77, 0x7fffffff, (int)0x80000000 }, dir = open("/", O_RDONLY), p[2], w = open("plain", O_WRONLY | O_CREAT, 0600);
	char b[16];
	struct iovec v = { b, 4 };

	for (int i = 0; i < 4; i++) {
		int f = bad[i];
		say("-- %d\n", f);
		T(read(f, b, 1)); T(read(f, NOWHERE, 1)); T(write(f, b, 0)); T(close(f)); T(lseek(f, 0, 0)); T(dup(f)); T(dup2(f, 0)); T(dup2(dir, f));
		T(dup2(f, f)); T(fcntl(f, F_GETFL) & ~0x2000); T(fcntl(dir, F_DUPFD, f)); T(fsync(f)); T(ftruncate(f, 0)); T(fchmod(f, 0)); T(fchdir(f));
		T(ioctl(f, FIONREAD, b)); T(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, f, 0)); T(readv(f, &v, 1)); T(pread(f, b, 1, 0));
		T(sendfile(f, dir, NULL, 1)); T(openat(f, "x", O_RDONLY)); T(openat(f, "/", O_RDONLY) > 0); T(send(f, b, 1, 0));
	}
	for (int i = 1; i < 4; i++) close(bad[i]);
	T(dup2(dir, dir) == dir); T(syscall(SYS_dup3, dir, dir, 0)); T(syscall(SYS_dup3, dir, 40, 12345)); T(syscall(SYS_dup3, dir, 40, O_CLOEXEC));
	T(fcntl(40, F_GETFD)); T(dup2(dir, 40)); T(fcntl(40, F_GETFD)); T(fcntl(40, F_SETFD, -1)); T(fcntl(40, F_GETFD)); T(fcntl(40, 12345, 0));
	T(read(dir, b, 1)); T(write(dir, b, 1)); T(read(w, b, 1)); T(ftruncate(dir, 0)); T(openat(w, "x", O_RDONLY)); T(fchdir(w));
	T(fcntl(w, F_GETFL) & ~0x2000); T(fcntl(w, F_SETFL, O_APPEND | O_NONBLOCK | O_RDWR | O_TRUNC)); T(fcntl(w, F_GETFL) & ~0x2000);
	T(pipe(p)); T(fchmod(p[0], 0600)); T(fchown(p[0], 1, 1)); T(fcntl(p[0], F_GETFL)); T(fcntl(p[1], F_GETFL)); T(lseek(p[0], 0, SEEK_CUR)); T(pread(p[0], b, 1, 0)); T(pwrite(p[1], b, 1, 0));
	T(read(p[1], b, 1)); T(write(p[0], b, 1)); T(ftruncate(p[1], 0)); T(fsync(p[0])); T(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, p[0], 0) == MAP_FAILED);
	T(fcntl(p[0], F_GETPIPE_SZ)); T(fcntl(p[0], F_SETPIPE_SZ, 5000)); T(fcntl(p[0], F_SETPIPE_SZ, 0)); T(fcntl(w, F_GETPIPE_SZ));
	T(syscall(SYS_pipe2, p, 0x12345678)); T(open("plain", O_RDONLY | O_DIRECTORY)); T(open("/", O_WRONLY)); T(open("plain", O_CREAT | O_EXCL, 0600));
	T(open("plain", O_RDONLY | O_NOFOLLOW) > 0); T(open("", O_RDONLY)); T(open("plain/", O_RDONLY)); T(open("new/", O_CREAT | O_WRONLY, 0600)); T(open("/", O_CREAT | O_RDONLY, 0600));
	T(fcntl(w, F_SETOWN, 1 << 30)); T(fcntl(w, F_DUPFD, 1000000)); T(fcntl(w, F_DUPFD_CLOEXEC, 60)); T(fcntl(60, F_GETFD));
	struct flock l = { .l_type = F_WRLCK, .l_whence = 9 };
	T(fcntl(w, F_SETLK, &l)); l.l_whence = 0; l.l_start = -1; T(fcntl(w, F_SETLK, &l)); l.l_start = 0; l.l_type = 99; T(fcntl(w, F_SETLK, &l));
	l.l_type = F_RDLCK; T(fcntl(w, F_SETLK, &l)); l.l_type = F_WRLCK; T(fcntl(w, F_SETLK, &l)); T(fcntl(w, F_SETLK, NOWHERE));
	CHILD(T(fcntl(w, F_SETLK, &l)));
	return 0;
}
