import { crc32 } from '../base/index.js';
import { PAGE_SIZE, type Ram } from '../memory/ram.js';

/** The sum that images carry. */
export const checksum = crc32;

/** Call `visit` with the extents that runs of neighbouring frames form: (first index, count). */
export function forEachExtent(frames: ArrayLike<number>, from: number, count: number, visit: (index: number, pages: number) => void): void {
  let start = from;
  for (let i = from + 1; i <= from + count; i++) {
    if (i < from + count && frames[i] === frames[i - 1] + 1) continue;
    visit(start, i - start);
    start = i;
  }
}

/** A live view of `pages` neighbouring frames. */
export function extent(ram: Ram, frame: number, pages: number): Uint8Array {
  const at = ram.address(frame);
  return ram.u8.subarray(at, at + pages * PAGE_SIZE);
}

export function checksumFrames(ram: Ram, frames: ArrayLike<number>, from: number, count: number, seed = 0): number {
  let crc = seed;
  if (count > 0) forEachExtent(frames, from, count, (index, pages) => { crc = checksum(extent(ram, frames[index], pages), crc); });
  return crc;
}
