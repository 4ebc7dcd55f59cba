import { snapshotClass } from './snapshot.js';

/** What can sleep on a queue; `wake` must be idempotent until it runs again. */
export interface Sleeper {
  wake(): void;
}

/**
 * Sleepers waiting for one condition (data arrived, space freed, child died, …). Waking does not hand
 * over the condition: whoever wakes tests it again, in the order it went to sleep.
 */
export class WaitQueue {
  private sleepers: Sleeper[] = [];

  add(sleeper: Sleeper): void {
    if (!this.sleepers.includes(sleeper)) this.sleepers.push(sleeper);
  }

  remove(sleeper: Sleeper): void {
    const index = this.sleepers.indexOf(sleeper);
    if (index >= 0) this.sleepers.splice(index, 1);
  }

  get length(): number {
    return this.sleepers.length;
  }

  wakeAll(): void {
    const woken = this.sleepers;
    this.sleepers = [];
    for (const sleeper of woken) sleeper.wake();
  }

  wakeOne(): boolean {
    const sleeper = this.sleepers.shift();
    sleeper?.wake();
    return sleeper !== undefined;
  }
}
snapshotClass('WaitQueue', WaitQueue);
