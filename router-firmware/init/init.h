/*
 * init: process 1. Reads /etc/init.conf, brings interfaces up, starts daemons and does what each daemon's policy says when it
 * ends.
 */
#ifndef INIT_H
#define INIT_H

#include <sys/types.h>
#include <sys/resource.h>
#include <stdint.h>

#define MAX_DAEMONS	16
#define MAX_WORDS	64

enum policy { POLICY_NONE, POLICY_RESPAWN, POLICY_LIMITED };

struct daemon {
	char		name[32];
	enum policy	policy;
	int		threshold, timeout, retry;	/* procd's three numbers */
	char		*argv[MAX_WORDS];
	struct { int resource; rlim_t value; } limit[4];
	int		limits;
	pid_t		pid;				/* 0 = not running */
	int64_t		started, start_at;		/* ms; start_at 0 = do not start */
	int		crashes;			/* in a row */
};

extern struct daemon daemons[MAX_DAEMONS];
extern int daemon_count;

void	say(const char *, ...) __attribute__((format(printf, 1, 2)));
int64_t	now_ms(void);

void	read_configuration(const char *path);

int	interface_up(const char *name, const char *address_and_prefix);
int	add_route(const char *destination, const char *gateway);

void	start_daemon(struct daemon *);
void	daemon_ended(pid_t, int status);
int	start_due_daemons(void);	/* ms until the next one is due, -1 = none */

#endif
