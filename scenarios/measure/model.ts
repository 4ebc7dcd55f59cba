import { PAGE_SIZE } from '../../emulator/memory/index.js';
import { writePages, type LadderRung } from './rungs.js';
import type { Subject } from './subject.js';

/** What the device did in one stretch: counts first, then the cycles the profile makes of them. */
export interface Work {
  cycles: number;
  counts: Record<string, number>;
}

/** One act and what follows from it. Deterministic: the same router gives the same figures on every host. */
export interface Modelled {
  act: Work;
  /** The process writes a share of its pages (all, unless asked otherwise) while the image exists: page breaks. */
  dirty: Work;
  /** The image is dropped, or, of a thaw, the pages are written again. */
  undo: Work;
  /** RAM taken while the image exists, in bytes. */
  ramHeld: number;
}

export const copiedBytes = ({ counts }: Work): number => counts['copy.bytes'] ?? 0;
export const vnodeOps = ({ counts }: Work): number => Object.entries(counts).reduce((sum, [name, count]) => (name.startsWith('vop.') ? sum + count : sum), 0);

/** Do something and read the ledger. */
export function workOf({ router: { kernel: { clock, ledger } } }: Subject, act: () => void): Work {
  const before = { cycles: clock.cycles, counts: ledger.snapshot() };
  act();
  return { cycles: clock.cycles - before.cycles, counts: ledger.since(before.counts) };
}

/** Throws Refused when the device has no room for it; the subject is then as it was. */
export function modelRung(subject: Subject, rung: LadderRung, fraction = 1): Modelled {
  const { ram } = subject.router.kernel;
  // Pages shared with an image that is gone would still fault once.
  writePages(subject);
  try {
    rung.prepare?.();
    const free = ram.free();
    const act = workOf(subject, () => rung.act());
    const ramHeld = (free - ram.free()) * PAGE_SIZE;
    const dirty = workOf(subject, () => rung.dirty?.(fraction));
    const undo = workOf(subject, () => rung.undo());
    return { act, dirty, undo, ramHeld };
  } finally {
    rung.finish?.();
  }
}
