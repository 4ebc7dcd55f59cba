import { snapshotClass, type EventTarget, type TimedEvent } from '../base/index.js';
import type { Process } from './process.js';
import { SI } from './signal-numbers.js';
import { signalThread } from './signals.js';

export const TIMER_MAX = 64;

/** Expiries of one timer come no closer than this; more frequent ones are its overrun. */
const RESOLUTION_NS = 10_000;
/** DELAYTIMER_MAX */
const OVERRUN_MAX = 0x7fffffff;

/** timer_create(2): SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD_ID. */
export const Sigev = { SIGNAL: 0, NONE: 1, THREAD: 2, THREAD_ID: 4 } as const;

export interface PosixTimer {
  id: number;
  clock: number;
  notify: number;
  signo: number;
  value: number;
  /** For SIGEV_THREAD_ID. */
  tid: number;
  event: TimedEvent | null;
  interval: number;
  overrun: number;
}

/** Per-process timers. Clocks other than real time count real time too: the process's own time is a fraction of it. */
export class PosixTimers implements EventTarget {
  private readonly process: Process;
  private table = new Map<number, PosixTimer>();

  constructor(process: Process) {
    this.process = process;
  }

  create(fields: Omit<PosixTimer, 'id' | 'event' | 'interval' | 'overrun'>): PosixTimer | null {
    for (let id = 0; id < TIMER_MAX; id++) {
      if (this.table.has(id)) continue;
      const timer = { ...fields, id, event: null, interval: 0, overrun: 0 };
      this.table.set(id, timer);
      return timer;
    }
    return null;
  }

  find(id: number): PosixTimer | undefined {
    return this.table.get(id);
  }

  /** `at` absolute in cycles, or 0 to disarm. */
  set(timer: PosixTimer, at: number, interval: number): void {
    const { events } = this.process.kernel;
    events.cancel(timer.event);
    timer.interval = interval;
    timer.event = at > 0 ? events.at(at, this, 'timer', timer.id) : null;
  }

  left(timer: PosixTimer): number {
    return timer.event ? Math.max(timer.event.time - this.process.kernel.clock.cycles, 1) : 0;
  }

  delete(id: number): boolean {
    const timer = this.table.get(id);
    if (!timer) return false;
    this.set(timer, 0, 0);
    return this.table.delete(id);
  }

  /** exec and exit delete all timers. */
  clear(): void {
    for (const id of this.table.keys()) this.delete(id);
  }

  onEvent(_kind: string, id: unknown): void {
    const timer = this.table.get(id as number);
    if (!timer || this.process.state !== 'alive') return;
    const fired = timer.event;
    timer.event = null;
    let expiries = 1;
    if (timer.interval > 0 && fired) {
      const { clock } = this.process.kernel;
      // What expired long ago and often is counted, not lived through; and no timer takes all of the machine's time.
      const earliest = clock.cycles + clock.toCycles(RESOLUTION_NS);
      expiries = Math.max(1, Math.ceil((earliest - fired.time) / timer.interval));
      this.set(timer, fired.time + expiries * timer.interval, timer.interval);
    }
    if (timer.notify !== Sigev.NONE) this.notify(timer, expiries);
  }

  /** One signal a timer is pending at most; more expiries count as its overrun. */
  private notify(timer: PosixTimer, expiries: number): void {
    const thread = this.process.threads.find((one) => one.tid === timer.tid);
    const pending = [this.process.pending, ...this.process.threads.map((one) => one.pending)]
      .flatMap((queue) => queue.queue).find((info) => info.code === SI.TIMER && info.timerId === timer.id);
    if (pending) {
      pending.overrun = Math.min((pending.overrun ?? 0) + expiries, OVERRUN_MAX);
      timer.overrun = pending.overrun;
      return;
    }
    timer.overrun = Math.min(expiries - 1, OVERRUN_MAX);
    const info = { signo: timer.signo, code: SI.TIMER, timerId: timer.id, overrun: timer.overrun, value: timer.value };
    if (timer.notify === Sigev.THREAD_ID && thread) signalThread(thread, info);
    else this.process.kernel.signal(this.process, timer.signo, info);
  }
}
snapshotClass('PosixTimers', PosixTimers);
