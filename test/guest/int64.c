/* 64-bit integers on a 32-bit machine; shifts, division, rotation, bit counting, byte order. */
#include "guest.h"

static volatile int64_t a = 0x123456789abcdefll, b = -987654321, one = 1;
static volatile uint64_t u = 0xfedcba9876543210ull;
static volatile uint32_t w = 0x80000001;
static volatile int32_t s = -17;

int
main(void)
{
	int i;

	say("%lld %lld %lld %lld %lld\n", a + b, a - b, a * b, a / b, a % b);
	say("%llu %llu %llx\n", u / 10, u % 10, u * u);
	for (i = 0; i < 64; i += 9)
		say("%d: %llx %llx %llx\n", i, u << i, u >> i, (uint64_t)((int64_t)u >> i));
	say("%d %d %d %d\n", s / 5, s % 5, s >> 2, s / -5);
	say("%x %x %x\n", (w << 3) | (w >> 29), __builtin_bswap32(w), (unsigned)__builtin_bswap16((uint16_t)(w + 0x1200)));
	say("%d %d %d %d\n", __builtin_clz(w >> 4), __builtin_ctz(w << 5), __builtin_popcount(w * 7), __builtin_clzll((uint64_t)one));
	say("%llx %llx\n", __builtin_bswap64(u), (uint64_t)w * w);
	say("%lld %lld\n", (int64_t)INT32_MIN * INT32_MIN, (int64_t)s * (int64_t)w);
	CHECK(INT64_MAX / -one == -INT64_MAX && (uint64_t)-1 > u && (int64_t)u < 0);
	CHECK((uint8_t)w == 1 && (int8_t)0x80 == -128 && (int16_t)0x8000 == -32768);
	say("%lld %llu\n", strtoll("-9223372036854775808", NULL, 10), strtoull("18446744073709551615", NULL, 0));
	return 0;
}
