/* /dev: null, zero, full, urandom and the controlling descriptors. */
#include "guest.h"

int
main(void)
{
	unsigned char a[64], b[64];
	struct stat st;
	int fd, i, zero = 1;

	fd = open("/dev/null", O_RDWR);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1 && read(fd, a, 1) == 0);
	CHECK(fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == ((1 << 8) | 3));
	close(fd);
	fd = open("/dev/zero", O_RDWR);
	memset(a, 1, sizeof a);
	CHECK(read(fd, a, sizeof a) == sizeof a);
	for (i = 0; i < 64; i++)
		zero &= a[i] == 0;
	CHECK(zero && write(fd, "x", 1) == 1);
	close(fd);
	fd = open("/dev/full", O_RDWR);
	FAILS(write(fd, "x", 1), ENOSPC);
	close(fd);
	fd = open("/dev/urandom", O_RDONLY);
	CHECK(read(fd, a, sizeof a) == sizeof a && read(fd, b, sizeof b) == sizeof b && memcmp(a, b, sizeof a) != 0);
	close(fd);
	FAILS(open("/dev/none", O_RDONLY), ENOENT);
	FAILS(isatty(fd) == 1 ? 0 : -1, EBADF);
	return 0;
}
