import { Errno, failed } from '../../base/index.js';
import { Cap, capable } from '../capabilities.js';
import { applyMemoryLimits } from '../exec.js';
import { FD_MAX } from '../fd-table.js';
import type { Kernel } from '../kernel.js';
import { RLIM_INFINITY, RLIM_NLIMITS, Rlimit, type Limit } from '../limits.js';
import type { Process } from '../process.js';
import { rusageWords } from '../rusage.js';
import { defineSyscalls } from '../syscall-table.js';
import type { Thread } from '../thread.js';

/** getrlimit, setrlimit, prlimit64 and getrusage. */
const UNSIGNED = 4294967296;

/** The 32-bit calls know 0x7fffffff as "none" and show larger limits as that. */
const toWord = (value: number): number => Math.min(value, RLIM_INFINITY);
const fromWord = (word: number): number => ((word >>> 0) >= RLIM_INFINITY ? Infinity : word);

function from64(low: number, high: number): number {
  return high === -1 && low === -1 ? Infinity : (high >>> 0) * UNSIGNED + (low >>> 0);
}

function to64(value: number): [number, number] {
  return value === Infinity ? [-1, -1] : [value | 0, Math.floor(value / UNSIGNED)];
}

function change(thread: Thread, target: Process, which: number, next: Limit): number {
  const limit = target.limits[which];
  if (next.soft > next.hard) return -Errno.EINVAL;
  if (next.hard > limit.hard && !capable(thread.process.cred, Cap.SYS_RESOURCE)) return -Errno.EPERM;
  if (which === Rlimit.NOFILE && next.hard > FD_MAX) return -Errno.EPERM;
  target.limits[which] = next;
  applyMemoryLimits(target);
  target.fds.limit = target.limits[Rlimit.NOFILE].soft;
  return 0;
}

const isLimit = (which: number): boolean => which >= 0 && which < RLIM_NLIMITS;

function getrlimit(_kernel: Kernel, thread: Thread, which: number, va: number): number {
  if (!isLimit(which)) return -Errno.EINVAL;
  const { soft, hard } = thread.process.limits[which];
  return thread.process.space.writeWords(va >>> 0, [toWord(soft), toWord(hard)]);
}

function setrlimit(_kernel: Kernel, thread: Thread, which: number, va: number): number {
  if (!isLimit(which)) return -Errno.EINVAL;
  const words = thread.process.space.readWords(va >>> 0, 2);
  return failed(words) ? words : change(thread, thread.process, which, { soft: fromWord(words[0]), hard: fromWord(words[1]) });
}

function prlimit64(kernel: Kernel, thread: Thread, pid: number, which: number, newVa: number, oldVa: number): number {
  if (!isLimit(which)) return -Errno.EINVAL;
  const { process } = thread;
  const target = pid === 0 ? process : kernel.processes.get(pid);
  if (!target || target.state !== 'alive') return -Errno.ESRCH;
  if (target !== process && process.cred.euid !== 0 && process.cred.uid !== target.cred.uid) return -Errno.EPERM;
  const words = newVa ? process.space.readWords(newVa >>> 0, 4) : null;
  if (failed(words)) return words;
  const old = target.limits[which];
  if (words) {
    const result = change(thread, target, which, { soft: from64(words[0], words[1]), hard: from64(words[2], words[3]) });
    if (failed(result)) return result;
  }
  return oldVa ? process.space.writeWords(oldVa >>> 0, [...to64(old.soft), ...to64(old.hard)]) : 0;
}

const RUSAGE_SELF = 0;
const RUSAGE_CHILDREN = -1;
const RUSAGE_THREAD = 1;

function getrusage(kernel: Kernel, thread: Thread, who: number, va: number): number {
  const { usage, childUsage, space } = thread.process;
  const counted = new Map([[RUSAGE_SELF, usage], [RUSAGE_CHILDREN, childUsage], [RUSAGE_THREAD, { ...usage, user: thread.retired * kernel.cpi }]]).get(who);
  return counted ? space.writeWords(va >>> 0, rusageWords(kernel, counted)) : -Errno.EINVAL;
}

defineSyscalls({
  4075: ['setrlimit', 2, setrlimit, 'rlimit ptr'],
  4076: ['getrlimit', 2, getrlimit, 'rlimit ptr'],
  4077: ['getrusage', 2, getrusage, 'int ptr'],
  4338: ['prlimit64', 4, prlimit64, 'int rlimit ptr ptr'],
});
