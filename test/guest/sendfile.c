/* sendfile to a stream whose reader is slow: one call sends it all, and says where it stands. */
#include "guest.h"
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>

#define TOTAL	300000

static unsigned char block[TOTAL];

static int
slow_reader(int fd)
{
	struct timespec gap = { 0, 1000000 };
	static unsigned char got[5000];
	int done = 0, n, i, wrong = 0;

	while (done < TOTAL && (n = read(fd, got, sizeof got)) > 0) {
		for (i = 0; i < n; i++)
			wrong += got[i] != block[done + i];
		done += n;
		nanosleep(&gap, NULL);
	}
	return done != TOTAL || wrong != 0;
}

int
main(void)
{
	unsigned state = 7;
	off_t at = 0;
	int s[2], file, i, status, round;

	for (i = 0; i < TOTAL; i++)
		block[i] = (state = state * 1664525u + 1013904223u) >> 24;
	file = open("/tmp/sendfile.data", O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(write(file, block, TOTAL) == TOTAL && lseek(file, 0, SEEK_SET) == 0);
	unlink("/tmp/sendfile.data");
	for (round = 0; round < 2; round++) {
		CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
		if (fork() == 0)
			_exit(slow_reader(s[1]));
		CHECK(sendfile(s[0], file, round == 0 ? &at : NULL, TOTAL) == TOTAL);
		CHECK(wait(&status) > 0 && status == 0);
		close(s[0]);
		close(s[1]);
	}
	CHECK(at == TOTAL && lseek(file, 0, SEEK_CUR) == TOTAL);
	return 0;
}
