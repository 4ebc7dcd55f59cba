#include "dnsd.h"

#include "../sdk/recover.h"

#include <sys/checkpoint.h>
#include <string.h>

#define HOURS		24
#define HOUR_MS		3600000
#define DEVICE_NAME	32

/* What is worth keeping over a rollback. */
static struct {
	uint8_t		device[DEVICE_NAME];	/* how the client that named itself last calls itself; ends with a 0 or full */
	int32_t		hour;			/* index of `questions`: the hour that runs */
	int64_t		ends;			/* when it does, ms */
	uint32_t	questions[HOURS];
} statistics;

static enum keep kept;

static int
sound(void)
{
	return statistics.hour >= 0 && statistics.hour < HOURS;
}

void
statistics_init(enum keep how, int64_t now)
{
	kept = how;
	statistics.ends = now + HOUR_MS;
	if (kept == KEEP_PERSIST)
		persist(&statistics, sizeof statistics);
}

static void
next_hour(int64_t now)
{
	rec_log("%u questions in an hour, the last device calls itself \"%.*s\"", statistics.questions[statistics.hour], DEVICE_NAME,
	    (const char *)statistics.device);
	statistics.hour = (statistics.hour + 1) % HOURS;
	statistics.questions[statistics.hour] = 0;
	statistics.ends = now + HOUR_MS;
}

/* Called for every question, before it is looked at. A cache is a call for every change, and the place to check what it is given. */
void
statistics_count(int64_t now)
{
	if (now >= statistics.ends)
		next_hour(now);
	statistics.questions[statistics.hour]++;
	if (kept == KEEP_CACHE && sound())
		cache(CHKPT_IN, &statistics, sizeof statistics);
}

/* The first bad store of the device name bug: the bytes behind the array are `hour`. */
__attribute__((noinline)) static void
store_device_name(const uint8_t *name, size_t length)
{
	memcpy(statistics.device, name, length);
}

void
statistics_device(const uint8_t *name, size_t length)
{
#ifdef PATCHED
	if (length > sizeof statistics.device)
		length = sizeof statistics.device;
#endif
	/* Planted bug: the option's length is not held against the array's. Nothing faults before the next question is counted. */
	memset(statistics.device, 0, sizeof statistics.device);
	store_device_name(name, length);
}

/* After a thaw. Without a copy in the kernel, what the image holds stays. */
void
statistics_recall(void)
{
	if (kept == KEEP_CACHE)
		cache(CHKPT_OUT, &statistics, sizeof statistics);
}
