import { hex } from '../base/index.js';

/** Symbolic values for strace lines, as on MIPS (abi: asm/fcntl.h, asm/mman.h, linux/sched.h, …). */
type Flags = readonly (readonly [value: number, name: string])[];

const clocks = ['CLOCK_REALTIME', 'CLOCK_MONOTONIC', 'CLOCK_PROCESS_CPUTIME_ID', 'CLOCK_THREAD_CPUTIME_ID', 'CLOCK_MONOTONIC_RAW',
  'CLOCK_REALTIME_COARSE', 'CLOCK_MONOTONIC_COARSE', 'CLOCK_BOOTTIME'];
const rlimits = ['CPU', 'FSIZE', 'DATA', 'STACK', 'CORE', 'NOFILE', 'AS', 'RSS', 'NPROC', 'MEMLOCK', 'LOCKS', 'SIGPENDING', 'MSGQUEUE', 'NICE', 'RTPRIO', 'RTTIME'];

export const enums: Record<string, Record<number, string>> = {
  whence: { 0: 'SEEK_SET', 1: 'SEEK_CUR', 2: 'SEEK_END' },
  how: { 1: 'SIG_BLOCK', 2: 'SIG_UNBLOCK', 3: 'SIG_SETMASK' },
  clock: Object.fromEntries(clocks.map((name, i) => [i, name])),
  itimer: { 0: 'ITIMER_REAL', 1: 'ITIMER_VIRTUAL', 2: 'ITIMER_PROF' },
  rlimit: Object.fromEntries(rlimits.map((name, i) => [i, `RLIMIT_${name}`])),
  domain: { 0: 'AF_UNSPEC', 1: 'AF_UNIX', 2: 'AF_INET', 10: 'AF_INET6', 16: 'AF_NETLINK', 17: 'AF_PACKET' },
  madvise: { 0: 'MADV_NORMAL', 1: 'MADV_RANDOM', 2: 'MADV_SEQUENTIAL', 3: 'MADV_WILLNEED', 4: 'MADV_DONTNEED', 8: 'MADV_FREE' },
  prctl: { 1: 'PR_SET_PDEATHSIG', 4: 'PR_SET_DUMPABLE', 15: 'PR_SET_NAME', 16: 'PR_GET_NAME', 23: 'PR_CAPBSET_READ', 38: 'PR_SET_NO_NEW_PRIVS', 46: 'PR_GET_FP_MODE' },
  fcntl: { 0: 'F_DUPFD', 1: 'F_GETFD', 2: 'F_SETFD', 3: 'F_GETFL', 4: 'F_SETFL', 6: 'F_SETLK', 7: 'F_SETLKW', 14: 'F_GETLK', 23: 'F_GETOWN', 24: 'F_SETOWN',
    33: 'F_GETLK64', 34: 'F_SETLK64', 35: 'F_SETLKW64', 1030: 'F_DUPFD_CLOEXEC' },
  chkptop: { 1: 'CHKPT_FREEZE', 2: 'CHKPT_THAW', 3: 'CHKPT_FREEZE_INTO', 4: 'CHKPT_DROP' },
};

export const flagSets: Record<string, Flags> = {
  open: [[0x4010, 'O_SYNC'], [0x10, 'O_DSYNC'], [0x100, 'O_CREAT'], [0x400, 'O_EXCL'], [0x800, 'O_NOCTTY'], [0x200, 'O_TRUNC'], [8, 'O_APPEND'], [0x80, 'O_NONBLOCK'],
    [0x8000, 'O_DIRECT'], [0x2000, 'O_LARGEFILE'], [0x410000, 'O_TMPFILE'], [0x10000, 'O_DIRECTORY'], [0x20000, 'O_NOFOLLOW'], [0x40000, 'O_NOATIME'], [0x80000, 'O_CLOEXEC'], [0x200000, 'O_PATH']],
  prot: [[1, 'PROT_READ'], [2, 'PROT_WRITE'], [4, 'PROT_EXEC'], [0x01000000, 'PROT_GROWSDOWN']],
  map: [[1, 'MAP_SHARED'], [2, 'MAP_PRIVATE'], [0x10, 'MAP_FIXED'], [0x800, 'MAP_ANONYMOUS'], [0x400, 'MAP_NORESERVE'], [0x1000, 'MAP_GROWSDOWN'],
    [0x2000, 'MAP_DENYWRITE'], [0x4000, 'MAP_EXECUTABLE'], [0x10000, 'MAP_POPULATE'], [0x40000, 'MAP_STACK'], [0x100000, 'MAP_FIXED_NOREPLACE']],
  clone: [[0x100, 'CLONE_VM'], [0x200, 'CLONE_FS'], [0x400, 'CLONE_FILES'], [0x800, 'CLONE_SIGHAND'], [0x4000, 'CLONE_VFORK'], [0x8000, 'CLONE_PARENT'],
    [0x10000, 'CLONE_THREAD'], [0x40000, 'CLONE_SYSVSEM'], [0x80000, 'CLONE_SETTLS'], [0x100000, 'CLONE_PARENT_SETTID'], [0x200000, 'CLONE_CHILD_CLEARTID'],
    [0x400000, 'CLONE_DETACHED'], [0x1000000, 'CLONE_CHILD_SETTID']],
  wait: [[1, 'WNOHANG'], [2, 'WSTOPPED'], [4, 'WEXITED'], [8, 'WCONTINUED'], [0x1000000, 'WNOWAIT'], [0x40000000, '__WALL'], [0x80000000, '__WCLONE']],
  sa: [[0x08000000, 'SA_ONSTACK'], [0x10000000, 'SA_RESTART'], [0x40000000, 'SA_NODEFER'], [0x80000000, 'SA_RESETHAND'], [1, 'SA_NOCLDSTOP'], [8, 'SA_SIGINFO'], [0x10000, 'SA_NOCLDWAIT']],
  poll: [[1, 'POLLIN'], [2, 'POLLPRI'], [4, 'POLLOUT'], [8, 'POLLERR'], [0x10, 'POLLHUP'], [0x20, 'POLLNVAL'], [0x40, 'POLLRDNORM'], [0x80, 'POLLRDBAND'], [0x100, 'POLLWRBAND']],
  access: [[4, 'R_OK'], [2, 'W_OK'], [1, 'X_OK']],
  msg: [[1, 'MSG_OOB'], [2, 'MSG_PEEK'], [4, 'MSG_DONTROUTE'], [0x20, 'MSG_TRUNC'], [0x40, 'MSG_DONTWAIT'], [0x100, 'MSG_WAITALL'], [0x4000, 'MSG_NOSIGNAL']],
  socktype: [[0x80000, 'SOCK_CLOEXEC'], [0x80, 'SOCK_NONBLOCK']],
  at: [[0x100, 'AT_SYMLINK_NOFOLLOW'], [0x200, 'AT_REMOVEDIR'], [0x400, 'AT_SYMLINK_FOLLOW'], [0x1000, 'AT_EMPTY_PATH']],
  store: [[0x100, 'CHKPT_VNODE'], [0x1000, 'CHKPT_KEEP_SHARED']],
};

export const futexOps: Record<number, string> = {
  0: 'FUTEX_WAIT', 1: 'FUTEX_WAKE', 3: 'FUTEX_REQUEUE', 4: 'FUTEX_CMP_REQUEUE', 5: 'FUTEX_WAKE_OP', 6: 'FUTEX_LOCK_PI', 7: 'FUTEX_UNLOCK_PI',
  9: 'FUTEX_WAIT_BITSET', 10: 'FUTEX_WAKE_BITSET',
};

export const socketTypes: Record<number, string> = { 1: 'SOCK_DGRAM', 2: 'SOCK_STREAM', 3: 'SOCK_RAW', 5: 'SOCK_SEQPACKET', 10: 'SOCK_PACKET' };

/** "A|B|0x40"; `none` for zero. */
export function flagNames(set: string, value: number, none: string): string {
  let rest = value >>> 0;
  const parts: string[] = [];
  for (const [bit, name] of flagSets[set]) {
    if (((rest & bit) >>> 0) !== bit >>> 0) continue;
    parts.push(name);
    rest = (rest & ~bit) >>> 0;
  }
  if (rest !== 0) parts.push(hex(rest));
  return parts.length > 0 ? parts.join('|') : none;
}
