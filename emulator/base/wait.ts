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
  /** In the order they went to sleep. */
  private sleepers = new Set<Sleeper>();

  add(sleeper: Sleeper): void {
    this.sleepers.add(sleeper);
  }

  remove(sleeper: Sleeper): void {
    this.sleepers.delete(sleeper);
  }

  get length(): number {
    return this.sleepers.size;
  }

  wakeAll(): void {
    if (this.sleepers.size === 0) return;
    const woken = this.sleepers;
    this.sleepers = new Set();
    for (const sleeper of woken) sleeper.wake();
  }

  wakeOne(): boolean {
    for (const sleeper of this.sleepers) {
      this.sleepers.delete(sleeper);
      sleeper.wake();
      return true;
    }
    return false;
  }
}
snapshotClass('WaitQueue', WaitQueue);
