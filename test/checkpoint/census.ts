import { transientOf } from '../../emulator/base/snapshot.js';
import { EventLog } from '../../emulator/base/log.js';
import type { Kernel } from '../../emulator/kernel/index.js';

/**
 * How many objects of each class a machine's state holds, and its memory: what is left of a program that is gone shows as a difference.
 * The event log only grows and is left out.
 */
export function census(kernel: Kernel): Map<string, number> {
  const counts = new Map<string, number>([['free frames', kernel.ram.free()]]);
  for (const [name, value] of Object.entries(kernel.memory)) if (typeof value === 'number') counts.set(`kernel memory, ${name}`, value);
  const seen = new Set<object>([kernel]);
  const pending: object[] = [kernel];
  for (let object = pending.pop(); object; object = pending.pop()) {
    if (object instanceof EventLog || ArrayBuffer.isView(object)) continue;
    const transient = transientOf(object);
    if (transient) counts.set(object.constructor.name, (counts.get(object.constructor.name) ?? 0) + 1);
    for (const value of parts(object, transient)) {
      if (typeof value !== 'object' || value === null || seen.has(value)) continue;
      seen.add(value);
      pending.push(value);
    }
  }
  return counts;
}

function parts(object: object, transient: ReadonlySet<string> | null): unknown[] {
  if (object instanceof Map) return [...object.keys(), ...object.values()];
  if (object instanceof Set) return [...object];
  return Object.entries(object).flatMap(([key, value]) => (transient?.has(key) ? [] : [value as unknown]));
}

/** What there is more or less of than before, in words; null: nothing. */
export function difference(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): string | null {
  const names = new Set([...before.keys(), ...after.keys()]);
  const changes = [...names].flatMap((name) => {
    const change = (after.get(name) ?? 0) - (before.get(name) ?? 0);
    return change === 0 ? [] : [`${name} ${change > 0 ? '+' : ''}${change}`];
  });
  return changes.length > 0 ? changes.join(', ') : null;
}
