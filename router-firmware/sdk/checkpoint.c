/*
 * The checkpoint system calls. They lie in a private range, beyond every number Linux uses on o32; a kernel without them
 * answers ENOSYS.
 */
#include <sys/checkpoint.h>

#include <stdarg.h>
#include <unistd.h>

#define NR_SYS_CHECKPOINT	4900
#define NR_PERSIST		4901
#define NR_CACHE		4902
#define NR_CHKPT_STATUS		4903
#define NR_CHECKPOINT_CTL	4904
#define NR_PERSIST_CHECK	4905

int
sys_checkpoint(int type, ...)
{
	va_list ap;
	int descriptor = 0;

	if ((type & 0xff) != CHKPT_FREEZE) {
		va_start(ap, type);
		descriptor = va_arg(ap, int);
		va_end(ap);
	}
	return (int)syscall(NR_SYS_CHECKPOINT, type, descriptor);
}

int
persist(void *addr, int size)
{
	return (int)syscall(NR_PERSIST, addr, size);
}

int
persist_check(void *addr, int size, int kind, int lo, int hi)
{
	return (int)syscall(NR_PERSIST_CHECK, addr, size, kind, lo, hi);
}

int
cache(int dir, void *addr, int size)
{
	return (int)syscall(NR_CACHE, dir, addr, size);
}

int
chkpt_status(int type)
{
	return (int)syscall(NR_CHKPT_STATUS, type);
}

int
checkpoint_ctl(int op, intptr_t a, intptr_t b)
{
	return (int)syscall(NR_CHECKPOINT_CTL, op, a, b);
}
