import { snapshotClass } from '../base/index.js';
import type { Pager } from './pager.js';
import { PAGE_SHIFT } from './ram.js';

/** MAP_* bits of a mapping that stay of interest (asm/mman.h of MIPS). */
export const RegionFlag = { noreserve: 0x400, growsdown: 0x1000, locked: 0x8000, stack: 0x40000 } as const;

/** One mapping: [start, end) with equal protection and a common source of pages. */
export class Region {
  /** Page-aligned user addresses, end exclusive. */
  start: number;
  end: number;
  /** Prot bits. */
  prot: number;
  /** Prot bits mprotect may give; a shared mapping of a file opened for reading lacks write. */
  maxProt: number;
  shared: boolean;
  /** null: private zero-filled memory. */
  pager: Pager | null;
  /** Page index in the pager of the page at `start`; 0 without a pager. */
  pageOffset: number;
  /** As /proc/PID/maps shows it: a path, "[heap]", "[stack]", "[vdso]" or "". */
  name: string;
  /** RegionFlag bits. */
  flags: number;

  constructor(fields: Omit<Region, 'index' | 'continues' | 'slice'>) {
    this.start = fields.start;
    this.end = fields.end;
    this.prot = fields.prot;
    this.maxProt = fields.maxProt;
    this.shared = fields.shared;
    this.pager = fields.pager;
    this.pageOffset = fields.pageOffset;
    this.name = fields.name;
    this.flags = fields.flags;
  }

  /** Page index in the pager of the page at `va`. */
  index(va: number): number {
    return this.pageOffset + ((va - this.start) >>> PAGE_SHIFT);
  }

  /** The part [start, end) of this region as a region of its own; the pager is not yet counted for it. */
  slice(start: number, end: number): Region {
    const { prot, maxProt, shared, pager, name, flags } = this;
    return new Region({ start, end, prot, maxProt, shared, pager, pageOffset: pager ? this.index(start) : 0, name, flags });
  }

  /** `next` begins where this ends and differs in nothing, so that Linux shows both as one line. */
  continues(next: Region): boolean {
    return this.end === next.start && this.prot === next.prot && this.maxProt === next.maxProt && this.shared === next.shared
      && this.pager === next.pager && (!this.pager || this.index(this.end) === next.pageOffset)
      && this.name === next.name && this.flags === next.flags;
  }
}
snapshotClass('Region', Region);
