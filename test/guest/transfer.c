/* Vectors, positions, sendfile, descriptor control, locks, times, and a mapping that agrees with read and write. */
#include "guest.h"
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <time.h>

static char buf[70000];
static struct stat st;

static void
vectors(int fd)
{
	struct iovec w[3] = { { "one", 3 }, { "", 0 }, { "three", 5 } };
	char a[3], b[10];
	struct iovec r[2] = { { a, 3 }, { b, 10 } };

	CHECK(writev(fd, w, 3) == 8);
	CHECK(pwritev(fd, w, 3, 20) == 8);
	CHECK(preadv(fd, r, 2, 20) == 8 && memcmp(a, "one", 3) == 0 && memcmp(b, "three", 5) == 0);
	CHECK(lseek(fd, 0, SEEK_CUR) == 8);
	FAILS(preadv(fd, r, -1, 0), EINVAL);
	FAILS(readv(fd, r, 1025), EINVAL);
	FAILS(pread(fd, a, 3, -1), EINVAL);
	FAILS(write(fd, (void *)0x10, 5), EFAULT);
	FAILS(read(99, a, 1), EBADF);
}

static void
positions(int fd)
{
	memset(buf, 'x', sizeof buf);
	CHECK(pwrite(fd, buf, 10000, 0) == 10000);
	CHECK(pwrite(fd, "hello", 5, 9998) == 5);
	CHECK(lseek(fd, 0, SEEK_END) == 10003);
	FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
	FAILS(lseek(fd, 5, 9), EINVAL);
	CHECK(lseek(fd, 10, SEEK_DATA) == 10);
	CHECK(lseek(fd, 10, SEEK_HOLE) == 10003);
	FAILS(lseek(fd, 20000, SEEK_DATA), ENXIO);
}

static void
mapping(int fd)
{
	char *m = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), c;

	CHECK(memcmp(m + 9998, "hello", 5) == 0 && m[10003] == 0);
	memcpy(m + 100, "MAPPED", 6);
	CHECK(pread(fd, buf, 6, 100) == 6 && memcmp(buf, "MAPPED", 6) == 0);
	CHECK(pwrite(fd, "W", 1, 101) == 1 && m[101] == 'W');
	CHECK(ftruncate(fd, 100) == 0 && ftruncate(fd, 10003) == 0);
	CHECK(m[99] == 'x' && m[100] == 0);
	m[50] = 'M';
	CHECK(msync(m, 12288, MS_SYNC) == 0 && munmap(m, 12288) == 0);
	CHECK(pread(fd, &c, 1, 50) == 1 && c == 'M');
}

static void
sending(int fd)
{
	int out = open("out", O_RDWR | O_CREAT | O_EXCL, 0600), p[2], n = 0;
	off_t off = 1;

	CHECK(sendfile(out, fd, &off, 9) == 9 && off == 10);
	CHECK(lseek(fd, 10000, SEEK_SET) == 10000 && sendfile(out, fd, NULL, 100) == 3);
	CHECK(fstat(out, &st) == 0 && st.st_size == 12);
	CHECK(pipe(p) == 0 && sendfile(p[1], out, NULL, 10) == 0);
	off = 0;
	CHECK(sendfile(p[1], fd, &off, 5000) == 5000);
	CHECK(ioctl(p[0], FIONREAD, &n) == 0 && n == 5000);
	CHECK(fcntl(p[0], F_GETPIPE_SZ) == 65536 && fcntl(p[0], F_SETPIPE_SZ, 100000) == 131072);
	FAILS(sendfile(out, p[0], NULL, 5), EINVAL);
	close(p[0]);
	close(p[1]);
	close(out);
	unlink("out");
}

static void
control(int fd)
{
	int append = open("f", O_WRONLY | O_APPEND), ro = open("f", O_RDONLY), n;

	CHECK(fcntl(fd, F_DUPFD, 50) == 50 && fcntl(fd, F_DUPFD_CLOEXEC, 50) == 51);
	CHECK(fcntl(50, F_GETFD) == 0 && fcntl(51, F_GETFD) == FD_CLOEXEC);
	CHECK(dup2(fd, fd) == fd && dup3(fd, 60, O_CLOEXEC) == 60);
	FAILS(dup3(fd, fd, 0), EINVAL);
	FAILS(dup2(99, 5), EBADF);
	CHECK(lseek(60, 7, SEEK_SET) == 7 && lseek(fd, 0, SEEK_CUR) == 7);
	close(50);
	close(51);
	close(60);
	CHECK(lseek(append, 0, SEEK_SET) == 0 && write(append, "END", 3) == 3);
	CHECK(fstat(append, &st) == 0 && st.st_size == 10006);
	say("flags %x\n", fcntl(append, F_GETFL) & ~O_LARGEFILE);
	FAILS(read(append, buf, 1), EBADF);
	FAILS(write(ro, buf, 1), EBADF);
	FAILS(ftruncate(ro, 1), EINVAL);
	CHECK(lseek(ro, 10000, SEEK_SET) == 10000 && ioctl(ro, FIONREAD, &n) == 0 && n == 6);
	close(append);
	close(ro);
}

static void
locks(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 20 }, want = { .l_type = F_RDLCK };
	struct timespec pause = { 0, 50000000 };
	int other = open("f", O_RDWR), status;
	pid_t parent = getpid();

	CHECK(flock(fd, LOCK_EX) == 0);
	FAILS(flock(other, LOCK_SH | LOCK_NB), EAGAIN);
	CHECK(flock(fd, LOCK_SH) == 0 && flock(other, LOCK_SH | LOCK_NB) == 0);
	close(other);
	CHECK(fcntl(fd, F_SETLK, &whole) == 0);
	if (fork() == 0) {
		want.l_len = 15;
		FAILS(fcntl(fd, F_SETLK, &want), EAGAIN);
		CHECK(fcntl(fd, F_GETLK, &want) == 0 && want.l_type == F_WRLCK && want.l_start == 10 && want.l_len == 20 && want.l_pid == parent);
		want = (struct flock){ .l_type = F_WRLCK, .l_len = 10 };
		CHECK(fcntl(fd, F_SETLK, &want) == 0);
		want.l_len = 0;
		CHECK(fcntl(fd, F_SETLKW, &want) == 0);
		_exit(0);
	}
	nanosleep(&pause, NULL);
	say("unlock\n");
	whole.l_type = F_UNLCK;
	CHECK(fcntl(fd, F_SETLK, &whole) == 0);
	wait(&status);
	ended("locker", status);
}

static void
times(int fd)
{
	struct timespec t[2] = { { 1, 999999999 }, { 100, 7 } };

	CHECK(futimens(fd, t) == 0 && fstat(fd, &st) == 0);
	say("%lld.%ld %lld.%ld\n", (long long)st.st_atim.tv_sec, st.st_atim.tv_nsec, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	t[0].tv_nsec = UTIME_OMIT;
	t[1].tv_sec = 77;
	CHECK(utimensat(AT_FDCWD, "f", t, 0) == 0 && stat("f", &st) == 0);
	say("%lld.%ld %lld.%ld\n", (long long)st.st_atim.tv_sec, st.st_atim.tv_nsec, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	t[1].tv_nsec = 1000000000;
	FAILS(futimens(fd, t), EINVAL);
}

int
main(void)
{
	int fd;

	enter_scratch();
	fd = open("f", O_RDWR | O_CREAT, 0644);
	vectors(fd);
	positions(fd);
	mapping(fd);
	sending(fd);
	control(fd);
	locks(fd);
	times(fd);
	CHECK(fallocate(fd, 0, 20000, 100) == 0 && fstat(fd, &st) == 0 && st.st_size == 20100);
	CHECK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
	close(fd);
	unlink("f");
	leave_scratch();
	return 0;
}
