/* Double and float arithmetic, conversion, printing, libm, comparison with NaN, rounding, infinities. */
#include "guest.h"
#include <fenv.h>
#include <float.h>
#include <math.h>

static volatile double zero = 0.0, third = 1.0 / 3.0, big = DBL_MAX, tiny = DBL_MIN;
static volatile float fthird = 1.0f / 3.0f;

static uint64_t
bits(double x)
{
	uint64_t u;

	memcpy(&u, &x, sizeof u);
	return u;
}

int
main(void)
{
	volatile double x = 0, inf = 1.0 / zero, nan = inf - inf;
	volatile double half = 2.5, less = -2.5, huge = 1e20;
	int i;

	for (i = 1; i <= 1000; i++)
		x += 1.0 / i;
	say("harmonic %.15f %a\n", x, x);
	say("third %.17g %.9g %.3f %e %g\n", third, (double)fthird, third, third, third);
	say("sqrt %.17g sin %.15g exp %.15g log %.15g pow %.15g atan2 %.15g\n", sqrt(2.0), sin(1.0), exp(1.0), log(10.0), pow(2.0, 0.5), atan2(1.0, -1.0));
	say("fmod %.17g floor %.1f ceil %.1f round %.1f trunc %.1f rint %.1f\n", fmod(10.0, third), floor(less), ceil(less), round(half), trunc(less), rint(half));
	CHECK(big * 2 == inf && -big * 2 == -inf && tiny / 4 > 0);
	CHECK(!(nan == nan) && nan != nan && !(nan < 1) && !(nan > 1) && isnan(nan) && isunordered(nan, x));
	CHECK(isnan(sqrt(less)));
	say("nan bits of inf-inf exponent %x\n", (unsigned)(bits(nan) >> 52) & 0x7ff);
	say("int %d %d uint %u long long %lld\n", (int)half, (int)less, (unsigned)3e9, (long long)huge / 1000);
	say("from int %.1f %.1f %.1f float %.9g\n", (double)-7, (double)4000000000u, (double)-1234567890123456789ll, (double)(float)16777217);
	say("denormal %g, epsilon %d, float sum %.9g\n", tiny / 1024, 1.0 + DBL_EPSILON != 1.0, (double)(fthird + fthird * 1000.0f));
	say("scan %.17g %.17g %.17g\n", strtod("0.1", NULL), strtod("-1.7976931348623157e308", NULL), strtod("4.9e-324", NULL));
	fesetround(FE_UPWARD);
	x = 1.0;
	x = x / 3.0;
	say("upward %a, rint %.1f\n", x, rint(half));
	fesetround(FE_TOWARDZERO);
	x = -2.0;
	x = x / 3.0;
	say("to zero %a\n", x);
	fesetround(FE_TONEAREST);
	say("%.10g %.3e %15.4f|%-10.2f|%+g %#g\n", 123456.789, 0.000012345, 3.14159, 2.5, 1.0, 1.0);
	return 0;
}
