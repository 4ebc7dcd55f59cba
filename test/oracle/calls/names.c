/* Renames onto itself, the unlinked working directory, loops, long and deep names, trailing slashes and dots. */
#include "odd.h"

int
main(void)
{
	char n[5000], b[64];
	int f, d;
	struct stat st;

	T(mkdir("d", 0755)); T(close(open("f", O_CREAT | O_WRONLY, 0644))); T(link("f", "g")); T(symlink("f", "l")); T(symlink("loop", "loop")); T(symlink("nowhere", "dangling"));
	T(rename("f", "f")); T(rename("f", "g")); T(access("f", F_OK)); T(access("g", F_OK)); T(rename("d", "d")); T(rename("d", "d/x")); T(rename("d", "f")); T(rename("f", "d")); T(rename("f/", "x")); T(rename("d/", "e/")); T(rename("e", "d"));
	T(rename("d/.", "x")); T(rename("d/..", "x")); T(rename("none", "x")); T(rename("f", "none/x")); T(rename("f", "")); T(rename("", "f")); T(rename("loop", "loop2")); T(rename("loop2", "loop")); T(rename("/", "x")); T(rename("f", "/"));
	T(open("loop", O_RDONLY)); T(stat("loop", &st)); T(lstat("loop", &st)); T(open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0600)); T(open("l", O_RDONLY | O_NOFOLLOW)); T(chmod("loop", 0)); T(mkdir("dangling", 0755)); T(mkdir("loop/x", 0755)); T(unlink("loop/")); T(unlink("l/")); T(access("loop", F_OK));
	memset(n, 'n', sizeof n); n[255] = 0; T(close(creat(n, 0600))); T(unlink(n)); n[255] = 'n'; n[256] = 0; T(creat(n, 0600)); T(access(n, F_OK)); n[256] = 'n'; n[4999] = 0; T(open(n, O_RDONLY)); memset(n, '/', 4094); n[4094] = 'x'; n[4095] = 0; T(open(n, O_RDONLY)); n[4095] = 'x'; n[4096] = 0; T(open(n, O_RDONLY)); T(symlink(n, "long") );
	T(unlink("d")); T(rmdir("f")); T(rmdir("d/.")); T(rmdir("d/..")); T(rmdir(".")); T(rmdir("/")); T(rmdir("l")); T(unlink(".")); T(unlink("/")); T(unlink("")); T(link("d", "hard")); T(link("f", "f")); T(link("l", "l2")); T(lstat("l2", &st)); T(S_ISLNK(st.st_mode)); T(linkat(AT_FDCWD, "l", AT_FDCWD, "l3", AT_SYMLINK_FOLLOW)); T(lstat("l3", &st)); T(S_ISREG(st.st_mode)); T(linkat(AT_FDCWD, "f", AT_FDCWD, "x", 12345)); T(symlink("", "empty")); T(symlink("x", "f")); T(symlink("x", "d/"));
	T(unlinkat(AT_FDCWD, "f", AT_REMOVEDIR)); T(unlinkat(AT_FDCWD, "d", 0)); T(unlinkat(AT_FDCWD, "f", 12345)); T(mkdir("d", 0755)); T(mkdir("d/..", 0755)); T(mkdir("/", 0755)); T(mkdir("none/x", 0755)); T(mkdir("f/x", 0755)); T(mkdir("new/", 07777)); T(stat("new", &st)); T(st.st_mode & 07777); T(rmdir("new/"));
	T(mknod("fifo", S_IFIFO | 0600, 0)); T(mknod("fifo", S_IFIFO, 0)); T(mknod("dir", S_IFDIR, 0)); T(mknod("reg", 0600, 0)); T(mknod("weird", S_IFLNK, 0)); T(mknod("sock", S_IFSOCK | 0600, 0)); T(open("sock", O_RDWR)); T(open("fifo", O_WRONLY | O_NONBLOCK)); T((f = open("fifo", O_RDONLY | O_NONBLOCK)) > 0); T(read(f, b, 1)); T(open("fifo", O_WRONLY | O_NONBLOCK) > 0); T(read(f, b, 1));
	T(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "g", 1)); T(unlink("dangling/")); T(symlink("d", "ld")); T(unlink("ld/")); T(rmdir("ld/")); T(rename("ld/", "x")); T(rename("l/", "x")); T(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "d", 3)); T(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "d", 99));
	T(mkdir("gone", 0755)); T(chdir("gone")); T(rmdir("../gone")); T(syscall(SYS_getcwd, b, 64)); T(open("x", O_CREAT | O_WRONLY, 0600)); T(mkdir("x", 0755)); T((d = open(".", O_RDONLY)) > 0); T(syscall(SYS_getdents64, d, b, 64)); T(stat(".", &st)); T(st.st_nlink); T(access("..", F_OK)); T(chdir("..")); T(fchdir(d)); T(chdir("..")); T(chdir("none")); T(chdir("g")); T(chdir(""));
	T(fstatat(d, "", &st, AT_EMPTY_PATH)); T(fstatat(d, "", &st, 0)); T(fstatat(AT_FDCWD, ".", &st, 0x40000000)); T(faccessat(AT_FDCWD, "g", 99, 0)); T(access("g", -1)); T(fchmodat(AT_FDCWD, "g", 0644, 0)); T(fchownat(AT_FDCWD, "l", 1, 2, AT_SYMLINK_NOFOLLOW)); T(fchownat(AT_FDCWD, "g", 1, 2, 0x40000000)); T(chown("g", -1, -1));
	return 0;
}
