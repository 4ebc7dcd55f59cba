import { snapshotClass } from '../base/index.js';
import type { Thread } from './thread.js';

/**
 * Round robin. A runnable thread is either `current` or in the queue; it runs until its quantum (in instructions) is used
 * up at an architectural branch, or until it sleeps. Who wakes up goes to the tail; nobody is preempted by a wake-up.
 */
export class Scheduler {
  readonly quantum: number;
  private queue: Thread[] = [];
  current: Thread | null = null;
  /** Instructions `current` may still run; at most zero when its quantum is over. */
  quantumLeft = 0;
  /** The thread whose registers the processor held last: another one costs a context switch. */
  last: Thread | null = null;

  constructor(quantum: number) {
    this.quantum = quantum;
  }

  enqueue(thread: Thread): void {
    if (thread !== this.current && !this.queue.includes(thread)) this.queue.push(thread);
  }

  /** The thread sleeps, is stopped or is dead. */
  remove(thread: Thread): void {
    if (this.current === thread) this.current = null;
    const index = this.queue.indexOf(thread);
    if (index >= 0) this.queue.splice(index, 1);
  }

  /** The thread to run now, or null when all sleep. */
  pick(): Thread | null {
    const running = this.current;
    if (running && running.state !== 'runnable') this.current = null;
    else if (running && this.quantumLeft > 0) return running;
    else if (running && this.queue.length === 0) {
      this.quantumLeft = this.quantum;
      return running;
    } else if (running) {
      this.current = null;
      this.queue.push(running);
      running.process.usage.involuntarySwitches++;
    }
    const next = this.queue.shift() ?? null;
    this.current = next;
    this.quantumLeft = this.quantum;
    return next;
  }

  /** The current thread gives way (sched_yield). */
  yield(): void {
    this.quantumLeft = 0;
  }

  get runnable(): number {
    return this.queue.length + (this.current?.state === 'runnable' ? 1 : 0);
  }
}
snapshotClass('Scheduler', Scheduler);
