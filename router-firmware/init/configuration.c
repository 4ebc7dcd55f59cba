#include "init.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct daemon daemons[MAX_DAEMONS];
int daemon_count;

static struct { char daemon[32]; int resource; rlim_t value; } limits[32];
static int limit_count;

typedef const char *(*directive)(int, char **);		/* what is wrong, or NULL */

static const char *
host_name(int words, char **word)
{
	if (words != 2)
		return "hostname NAME";
	return sethostname(word[1], strlen(word[1])) == 0 ? NULL : strerror(errno);
}

static const char *
interface(int words, char **word)
{
	if (words != 3)
		return "interface NAME ADDRESS/PREFIX";
	return interface_up(word[1], word[2]) == 0 ? NULL : strerror(errno);
}

static const char *
route(int words, char **word)
{
	if (words != 3)
		return "route default|NET/PREFIX GATEWAY";
	return add_route(word[1], word[2]) == 0 ? NULL : strerror(errno);
}

static const char *
system_control(int words, char **word)
{
	char path[128], *p;
	size_t n;
	int fd;

	if (words != 3)
		return "sysctl KEY VALUE";
	n = (size_t)snprintf(path, sizeof path, "/proc/sys/%s", word[1]);
	if (n >= sizeof path)
		return strerror(ENAMETOOLONG);
	for (p = path; *p != '\0'; p++)
		if (*p == '.')
			*p = '/';
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return strerror(errno);
	n = strlen(word[2]);
	if (write(fd, word[2], n) != (ssize_t)n) {
		close(fd);
		return strerror(errno);
	}
	close(fd);
	return NULL;
}

static int
resource_of(const char *name)
{
	if (strcmp(name, "as") == 0)
		return RLIMIT_AS;
	if (strcmp(name, "nofile") == 0)
		return RLIMIT_NOFILE;
	if (strcmp(name, "core") == 0)
		return RLIMIT_CORE;
	return -1;
}

static const char *
limit(int words, char **word)
{
	char *end;

	if (words != 4 || resource_of(word[2]) < 0)
		return "limit DAEMON as|nofile|core N";
	if (limit_count == (int)(sizeof limits / sizeof limits[0]) || strlen(word[1]) >= sizeof limits[0].daemon)
		return "too many limits, or too long a name";
	strcpy(limits[limit_count].daemon, word[1]);
	limits[limit_count].resource = resource_of(word[2]);
	limits[limit_count].value = strtoull(word[3], &end, 10);
	if (*end != '\0' || !isdigit((unsigned char)word[3][0]))
		return "not a number";
	limit_count++;
	return NULL;
}

static void
take_limits(struct daemon *d)
{
	int i;

	for (i = 0; i < limit_count && d->limits < 4; i++) {
		if (strcmp(limits[i].daemon, d->name) != 0)
			continue;
		d->limit[d->limits].resource = limits[i].resource;
		d->limit[d->limits].value = limits[i].value;
		d->limits++;
	}
}

static const char *
policy(struct daemon *d, int words, char **word)
{
	if (words == 1 && strcmp(word[0], "none") == 0) {
		d->policy = POLICY_NONE;
		return NULL;
	}
	if ((words != 1 && words != 4) || strcmp(word[0], "respawn") != 0)
		return "policy is none, respawn, or respawn THRESHOLD TIMEOUT RETRY";
	if (words == 1) {
		d->policy = POLICY_RESPAWN;
		return NULL;
	}
	d->policy = POLICY_LIMITED;
	d->threshold = atoi(word[1]);
	d->timeout = atoi(word[2]);
	d->retry = atoi(word[3]);
	return d->threshold >= 0 && d->timeout >= 0 && d->retry >= 0 ? NULL : "a negative number";
}

static const char *
daemon_line(int words, char **word)
{
	struct daemon *d = &daemons[daemon_count];
	const char *wrong;
	int dashes, i;

	for (dashes = 2; dashes < words && strcmp(word[dashes], "--") != 0; dashes++)
		;
	if (dashes < 3 || dashes + 1 >= words)
		return "daemon NAME POLICY -- PROGRAM [ARGUMENT ...]";
	if (daemon_count == MAX_DAEMONS || strlen(word[1]) >= sizeof d->name)
		return "too many daemons, or too long a name";
	memset(d, 0, sizeof *d);
	strcpy(d->name, word[1]);
	wrong = policy(d, dashes - 2, word + 2);
	if (wrong != NULL)
		return wrong;
	for (i = dashes + 1; i < words; i++)
		d->argv[i - dashes - 1] = strdup(word[i]);
	take_limits(d);
	daemon_count++;
	return NULL;
}

static const struct { const char *name; directive run; } directives[] = {
	{ "hostname", host_name }, { "interface", interface }, { "route", route }, { "sysctl", system_control },
	{ "limit", limit }, { "daemon", daemon_line },
};

static const char *
obey(int words, char **word)
{
	size_t i;

	for (i = 0; i < sizeof directives / sizeof directives[0]; i++)
		if (strcmp(directives[i].name, word[0]) == 0)
			return directives[i].run(words, word);
	return "unknown directive";
}

static int
split(char *line, char **word)
{
	char *save = NULL, *p;
	int words = 0;

	p = strchr(line, '#');
	if (p != NULL)
		*p = '\0';
	for (p = strtok_r(line, " \t\r\n", &save); p != NULL && words < MAX_WORDS - 1; p = strtok_r(NULL, " \t\r\n", &save))
		word[words++] = p;
	word[words] = NULL;
	return words;
}

void
read_configuration(const char *path)
{
	char line[1024], *word[MAX_WORDS];
	const char *wrong;
	FILE *f = fopen(path, "re");
	int number, words;

	if (f == NULL) {
		say("%s: %s", path, strerror(errno));
		return;
	}
	for (number = 1; fgets(line, sizeof line, f) != NULL; number++) {
		words = split(line, word);
		if (words == 0)
			continue;
		wrong = obey(words, word);
		if (wrong != NULL)
			say("%s:%d: %s", path, number, wrong);
	}
	fclose(f);
}
