/* Negative sizes, huge lengths, vectors' corners, positions beyond everything. */
#include "odd.h"

int
main(void)
{
	int f = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600), p[2];
	char b[64];
	struct iovec none[1] = { { NOWHERE, 0 } }, two[2] = { { "ab", 2 }, { NOWHERE, 5 } }, big[2] = { { b, 0x7fffffff }, { b, 0x7fffffff } },
	    neg[1] = { { b, (size_t)-1 } }, split[3] = { { b, 1 }, { b + 10, 0 }, { b + 20, 3 } }, last[2] = { { b, 3 }, { NOWHERE, 3 } };

	T(write(f, "0123456789", 10));
	T(syscall(SYS_read, f, b, -1)); T(syscall(SYS_write, f, b, -1)); T(syscall(SYS_read, f, b, 0x7fffffff)); T(lseek(f, 0, SEEK_SET));
	T(readv(f, none, 1)); T(readv(f, none, 0)); T(readv(f, none, -1)); T(syscall(SYS_readv, f, none, 1025));
	T(writev(f, two, 2)); T(writev(f, big, 2)); T(writev(f, neg, 1)); T(lseek(f, 0, SEEK_SET)); T(readv(f, split, 3)); T(b[0]); T(b[22]);
	T(readv(f, last, 2)); T(lseek(f, 0, SEEK_CUR)); T(syscall(SYS_writev, f, NOWHERE, 0));
	T(lseek(f, -1, SEEK_SET)); T(lseek(f, 0, 99)); T(lseek(f, 1000, SEEK_END)); T(read(f, b, 1)); T(lseek(f, -1, SEEK_END)); T(lseek(f, -100, SEEK_CUR));
	T(lseek(f, 0, SEEK_DATA)); T(lseek(f, 5000, SEEK_DATA)); T(lseek(f, 0, SEEK_HOLE)); T(lseek(f, 5000, SEEK_HOLE));
	T(syscall(SYS__llseek, f, 0x100, 5, b, 0)); T(*(int *)b); T(syscall(SYS__llseek, f, -1, -1, b, 0)); T(syscall(SYS__llseek, f, 0, 3, NOWHERE, 0)); T(lseek(f, 0, SEEK_CUR));
	T(pwrite(f, b, 1, -1)); T(pread(f, b, 1, -5)); T(pread(f, b, 5, 8)); T(pread(f, b, 5, 100)); T(pread(f, NOWHERE, 0, 100));
	T(ftruncate(f, -1)); T(truncate("f", -5)); T(truncate("none", 0)); T(truncate(".", 0)); T(syscall(SYS_ftruncate64, f, 0, 0, 0x7fffffff)); T(truncate("f", 0));
	T(syscall(SYS_getcwd, b, 0)); T(syscall(SYS_getcwd, b, 1)); T(readlink("/proc/self/cwd", b, 0)); T(syscall(SYS_readlink, "/proc/self/cwd", b, -1)); T(readlink("/proc/self/cwd", b, 1)); T(readlink("f", b, 10));
	T(syscall(SYS_getgroups, -1, b)); T(syscall(SYS_setgroups, -1, b)); T(syscall(SYS_setgroups, 70000, b)); T(syscall(SYS_poll, b, 0x7fffffff, 0)); T(syscall(SYS_poll, NULL, 0, 1));
	T(syscall(SYS__newselect, -1, NULL, NULL, NULL, NULL)); T(listen(f, 1)); T(socket(-1, 1, 0)); T(socket(AF_UNIX, 99, 0)); T(socket(AF_UNIX, SOCK_STREAM, 99)); T(socketpair(AF_INET, SOCK_DGRAM, 0, p));
	T(syscall(SYS_getrandom, b, 4, 0xff)); T(syscall(SYS_getdents64, f, b, 64)); T(syscall(SYS_getdents64, open("/", O_RDONLY), b, 5)); T(syscall(SYS_getdents64, open("/", O_RDONLY), b, 0));
	T(syscall(SYS_ppoll, NULL, 0, &(struct timespec){ 0, 1000000000 }, NULL, 16)); T(syscall(SYS_ppoll, NULL, 0, &(struct timespec){ -1, 0 }, NULL, 16));
	T(syscall(SYS_ppoll, NULL, 0, &(struct timespec){ 0, 0 }, b, 7)); T(syscall(SYS_nanosleep, &(struct timespec){ 0, -1 }, NULL)); T(syscall(SYS_nanosleep, &(struct timespec){ 0, 1000000000 }, NULL)); T(syscall(SYS_nanosleep, &(struct timespec){ -1, 0 }, NULL));
	T(syscall(SYS_clock_gettime, 99, b)); T(syscall(SYS_clock_nanosleep, 99, 0, b, NULL)); T(syscall(SYS_fallocate, f, 0, 0, 0, 0, 0)); T(syscall(SYS_fallocate, f, 0, -1, -1, 5, 0)); T(syscall(SYS_fallocate, f, 0x80, 0, 0, 5, 0));
	return 0;
}
