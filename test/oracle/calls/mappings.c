/* Overlapping, misaligned and absurd mappings; files that shrink and grow below them. */
#include "odd.h"

static char *a;
static int f;

static void
touch(size_t at)
{
	a[at] = 1;
}

int
main(void)
{
	char *b;
	unsigned char vec[8];

	f = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
	T(ftruncate(f, 3 * PAGE));
	P(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)); P(mmap(NULL, -1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	P(mmap(NULL, PAGE, PROT_READ, 0, f, 0)); P(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_SHARED, f, 0)); P(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, f, 1));
	P(mmap((void *)1, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0)); P(mmap(HIGH, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0));
	P(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, open("/bin/data", O_RDONLY), 0)); P(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, open("f", O_WRONLY), 0)); P(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, open("/bin/data", O_RDONLY), 0));
	P(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, open("/", O_RDONLY), 0)); P(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, f, 1 << 30));
	a = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(a, 'a', 8 * PAGE);
	b = mmap(a + 2 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, f, PAGE);
	T(b == a + 2 * PAGE); T(a[2 * PAGE - 1]); T(a[2 * PAGE]); T(a[4 * PAGE]);
	P(mmap(a, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	b[0] = 'x'; T(pread(f, vec, 1, PAGE)); T(vec[0]); T(pwrite(f, "yz", 2, PAGE)); T(b[0]); T(b[1]);
	T(munmap(a + 1, PAGE)); T(munmap(a, 0)); T(munmap(a + 3 * PAGE, 2 * PAGE)); T(munmap(a + 3 * PAGE, 2 * PAGE)); T(munmap(HIGH, PAGE)); T(munmap(a, -PAGE));
	CHILD(touch(3 * PAGE)); CHILD(touch(4 * PAGE)); CHILD(touch(5 * PAGE)); CHILD(touch(2 * PAGE));
	T(syscall(SYS_mprotect, a + 1, PAGE, PROT_READ)); T(mprotect(a, PAGE, 0x100)); T(mprotect(a, 0, PROT_READ)); T(mprotect(a, PAGE, PROT_READ)); CHILD(touch(0)); T(mprotect(a, PAGE, PROT_NONE)); CHILD(say("%d\n", a[0])); T(mprotect(a, PAGE, PROT_READ | PROT_WRITE)); T(a[0]);
	T(ftruncate(f, PAGE)); CHILD(touch(2 * PAGE)); T(write(1, b, 1)); T(read(open("/dev/zero", O_RDONLY), b, 1)); T(ftruncate(f, 2 * PAGE)); CHILD(touch(2 * PAGE)); T(b[0]); T(ftruncate(f, PAGE + 5)); T(ftruncate(f, 2 * PAGE)); T(b[1]);
	b[100] = 7; T(ftruncate(f, PAGE + 50)); T(ftruncate(f, 2 * PAGE)); T(b[100]);
	T(msync(b, PAGE, MS_SYNC)); T(msync(b + 1, PAGE, MS_SYNC)); T(msync(b, PAGE, 99)); T(msync(b, PAGE, MS_SYNC | MS_ASYNC)); T(madvise(b + 1, PAGE, MADV_DONTNEED)); T(madvise(b, PAGE, 12345)); T(madvise(b, -1, MADV_NORMAL));
	T(madvise(a, PAGE, MADV_DONTNEED)); T(a[0]); T(mincore(a + 1, PAGE, vec)); T(mincore(a, PAGE, NOWHERE)); T(mincore(a, PAGE, vec));
	P(mremap(a + 1, PAGE, PAGE, 0)); P(mremap(a, PAGE, 0, 0)); P(mremap(a, PAGE, PAGE, 99)); P(mremap(a, 2 * PAGE, 2 * PAGE, MREMAP_FIXED, a)); P(mremap(a, 2 * PAGE, 2 * PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, a + PAGE));
	a[PAGE] = 'k'; b = mremap(a, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE); T(b != MAP_FAILED); T(b[PAGE]); T(b[3 * PAGE]); T(mlock(b, PAGE)); T(munlock(b, PAGE)); T(mlockall(0)); T(mlockall(99)); T(munlockall());
	T(syscall(SYS_brk, 0) == syscall(SYS_brk, 16)); T(syscall(SYS_brk, 0) == syscall(SYS_brk, HIGH));
	return 0;
}
