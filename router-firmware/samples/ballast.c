/*
 * ballast BYTES: a process of a known size, to be frozen by measurements. It fills that much memory with a pattern no two
 * pages of which are alike, says so, and waits; SIGUSR1 makes it write one word to every page.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE	4096

static volatile sig_atomic_t touch;

static void
on_usr1(int signo)
{
	(void)signo;
	touch = 1;
}

static void
touch_pages(unsigned *words, size_t bytes)
{
	for (size_t at = 0; at < bytes / sizeof(*words); at += PAGE / sizeof(*words))
		words[at]++;
}

int
main(int argc, char **argv)
{
	size_t bytes = argc > 1 ? strtoul(argv[1], NULL, 0) : PAGE;
	unsigned *words, value = 2654435769u;

	words = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (words == MAP_FAILED) {
		perror("ballast");
		return 1;
	}
	for (size_t i = 0; i < bytes / sizeof(*words); i++)
		words[i] = value = value * 1664525u + 1013904223u;
	signal(SIGUSR1, on_usr1);
	if (write(1, "ready\n", 6) != 6)
		return 1;
	for (;;) {
		pause();
		if (touch) {
			touch = 0;
			touch_pages(words, bytes);
		}
	}
}
