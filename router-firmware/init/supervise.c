#include "init.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static char *daemon_environment[] = { "PATH=/sbin:/usr/sbin:/usr/bin:/bin", NULL };

static void
become(struct daemon *d)
{
	struct rlimit limit;
	int i;

	signal(SIGCHLD, SIG_DFL);
	for (i = 0; i < d->limits; i++) {
		limit.rlim_cur = limit.rlim_max = d->limit[i].value;
		setrlimit(d->limit[i].resource, &limit);
	}
	setsid();
	execve(d->argv[0], d->argv, daemon_environment);
	say("%s: %s", d->argv[0], strerror(errno));
	_exit(127);
}

void
start_daemon(struct daemon *d)
{
	pid_t pid = fork();

	if (pid == 0)
		become(d);
	d->start_at = 0;
	if (pid < 0) {
		say("%s cannot be started: %s", d->name, strerror(errno));
		return;
	}
	d->pid = pid;
	d->started = now_ms();
	say("started %s pid %d", d->name, (int)pid);
}

/* procd: a life of at least `threshold` seconds wipes the record; after `retry` short lives in a row it is left dead. */
static void
restart_limited(struct daemon *d)
{
	if (now_ms() - d->started >= (int64_t)d->threshold * 1000)
		d->crashes = 0;
	else
		d->crashes++;
	if (d->crashes > d->retry) {
		say("%s stays dead", d->name);
		return;
	}
	d->start_at = now_ms() + (int64_t)d->timeout * 1000;
	say("%s restarts in %d s, crash %d of %d", d->name, d->timeout, d->crashes, d->retry);
}

static void
obey_policy(struct daemon *d)
{
	switch (d->policy) {
	case POLICY_NONE:
		say("%s stays dead", d->name);
		break;
	case POLICY_RESPAWN:
		d->start_at = now_ms();
		break;
	case POLICY_LIMITED:
		restart_limited(d);
		break;
	}
}

void
daemon_ended(pid_t pid, int status)
{
	struct daemon *d;

	for (d = daemons; d < daemons + daemon_count; d++) {
		if (d->pid != pid)
			continue;
		d->pid = 0;
		if (WIFSIGNALED(status))
			say("%s pid %d killed by signal %d", d->name, (int)pid, WTERMSIG(status));
		else
			say("%s pid %d exited status %d", d->name, (int)pid, WEXITSTATUS(status));
		obey_policy(d);
	}
}

int
start_due_daemons(void)
{
	struct daemon *d;
	int64_t wait, soonest = -1;

	for (d = daemons; d < daemons + daemon_count; d++) {
		if (d->start_at == 0)
			continue;
		wait = d->start_at - now_ms();
		if (wait <= 0) {
			start_daemon(d);
			continue;
		}
		if (soonest < 0 || wait < soonest)
			soonest = wait;
	}
	return (int)soonest;
}
