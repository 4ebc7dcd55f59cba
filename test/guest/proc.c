/* /proc: what programs look for in it. */
#include "guest.h"
#include <dirent.h>

static char text[16384];

static char *
slurp(const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t n, len = 0;

	text[0] = '\0';
	if (fd < 0) {
		say("%s cannot be opened\n", path);
		return text;
	}
	while (len < (ssize_t)sizeof text - 1 && (n = read(fd, text + len, sizeof text - 1 - (size_t)len)) > 0)
		len += n;
	text[len] = '\0';
	close(fd);
	return text;
}

int
main(int argc, char **argv)
{
	char path[64], exe[256];
	struct stat a, b;
	ssize_t n;
	int fd;

	(void)argc;
	n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	CHECK(n > 0);
	exe[n > 0 ? n : 0] = '\0';
	CHECK(stat("/proc/self/exe", &a) == 0 && stat(exe, &b) == 0 && a.st_ino == b.st_ino);
	CHECK(strstr(slurp("/proc/self/maps"), "[stack]") != NULL);
	CHECK(strstr(text, " r-xp ") != NULL && strstr(text, exe) != NULL);
	snprintf(path, sizeof path, "/proc/%d/status", (int)getpid());
	CHECK(strstr(slurp(path), "Name:\tproc") != NULL && strstr(text, "\nVmRSS:") != NULL && strstr(text, "\nPPid:\t") != NULL);
	snprintf(path, sizeof path, "%d (proc) R ", (int)getpid());
	CHECK(strncmp(slurp("/proc/self/stat"), path, strlen(path)) == 0);
	CHECK(strcmp(slurp("/proc/self/cmdline"), argv[0]) == 0);
	CHECK(strncmp(slurp("/proc/meminfo"), "MemTotal:", 9) == 0 && strstr(text, "\nMemFree:") != NULL);
	CHECK(strstr(slurp("/proc/mounts"), " /proc proc ") != NULL);
	CHECK(strchr(slurp("/proc/uptime"), '.') != NULL);
	fd = open("/proc/self/maps", O_RDONLY);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	CHECK(readlink(path, exe, sizeof exe) > 0);
	close(fd);
	CHECK(opendir("/proc") != NULL);
	FAILS(open("/proc/99999/maps", O_RDONLY), ENOENT);
	return 0;
}
