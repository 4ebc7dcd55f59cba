/*
 * User-directed checkpointing, after Prasad and Macy. Manual page: sys_checkpoint(2).
 */
#ifndef _SYS_CHECKPOINT_H_
#define _SYS_CHECKPOINT_H_

#include <stddef.h>
#include <stdint.h>

/* sys_checkpoint: the operation, in the low 8 bits of `type` ... */
#define CHKPT_FREEZE		1	/* save the process; returns a descriptor, 1, 2, ... */
#define CHKPT_THAW		2	/* go back to a descriptor, 0 = the last */
#define CHKPT_FREEZE_INTO	3	/* freeze, replacing what an existing descriptor holds */
#define CHKPT_DROP		4	/* forget a descriptor */

/* ... and where a freeze puts the image. */
#define CHKPT_STORE_DEFAULT	0x000	/* as the process or the router is set */
#define CHKPT_STORE_VNODE	0x100	/* a file: /tmp/<program>.<pid>.<descriptor> */
#define CHKPT_STORE_COPY	0x200	/* past the filesystem: copied into free page frames */
#define CHKPT_STORE_POOL	0x300	/* copied into a warm pool of frames */
#define CHKPT_STORE_SHARE	0x400	/* pages shared copy-on-write */
#define CHKPT_STORE_MASK	0xf00

#define CHKPT_KEEP_SHARED	0x1000	/* thaw: leave shared mappings that others use as they are */

#define tsetjmp()		sys_checkpoint(CHKPT_FREEZE)
#define tlongjmp(x)		sys_checkpoint(CHKPT_THAW, (x))

/* cache: direction, seen from the kernel */
#define CHKPT_IN		1	/* user memory into the kernel */
#define CHKPT_OUT		2	/* kernel back to user memory */
#ifdef CHKPT_PAPER_NAMES
#define IN			CHKPT_IN
#define OUT			CHKPT_OUT
#endif

/* chkpt_status */
#define CHKPT_RECOVERED		1	/* 1 after a thaw, 0 before the first */
#define CHKPT_FROM_STATE	2	/* state the last thaw left */
#define CHKPT_TO_STATE		3	/* state it went to */
#define CHKPT_SIGTYPE		4	/* last signal sent to the process */
#define CHKPT_NUMCHKPTS		5	/* checkpoints made */
#define CKPT_RECOVERED		CHKPT_RECOVERED
#define CKPT_FROM_STATE		CHKPT_FROM_STATE
#define CKPT_TO_STATE		CHKPT_TO_STATE
#define CKPT_SIGTYPE		CHKPT_SIGTYPE
#define CKPT_NUMCHKPTS		CHKPT_NUMCHKPTS

/* persist_check: what must hold at a thaw, else the range is not carried over */
#define CHKPT_CHECK_RANGE	1	/* every signed 32-bit word lies in [lo, hi] */
#define CHKPT_CHECK_CRC32	2	/* the last word is the CRC-32 (IEEE 802.3) of what precedes it */

/* checkpoint_ctl */
#define CHKPT_CTL_DESCRIPTOR	1	/* a = file descriptor, b = one of the policies */
#define CHKPT_CTL_STORE		2	/* a = default store of this process */
#define CHKPT_CTL_HISTORY	3	/* a = struct chkpt_jump *, b = how many fit; returns how many there are */
#define CHKPT_CTL_INPUT		4	/* a, b = the input in hand, noted in the kernel's log */

#define CHKPT_FD_KEEP		0	/* the live object stays as it is */
#define CHKPT_FD_RESET		1	/* reset a stream on which bytes moved since the freeze */
#define CHKPT_FD_DRAIN		2	/* drop unread input */

struct chkpt_jump {
	int32_t		from, to;	/* states */
	int32_t		signo;
	uint32_t	pc, addr;	/* where it faulted, and on what address */
	int32_t		count;		/* how often this edge was taken */
};

#ifdef __cplusplus
extern "C" {
#endif
int	sys_checkpoint(int type, ...);
int	persist(void *addr, int size);
int	persist_check(void *addr, int size, int kind, int lo, int hi);
int	cache(int dir, void *addr, int size);
int	chkpt_status(int type);
int	checkpoint_ctl(int op, intptr_t a, intptr_t b);
#ifdef __cplusplus
}
#endif

#endif
