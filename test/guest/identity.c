/* Process identity, limits, names, working directory, groups, system information. */
#include "guest.h"
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

int
main(void)
{
	struct sysinfo info;
	struct utsname name;
	struct rlimit limit;
	char buf[256];
	int status;

	CHECK(getuid() == geteuid() && getgid() == getegid());
	CHECK(uname(&name) == 0 && strcmp(name.sysname, "Linux") == 0 && strcmp(name.machine, "mips") == 0);
	CHECK(getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur == 8 << 20);
	CHECK(getpgid(0) == getpgrp() && getsid(0) > 0);
	CHECK(prctl(PR_SET_NAME, "renamed") == 0 && prctl(PR_GET_NAME, buf) == 0 && strcmp(buf, "renamed") == 0);
	/* qemu-user cuts the host's sizes to 32 bits, so that one of them may come out larger than the whole */
	CHECK(sysinfo(&info) == 0 && info.totalram > 0 && info.procs > 0);
	CHECK(chdir("/") == 0 && getcwd(buf, sizeof buf) != NULL && strcmp(buf, "/") == 0);
	CHECK(getcwd(buf, 1) == NULL && errno == ERANGE);
	if (fork() == 0) {
		CHECK(setsid() == getpid() && getpgrp() == getpid());
		FAILS(setsid(), EPERM);
		_exit(0);
	}
	wait(&status);
	if (fork() == 0) {
		CHECK(setpgid(0, 0) == 0 && getpgrp() == getpid());
		_exit(0);
	}
	wait(&status);
	CHECK(sysconf(_SC_PAGESIZE) == 4096);
	CHECK(nice(0) == 0);
	return 0;
}
