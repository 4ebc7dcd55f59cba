/* inotify(7): what happens to files and to the names in a directory, in order. */
#include "guest.h"
#include <poll.h>
#include <sys/inotify.h>

static int fd;

static void
show(const char *what)
{
	char bytes[4096] __attribute__((aligned(8)));
	int n = (int)read(fd, bytes, sizeof bytes), at;

	say("%s:", what);
	if (n < 0)
		say(" %s", strerror(errno));
	for (at = 0; at < n; ) {
		struct inotify_event *e = (struct inotify_event *)(bytes + at);

		say(" [%d %#x%s %s]", e->wd, e->mask, e->cookie ? " cookie" : "", e->len ? e->name : "-");
		at += (int)(sizeof *e + e->len);
	}
	say("\n");
}

int
main(void)
{
	char dir[] = "/tmp/watchXXXXXX", small[8];
	struct pollfd p;
	int file, wd;

	CHECK(mkdtemp(dir) != NULL && chdir(dir) == 0);
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	CHECK(fd >= 0);
	CHECK(inotify_init1(1) < 0 && errno == EINVAL);
	CHECK(inotify_add_watch(fd, ".", 0) < 0 && errno == EINVAL);
	CHECK(inotify_add_watch(fd, "nosuch", IN_CREATE) < 0 && errno == ENOENT);
	CHECK(inotify_add_watch(0, ".", IN_CREATE) < 0 && errno == EINVAL);
	CHECK(inotify_add_watch(99, ".", IN_CREATE) < 0 && errno == EBADF);
	CHECK(inotify_add_watch(fd, ".", IN_ALL_EVENTS) == 1);
	CHECK(inotify_add_watch(fd, ".", IN_ALL_EVENTS & ~IN_ACCESS) == 1);
	show("nothing yet");
	p = (struct pollfd){ fd, POLLIN, 0 };
	CHECK(poll(&p, 1, 0) == 0);
	file = open("a", O_CREAT | O_WRONLY, 0644);
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
	CHECK(read(fd, small, sizeof small) < 0 && errno == EINVAL);
	show("created");
	CHECK(write(file, "x", 1) == 1 && write(file, "y", 1) == 1);
	CHECK(close(file) == 0);
	show("written twice and closed");
	file = open("a", O_RDONLY);
	close(file);
	show("opened for reading");
	CHECK(rename("a", "b") == 0);
	show("renamed");
	CHECK(mkdir("d", 0755) == 0 && rmdir("d") == 0);
	show("a directory made and removed");
	wd = inotify_add_watch(fd, "b", IN_DELETE_SELF | IN_ATTRIB | IN_MODIFY);
	CHECK(wd == 2);
	CHECK(inotify_add_watch(fd, "b", IN_ONLYDIR | IN_MODIFY) < 0 && errno == ENOTDIR);
	CHECK(inotify_rm_watch(fd, 1) == 0);
	show("first watch removed");
	CHECK(inotify_rm_watch(fd, 1) < 0 && errno == EINVAL);
	CHECK(truncate("b", 0) == 0);
	show("cut off");
	CHECK(unlink("b") == 0);
	show("the watched file removed");
	CHECK(inotify_add_watch(fd, ".", IN_CREATE | IN_ONESHOT) == 3);
	CHECK(close(open("c", O_CREAT | O_WRONLY, 0644)) == 0 && close(open("e", O_CREAT | O_WRONLY, 0644)) == 0);
	show("once");
	unlink("c");
	unlink("e");
	CHECK(chdir("/") == 0 && rmdir(dir) == 0);
	return 0;
}
