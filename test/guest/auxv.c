/* Arguments, environment and the auxiliary vector as the kernel leaves them on the stack. */
#include "guest.h"
#include <elf.h>
#include <sys/auxv.h>

extern char **environ;

int
main(int argc, char **argv)
{
	static const int keys[] = { AT_PHDR, AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_ENTRY, AT_RANDOM, AT_EXECFN };
	size_t i;

	for (i = 0; i < (size_t)argc; i++)
		say("argv[%d] = '%s'\n", (int)i, i == 0 ? "program" : argv[i]);
	CHECK(argv[argc] == NULL);
	for (i = 0; environ[i] != NULL; i++)
		say("envp[%d] = '%s'\n", (int)i, environ[i]);
	for (i = 0; i < sizeof keys / sizeof keys[0]; i++)
		say("auxv %d: %s\n", keys[i], getauxval(keys[i]) != 0 ? "present" : "absent");
	say("page size %lu, phent %lu, clock ticks %lu\n", getauxval(AT_PAGESZ), getauxval(AT_PHENT), getauxval(AT_CLKTCK));
	CHECK(getauxval(AT_UID) == getuid() && getauxval(AT_EGID) == getegid());
	CHECK(((uintptr_t)__builtin_frame_address(0) & 7) == 0);
	return argc;
}
