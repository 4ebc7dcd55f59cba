/*
 * A small recovery library on top of sys_checkpoint(2), for programs that handle one input after another:
 *
 *	rec_init(&config);
 *	for (;;) {
 *		rec_top();			freeze here; a thaw comes back here
 *		n = recv(s, buf, sizeof buf, 0);
 *		if (rec_input(buf, n))		like one that faulted: drop it
 *			continue;
 *		handle(buf, n);
 *		rec_done();
 *	}
 *
 * SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP and a request that takes longer than the watchdog allows go back to the rolling
 * state; SIGABRT goes back to the first one, made before any input.
 */
#ifndef RECOVER_H
#define RECOVER_H

#include <stddef.h>
#include <stdint.h>

enum rec_mode { REC_NONE, REC_ROLLBACK, REC_FILTER, REC_PLACEBO };

#define REC_FEATURES	12

struct rec_config {
	const char	*name;		/* in front of every log line */
	enum rec_mode	mode;
	int		store;		/* CHKPT_STORE_* */
	int		interval;	/* freeze after so many inputs */
	int		watchdog_ms;	/* 0 = none */
	int		escalate;	/* every so many recoveries without a finished input the first state is tried; 0 = never */
	int		quiet;		/* dropped inputs are not logged */
	int		one_stack;	/* handlers run on the stack of what they interrupt */
	/* After a thaw: take back what cache() holds. Called before reseed(). May be NULL. */
	void		(*recall)(void);
	/* After a thaw: renew what must not repeat, such as random ids and ports. May be NULL; -R makes it so. */
	void		(*reseed)(void);
	/* Writes up to REC_FEATURES numbers that describe an input; returns how many. It sees hostile bytes before anyone else. May be NULL. */
	int		(*features)(const uint8_t *, size_t, uint16_t *);
};

/*
 * The options every daemon has: -m -s -i -w -e -A -q -R -O. rec_option returns 0 when the option is one of them and well formed.
 * `-m placebo` is the filter's control: it learns as the filter does, in the same time and memory, but rules that no input can match.
 */
#define REC_OPTIONS	"m:s:i:w:e:A:qRO"
#define REC_USAGE	"[-m none|rollback|filter|placebo] [-s default|vnode|copy|pool|share] [-i N] [-w MS] [-e N] [-A BYTES] [-q] [-R] [-O]"
#define REC_DEFAULTS	.mode = REC_NONE, .interval = 1, .watchdog_ms = 1000, .escalate = 8
int	rec_option(struct rec_config *, int, const char *);
const char *rec_mode_name(const struct rec_config *);
const char *rec_store_name(const struct rec_config *);

void	rec_init(const struct rec_config *);
void	rec_top(void);
int	rec_input(const void *, size_t);	/* 1: drop it */
void	rec_done(void);

/* One line to standard output, in one write: "name: ...\n". */
void	rec_log(const char *, ...) __attribute__((format(printf, 1, 2)));

#endif
