#include "dnsd.h"

#include <sys/random.h>

static uint32_t state[4];

/* xoshiro128**: quick, and seeded by the kernel at the start and after every thaw, which would repeat it otherwise. */
uint32_t
random_next(void)
{
	uint32_t result = state[1] * 5, t = state[1] << 9;

	result = (result << 7 | result >> 25) * 9;
	state[2] ^= state[0];
	state[3] ^= state[1];
	state[1] ^= state[2];
	state[0] ^= state[3];
	state[2] ^= t;
	state[3] = state[3] << 11 | state[3] >> 21;
	return result;
}

void
random_seed(void)
{
	if (getrandom(state, sizeof state, 0) != sizeof state || (state[0] | state[1] | state[2] | state[3]) == 0)
		state[0] = 1;
}
