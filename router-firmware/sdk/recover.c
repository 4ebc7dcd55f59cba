/*
 * What is kept where:
 *
 *	hand		the input being handled (length, digest, features). persist()ed with a CRC: it changes with every input
 *			and costs nothing until a thaw; if the fault spoiled it, the kernel's check refuses it.
 *	history		jumps. Kept in the kernel with cache(): it changes rarely, and the copy in the kernel is out of reach
 *			of the fault. The handler updates the kernel's copy, never the process's.
 *	filter		rules, and inputs handled well: cache() too, see filter.c.
 *	the rest	ordinary memory: it goes back with the process.
 */
#include "recover.h"
#include "filter.h"

#include <sys/checkpoint.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GIVE_UP_FACTOR	32	/* times `escalate`, or times the default when that is 0 */
#define ESCALATE	8
#define EXIT_GIVE_UP	70	/* EX_SOFTWARE */

struct hand {
	struct traits	traits;			/* length 0: no input in hand */
	uint32_t	crc;			/* of all before it; checked by the kernel at a thaw */
};

struct history {
	int32_t		jumps;			/* ever */
	int32_t		streak;			/* since an input was last finished */
	int32_t		signo, state;		/* of the last jump */
	int32_t		base, rolling;		/* descriptors */
	int32_t		escalate;		/* the handler trusts nothing in memory, so it gets this from here */
};

static struct rec_config config;
static struct hand hand, idle;
static struct history history;
static int jumps_seen, since_freeze, started, freeze_failing;
static const void *input;
static volatile sig_atomic_t busy, armed;
static volatile unsigned int sequence, armed_for;
static char spare_stack[16384] __attribute__((aligned(16)));

static uint32_t
crc32(const void *data, size_t size)
{
	static const uint32_t nibble[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	const uint8_t *p = data, *end = p + size;
	uint32_t crc = 0xffffffff;

	while (p < end) {
		crc ^= *p++;
		crc = nibble[crc & 15] ^ (crc >> 4);
		crc = nibble[crc & 15] ^ (crc >> 4);
	}
	return ~crc;
}

static void
put_line(const char *format, va_list ap)
{
	char line[512];
	int n, m;

	n = snprintf(line, sizeof line, "%s: ", config.name);
	m = vsnprintf(line + n, sizeof line - (size_t)n - 1, format, ap);
	n += m < (int)sizeof line - n - 1 ? m : (int)sizeof line - n - 2;
	line[n++] = '\n';
	if (write(1, line, (size_t)n) < 0)
		return;
}

void
rec_log(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	put_line(format, ap);
	va_end(ap);
}

/* ---- options ---- */

static const char *const mode_names[] = { "none", "rollback", "filter", "placebo" };
static const char *const store_names[] = { "default", "vnode", "copy", "pool", "share" };

static int
word(const char *const *names, int count, const char *text)
{
	int i;

	for (i = 0; i < count; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	return -1;
}

static int
number(const char *text, int min, int *to)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value < min || value > 0x7ffffffe)
		return -1;
	*to = (int)value;
	return 0;
}

static int
limit_memory(const char *text)
{
	struct rlimit limit;
	int bytes;

	if (number(text, 0, &bytes) != 0)
		return -1;
	limit.rlim_cur = limit.rlim_max = (rlim_t)bytes;
	return bytes == 0 ? 0 : setrlimit(RLIMIT_AS, &limit);
}

int
rec_option(struct rec_config *c, int option, const char *argument)
{
	int n;

	switch (option) {
	case 'm':
		n = word(mode_names, 4, argument);
		c->mode = n < 0 ? REC_NONE : (enum rec_mode)n;
		return n < 0 ? -1 : 0;
	case 's':
		n = word(store_names, 5, argument);
		c->store = n * CHKPT_STORE_VNODE;
		return n < 0 ? -1 : 0;
	case 'i':
		return number(argument, 1, &c->interval);
	case 'w':
		return number(argument, 0, &c->watchdog_ms);
	case 'e':
		return number(argument, 0, &c->escalate);
	case 'A':
		return limit_memory(argument);
	case 'q':
		c->quiet = 1;
		return 0;
	case 'R':
		c->reseed = NULL;
		return 0;
	case 'O':
		c->one_stack = 1;
		return 0;
	default:
		return -1;
	}
}

const char *
rec_mode_name(const struct rec_config *c)
{
	return mode_names[c->mode];
}

const char *
rec_store_name(const struct rec_config *c)
{
	return store_names[c->store / CHKPT_STORE_VNODE];
}

/* ---- history ---- */

static void
save_history(void)
{
	if (cache(CHKPT_IN, &history, sizeof history) != 0)
		rec_log("cache fails: %s", strerror(errno));
}

static void
load_history(void)
{
	cache(CHKPT_OUT, &history, sizeof history);
}

/* ---- the filter ---- */

static int
filters(void)
{
	return config.mode == REC_FILTER || config.mode == REC_PLACEBO;
}

static void
log_dropped(int rule)
{
	if (config.quiet)
		return;
	if (rule < FILTER_EXACT)
		rec_log("dropped exact %08x length %u", hand.traits.digest, hand.traits.length);
	else
		rec_log("dropped box %d length %u", rule - FILTER_EXACT, hand.traits.length);
}

static void
learn(int state, int signo)
{
	struct traits traits = hand.traits;

	if (config.mode == REC_PLACEBO)
		filter_placebo(&traits);
	filter_learn(&traits, state, signo);
}

/* ---- jumping back ---- */

static const int recovered_signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGALRM };
#define SIGNALS	(sizeof recovered_signals / sizeof recovered_signals[0])

static void
arm(void)
{
	struct itimerval once = { { 0, 0 }, { config.watchdog_ms / 1000, config.watchdog_ms % 1000 * 1000 } };

	armed = 1;
	armed_for = sequence;
	setitimer(ITIMER_REAL, &once, NULL);
}

/* The alarm rings once a period at most, not once an input: a hang is an input that was in hand at both ends of a period. */
static int
hangs(void)
{
	armed = 0;
	if (!busy)
		return 0;
	if (armed_for == sequence)
		return 1;
	arm();
	return 0;
}

/*
 * An abort is what a failed allocation ends in; then the newest state holds the leak, the first one does not. A row of faults
 * with no input finished between them may mean that the newest state is itself spoilt, so now and then the first is tried.
 * It may also be nothing but a fast attack, which every thaw heals: therefore giving up comes late.
 */
static int
target(int signo)
{
	if (signo == SIGABRT)
		return history.base;
	if (history.escalate != 0 && history.streak % history.escalate == 0) {
		rec_log("escalate to state %d", history.base);
		return history.base;
	}
	return history.rolling != 0 ? history.rolling : history.base;
}

static void
give_up_at_last(void)
{
	int rounds = history.escalate != 0 ? history.escalate : ESCALATE;

	if ((history.streak - 1) / GIVE_UP_FACTOR < rounds)
		return;
	rec_log("gives up after %d recoveries", history.streak);
	_exit(EXIT_GIVE_UP);
}

/*
 * Runs on the alternate stack in a process that cannot be trusted: it only makes system calls and writes to memory that the
 * thaw replaces. If even the thaw fails, the signal takes its default action when the instruction is executed again.
 */
static void
on_fault(int signo, siginfo_t *info, void *context)
{
	(void)info; (void)context;
	if (signo == SIGALRM && !hangs())
		return;
	load_history();
	history.jumps++;
	history.streak++;
	history.signo = signo;
	history.state = target(signo);
	give_up_at_last();
	save_history();
	if (busy)
		checkpoint_ctl(CHKPT_CTL_INPUT, (intptr_t)input, (intptr_t)hand.traits.length);
	sys_checkpoint(CHKPT_THAW, history.state);
	rec_log("thaw of state %d fails: %s", history.state, strerror(errno));
	signal(signo, SIG_DFL);
	if (signo == SIGALRM)
		raise(SIGABRT);
}

static void
catch_faults(void)
{
	stack_t stack = { .ss_sp = spare_stack, .ss_size = sizeof spare_stack };
	struct sigaction sa;
	size_t i;

	if (!config.one_stack)
		sigaltstack(&stack, NULL);
	memset(&sa, 0, sizeof sa);
	sa.sa_sigaction = on_fault;
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;	/* SA_ONSTACK is without effect when there is no alternate stack */
	for (i = 0; i < SIGNALS; i++)
		sigaddset(&sa.sa_mask, recovered_signals[i]);
	for (i = 0; i < SIGNALS; i++)
		if (recovered_signals[i] != SIGALRM || config.watchdog_ms > 0)
			sigaction(recovered_signals[i], &sa, NULL);
}

/* ---- freezing ---- */

/* The process has just been thawed; `hand` still says which input it was that faulted. */
static void
resumed(int state)
{
	jumps_seen = history.jumps;
	rec_log("recovered state %d signal %d jumps %d", state, history.signo, history.jumps);
	if (filters()) {
		filter_recall();
		if (hand.traits.length != 0)
			learn(state, history.signo);
	}
	hand = idle;
	if (config.recall != NULL)
		config.recall();
	/* What reseed() opens anew would be closed by the next thaw, and the first state is not the rolling one: freeze again. */
	if (config.reseed != NULL)
		config.reseed();
	since_freeze = config.interval;
}

/* Freezes into a descriptor, 0 = a new one. Comes back here after a thaw too; the history in the kernel tells the two apart. */
static int
freeze(int into)
{
	int state;

	state = into == 0 ? sys_checkpoint(CHKPT_FREEZE | config.store) : sys_checkpoint(CHKPT_FREEZE_INTO | config.store, into);
	if (state < 0) {
		if (!freeze_failing)
			rec_log("freeze fails: %s", strerror(errno));
		freeze_failing = 1;
		return -1;
	}
	freeze_failing = 0;
	since_freeze = 0;
	load_history();
	if (history.jumps != jumps_seen)
		resumed(state);
	return state;
}

static void
first_freezes(void)
{
	int state;

	started = 1;
	history.escalate = config.escalate;
	save_history();
	state = freeze(0);
	if (state > 0 && history.base == 0) {
		history.base = state;
		save_history();
	}
	if (history.rolling != 0)
		return;
	state = freeze(0);
	if (state > 0 && history.rolling == 0) {
		history.rolling = state;
		save_history();
	}
}

void
rec_init(const struct rec_config *c)
{
	config = *c;
	idle.crc = crc32(&idle, offsetof(struct hand, crc));
	hand = idle;
	if (config.mode == REC_NONE)
		return;
	if (persist_check(&hand, sizeof hand, CHKPT_CHECK_CRC32, 0, 0) != 0) {
		rec_log("no checkpoints: %s", strerror(errno));
		config.mode = REC_NONE;
		return;
	}
	catch_faults();
}

void
rec_top(void)
{
	if (config.mode == REC_NONE)
		return;
	if (!started)
		first_freezes();
	while (since_freeze >= config.interval && freeze(history.rolling) > 0)
		;
}

static void
take_in_hand(const void *data, size_t size)
{
	memset(&hand, 0, sizeof hand);
	hand.traits.length = (uint32_t)size;
	hand.traits.digest = crc32(data, size);
	if (filters() && config.features != NULL)
		hand.traits.count = (uint16_t)config.features(data, size, hand.traits.feature);
	hand.crc = crc32(&hand, offsetof(struct hand, crc));
}

int
rec_input(const void *data, size_t size)
{
	int rule;

	since_freeze++;
	if (config.mode == REC_NONE)
		return 0;
	input = data;
	take_in_hand(data, size);
	if (filters() && (rule = filter_refuses(&hand.traits)) >= 0) {
		since_freeze--;
		log_dropped(rule);
		hand = idle;
		return 1;
	}
	busy = 1;
	sequence++;
	if (config.watchdog_ms > 0 && !armed)
		arm();
	return 0;
}

void
rec_done(void)
{
	if (config.mode == REC_NONE)
		return;
	busy = 0;
	if (filters())
		filter_good(&hand.traits);
	hand = idle;
	if (history.streak != 0) {
		history.streak = 0;
		save_history();
	}
}
