/* Links, symbolic links, rename rules, directories, name limits. */
#include "guest.h"
#include <dirent.h>

static void
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (write(fd, text, strlen(text)) < 0)
		say("write fails\n");
	close(fd);
}

static const char *
get(const char *path)
{
	static char buf[64];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof buf - 1);

	close(fd);
	if (n < 0)
		return "(nothing)";
	buf[n] = '\0';
	return buf;
}

static nlink_t
links(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_nlink : 0;
}

static void
hard_links(void)
{
	int fd;
	char c;

	put("a", "first");
	CHECK(link("a", "b") == 0 && links("a") == 2);
	put("b", "other");
	say("a is now '%s'\n", get("a"));
	fd = open("a", O_RDONLY);
	CHECK(unlink("a") == 0 && links("b") == 1);
	CHECK(unlink("b") == 0 && read(fd, &c, 1) == 1 && c == 'o');
	close(fd);
	FAILS(link("a", "c"), ENOENT);
	FAILS(unlink("a"), ENOENT);
}

static void
symbolic_links(void)
{
	char buf[64];
	struct stat st;

	put("real", "real");
	CHECK(symlink("real", "sym") == 0);
	CHECK(readlink("sym", buf, sizeof buf) == 4 && readlink("sym", buf, 2) == 2);
	say("through it '%s'\n", get("sym"));
	CHECK(lstat("sym", &st) == 0 && S_ISLNK(st.st_mode) && st.st_size == 4);
	CHECK(symlink("loop", "loop") == 0);
	FAILS(open("loop", O_RDONLY), ELOOP);
	FAILS(open("sym", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK(symlink("gone", "dangling") == 0);
	FAILS(stat("dangling", &st), ENOENT);
	FAILS(readlink("real", buf, 64), EINVAL);
	CHECK(unlink("sym") == 0 && access("real", F_OK) == 0);
	unlink("real");
	unlink("loop");
	unlink("dangling");
}

static void
renames(void)
{
	put("x", "x");
	put("y", "y");
	CHECK(rename("x", "y") == 0);
	say("y is now '%s', x %s\n", get("y"), get("x"));
	CHECK(mkdir("dir", 0700) == 0 && mkdir("dir/sub", 0700) == 0 && mkdir("empty", 0700) == 0);
	FAILS(rename("y", "dir"), EISDIR);
	FAILS(rename("dir", "y"), ENOTDIR);
	FAILS(rename("empty", "dir"), ENOTEMPTY);
	FAILS(rename("dir", "dir/sub/below"), EINVAL);
	CHECK(rename("dir", "empty") == 0 && access("empty/sub", F_OK) == 0);
	CHECK(link("y", "same") == 0 && rename("y", "same") == 0 && access("y", F_OK) == 0);
	CHECK(rename("y", "empty/sub/y") == 0);
	say("moved '%s'\n", get("empty/sub/y"));
	FAILS(rename("none", "z"), ENOENT);
	FAILS(rmdir("empty"), ENOTEMPTY);
	unlink("empty/sub/y");
	unlink("same");
	CHECK(rmdir("empty/sub") == 0 && rmdir("empty") == 0);
	FAILS(rmdir("empty"), ENOENT);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
directories(void)
{
	char *found[64], path[16], long_name[300];
	struct dirent *d;
	int i, n = 0;
	DIR *dir;

	CHECK(mkdir("d", 0700) == 0);
	FAILS(mkdir("d", 0700), EEXIST);
	for (i = 0; i < 20; i++) {
		snprintf(path, sizeof path, "d/%02d", i);
		put(path, "");
	}
	CHECK(mkdir("d/sub", 0700) == 0 && links("d") == 3);
	dir = opendir("d");
	while ((d = readdir(dir)) != NULL && n < 64)
		found[n++] = strdup(d->d_name);
	closedir(dir);
	qsort(found, (size_t)n, sizeof found[0], by_name);
	say("%d entries, first '%s', last '%s'\n", n, found[0], found[n - 1]);
	for (i = 0; i < 20; i++) {
		snprintf(path, sizeof path, "d/%02d", i);
		unlink(path);
	}
	CHECK(chdir("d/sub") == 0 && access("../../d", F_OK) == 0);
	CHECK(getcwd(long_name, sizeof long_name) != NULL && strcmp(strrchr(long_name, '/'), "/sub") == 0);
	CHECK(chdir("../..") == 0 && rmdir("d/sub") == 0 && rmdir("d") == 0);
	memset(long_name, 'n', sizeof long_name);
	long_name[256] = '\0';
	FAILS(open(long_name, O_RDONLY | O_CREAT, 0600), ENAMETOOLONG);
	long_name[255] = '\0';
	CHECK(close(open(long_name, O_RDONLY | O_CREAT, 0600)) == 0 && unlink(long_name) == 0);
}

int
main(void)
{
	enter_scratch();
	hard_links();
	symbolic_links();
	renames();
	directories();
	leave_scratch();
	return 0;
}
