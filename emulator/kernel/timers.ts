import { snapshotClass, type EventTarget, type TimedEvent } from '../base/index.js';
import type { Process } from './process.js';
import { SI, Signal } from './signal-numbers.js';

/** which of getitimer(2). */
export const Itimer = { REAL: 0, VIRTUAL: 1, PROF: 2 } as const;
const itimerSignal = [Signal.ALRM, Signal.VTALRM, Signal.PROF] as const;

/** A timer that counts the processor time of the process; in cycles, 0 = not armed. */
interface CountedTimer {
  left: number;
  interval: number;
}

/** The three interval timers of a process (setitimer(2), alarm(2)). Times are in cycles. */
export class IntervalTimers implements EventTarget {
  private readonly process: Process;
  private event: TimedEvent | null = null;
  private realInterval = 0;
  private readonly counted: [CountedTimer, CountedTimer] = [{ left: 0, interval: 0 }, { left: 0, interval: 0 }];

  constructor(process: Process) {
    this.process = process;
  }

  /** Time to the next expiry (0 = not armed) and the interval. */
  get(which: number): { left: number; interval: number } {
    if (which !== Itimer.REAL) return { ...this.counted[which - 1] };
    const left = this.event ? Math.max(this.event.time - this.process.kernel.clock.cycles, 1) : 0;
    return { left, interval: this.realInterval };
  }

  set(which: number, left: number, interval: number): void {
    if (which !== Itimer.REAL) {
      this.counted[which - 1] = { left, interval };
      return;
    }
    this.process.kernel.events.cancel(this.event);
    this.realInterval = interval;
    this.event = left > 0 ? this.process.kernel.events.at(this.process.kernel.clock.cycles + left, this, 'itimer') : null;
  }

  onEvent(): void {
    this.event = null;
    if (this.process.state !== 'alive') return;
    if (this.realInterval > 0) this.set(Itimer.REAL, this.realInterval, this.realInterval);
    this.process.kernel.signal(this.process, Signal.ALRM, { signo: Signal.ALRM, code: SI.KERNEL });
  }

  /** A counting timer is armed: the run loop must charge. */
  get counting(): boolean {
    return this.counted[0].left > 0 || this.counted[1].left > 0;
  }

  /** Cycles of processor time until a counting timer expires, or Infinity: it bounds the instruction budget. */
  nextCounted(): number {
    return Math.min(...this.counted.map((timer) => (timer.left > 0 ? timer.left : Infinity)));
  }

  /** The process used `user` cycles in its own code and `system` cycles in the kernel. */
  charge(user: number, system: number): void {
    this.count(Itimer.VIRTUAL, user);
    this.count(Itimer.PROF, user + system);
  }

  private count(which: 1 | 2, cycles: number): void {
    const timer = this.counted[which - 1];
    if (timer.left <= 0) return;
    timer.left -= cycles;
    if (timer.left > 0) return;
    timer.left = timer.interval > 0 ? Math.max(timer.left + timer.interval, 1) : 0;
    const signo = itimerSignal[which];
    this.process.kernel.signal(this.process, signo, { signo, code: SI.KERNEL });
  }

  cancelAll(): void {
    for (const which of [Itimer.REAL, Itimer.VIRTUAL, Itimer.PROF]) this.set(which, 0, 0);
  }
}
snapshotClass('IntervalTimers', IntervalTimers);
