import { snapshotClass } from '../emulator/base/index.js';
import { PAGE_SIZE, type Ram } from '../emulator/memory/ram.js';

/**
 * Pages of a file that are page frames of RAM and not bytes in memfs: a process lent them, copy-on-write, and the file
 * holds one reference to each. Nobody writes such a frame: the process copies it before it writes, the file
 * exchanges it for bytes of its own (ramdisk-vnode.ts).
 */
export class AdoptedPages {
  readonly ram: Ram;
  private readonly frames = new Map<number, number>();

  constructor(ram: Ram) {
    this.ram = ram;
  }

  get count(): number {
    return this.frames.size;
  }

  /** One past the last byte. */
  get end(): number {
    let last = -1;
    for (const index of this.frames.keys()) if (index > last) last = index;
    return (last + 1) * PAGE_SIZE;
  }

  /** Frames somebody else holds too. */
  get lent(): number {
    let lent = 0;
    for (const frame of this.frames.values()) if (this.ram.refs[frame] > 1) lent++;
    return lent;
  }

  /** The frame of page `index`, or -1. */
  at(index: number): number {
    return this.frames.get(index) ?? -1;
  }

  /** The caller's reference passes to the file; whatever frame the page had is released. */
  put(index: number, frame: number): void {
    this.release(index);
    this.frames.set(index, frame);
  }

  release(index: number): void {
    const frame = this.frames.get(index);
    if (frame === undefined) return;
    this.ram.release(frame);
    this.frames.delete(index);
  }

  /** Indices from `first` up to `end`, exclusive, ascending. */
  between(first: number, end: number): number[] {
    return [...this.frames.keys()].filter((index) => index >= first && index < end).sort((a, b) => a - b);
  }

  /** Bytes [start, end) of the file, `rest` giving those that are in no frame: a view where they lie side by side, else a copy. */
  read(start: number, end: number, rest: (offset: number, length: number) => Uint8Array): Uint8Array {
    const pieces = this.pieces(start, end, rest);
    if (pieces.length === 1) return pieces[0][1];
    const bytes = new Uint8Array(Math.max(0, end - start));
    for (const [offset, piece] of pieces) bytes.set(piece, offset - start);
    return bytes;
  }

  private pieces(start: number, end: number, rest: (offset: number, length: number) => Uint8Array): [offset: number, piece: Uint8Array][] {
    const pieces: [number, Uint8Array][] = [];
    for (let at = start; at < end;) {
      const index = Math.floor(at / PAGE_SIZE);
      const frame = this.at(index);
      let next = index + 1;
      while (next * PAGE_SIZE < end && this.continues(frame, next - index, next)) next++;
      const stop = Math.min(end, next * PAGE_SIZE);
      pieces.push([at, frame < 0 ? rest(at, stop - at) : this.bytes(frame, at - index * PAGE_SIZE, stop - at)]);
      at = stop;
    }
    return pieces;
  }

  private continues(frame: number, distance: number, index: number): boolean {
    return this.at(index) === (frame < 0 ? -1 : frame + distance);
  }

  private bytes(frame: number, from: number, length: number): Uint8Array {
    const at = this.ram.address(frame) + from;
    return this.ram.u8.subarray(at, at + length);
  }
}
snapshotClass('AdoptedPages', AdoptedPages);
