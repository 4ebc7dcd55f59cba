/*
 * The filter learns in two steps. An input that faulted is refused from then on when it comes again, byte for byte (length and
 * CRC-32 of the whole input). Two inputs that led to the same jump (state, signal) span a box: for each feature the interval
 * from the smallest to the largest value seen. Inputs inside a box are refused. A box that would refuse one of the inputs
 * recently handled well is not used; it starts again from the last fault alone. So an exact rule never refuses anything but
 * its input (up to CRC collisions) and misses every variant; a box may do both, and how often is for an experiment to say.
 * Known weaknesses: who chooses the signal chooses the box; who sends faults far apart keeps any box from being used.
 *
 * Rules and good inputs are kept in the kernel with cache(), or the thaw would forget them: a box made with no good inputs at
 * hand refuses whoever looks like the attacker. Rules change with a fault, so they are stored at once; good inputs change
 * with every input, so only every GOOD_STORED-th is (each of the first few), and a thaw forgets the ones since.
 *
 * The placebo learns, keeps and compares the same amount, from the complement of what faulted: a length no input has.
 */
#include "filter.h"

#include <sys/checkpoint.h>

#include <errno.h>
#include <string.h>

#define BOXES		8
#define BOX_SAMPLES	2	/* faults a box needs before it is used */
#define GOOD_INPUTS	32
#define GOOD_STORED	8

struct exact {
	uint32_t	length, digest;
	int32_t		signo;
};

struct box {
	int32_t		state, signo;		/* the jump, the paper's key; signo 0 = unused */
	uint16_t	samples, count;
	uint16_t	lo[REC_FEATURES], hi[REC_FEATURES];
};

static struct {
	int32_t		exacts;			/* ever made; the oldest is overwritten */
	struct exact	exact[FILTER_EXACT];
	struct box	box[BOXES];
} rules;

static struct {
	uint32_t	inputs;			/* ever; the oldest is overwritten */
	struct {
		uint16_t	count, feature[REC_FEATURES];
	}		input[GOOD_INPUTS];
} good;

static void
store(const void *what, size_t size)
{
	if (cache(CHKPT_IN, (void *)what, (int)size) != 0)
		rec_log("cache fails: %s", strerror(errno));
}

/* What was never stored stays as it is: empty, or as it was when the state was made. */
void
filter_recall(void)
{
	cache(CHKPT_OUT, &rules, sizeof rules);
	cache(CHKPT_OUT, &good, sizeof good);
}

static int
inside(const struct box *b, const uint16_t *feature, int count)
{
	int i;

	if (count != b->count)
		return 0;
	for (i = 0; i < count; i++)
		if (feature[i] < b->lo[i] || feature[i] > b->hi[i])
			return 0;
	return 1;
}

int
filter_refuses(const struct traits *t)
{
	int i, n = rules.exacts < FILTER_EXACT ? rules.exacts : FILTER_EXACT;

	for (i = 0; i < n; i++)
		if (rules.exact[i].digest == t->digest && rules.exact[i].length == t->length)
			return i;
	for (i = 0; i < BOXES; i++)
		if (rules.box[i].samples >= BOX_SAMPLES && inside(&rules.box[i], t->feature, t->count))
			return FILTER_EXACT + i;
	return -1;
}

static void
learn_exact(const struct traits *t, int signo)
{
	struct exact *e = &rules.exact[rules.exacts % FILTER_EXACT];

	*e = (struct exact){ t->length, t->digest, signo };
	rules.exacts++;
	rec_log("filter exact %08x length %u signal %d", t->digest, t->length, signo);
}

static struct box *
box_for(int state, int signo)
{
	struct box *b, *unused = NULL;

	for (b = rules.box; b < rules.box + BOXES; b++) {
		if (b->signo == signo && b->state == state)
			return b;
		if (b->signo == 0 && unused == NULL)
			unused = b;
	}
	return unused;
}

static void
start_box(struct box *b, const struct traits *t, int state, int signo)
{
	b->state = state;
	b->signo = signo;
	b->samples = 1;
	b->count = t->count;
	memcpy(b->lo, t->feature, sizeof b->lo);
	memcpy(b->hi, t->feature, sizeof b->hi);
}

static int
would_refuse_good(const struct box *b)
{
	unsigned int i, n = good.inputs < GOOD_INPUTS ? good.inputs : GOOD_INPUTS;

	for (i = 0; i < n; i++)
		if (inside(b, good.input[i].feature, good.input[i].count))
			return 1;
	return 0;
}

static void
learn_box(const struct traits *t, int state, int signo)
{
	struct box *b = box_for(state, signo);
	int i;

	if (b == NULL || t->count == 0)
		return;
	if (b->signo == 0 || b->count != t->count) {
		start_box(b, t, state, signo);
		return;
	}
	for (i = 0; i < t->count; i++) {
		if (t->feature[i] < b->lo[i])
			b->lo[i] = t->feature[i];
		if (t->feature[i] > b->hi[i])
			b->hi[i] = t->feature[i];
	}
	b->samples++;
	if (would_refuse_good(b)) {
		rec_log("filter box signal %d refused, it would match good input", signo);
		start_box(b, t, state, signo);
		return;
	}
	rec_log("filter box signal %d samples %d", signo, b->samples);
}

void
filter_learn(const struct traits *t, int state, int signo)
{
	learn_exact(t, signo);
	learn_box(t, state, signo);
	store(&rules, sizeof rules);
}

void
filter_good(const struct traits *t)
{
	unsigned int i = good.inputs++ % GOOD_INPUTS;

	good.input[i].count = t->count;
	memcpy(good.input[i].feature, t->feature, sizeof good.input[i].feature);
	if (good.inputs < GOOD_STORED || good.inputs % GOOD_STORED == 0)
		store(&good, sizeof good);
}

/* Lengths are below 2^31, and the first of the features is one below 2^15. */
void
filter_placebo(struct traits *t)
{
	int i;

	t->length = ~t->length;
	t->digest = ~t->digest;
	for (i = 0; i < t->count; i++)
		t->feature[i] = (uint16_t)~t->feature[i];
}
