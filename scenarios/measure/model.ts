import type { LadderRung } from './rungs.js';
import type { Subject } from './subject.js';

/** What the device did for one act, and for its undoing: counts first, then the cycles the profile makes of them. */
export interface Modelled {
  copiedBytes: number;
  /** Pages gone through to collect, share or overlay. */
  pages: number;
  vnodeOps: number;
  /** RAM taken while the image exists, in bytes. */
  ramHeld: number;
  cycles: number;
  /** Cycles of the undo: later page breaks (where the rung writes the pages) and the drop. */
  laterCycles: number;
  laterCopiedBytes: number;
}

/** One act and its undo, on the ledger. Deterministic: the same router gives the same figures on every host. */
export function modelRung(subject: Subject, rung: LadderRung): Modelled {
  const { clock, ledger, ram } = subject.router.kernel;
  rung.prepare?.();
  const read = (): { cycles: number; copied: number; pages: number; vops: number; free: number } => ({
    cycles: clock.cycles, copied: ledger.get('copy.bytes'), pages: ledger.get('checkpoint.page') + ledger.get('checkpoint.share'), vops: ledger.total('vop.'), free: ram.free(),
  });
  const before = read();
  rung.act();
  const between = read();
  rung.undo();
  const after = read();
  rung.finish?.();
  return {
    copiedBytes: between.copied - before.copied, pages: between.pages - before.pages, vnodeOps: between.vops - before.vops,
    ramHeld: (before.free - between.free) * 4096, cycles: between.cycles - before.cycles,
    laterCycles: after.cycles - between.cycles, laterCopiedBytes: after.copied - between.copied,
  };
}
