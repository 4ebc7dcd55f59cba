/* The ramdisk fills up: a short write, then ENOSPC; removing the file gives the room back. Huge offsets are refused at once. */
#include "guest.h"

static char block[65536];

static long
fill(int fd)
{
	long total = 0;
	ssize_t n;

	while ((n = write(fd, block, sizeof block)) > 0)
		total += n;
	say("last write: %s\n", n < 0 && errno == ENOSPC ? "ENOSPC" : "something else");
	return total;
}

int
main(void)
{
	long first, second;
	int fd, huge;

	memset(block, 'b', sizeof block);
	fd = open("/tmp/full", O_RDWR | O_CREAT, 0600);
	first = fill(fd);
	CHECK(first > 1000000);
	FAILS(write(fd, block, sizeof block), ENOSPC);
	CHECK(lseek(fd, 0, SEEK_END) == first);
	CHECK(pread(fd, block, 10, first - 10) == 10 && block[0] == 'b');
	close(fd);
	CHECK(unlink("/tmp/full") == 0);
	fd = open("/tmp/full", O_RDWR | O_CREAT, 0600);
	second = fill(fd);
	CHECK(second > first / 2);
	close(fd);
	CHECK(unlink("/tmp/full") == 0);
	huge = open("/tmp/huge", O_RDWR | O_CREAT, 0600);
	CHECK(pwrite(huge, "x", 1, (off_t)1 << 40) == -1 && (errno == EFBIG || errno == ENOSPC));
	CHECK(ftruncate(huge, (off_t)1 << 40) == -1 && (errno == EFBIG || errno == ENOSPC));
	CHECK(lseek(huge, 0, SEEK_END) == 0);
	close(huge);
	unlink("/tmp/huge");
	return 0;
}
