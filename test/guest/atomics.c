/* Load-linked and store-conditional: sums between processes come out exact. */
#include "guest.h"

int
main(void)
{
	volatile uint32_t *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	volatile uint8_t *byte = (volatile uint8_t *)(word + 8);
	uint32_t expect;
	int i, j;

	for (i = 0; i < 4; i++)
		if (fork() == 0) {
			for (j = 0; j < 20000; j++) {
				__sync_fetch_and_add(&word[0], 1);
				__sync_fetch_and_xor(&word[1], (uint32_t)j);
			}
			_exit(0);
		}
	for (i = 0; i < 4; i++)
		wait(NULL);
	say("%u %u\n", word[0], word[1]);
	expect = word[0];
	CHECK(__sync_bool_compare_and_swap(&word[0], expect, 7) && word[0] == 7);
	CHECK(!__sync_bool_compare_and_swap(&word[0], expect, 8) && word[0] == 7);
	CHECK(__sync_lock_test_and_set(&word[2], 5) == 0 && word[2] == 5);
	__sync_fetch_and_add(&byte[1], 255);
	__sync_fetch_and_or(&byte[2], 0x81);
	say("%x\n", word[8]);
	return 0;
}
