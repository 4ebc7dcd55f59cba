import { Errno, failed, type Fail } from '../../base/index.js';
import { Cap, capable } from '../capabilities.js';
import type { Kernel } from '../kernel.js';
import { Rlimit } from '../limits.js';
import { SIGPENDING_MAX } from '../pending-signals.js';
import type { Process } from '../process.js';
import { altStackFlags, popSignalFrame, siginfoBytes } from '../sigframe.js';
import { SI, Signal, SIG_DFL, SIG_IGN } from '../signal-numbers.js';
import { defaultDisposition, forceSignal, signalProcess, signalThread, type SigAction, type SigInfo } from '../signals.js';
import {
  copySet, emptySet, NSIG, setDelete, setFromBytes, setHas, setOf, setSubtract, setToBytes, setUnion, SIGRTMIN, SIGSET_BYTES, type Sigset,
} from '../sigset.js';
import { defineSyscalls, ERESTARTNOHAND, NO_RETURN } from '../syscall-table.js';
import { SS_DISABLE, SS_ONSTACK, type Thread } from '../thread.js';
import { readTimespec, toNanoseconds } from '../user-memory.js';

/** SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK: one more than on other machines. */
const How = { BLOCK: 1, UNBLOCK: 2, SETMASK: 3 } as const;
const MINSIGSTKSZ = 2048;
const SS_AUTODISARM = 0x80000000 | 0;
const SIGACTION_BYTES = 24;

function readSet(thread: Thread, va: number): Sigset | Fail {
  const bytes = thread.process.space.copyin(va >>> 0, SIGSET_BYTES);
  return failed(bytes) ? bytes : setFromBytes(bytes);
}

/** SIGKILL and SIGSTOP cannot be blocked; asking for it is no error. */
function blockable(set: Sigset): Sigset {
  setDelete(set, Signal.KILL);
  setDelete(set, Signal.STOP);
  return set;
}

export function changeMask(thread: Thread, how: number, set: Sigset): number {
  const next = copySet(thread.sigmask);
  if (how === How.BLOCK) setUnion(next, set);
  else if (how === How.UNBLOCK) setSubtract(next, set);
  else if (how === How.SETMASK) next.set(set);
  else return -Errno.EINVAL;
  thread.sigmask = blockable(next);
  return 0;
}

function rtSigprocmask(_kernel: Kernel, thread: Thread, how: number, setVa: number, oldVa: number, size: number): number {
  if (size !== SIGSET_BYTES) return -Errno.EINVAL;
  const old = setToBytes(thread.sigmask);
  if (setVa) {
    const set = readSet(thread, setVa);
    if (failed(set)) return set;
    const result = changeMask(thread, how, set);
    if (failed(result)) return result;
  }
  return oldVa ? thread.process.space.copyout(oldVa >>> 0, old) : 0;
}

/** sigprocmask of old: the first word of the mask only. */
function sigprocmask(_kernel: Kernel, thread: Thread, how: number, setVa: number, oldVa: number): number {
  const { space } = thread.process;
  const old = thread.sigmask[0];
  if (setVa) {
    const words = space.readWords(setVa >>> 0, 1);
    if (failed(words)) return words;
    const set = how === How.SETMASK ? copySet(thread.sigmask) : emptySet();
    set[0] = words[0];
    const result = changeMask(thread, how, set);
    if (failed(result)) return result;
  }
  return oldVa ? space.writeWords(oldVa >>> 0, [old]) : 0;
}

/** struct sigaction of MIPS: flags, handler, mask; no restorer. */
function decodeAction(bytes: Uint8Array): SigAction {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { flags: view.getInt32(0, true), handler: view.getUint32(4, true), mask: blockable(setFromBytes(bytes.subarray(8, 24))) };
}

function encodeAction(action: SigAction): Uint8Array {
  const bytes = new Uint8Array(SIGACTION_BYTES);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, action.flags, true);
  view.setUint32(4, action.handler, true);
  bytes.set(setToBytes(action.mask), 8);
  return bytes;
}

const canCatch = (signo: number): boolean => signo !== Signal.KILL && signo !== Signal.STOP;
const isSignal = (signo: number): boolean => signo >= 1 && signo <= NSIG;

/** A signal whose new action is to be ignored is no longer pending either (sigaction(2), POSIX). */
function setAction(process: Process, signo: number, action: SigAction): void {
  process.actions[signo] = action;
  const disposition = defaultDisposition(signo);
  const ignored = action.handler === SIG_IGN || (action.handler === SIG_DFL && (disposition === 'ignore' || disposition === 'continue'));
  if (!ignored) return;
  process.pending.discard(signo);
  for (const thread of process.threads) thread.pending.discard(signo);
}

function rtSigaction(_kernel: Kernel, thread: Thread, signo: number, actionVa: number, oldVa: number, size: number): number {
  if (size !== SIGSET_BYTES) return -Errno.EINVAL;
  const { process } = thread;
  if (!isSignal(signo) || (actionVa && !canCatch(signo))) return -Errno.EINVAL;
  const bytes = actionVa ? process.space.copyin(actionVa >>> 0, SIGACTION_BYTES) : null;
  if (failed(bytes)) return bytes;
  const old = encodeAction(process.actions[signo]);
  if (bytes) setAction(process, signo, decodeAction(bytes));
  return oldVa ? process.space.copyout(oldVa >>> 0, old) : 0;
}

/** sigaction of old: { flags, handler, mask[4] } too, of which the first word of the mask counts. */
function oldSigaction(_kernel: Kernel, thread: Thread, signo: number, actionVa: number, oldVa: number): number {
  const { process } = thread;
  if (!isSignal(signo) || signo > 31 || (actionVa && !canCatch(signo))) return -Errno.EINVAL;
  const words = actionVa ? process.space.readWords(actionVa >>> 0, 3) : null;
  if (failed(words)) return words;
  const old = process.actions[signo];
  if (words) setAction(process, signo, { flags: words[0], handler: words[1] >>> 0, mask: blockable(Uint32Array.of(words[2], 0, 0, 0)) });
  return oldVa ? process.space.writeWords(oldVa >>> 0, [old.flags, old.handler, old.mask[0], 0, 0, 0]) : 0;
}

/** signal of System V: one shot, not deferred. */
function oldSignal(_kernel: Kernel, thread: Thread, signo: number, handler: number): number {
  const { process } = thread;
  if (!isSignal(signo) || !canCatch(signo)) return -Errno.EINVAL;
  const old = process.actions[signo].handler;
  setAction(process, signo, { flags: 0xc0000000 | 0, handler: handler >>> 0, mask: emptySet() });
  return old | 0;
}

function pendingSet(thread: Thread): Sigset {
  return setOf(...[...thread.pending.queue, ...thread.process.pending.queue].map((info) => info.signo).filter((signo) => setHas(thread.sigmask, signo)));
}

function rtSigpending(_kernel: Kernel, thread: Thread, va: number, size: number): number {
  if (size < 0 || size > SIGSET_BYTES) return -Errno.EINVAL;
  return thread.process.space.copyout(va >>> 0, setToBytes(pendingSet(thread)).subarray(0, size));
}

/** Sleep under another mask until a handler has run. */
function suspend(thread: Thread, mask: Sigset): number {
  thread.useMask(blockable(mask));
  return thread.block('sigsuspend', [], { restart: 'nohand' });
}

function rtSigsuspend(_kernel: Kernel, thread: Thread, va: number, size: number): number {
  if (size !== SIGSET_BYTES) return -Errno.EINVAL;
  const mask = readSet(thread, va);
  return failed(mask) ? mask : suspend(thread, mask);
}

function oldSigsuspend(_kernel: Kernel, thread: Thread, va: number): number {
  const words = thread.process.space.readWords(va >>> 0, 1);
  return failed(words) ? words : suspend(thread, Uint32Array.of(words[0], 0, 0, 0));
}

/** Take a pending signal out of a set, the thread's own first. */
function takeOf(thread: Thread, set: Sigset): SigInfo | null {
  const others = copySet(set).map((word) => ~word);
  for (const pending of [thread.pending, thread.process.pending]) {
    const signo = pending.next(others);
    if (signo !== 0) return pending.take(signo);
  }
  return null;
}

function sigtimedwait(kernel: Kernel, thread: Thread, setVa: number, infoVa: number, timeVa: number, size: number, wide: boolean): number {
  if (size !== SIGSET_BYTES) return -Errno.EINVAL;
  const set = readSet(thread, setVa);
  if (failed(set)) return set;
  const timeout = timeVa ? readTimespec(thread.process.space, timeVa, wide) : null;
  if (failed(timeout)) return timeout;
  const info = takeOf(thread, blockable(set));
  if (info) {
    const result = infoVa ? thread.process.space.copyout(infoVa >>> 0, siginfoBytes(info)) : 0;
    return failed(result) ? result : info.signo;
  }
  const ns = timeout ? toNanoseconds(timeout) : Infinity;
  if (ns === 0 || thread.blocked?.timedOut) return -Errno.EAGAIN;
  thread.waitingFor = set;
  return thread.block('sigtimedwait', [], { deadline: ns === Infinity ? Infinity : kernel.clock.cycles + kernel.clock.toCycles(ns), restart: 'never' });
}

function sigaltstack(_kernel: Kernel, thread: Thread, newVa: number, oldVa: number): number {
  const { space } = thread.process;
  const { sp, size } = thread.altStack;
  const flags = altStackFlags(thread, thread.ctx.gpr[29] >>> 0);
  if (newVa) {
    const words = space.readWords(newVa >>> 0, 3);
    if (failed(words)) return words;
    const result = setAltStack(thread, { sp: words[0] >>> 0, size: words[1] >>> 0, flags: words[2] });
    if (failed(result)) return result;
  }
  return oldVa ? space.writeWords(oldVa >>> 0, [sp, size, flags]) : 0;
}

function setAltStack(thread: Thread, stack: { sp: number; size: number; flags: number }): number {
  if (altStackFlags(thread, thread.ctx.gpr[29] >>> 0) === SS_ONSTACK) return -Errno.EPERM;
  const mode = stack.flags & ~SS_AUTODISARM;
  if (mode !== SS_DISABLE && mode !== SS_ONSTACK && mode !== 0) return -Errno.EINVAL;
  if (mode === SS_DISABLE) thread.altStack = { sp: 0, size: 0, flags: SS_DISABLE };
  else if (stack.size < MINSIGSTKSZ) return -Errno.ENOMEM;
  else thread.altStack = { sp: stack.sp, size: stack.size, flags: 0 };
  return 0;
}

/** Back from a handler. A frame that cannot be read is fatal. */
function sigreturn(thread: Thread, realtime: boolean): number {
  const restored = popSignalFrame(thread, realtime);
  if (!restored) {
    forceSignal(thread, { signo: Signal.SEGV, code: SI.KERNEL });
    return NO_RETURN;
  }
  thread.sigmask = blockable(restored.mask);
  // Errors of the alternate stack are ignored here (restore_altstack).
  if (restored.altStack) setAltStack(thread, restored.altStack);
  return NO_RETURN;
}

function mayKill(sender: Process, target: Process, signo: number): boolean {
  if (capable(sender.cred, Cap.KILL)) return true;
  const ids = [target.cred.uid, target.cred.suid];
  if (ids.includes(sender.cred.uid) || ids.includes(sender.cred.euid)) return true;
  return signo === Signal.CONT && sender.sid === target.sid;
}

const userInfo = (sender: Process, signo: number, code: number): SigInfo => ({ signo, code, pid: sender.pid, uid: sender.cred.uid });

/** kill(2): one process, a group, or everybody but process 1 and oneself. */
function kill(kernel: Kernel, thread: Thread, pid: number, signo: number): number {
  if (signo < 0 || signo > NSIG) return -Errno.EINVAL;
  const sender = thread.process;
  const targets = killTargets(kernel, sender, pid);
  if (targets.length === 0) return -Errno.ESRCH;
  const allowed = targets.filter((target) => mayKill(sender, target, signo));
  if (allowed.length === 0) return -Errno.EPERM;
  if (signo !== 0) for (const target of allowed) signalProcess(target, userInfo(sender, signo, SI.USER));
  return 0;
}

function killTargets(kernel: Kernel, sender: Process, pid: number): Process[] {
  const all = [...kernel.processes.values()];
  if (pid > 0) return all.filter((process) => process.pid === pid);
  if (pid === -1) return all.filter((process) => process !== kernel.init && process !== sender);
  const group = pid === 0 ? sender.pgid : -pid;
  return all.filter((process) => process.pgid === group);
}

/** tkill and tgkill: one thread; `group` 0 for any process. */
function threadKill(kernel: Kernel, thread: Thread, group: number, tid: number, signo: number): number {
  if (tid <= 0 || signo < 0 || signo > NSIG) return -Errno.EINVAL;
  const target = kernel.findThread(tid);
  if (!target || (group !== 0 && target.process.pid !== group)) return -Errno.ESRCH;
  if (!mayKill(thread.process, target.process, signo)) return -Errno.EPERM;
  if (signo !== 0) signalThread(target, userInfo(thread.process, signo, SI.TKILL));
  return 0;
}

/** The siginfo is the sender's; it may not pretend to come from the kernel or kill(2) unless it goes to itself. */
function readInfo(thread: Thread, va: number, signo: number, toSelf: boolean): SigInfo | Fail {
  const bytes = thread.process.space.copyin(va >>> 0, 128);
  if (failed(bytes)) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const code = view.getInt32(4, true);
  if (!toSelf && (code >= 0 || code === SI.TKILL)) return -Errno.EPERM;
  return { signo, code, errno: view.getInt32(8, true), raw: bytes.slice(12) };
}

function rtSigqueueinfo(kernel: Kernel, thread: Thread, pid: number, signo: number, va: number): number {
  if (signo < 0 || signo > NSIG) return -Errno.EINVAL;
  const info = readInfo(thread, va, signo, pid === thread.process.pid);
  if (failed(info)) return info;
  const target = kernel.processes.get(pid);
  if (!target) return -Errno.ESRCH;
  if (!mayKill(thread.process, target, signo)) return -Errno.EPERM;
  if (signo !== 0 && crowded(target, signo)) return -Errno.EAGAIN;
  if (signo !== 0) signalProcess(target, info);
  return 0;
}

/** RLIMIT_SIGPENDING, of the receiver; it bounds queued real-time signals only, others are pending once at most. */
function crowded(process: Process, signo: number): boolean {
  if (signo < SIGRTMIN) return false;
  const queued = process.threads.reduce((sum, thread) => sum + thread.pending.queue.length, process.pending.queue.length);
  return queued >= Math.min(process.limits[Rlimit.SIGPENDING].soft, SIGPENDING_MAX);
}

function rtTgsigqueueinfo(kernel: Kernel, thread: Thread, group: number, tid: number, signo: number, va: number): number {
  if (signo < 0 || signo > NSIG || tid <= 0 || group <= 0) return -Errno.EINVAL;
  const info = readInfo(thread, va, signo, group === thread.process.pid);
  if (failed(info)) return info;
  const target = kernel.findThread(tid);
  if (!target || target.process.pid !== group) return -Errno.ESRCH;
  if (!mayKill(thread.process, target.process, signo)) return -Errno.EPERM;
  if (signo !== 0 && crowded(target.process, signo)) return -Errno.EAGAIN;
  if (signo !== 0) signalThread(target, info);
  return 0;
}

function pause(_kernel: Kernel, thread: Thread): number {
  return thread.hasSignal() ? -ERESTARTNOHAND : thread.block('pause', [], { restart: 'nohand' });
}

defineSyscalls({
  4029: ['pause', 0, pause],
  4037: ['kill', 2, kill, 'int sig'],
  4048: ['signal', 2, oldSignal, 'sig ptr'],
  4067: ['sigaction', 3, oldSigaction, 'sig ptr ptr'],
  4068: ['sgetmask', 0, (_kernel, thread) => thread.sigmask[0] | 0],
  4072: ['sigsuspend', 1, oldSigsuspend, 'ptr'],
  4073: ['sigpending', 1, (_kernel, thread, va) => thread.process.space.writeWords(va >>> 0, [pendingSet(thread)[0]]), 'ptr'],
  4119: ['sigreturn', 0, (_kernel, thread) => sigreturn(thread, false)],
  4126: ['sigprocmask', 3, sigprocmask, 'how ptr ptr'],
  4193: ['rt_sigreturn', 0, (_kernel, thread) => sigreturn(thread, true)],
  4194: ['rt_sigaction', 4, rtSigaction, 'sig sigaction sigactionout int'],
  4195: ['rt_sigprocmask', 4, rtSigprocmask, 'how sigset sigsetout int'],
  4196: ['rt_sigpending', 2, rtSigpending, 'sigsetout int'],
  4197: ['rt_sigtimedwait', 4, (kernel, thread, set, info, time, size) => sigtimedwait(kernel, thread, set, info, time, size, false), 'sigset ptr timespec int'],
  4198: ['rt_sigqueueinfo', 3, rtSigqueueinfo, 'int sig ptr'],
  4199: ['rt_sigsuspend', 2, rtSigsuspend, 'sigset int'],
  4206: ['sigaltstack', 2, sigaltstack, 'stack stackout'],
  4236: ['tkill', 2, (kernel, thread, tid, signo) => threadKill(kernel, thread, 0, tid, signo), 'int sig'],
  4266: ['tgkill', 3, (kernel, thread, group, tid, signo) => (group <= 0 ? -Errno.EINVAL : threadKill(kernel, thread, group, tid, signo)), 'int int sig'],
  4332: ['rt_tgsigqueueinfo', 4, rtTgsigqueueinfo, 'int int sig ptr'],
  4421: ['rt_sigtimedwait_time64', 4, (kernel, thread, set, info, time, size) => sigtimedwait(kernel, thread, set, info, time, size, true), 'sigset ptr timespec64 int'],
});
