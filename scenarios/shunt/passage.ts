import { PAGE_SIZE } from '../../emulator/memory/index.js';
import type { Subject } from '../measure/subject.js';

/** What happened from one moment to another, on the device's books. */
export interface Cost {
  copiedBytes: number;
  cycles: number;
  /** RAM left afterwards, bytes. */
  free: number;
}

/** One vnode operation as it happened, and what the device did until the next one began. */
export interface VnodeStep extends Cost {
  op: string;
  /** Name, or bytes for reads, writes and allocations. */
  detail: string | number;
}

/** What one way cost the device. */
export interface Passage {
  store: string;
  /** What came before the first vnode operation: collecting the image. */
  before: Cost;
  steps: VnodeStep[];
  /** What came after the last one: nothing at a freeze, the overlay of the process at a thaw. */
  after: Cost;
  /** Cycles of summing the image up, which are in no step. */
  checksumCycles: number;
  vnodeOps: number;
  copiedBytes: number;
  sharedPages: number;
  cycles: number;
  freeBefore: number;
  freeAfter: number;
}

interface Mark {
  op: string;
  detail: string | number;
  cycles: number;
  copied: number;
  free: number;
}

/** Do something and note what it did to vnodes, memory and time. */
export function passage(subject: Subject, store: string, work: () => void): Passage {
  const { kernel } = subject.router;
  const { ledger, clock, ram, meter } = kernel;
  const marks: Mark[] = [];
  const checksumCycles = (): number => ledger.get('checksum.bytes') * (meter.rates['checksum.bytes'] ?? 0);
  const sums = checksumCycles();
  const counts = ledger.snapshot();
  const begin = clock.cycles;
  const mark = (op: string, detail: string | number, booked: number): void => {
    marks.push({ op, detail, cycles: clock.cycles - booked - (checksumCycles() - sums), copied: ledger.get('copy.bytes'), free: ram.free() * PAGE_SIZE });
  };
  mark('', '', 0);
  // An operation's fixed price is booked just before it is traced: it belongs to that operation.
  kernel.vfs.trace = (op, _vnode, detail): void => mark(op, detail, meter.rates[`vop.${op}`] ?? 0);
  work();
  kernel.vfs.trace = null;
  mark('', '', 0);
  const gained = ledger.since(counts);
  const vnodeOps = Object.entries(gained).reduce((sum, [name, count]) => (name.startsWith('vop.') ? sum + count : sum), 0);
  const [first, last] = [marks[0], marks[marks.length - 1]];
  return {
    store, ...split(marks, (op) => meter.rates[`vop.${op}`] ?? 0), checksumCycles: checksumCycles() - sums,
    vnodeOps, copiedBytes: last.copied - first.copied, sharedPages: gained['checkpoint.share'] ?? 0,
    cycles: clock.cycles - begin, freeBefore: first.free, freeAfter: last.free,
  };
}

/** What lies between the marks. The last operation gets its fixed price alone: neither closing, renaming nor leaving a vnode copies. */
function split(marks: readonly Mark[], price: (op: string) => number): Pick<Passage, 'before' | 'steps' | 'after'> {
  const costs = marks.slice(0, -1).map((from, i) => {
    const to = marks[i + 1];
    return { op: from.op, detail: from.detail, copiedBytes: to.copied - from.copied, cycles: to.cycles - from.cycles, free: to.free };
  });
  const [{ copiedBytes, cycles, free }, ...steps] = costs;
  const before = { copiedBytes, cycles, free };
  const last = steps.at(-1);
  if (!last) return { before, steps, after: { copiedBytes: 0, cycles: 0, free } };
  const after = { copiedBytes: last.copiedBytes, cycles: last.cycles - price(last.op), free: last.free };
  return { before, steps: [...steps.slice(0, -1), { ...last, copiedBytes: 0, cycles: price(last.op), free: marks[marks.length - 2].free }], after };
}
