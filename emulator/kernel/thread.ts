import { snapshotClass, type EventTarget, type Sleeper, type TimedEvent, type WaitQueue } from '../base/index.js';
import { CpuContext } from '../cpu/context.js';
import { copySet, emptySet, type Sigset } from './sigset.js';
import { PendingSignals } from './pending-signals.js';
import type { Process } from './process.js';
import { BLOCKED } from './syscall-table.js';

export type ThreadState = 'runnable' | 'blocked' | 'stopped' | 'dead';

/** What a signal does to a blocked call: see the ERESTART codes; 'never' gives EINTR always. */
export type Restart = 'sys' | 'nohand' | 'never' | 'nointr';

/** The system call a thread is in: set at its trap, kept while it is blocked. */
export interface Call {
  number: number;
  args: number[];
  /** Where execution goes on after it (the branch target when the call stood in a delay slot). */
  nextPc: number;
}

/**
 * A call that waits. Plain data: a saved machine, or a process frozen here, goes on by calling the handler again.
 */
export interface Blocked {
  /** What it waits for, e.g. "pipe.read"; shown by ps, strace and the log. */
  name: string;
  queues: WaitQueue[];
  /** Absolute, in cycles; Infinity if none. */
  deadline: number;
  timedOut: boolean;
  /** The handler's own notes from call to call. */
  data: unknown;
  restart: Restart;
  /** Result instead of EINTR or a restart when a signal interrupts: e.g. bytes already transferred. */
  partial: number | null;
  /** Only a fatal signal ends it (vfork). */
  uninterruptible: boolean;
  /** It waits for its next client, message or event, as a server does at the top of its loop. */
  top: boolean;
  /** The deadline's entry in the event queue. */
  timer: TimedEvent | null;
}

export interface BlockOptions {
  /** Absolute, in cycles. A call that blocks again keeps the deadline it began with. */
  deadline?: number;
  data?: unknown;
  restart?: Restart;
  partial?: number;
  uninterruptible?: boolean;
  top?: boolean;
}

/** sigaltstack: stack_t of MIPS has the size before the flags. */
export interface AltStack {
  sp: number;
  size: number;
  flags: number;
}

export const SS_ONSTACK = 1;
export const SS_DISABLE = 2;

export class Thread implements Sleeper, EventTarget {
  /** Changes when a thread other than the leader calls execve: it becomes the leader. */
  tid: number;
  process: Process;
  ctx: CpuContext = new CpuContext();
  state: ThreadState = 'runnable';
  sigmask: Sigset = emptySet();
  /** The mask to come back when sigsuspend, ppoll or pselect put another in force for one call; else null. */
  savedMask: Sigset | null = null;
  /** The signals sigtimedwait waits for: they wake the thread though it blocks them. */
  waitingFor: Sigset | null = null;
  pending = new PendingSignals();
  altStack: AltStack = { sp: 0, size: 0, flags: SS_DISABLE };
  /** set_tid_address / CLONE_CHILD_CLEARTID: zeroed and woken as a futex when the thread ends; 0 = none. */
  clearTid = 0;
  /** set_robust_list: where the program keeps the list of the futexes the thread holds; 0 = none. */
  robustList = 0;
  /** The call in progress or, between calls, the last one. */
  call: Call = { number: 0, args: [0, 0, 0, 0, 0, 0, 0], nextPc: 0 };
  blocked: Blocked | null = null;
  /** Instructions retired. */
  retired = 0;

  constructor(tid: number, process: Process) {
    this.tid = tid;
    this.process = process;
  }

  /**
   * Go to sleep on the queues; `return thread.block(…)` from a handler. After a wake-up, or at the deadline, the same
   * handler is called again and finds its record in `thread.blocked` (data, deadline, timedOut). pc stays at the system call
   * instruction and v0, a3 stay untouched until the call completes.
   */
  block(name: string, queues: WaitQueue[], options: BlockOptions = {}): typeof BLOCKED {
    const before = this.blocked;
    const events = this.process.kernel.events;
    const deadline = before ? before.deadline : options.deadline ?? Infinity;
    const timer = before ? before.timer : deadline === Infinity ? null : events.at(deadline, this, 'deadline');
    this.blocked = {
      name,
      queues,
      deadline,
      timer,
      timedOut: before ? before.timedOut : false,
      data: options.data ?? before?.data ?? null,
      restart: options.restart ?? 'sys',
      partial: options.partial ?? null,
      uninterruptible: options.uninterruptible ?? false,
      top: options.top ?? false,
    };
    for (const queue of queues) queue.add(this);
    this.state = 'blocked';
    return BLOCKED;
  }

  /** The awaited condition may hold now: let the scheduler call the handler again. */
  wake(): void {
    if (this.state !== 'blocked') return;
    this.leaveQueues();
    this.state = 'runnable';
    this.process.kernel.scheduler.enqueue(this);
  }

  onEvent(kind: string): void {
    if (kind !== 'deadline' || !this.blocked) return;
    this.blocked.timedOut = true;
    this.blocked.timer = null;
    this.wake();
  }

  /** The call is over (completed, interrupted, or the thread dies). */
  unblock(): void {
    if (!this.blocked) return;
    this.leaveQueues();
    const { kernel } = this.process;
    kernel.events.cancel(this.blocked.timer);
    if (kernel.futexes.length > 0) kernel.futexes = kernel.futexes.filter((waiter) => waiter.thread !== this);
    this.waitingFor = null;
    this.blocked = null;
  }

  leaveQueues(): void {
    for (const queue of this.blocked?.queues ?? []) queue.remove(this);
  }

  /** Put another mask in force for this call only (sigsuspend, ppoll, pselect6, epoll_pwait). Safe to call again after a wake-up. */
  useMask(mask: Sigset): void {
    if (this.savedMask) return;
    this.savedMask = this.sigmask;
    this.sigmask = copySet(mask);
  }

  restoreMask(): void {
    if (!this.savedMask) return;
    this.sigmask = this.savedMask;
    this.savedMask = null;
  }

  /** Is there a signal to deliver? A handler with a result to give in that case looks before it blocks. */
  hasSignal(): boolean {
    return this.pending.next(this.sigmask) !== 0 || this.process.pending.next(this.sigmask) !== 0;
  }
}
snapshotClass('Thread', Thread);
