import { Errno, failed, type Result } from '../../base/index.js';
import { reap } from '../exit.js';
import type { Kernel } from '../kernel.js';
import type { Process, Usage } from '../process.js';
import { rusageWords } from '../rusage.js';
import { siginfoBytes } from '../sigframe.js';
import { SI, Signal } from '../signal-numbers.js';
import { defineSyscalls } from '../syscall-table.js';
import type { Thread } from '../thread.js';

/** wait4(2), waitpid and waitid(2). */
const W = { NOHANG: 1, STOPPED: 2, EXITED: 4, CONTINUED: 8, NOWAIT: 0x1000000, NOTHREAD: 0x20000000, ALL: 0x40000000, CLONE: 0x80000000 | 0 } as const;
const WAIT4_FLAGS = W.NOHANG | W.STOPPED | W.CONTINUED | W.NOTHREAD | W.ALL | W.CLONE;
const WAITID_FLAGS = WAIT4_FLAGS | W.EXITED | W.NOWAIT;
const STOPPED_STATUS = 0x7f;
const CONTINUED_STATUS = 0xffff;

/** A change of state of a child, not yet collected. */
interface Change {
  child: Process;
  kind: 'ended' | 'stopped' | 'continued';
  /** As wait4 stores it. */
  status: number;
}

type Wanted = (child: Process) => boolean;

function changeOf(child: Process, flags: number): Change | null {
  if (child.state === 'zombie') return flags & W.EXITED ? { child, kind: 'ended', status: child.exitStatus } : null;
  if (child.unreported === 'stopped' && flags & W.STOPPED) return { child, kind: 'stopped', status: (child.stopSignal << 8) | STOPPED_STATUS };
  if (child.unreported === 'continued' && flags & W.CONTINUED) return { child, kind: 'continued', status: CONTINUED_STATUS };
  return null;
}

/** __WCLONE selects children whose end is not told by SIGCHLD; the default selects the others. */
function eligible(child: Process, flags: number): boolean {
  if (flags & W.ALL) return true;
  return (child.exitSignal !== Signal.CHLD) === ((flags & W.CLONE) !== 0);
}

/** A change to report, or the result of having none: 0, -ECHILD, or going to sleep. */
function findChange(thread: Thread, wanted: Wanted, flags: number): Change | number {
  const { process } = thread;
  const children = process.children.filter((child) => child.state !== 'dead' && eligible(child, flags) && wanted(child));
  if (children.length === 0) return -Errno.ECHILD;
  for (const child of children) {
    const change = changeOf(child, flags);
    if (change) return change;
  }
  return flags & W.NOHANG ? 0 : thread.block('wait', [process.childChange]);
}

function collect(change: Change, flags: number): void {
  if (flags & W.NOWAIT) return;
  if (change.kind === 'ended') reap(change.child);
  else change.child.unreported = null;
}

function selectPid(process: Process, pid: number): Wanted {
  if (pid === -1) return () => true;
  if (pid > 0) return (child) => child.pid === pid;
  const group = pid === 0 ? process.pgid : -pid;
  return (child) => child.pgid === group;
}

function totalUsage(child: Process): Usage {
  const total = { ...child.usage };
  for (const key of Object.keys(total) as (keyof Usage)[]) total[key] += child.childUsage[key];
  return total;
}

function wait4(kernel: Kernel, thread: Thread, pid: number, statusVa: number, flags: number, usageVa: number): number {
  if (flags & ~WAIT4_FLAGS) return -Errno.EINVAL;
  if (pid === -0x80000000) return -Errno.ESRCH;
  const change = findChange(thread, selectPid(thread.process, pid), flags | W.EXITED);
  if (typeof change === 'number') return change;
  const { space } = thread.process;
  let result: Result = 0;
  if (statusVa) result = space.writeWords(statusVa >>> 0, [change.status]);
  if (usageVa && !failed(result)) result = space.writeWords(usageVa >>> 0, rusageWords(kernel, totalUsage(change.child)));
  collect(change, flags);
  return failed(result) ? result : change.child.pid;
}

const P_ALL = 0;
const P_PID = 1;
const P_PGID = 2;

function selectId(process: Process, type: number, id: number): Wanted | number {
  if (type === P_ALL) return () => true;
  if (type === P_PID) return id > 0 ? (child) => child.pid === id : -Errno.EINVAL;
  if (type === P_PGID) return id >= 0 ? (child) => child.pgid === (id || process.pgid) : -Errno.EINVAL;
  return -Errno.EINVAL;
}

function describe(change: Change): { code: number; status: number } {
  if (change.kind === 'stopped') return { code: SI.CLD_STOPPED, status: change.status >> 8 };
  if (change.kind === 'continued') return { code: SI.CLD_CONTINUED, status: Signal.CONT };
  const signo = change.status & 0x7f;
  if (signo === 0) return { code: SI.CLD_EXITED, status: change.status >> 8 };
  return { code: change.status & 0x80 ? SI.CLD_DUMPED : SI.CLD_KILLED, status: signo };
}

function waitid(kernel: Kernel, thread: Thread, type: number, id: number, infoVa: number, flags: number, usageVa: number): number {
  if (flags & ~WAITID_FLAGS || !(flags & (W.EXITED | W.STOPPED | W.CONTINUED))) return -Errno.EINVAL;
  const wanted = selectId(thread.process, type, id);
  if (typeof wanted === 'number') return wanted;
  const change = findChange(thread, wanted, flags);
  const { space } = thread.process;
  if (typeof change === 'number') {
    if (change === 0 && infoVa) return space.writeWords(infoVa >>> 0, [0, 0, 0, 0]);
    return change;
  }
  let result: Result = 0;
  if (infoVa) {
    const info = { signo: Signal.CHLD, ...describe(change), pid: change.child.pid, uid: change.child.cred.uid };
    result = space.copyout(infoVa >>> 0, siginfoBytes(info).subarray(0, 32));
  }
  if (usageVa && !failed(result)) result = space.writeWords(usageVa >>> 0, rusageWords(kernel, totalUsage(change.child)));
  collect(change, flags);
  return failed(result) ? result : 0;
}

defineSyscalls({
  4007: ['waitpid', 3, (kernel, thread, pid, status, flags) => wait4(kernel, thread, pid, status, flags, 0), 'int status wait'],
  4114: ['wait4', 4, wait4, 'int status wait ptr'],
  4278: ['waitid', 5, waitid, 'int int ptr wait ptr'],
});
