/*
 * The filter of the recovery library: it learns from inputs that faulted, and refuses those like them. Not for programs: they
 * see it through recover.h.
 */
#ifndef FILTER_H
#define FILTER_H

#include "recover.h"

/* What is known of an input, all zero when there is none. */
struct traits {
	uint32_t	length, digest;		/* digest: CRC-32 of the whole input */
	uint16_t	count, feature[REC_FEATURES];
};

#define FILTER_EXACT	32	/* rules that refuse one input each; numbers from here on are boxes */

/* Number of the rule that refuses the input; or -1. */
int	filter_refuses(const struct traits *);
/* An input led to a jump to `state` by `signo`. Call after filter_recall(). */
void	filter_learn(const struct traits *, int state, int signo);
/* An input was handled to its end. */
void	filter_good(const struct traits *);
/* After a thaw: take back from the kernel what the thaw made forgotten. */
void	filter_recall(void);
/* Turn an input into one that cannot be: what the placebo learns from. */
void	filter_placebo(struct traits *);

#endif
