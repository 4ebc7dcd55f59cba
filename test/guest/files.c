/* Open modes, offsets, holes, truncation, permissions, stat, vectors, positional calls, locks. */
#include "guest.h"
#include <sys/uio.h>

static void
open_modes(void)
{
	char buf[16] = "";
	int fd;

	FAILS(open("f", O_RDONLY), ENOENT);
	CHECK((fd = open("f", O_WRONLY | O_CREAT | O_EXCL, 0640)) >= 0);
	FAILS(open("f", O_WRONLY | O_CREAT | O_EXCL, 0640), EEXIST);
	CHECK(write(fd, "0123456789", 10) == 10);
	FAILS(read(fd, buf, 1), EBADF);
	close(fd);
	fd = open("f", O_RDONLY);
	FAILS(write(fd, "x", 1), EBADF);
	CHECK(lseek(fd, -3, SEEK_END) == 7 && read(fd, buf, 16) == 3 && memcmp(buf, "789", 3) == 0);
	CHECK(read(fd, buf, 1) == 0);
	FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK(pread(fd, buf, 2, 4) == 2 && memcmp(buf, "45", 2) == 0 && lseek(fd, 0, SEEK_CUR) == 10);
	close(fd);
	fd = open("f", O_RDWR | O_TRUNC);
	CHECK(lseek(fd, 0, SEEK_END) == 0);
	CHECK(pwrite(fd, "end", 3, 9000) == 3);
	CHECK(pread(fd, buf, 4, 8998) == 4 && memcmp(buf, "\0\0en", 4) == 0);
	CHECK(ftruncate(fd, 9001) == 0 && ftruncate(fd, 9003) == 0);
	CHECK(pread(fd, buf, 3, 9000) == 3 && memcmp(buf, "e\0\0", 3) == 0);
	close(fd);
	FAILS(open("f/x", O_RDONLY), ENOTDIR);
	FAILS(open(".", O_WRONLY), EISDIR);
	FAILS(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
	FAILS(close(fd), EBADF);
	unlink("f");
}

static void
appending(void)
{
	struct iovec v[3] = { { "one ", 4 }, { "", 0 }, { "two ", 4 } };
	char buf[32] = "";
	int a = open("log", O_WRONLY | O_CREAT | O_APPEND, 0600), b = open("log", O_RDWR | O_APPEND);

	CHECK(writev(a, v, 3) == 8);
	lseek(b, 0, SEEK_SET);
	CHECK(write(b, "three", 5) == 5);
	CHECK(lseek(b, 0, SEEK_CUR) == 13);
	CHECK(pread(b, buf, 32, 0) == 13 && strcmp(buf, "one two three") == 0);
	v[0] = (struct iovec){ buf, 3 };
	v[2] = (struct iovec){ buf + 3, 3 };
	lseek(b, 4, SEEK_SET);
	CHECK(readv(b, v, 3) == 6 && memcmp(buf, "two th", 6) == 0);
	close(a);
	close(b);
	unlink("log");
}

static void
attributes(void)
{
	struct timespec times[2] = { { 1000, 5 }, { 2000, 6 } };
	struct stat st;
	mode_t old = umask(027);
	int fd = open("a", O_RDWR | O_CREAT, 0777);

	CHECK(fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0750);
	umask(old);
	CHECK(st.st_size == 0 && st.st_nlink == 1 && st.st_uid == geteuid());
	CHECK(chmod("a", 04711) == 0 && stat("a", &st) == 0 && (st.st_mode & 07777) == 04711);
	CHECK(futimens(fd, times) == 0 && stat("a", &st) == 0);
	CHECK(st.st_atim.tv_sec == 1000 && st.st_mtim.tv_sec == 2000 && st.st_mtim.tv_nsec == 6);
	CHECK(access("a", F_OK) == 0 && access("b", F_OK) == -1);
	CHECK(stat("/", &st) == 0 && S_ISDIR(st.st_mode));
	FAILS(stat("", &st), ENOENT);
	FAILS(chmod("b", 0), ENOENT);
	close(fd);
	unlink("a");
}

static void
locks(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5 };
	int fd = open("l", O_RDWR | O_CREAT, 0600), status;

	CHECK(fcntl(fd, F_SETLK, &l) == 0);
	if (fork() == 0) {
		l.l_start = 12;
		FAILS(fcntl(fd, F_SETLK, &l), EAGAIN);
		CHECK(fcntl(fd, F_GETLK, &l) == 0 && l.l_type == F_WRLCK && l.l_start == 10 && l.l_pid == getppid());
		l = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 15, .l_len = 0 };
		CHECK(fcntl(fd, F_SETLK, &l) == 0);
		_exit(0);
	}
	wait(&status);
	close(fd);
	unlink("l");
}

static void
descriptors(void)
{
	int fd = open("d", O_RDWR | O_CREAT, 0600), e;

	CHECK(dup2(fd, 50) == 50);
	CHECK(write(fd, "ab", 2) == 2 && lseek(50, 0, SEEK_CUR) == 2);
	CHECK(fcntl(fd, F_DUPFD, 60) == 60);
	CHECK(fcntl(60, F_SETFL, O_APPEND | O_NONBLOCK) == 0 && (fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK | O_ACCMODE)) == (O_APPEND | O_NONBLOCK | O_RDWR));
	CHECK(fcntl(60, F_DUPFD_CLOEXEC, 61) == 61 && fcntl(61, F_GETFD) == FD_CLOEXEC && fcntl(60, F_GETFD) == 0);
	CHECK(dup2(50, 50) == 50);
	FAILS(dup2(99, 50), EBADF);
	FAILS(fcntl(99, F_GETFL), EBADF);
	close(60);
	close(61);
	close(50);
	e = dup(fd);
	CHECK(e > fd);
	close(e);
	close(fd);
	unlink("d");
}

int
main(void)
{
	enter_scratch();
	open_modes();
	appending();
	attributes();
	locks();
	descriptors();
	leave_scratch();
	return 0;
}
