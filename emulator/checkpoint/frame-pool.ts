import { failed, snapshotClass } from '../base/index.js';
import { FrameUse, type Ram } from '../memory/ram.js';

/** Frames kept ready for images from power-on ("warm": the device has touched them before). They are charged to RAM from the start. */
export class FramePool {
  readonly ram: Ram;
  readonly size: number;
  private readonly ready: number[] = [];

  /** With less RAM than asked for the pool is as large as it can be. */
  constructor(ram: Ram, frames: number) {
    this.ram = ram;
    for (let i = 0; i < frames; i++) {
      const frame = ram.alloc(FrameUse.shunt);
      if (failed(frame)) break;
      this.ready.push(frame);
    }
    this.size = this.ready.length;
    this.ready.reverse();
  }

  get free(): number {
    return this.ready.length;
  }

  /** `count` frames, or null when the pool has not so many. */
  take(count: number): number[] | null {
    if (count > this.ready.length) return null;
    return this.ready.splice(this.ready.length - count).reverse();
  }

  give(frames: readonly number[]): void {
    for (let i = frames.length - 1; i >= 0; i--) this.ready.push(frames[i]);
  }
}
snapshotClass('FramePool', FramePool);
