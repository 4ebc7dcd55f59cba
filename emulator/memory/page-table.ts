import { snapshotClass } from '../base/index.js';
import type { Ram } from './ram.js';

/**
 * Two-level page table of the 2 GiB user half: 512 tables of 1024 entries, made when first needed. Each, and the
 * directory, is charged to the device as the page it would take.
 *
 *   va   30      22 21      12 11         0        pte  30          12 11     5   4     3     2     1       0
 *        | table   | entry    | offset    |             | frame       | 0     |DIRTY| COW |WRITE|READ |PRESENT|
 *
 * PRESENT  the frame holds this page
 * READ     the region may be accessed at all (any of r, w, x; see Prot)
 * WRITE    the region may be written
 * COW      the frame has or had other users: copy it before the first write
 * DIRTY    written since it was mapped or since clearDirty
 */
export const PTE_PRESENT = 1;
export const PTE_READ = 2;
export const PTE_WRITE = 4;
export const PTE_COW = 8;
export const PTE_DIRTY = 16;

const TABLES = 512;
const ENTRIES = 1024;

export class PageTable {
  private readonly ram: Ram;
  private readonly tables: (Int32Array | null)[] = new Array<Int32Array | null>(TABLES).fill(null);
  /** Frames charged: tables, and the directory as soon as there is one. */
  private charged = 0;

  constructor(ram: Ram) {
    this.ram = ram;
  }

  /** The entry of user address `va`, 0 when there is none. */
  get(va: number): number {
    const table = this.tables[va >>> 22];
    return table ? table[(va >>> 12) & (ENTRIES - 1)] : 0;
  }

  set(va: number, pte: number): void {
    const table = this.tables[va >>> 22] ?? this.addTable(va >>> 22);
    table[(va >>> 12) & (ENTRIES - 1)] = pte;
  }

  private addTable(index: number): Int32Array {
    const frames = this.charged === 0 ? 2 : 1;
    this.ram.charge(frames);
    this.charged += frames;
    const table = new Int32Array(ENTRIES);
    this.tables[index] = table;
    return table;
  }

  /** Frames a copy of it is charged with. */
  get frames(): number {
    return this.charged;
  }

  /** Call `visit` for every present page in [start, end), upward; it may change that entry. */
  forEach(start: number, end: number, visit: (va: number, pte: number) => void): void {
    for (let va = start; va < end;) {
      const next = Math.min(end, (Math.floor(va / 0x40_0000) + 1) * 0x40_0000);
      const table = this.tables[va >>> 22];
      if (table) {
        for (; va < next; va += 4096) {
          const pte = table[(va >>> 12) & (ENTRIES - 1)];
          if (pte) visit(va, pte);
        }
      }
      va = next;
    }
  }

  clear(): void {
    this.tables.fill(null);
    this.ram.giveBack(this.charged);
    this.charged = 0;
  }
}
snapshotClass('PageTable', PageTable);
