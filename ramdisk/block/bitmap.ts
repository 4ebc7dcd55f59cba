import { snapshotClass } from '../../emulator/base/index.js';
import type { BufferCache } from './buffer-cache.js';
import { BLOCK_SIZE } from './layout.js';

const BITS = BLOCK_SIZE * 8;

/** A bitmap in blocks of the disk: bit set = in use. */
export class Bitmap {
  private readonly cache: BufferCache;
  private readonly first: number;
  private readonly bits: number;
  /** What was freed is given out late, when all other bits have had their turn; else the lowest free bit is. */
  private readonly late: boolean;
  /** Where the search begins: behind what was given out last, or, if not `late`, where nothing below is free. */
  private rotor = 0;

  constructor(cache: BufferCache, first: number, bits: number, late: boolean) {
    this.late = late;
    this.cache = cache;
    this.first = first;
    this.bits = bits;
  }

  /** A bit that was free, now set; -1 when none is. */
  take(): number {
    const found = this.search(this.rotor, this.bits);
    const bit = found >= 0 ? found : this.search(0, this.rotor);
    if (bit < 0) return -1;
    this.set(bit);
    this.rotor = bit + 1 < this.bits ? bit + 1 : 0;
    return bit;
  }

  set(bit: number): void {
    this.block(bit, true)[(bit % BITS) >> 3] |= 1 << (bit & 7);
  }

  clear(bit: number): void {
    if (!this.late && bit < this.rotor) this.rotor = bit;
    this.block(bit, true)[(bit % BITS) >> 3] &= ~(1 << (bit & 7));
  }

  private block(bit: number, modify: boolean): Uint8Array {
    const number = this.first + Math.floor(bit / BITS);
    return modify ? this.cache.modify(number) : this.cache.read(number);
  }

  private search(from: number, to: number): number {
    for (let bit = from; bit < to;) {
      const bytes = this.block(bit, false);
      const end = Math.min(to, (Math.floor(bit / BITS) + 1) * BITS);
      while (bit < end) {
        const byte = bytes[(bit % BITS) >> 3];
        if (byte === 0xff) bit = (bit | 7) + 1;
        else if (byte & (1 << (bit & 7))) bit++;
        else return bit;
      }
    }
    return -1;
  }
}
snapshotClass('Bitmap', Bitmap);
