import { snapshotClass } from './snapshot.js';

/**
 * Counts of modelled work, by name: "vop.write", "copy.bytes", "syscall.read", "fault.cow", … Counts are
 * published first; the device profile turns some of them into cycles (see kernel/costs).
 */
export class Ledger {
  private counts = new Map<string, number>();

  count(name: string, amount = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + amount);
  }

  get(name: string): number {
    return this.counts.get(name) ?? 0;
  }

  /** Sum of all counts whose name starts with `prefix`. */
  total(prefix: string): number {
    let sum = 0;
    for (const [name, amount] of this.counts) if (name.startsWith(prefix)) sum += amount;
    return sum;
  }

  /** A sorted copy, for reports and for `since`. */
  snapshot(): Record<string, number> {
    return Object.fromEntries([...this.counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** What was added since `before` (an earlier `snapshot()`); names without change are left out. */
  since(before: Record<string, number>): Record<string, number> {
    const gained: Record<string, number> = {};
    for (const [name, amount] of Object.entries(this.snapshot())) {
      const change = amount - (before[name] ?? 0);
      if (change !== 0) gained[name] = change;
    }
    return gained;
  }
}
snapshotClass('Ledger', Ledger);
