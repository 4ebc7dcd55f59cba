/* qsort and a long run of malloc, realloc and free, checked by content. */
#include "guest.h"

static uint32_t seed = 12345;

static uint32_t
next(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static int
ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void
sorting(void)
{
	static uint32_t a[20000];
	size_t i, n = sizeof a / sizeof a[0];
	int sorted = 1;

	for (i = 0; i < n; i++)
		a[i] = next();
	qsort(a, n, sizeof a[0], ascending);
	for (i = 1; i < n; i++)
		sorted &= a[i - 1] <= a[i];
	say("sorted %d, first %u, last %u\n", sorted, a[0], a[n - 1]);
}

static void
stress(void)
{
	static unsigned char *block[200];
	static size_t size[200];
	size_t i, j, want;
	int good = 1;
	long round;

	for (round = 0; round < 5000; round++) {
		i = next() % 200;
		for (j = 0; j < size[i]; j += 61)
			good &= block[i][j] == (unsigned char)(i + j);
		want = next() % 16 == 0 ? 0 : next() % (next() % 50 == 0 ? 200000 : 700) + 1;
		if (want == 0) {
			free(block[i]);
			block[i] = NULL;
		} else {
			block[i] = realloc(block[i], want);
		}
		size[i] = want;
		for (j = 0; j < want; j++)
			block[i][j] = (unsigned char)(i + j);
	}
	say("contents good %d\n", good);
}

int
main(void)
{
	sorting();
	stress();
	return 0;
}
