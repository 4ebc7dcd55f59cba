/* String and formatting functions of the C library: long runs of ordinary code. */
#include "guest.h"
#include <ctype.h>
#include <wchar.h>

static uint32_t
hash(const char *s)
{
	uint32_t h = 2166136261u;

	while (*s != '\0')
		h = (h ^ (unsigned char)*s++) * 16777619u;
	return h;
}

int
main(void)
{
	static char big[70000], other[70000];
	char out[200], *save = NULL, *word;
	int i, n = 0;

	for (i = 0; i < 69999; i++)
		big[i] = (char)('a' + i * 7 % 26);
	say("length %d, hash %x\n", (int)strlen(big), hash(big));
	for (i = 0; i < 64; i++) {
		memmove(other + i, big + 64 - i, 60000);
		n += memcmp(other + i, big + 64 - i, 60000) == 0;
	}
	say("moves %d\n", n);
	memmove(big + 3, big, 60000);
	memmove(big, big + 5, 60000);
	say("overlap %x\n", hash(big));
	strcpy(out, "one, two;three  four");
	for (word = strtok_r(out, ", ;", &save); word != NULL; word = strtok_r(NULL, ", ;", &save))
		say("[%s]", word);
	say("\n%s %d %d\n", strstr("routing table", "ing"), strcasecmp("MIPS", "mips"), strncmp("abc", "abd", 2));
	snprintf(out, sizeof out, "%5d|%-5d|%05d|%x|%#o|%c|%.3s|%%|%p|%zu|%hhd|%lld", 42, 42, -42, 255, 8, 'z', "string", (void *)0x1234, sizeof out, 300, -1ll);
	say("%s\n", out);
	i = sscanf("12 0x1f abc 3.5", "%d %i %s", &n, &i, out);
	say("scanned %d, %d, %s\n", i, n, out);
	for (i = 0, n = 0; i < 256; i++)
		n += isalpha(i) ? 1 : isdigit(i) ? 100 : ispunct(i) ? 10000 : 0;
	say("classes %d, upper %c\n", n, toupper('q'));
	return 0;
}
