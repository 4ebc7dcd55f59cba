/* O_APPEND with pwrite, directory positions, sendfile, umask, access with other ids, times, set-id bits. */
#include "odd.h"

static int
entries(int d)
{
	char b[300];
	int n = 0, r;
	while ((r = syscall(SYS_getdents64, d, b, sizeof b)) > 0)
		for (int at = 0; at < r; at += *(unsigned short *)(b + at + 16))
			n++;
	return r < 0 ? -errno : n;
}

int
main(void)
{
	char b[64], name[16];
	int f, g, d, p[2];
	off_t at = 2;
	struct stat st;
	struct timespec ts[2] = { { 1, UTIME_OMIT }, { 5, 999999999 } };

	T(f = open("f", O_RDWR | O_CREAT | O_APPEND, 0666)); T(write(f, "abc", 3)); T(pwrite(f, "XY", 2, 0)); T(lseek(f, 0, SEEK_CUR)); T(lseek(f, 0, SEEK_SET)); T(write(f, "d", 1)); T(lseek(f, 0, SEEK_CUR)); T(pread(f, b, 10, 0)); T(memcmp(b, "abcXYd", 6)); T(fcntl(f, F_SETFL, 0)); T(pwrite(f, "Z", 1, 0)); T(pread(f, b, 1, 0)); T(b[0]);
	T(mkdir("d", 0755)); for (int i = 0; i < 40; i++) { snprintf(name, sizeof name, "d/%d", i); close(creat(name, 0600)); } T((d = open("d", O_RDONLY)) > 0); T(entries(d)); T(entries(d)); T(lseek(d, 0, SEEK_SET)); T(syscall(SYS_getdents64, d, b, 24)); T(entries(d)); T(lseek(d, 0, SEEK_SET)); T(syscall(SYS_getdents64, d, NOWHERE, 1000)); for (int i = 0; i < 40; i += 2) { snprintf(name, sizeof name, "d/%d", i); unlink(name); } lseek(d, 0, SEEK_SET); T(entries(d)); T(lseek(d, -1, SEEK_SET));
	T(g = open("g", O_RDWR | O_CREAT, 0600)); T(sendfile(g, f, &at, 100)); T((long)at); T(lseek(f, 0, SEEK_CUR)); T(sendfile(g, f, NULL, 1)); T(lseek(f, 0, SEEK_END)); T(sendfile(g, f, NULL, 5)); at = -1; T(sendfile(g, f, &at, 5)); T(sendfile(g, f, NOWHERE, 5)); T(pipe(p)); T(sendfile(p[1], f, &(off_t){ 0 }, 3)); T(sendfile(g, p[0], NULL, 3)); T(sendfile(g, d, NULL, 3)); T(sendfile(p[0], f, NULL, 3)); T(fcntl(g, F_SETFL, O_APPEND)); T(sendfile(g, f, &(off_t){ 0 }, 1)); T(syscall(SYS_sendfile, g, f, NULL, -1));
	T(umask(0)); T(umask(-1)); T(umask(027)); T(close(open("u", O_CREAT | O_RDWR, 07777))); T(stat("u", &st)); T(st.st_mode & 07777); T(chmod("u", 0xfffff)); T(stat("u", &st)); T(st.st_mode & 07777); T(chown("u", 5, -1)); T(stat("u", &st)); T(st.st_mode & 07777); T(st.st_uid); T(chmod("u", 06700)); T((f = open("u", O_RDWR)) > 0); CHILD(T(setgid(50)); T(setuid(5)); T(write(f, "x", 1)); T(fstat(f, &st)); T(st.st_mode & 07777));
	T(utimensat(AT_FDCWD, "f", ts, 0)); T(stat("f", &st)); T((long)st.st_mtime); T(st.st_mtim.tv_nsec); ts[1].tv_nsec = 1000000000; T(utimensat(AT_FDCWD, "f", ts, 0)); ts[1].tv_nsec = -1; T(utimensat(AT_FDCWD, "f", ts, 0)); T(utimensat(AT_FDCWD, "f", NULL, 0x40000000)); T(futimens(99, NULL)); T(syscall(SYS_utimensat, f, NULL, NULL, 0));
	T(chmod("g", 0640)); T(chown("g", 0, 50)); T(chmod(".", 0777)); CHILD(T(setgroups(0, NULL)); T(setgid(7)); T(setuid(7)); T(setuid(0)); T(seteuid(0)); T(setgid(0)); T(access("g", R_OK)); T(open("g", O_RDONLY)); T(unlink("d/1")); T(chmod("g", 0)); T(chown("g", 7, 7)); T(mkdir("own", 0700)); T(chown("own", 8, -1)); T(chown("own", -1, 8)); T(chown("own", 7, 7)); T(kill(getppid(), 0)); T(utimensat(AT_FDCWD, "g", NULL, 0)); T(chroot(".")); T(sethostname("x", 1)); T(setpriority(PRIO_PROCESS, 0, -5)); T(nice(-1)); T(mknod("dev", S_IFCHR | 0600, 1)); T(setgroups(0, NULL)););
	CHILD(T(setgroups(1, (gid_t[]){ 50 })); T(setresuid(0, 7, 0)); T(access("g", R_OK)); T(open("g", O_RDONLY)); T(faccessat(AT_FDCWD, "g", R_OK, AT_EACCESS)); T(setresuid(-1, 0, -1)); T(open("g", O_RDONLY) > 0)); CHILD(T(setgroups(1, (gid_t[]){ 50 })); T(setresgid(9, 9, 9)); T(setresuid(9, 9, 9)); T(open("g", O_RDONLY) > 0); T(open("g", O_RDWR)); T(setresuid(-1, -1, 0)); T(setreuid(9, 9)));
	T(setuid(-1)); T(setresuid(-1, -1, -1)); T(getpgid(-1)); T(getpgid(999999)); T(setpgid(-1, 0)); T(setpgid(0, -1)); T(setpgid(999999, 0)); T(getsid(999999)); T(getpriority(99, 0)); T(getpriority(PRIO_PROCESS, 999999)); T(sched_setscheduler(0, 99, &(struct sched_param){ 0 })); T(sched_getscheduler(999999)); T(sched_get_priority_max(SCHED_FIFO)); T(sched_get_priority_max(99)); T(sched_rr_get_interval(-1, ts)); T(sched_rr_get_interval(999999, ts)); T(syscall(SYS_sched_rr_get_interval, 0, NOWHERE)); T(sched_rr_get_interval(0, ts)); T(ts[0].tv_sec); T(setrlimit(99, &(struct rlimit){ 0, 0 })); T(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 5, 4 })); T(getrlimit(-1, &(struct rlimit){ 0, 0 }));
	return 0;
}
