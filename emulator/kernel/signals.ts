import { Errno } from '../base/index.js';
import type { CpuContext } from '../cpu/context.js';
import { killProcess } from './exit.js';
import { hooks } from './hooks.js';
import type { Process } from './process.js';
import { pushSignalFrame } from './sigframe.js';
import { SA, SI, Signal, SIG_DFL, SIG_IGN } from './signal-numbers.js';
import { copySet, emptySet, NSIG, setAdd, setDelete, setHas, setUnion, type Sigset } from './sigset.js';
import { EMAXERRNO } from './syscall-table.js';
import type { Thread } from './thread.js';

/** siginfo_t before it is laid out: the fields that exist depend on signal and code (sigaction(2)). */
export interface SigInfo {
  signo: number;
  code: number;
  errno?: number;
  pid?: number;
  uid?: number;
  /** Faults: the address. */
  addr?: number;
  /** SIGCHLD: exit status or signal, and times in clock ticks. */
  status?: number;
  utime?: number;
  stime?: number;
  /** sigqueue and POSIX timers: sigval. */
  value?: number;
  timerId?: number;
  overrun?: number;
  /** Bytes 12.. of the 128 as the sender gave them (rt_sigqueueinfo). */
  raw?: Uint8Array;
  /** Faults: the address the processor reported, whether or not the siginfo shows it; for logs and checkpoint history. */
  badVaddr?: number;
  /** Raised by the thread's own fault: it reaches process 1 too. */
  forced?: boolean;
}

export interface SigAction {
  /** SIG_DFL, SIG_IGN or an address. */
  handler: number;
  flags: number;
  mask: Sigset;
}

export const defaultAction = (): SigAction => ({ handler: SIG_DFL, flags: 0, mask: emptySet() });
export const defaultActions = (): SigAction[] => Array.from({ length: NSIG + 1 }, defaultAction);

type Disposition = 'ignore' | 'terminate' | 'core' | 'stop' | 'continue';
const ignored: readonly number[] = [Signal.CHLD, Signal.WINCH, Signal.URG];
const dumping: readonly number[] = [
  Signal.QUIT, Signal.ILL, Signal.TRAP, Signal.ABRT, Signal.EMT, Signal.FPE, Signal.BUS, Signal.SEGV, Signal.SYS, Signal.XCPU, Signal.XFSZ,
];
const stopping: readonly number[] = [Signal.STOP, Signal.TSTP, Signal.TTIN, Signal.TTOU];

/** What happens without a handler (signal(7)). */
export function defaultDisposition(signo: number): Disposition {
  if (signo === Signal.CONT) return 'continue';

  if (ignored.includes(signo)) return 'ignore';
  if (stopping.includes(signo)) return 'stop';
  return dumping.includes(signo) ? 'core' : 'terminate';
}

function isIgnored(process: Process, signo: number): boolean {
  const { handler } = process.actions[signo];
  if (handler === SIG_IGN) return true;
  if (handler !== SIG_DFL) return false;
  const disposition = defaultDisposition(signo);
  return disposition === 'ignore' || disposition === 'continue' || process.kernel.init === process;
}

/** A thread this signal would reach: it does not block it, or waits for it in sigtimedwait. */
function accepts(thread: Thread, signo: number): boolean {
  if (thread.state === 'dead') return false;
  return !setHas(thread.sigmask, signo) || (thread.waitingFor !== null && setHas(thread.waitingFor, signo));
}

/** Stop signals cancel a pending SIGCONT and the other way round; SIGCONT continues at once (signal(7)). */
function applyJobControl(process: Process, signo: number): void {
  const discard = (other: number): void => {
    process.pending.discard(other);
    for (const thread of process.threads) thread.pending.discard(other);
  };
  if (stopping.includes(signo)) discard(Signal.CONT);
  if (signo !== Signal.CONT) return;
  stopping.forEach(discard);
  continueProcess(process);
}

function wakeForSignal(thread: Thread, signo: number): void {
  if (thread.state === 'blocked' && (signo === Signal.KILL || !thread.blocked?.uninterruptible)) thread.wake();
  if (signo === Signal.KILL && thread.state === 'stopped') continueThread(thread);
}

/** Make a signal pending for a process, and wake a thread that can take it. */
export function signalProcess(process: Process, info: SigInfo): void {
  if (process.state !== 'alive' || process.exiting) return;
  applyJobControl(process, info.signo);
  const leader = process.leader;
  const blocked = leader !== undefined && setHas(leader.sigmask, info.signo);
  if (!blocked && !info.forced && isIgnored(process, info.signo)) return;
  process.pending.add(info);
  process.signalled.wakeAll();
  const target = process.threads.find((thread) => accepts(thread, info.signo));
  if (target) wakeForSignal(target, info.signo);
}

/** Make a signal pending for one thread. */
export function signalThread(thread: Thread, info: SigInfo): void {
  const { process } = thread;
  if (process.state !== 'alive' || process.exiting || thread.state === 'dead') return;
  applyJobControl(process, info.signo);
  if (!setHas(thread.sigmask, info.signo) && !info.forced && isIgnored(process, info.signo)) return;
  thread.pending.add(info);
  process.signalled.wakeAll();
  if (accepts(thread, info.signo)) wakeForSignal(thread, info.signo);
}

/**
 * A signal the thread cannot escape, as a fault raises it: blocked or ignored, its action goes back to the
 * default and it is unblocked (force_sig_info of kernel/signal.c).
 */
export function forceSignal(thread: Thread, info: SigInfo): void {
  const action = thread.process.actions[info.signo];
  const blocked = setHas(thread.sigmask, info.signo);
  if (blocked || action.handler === SIG_IGN) action.handler = SIG_DFL;
  if (blocked) setDelete(thread.sigmask, info.signo);
  signalThread(thread, { ...info, forced: true });
}

function continueThread(thread: Thread): void {
  thread.state = 'runnable';
  thread.process.kernel.scheduler.enqueue(thread);
}

function stopProcess(process: Process, signo: number): void {
  const { scheduler } = process.kernel;
  process.stopSignal = signo;
  process.unreported = 'stopped';
  for (const thread of process.threads) {
    if (thread.state === 'dead') continue;
    thread.leaveQueues();
    thread.state = 'stopped';
    scheduler.remove(thread);
  }
  if (process.parent) notifyParent(process, process.parent, SI.CLD_STOPPED, signo);
}

/** No parent outside the group in the same session: nobody could continue it, so the terminal's stop signals do nothing. */
function isOrphanedGroup(process: Process): boolean {
  for (const member of process.kernel.processes.values()) {
    if (member.pgid !== process.pgid || member.state !== 'alive' || !member.parent) continue;
    if (member.parent.pgid !== member.pgid && member.parent.sid === member.sid) return false;
  }
  return true;
}

function continueProcess(process: Process): void {
  if (process.stopSignal === 0) return;
  process.stopSignal = 0;
  process.unreported = 'continued';
  for (const thread of process.threads) if (thread.state === 'stopped') continueThread(thread);
  if (process.parent) notifyParent(process, process.parent, SI.CLD_CONTINUED, Signal.CONT);
}

/** Tell the parent that a child stopped, continued or ended: SIGCHLD (unless it does not want to hear of stops) and its wait. */
export function notifyParent(child: Process, parent: Process, code: number, status: number): void {
  const { kernel } = child;
  const ended = code <= SI.CLD_DUMPED;
  const signo = ended ? child.exitSignal : Signal.CHLD;
  const action = parent.actions[Signal.CHLD];
  if (signo !== 0 && (ended || !(action.flags & SA.NOCLDSTOP))) {
    const ticks = (cycles: number): number => Math.floor(kernel.clock.toNanoseconds(cycles) / 1e7);
    signalProcess(parent, {
      signo, code, pid: child.pid, uid: child.cred.uid, status, utime: ticks(child.usage.user), stime: ticks(child.usage.system),
    });
  }
  parent.childChange.wakeAll();
}

/** The pending signal to deliver next, the thread's own before those of the process. */
function takeSignal(thread: Thread): SigInfo | null {
  const own = thread.pending.next(thread.sigmask);
  if (own !== 0) return thread.pending.take(own);
  const shared = thread.process.pending.next(thread.sigmask);
  return shared !== 0 ? thread.process.pending.take(shared) : null;
}

/** A handler is about to run while a call was blocked: decide whether the call starts again or fails with EINTR. */
function settleInterruptedCall(thread: Thread, action: SigAction): void {
  const { blocked, ctx } = thread;
  if (!blocked) return;
  const again = blocked.restart === 'nointr' || (blocked.restart === 'sys' && (action.flags & SA.RESTART) !== 0);
  thread.unblock();
  // pc still stands at the system call with v0 and a3 as they were at its entry: nothing to do for a restart.
  if (!again) finishCall(ctx, thread.call.nextPc, blocked.partial ?? -Errno.EINTR);
  thread.process.kernel.tracer?.interrupted(thread, blocked.restart, blocked.partial);
}

/** v0 = value, a3 = 0; or v0 = errno, a3 = 1 (arch/mips/kernel/scall32-o32.S). */
export function finishCall(ctx: CpuContext, nextPc: number, result: number): void {
  const error = result < 0 && result >= -EMAXERRNO;
  ctx.gpr[2] = error ? -result : result;
  ctx.gpr[7] = error ? 1 : 0;
  ctx.pc = nextPc;
  ctx.llbit = 0;
}

function runHandler(thread: Thread, info: SigInfo, action: SigAction): void {
  const { signo } = info;
  settleInterruptedCall(thread, action);
  thread.process.kernel.meter.charge('signal.deliver');
  const used: SigAction = { ...action };
  if (action.flags & SA.RESETHAND) action.handler = SIG_DFL;
  const before = thread.savedMask ?? thread.sigmask;
  if (!pushSignalFrame(thread, info, used, before)) {
    // No frame for SIGSEGV itself means no handler can run (force_sigsegv).
    if (signo === Signal.SEGV) action.handler = SIG_DFL;
    forceSignal(thread, { signo: Signal.SEGV, code: SI.KERNEL });
    return;
  }
  thread.savedMask = null;
  thread.sigmask = copySet(thread.sigmask);
  setUnion(thread.sigmask, used.mask);
  if (!(used.flags & SA.NODEFER)) setAdd(thread.sigmask, signo);
  setDelete(thread.sigmask, Signal.KILL);
  setDelete(thread.sigmask, Signal.STOP);
}

/**
 * Deliver what is pending before the thread goes back to user mode. Several handlers nest their frames. Afterwards
 * the thread may be stopped or dead; or, if no handler ran, its blocked call sleeps on.
 */
export function deliverSignals(thread: Thread): void {
  const { process } = thread;
  const { kernel } = process;
  for (let info = takeSignal(thread); info; info = takeSignal(thread)) {
    const action = process.actions[info.signo];
    if (action.handler === SIG_IGN || (!info.forced && isIgnored(process, info.signo))) continue;
    hooks.signal(thread, info);
    kernel.tracer?.signal(thread, info);
    if (action.handler !== SIG_DFL) {
      kernel.log.add('signal.deliver', { pid: process.pid, comm: process.comm, signo: info.signo, code: info.code });
      runHandler(thread, info, action);
      continue;
    }
    const disposition = defaultDisposition(info.signo);
    if (disposition === 'continue' || disposition === 'ignore') continue;
    if (disposition === 'stop') {
      if (isOrphanedGroup(process) && info.signo !== Signal.STOP) continue;
      stopProcess(process, info.signo);
      return;
    }
    if (disposition === 'core' && process.guarded && hooks.rescue(thread, info)) return;
    killProcess(thread, info, disposition === 'core');
    return;
  }
  sleepOn(thread);
}

/** The call that was interrupted for nothing waits on. */
function sleepOn(thread: Thread): void {
  if (!thread.blocked || thread.state !== 'runnable') return;
  for (const queue of thread.blocked.queues) queue.add(thread);
  thread.state = 'blocked';
}
