import { snapshotClass } from '../base/index.js';
import { FrameUse, type Ram } from './ram.js';

/**
 * Where the pages of a mapping come from. A pager is shared by all mappings of its object and counts them
 * (addRef, release). Pagers are snapshot classes.
 */
export interface Pager {
  /**
   * The frame that holds page `index` of the object, with a reference added for the caller. Failures:
   * -EFAULT for a page past the end (the access raises SIGBUS), -ENOMEM when no frame is left.
   */
  pageIn(index: number): number;
  /** The frame that holds page `index` if it is in memory (no reference is added), else -1. */
  resident(index: number): number;
  /** A shared mapping is about to write page `index` for the first time since it was mapped clean. */
  markDirty?(index: number): void;
  /** The bytes of page `index` as they are now (a short view ends in zeros), or null; changes nothing, for observers. */
  peek(index: number): Uint8Array | null;
  addRef(): void;
  release(): void;
}

/** Zero-filled memory that several spaces share: MAP_SHARED|MAP_ANONYMOUS, System V segments. */
export class AnonPager implements Pager {
  readonly ram: Ram;
  private refs = 0;
  private readonly frames = new Map<number, number>();

  constructor(ram: Ram) {
    this.ram = ram;
  }

  pageIn(index: number): number {
    let frame = this.frames.get(index);
    if (frame === undefined) {
      frame = this.ram.alloc(FrameUse.user);
      if (frame < 0) return frame;
      this.frames.set(index, frame);
    }
    this.ram.addRef(frame);
    return frame;
  }

  resident(index: number): number {
    return this.frames.get(index) ?? -1;
  }

  /** Page `index`, not yet touched, is `frame` from now on; the caller's reference passes to the pager. */
  adopt(index: number, frame: number): void {
    this.frames.set(index, frame);
  }

  peek(index: number): Uint8Array {
    const frame = this.frames.get(index);
    return frame === undefined ? new Uint8Array(0) : this.ram.page(frame);
  }

  addRef(): void {
    this.refs++;
  }

  /** The last release frees the pages. */
  release(): void {
    if (--this.refs > 0) return;
    for (const frame of this.frames.values()) this.ram.release(frame);
    this.frames.clear();
  }

  get mappings(): number {
    return this.refs;
  }

  residentPages(): number {
    return this.frames.size;
  }
}
snapshotClass('AnonPager', AnonPager);
