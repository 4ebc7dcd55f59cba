import { snapshotClass } from '../base/index.js';
import { setHas, SIGRTMIN, type Sigset } from './sigset.js';
import type { SigInfo } from './signals.js';

/** Signals the faulting instruction itself raised are delivered before others (kernel/signal.c, SYNCHRONOUS_MASK). */
const SYNCHRONOUS: readonly number[] = [4, 5, 8, 10, 11, 12];

/** Beyond so many even a real-time signal is pending once only, as kill(2) does without memory for a siginfo; whatever the limits say. */
export const SIGPENDING_MAX = 1024;

/**
 * Signals sent but not yet delivered, to one thread or to a process. A standard signal is pending at most once
 * (a second one is lost with its siginfo); real-time signals queue (signal(7)).
 */
export class PendingSignals {
  queue: SigInfo[] = [];

  add(info: SigInfo): void {
    if ((info.signo < SIGRTMIN || this.queue.length >= SIGPENDING_MAX) && this.has(info.signo)) return;
    this.queue.push(info);
  }

  has(signo: number): boolean {
    return this.queue.some((info) => info.signo === signo);
  }

  /** Number of the signal to deliver next under `mask`, or 0. */
  next(mask: Sigset): number {
    let least = 0;
    for (const { signo } of this.queue) {
      if (setHas(mask, signo)) continue;
      if (least === 0 || PendingSignals.before(signo, least)) least = signo;
    }
    return least;
  }

  private static before(a: number, b: number): boolean {
    const first = SYNCHRONOUS.includes(a);
    return first === SYNCHRONOUS.includes(b) ? a < b : first;
  }

  /** Take the oldest one of this number, or null. */
  take(signo: number): SigInfo | null {
    const index = this.queue.findIndex((info) => info.signo === signo);
    return index < 0 ? null : this.queue.splice(index, 1)[0];
  }

  discard(signo: number): void {
    this.queue = this.queue.filter((info) => info.signo !== signo);
  }
}
snapshotClass('PendingSignals', PendingSignals);
