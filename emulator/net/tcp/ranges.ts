import { snapshotClass } from '../../base/index.js';
import { after, before, distance, earliest, latest } from './sequence.js';

export interface Range {
  start: number;
  end: number;
}

/** Disjoint ranges of sequence numbers in ascending order: what the peer acknowledged selectively (RFC 2018). */
export class Ranges {
  list: Range[] = [];
  bytes = 0;

  /** Whether anything was new. */
  add(start: number, end: number): boolean {
    const merged = { start, end };
    const kept: Range[] = [];
    let held = 0;
    let at = 0;
    for (const range of this.list) {
      if (before(range.end, start)) {
        kept.push(range);
        at++;
      } else if (after(range.start, end)) {
        kept.push(range);
      } else {
        held += distance(range.start, range.end);
        merged.start = earliest(merged.start, range.start);
        merged.end = latest(merged.end, range.end);
      }
    }
    const gained = distance(merged.start, merged.end) - held;
    if (gained === 0) return false;
    kept.splice(at, 0, merged);
    this.list = kept;
    this.bytes += gained;
    return true;
  }

  /** What lies before `sequence` is acknowledged for good. */
  dropBefore(sequence: number): void {
    while (this.list.length > 0 && !after(this.list[0].end, sequence)) {
      const gone = this.list.shift() as Range;
      this.bytes -= distance(gone.start, gone.end);
    }
    const [first] = this.list;
    if (!first || !before(first.start, sequence)) return;
    this.bytes -= distance(first.start, sequence);
    first.start = sequence;
  }

  clear(): void {
    this.list.length = 0;
    this.bytes = 0;
  }

  /** Bytes of [from, to) that are in no range. */
  missing(from: number, to: number): number {
    if (!before(from, to)) return 0;
    let count = distance(from, to);
    for (const { start, end } of this.list) {
      const [low, high] = [latest(start, from), earliest(end, to)];
      if (before(low, high)) count -= distance(low, high);
    }
    return count;
  }

  /** The first gap at or behind `from` and before `to`, or null. */
  gap(from: number, to: number): Range | null {
    let start = from;
    for (const range of this.list) {
      if (!after(range.end, start)) continue;
      if (after(range.start, start)) return before(start, to) ? { start, end: earliest(range.start, to) } : null;
      start = range.end;
    }
    return before(start, to) ? { start, end: to } : null;
  }

  get highest(): number | null {
    return this.list.at(-1)?.end ?? null;
  }
}
snapshotClass('TcpRanges', Ranges);
