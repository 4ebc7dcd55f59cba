import { snapshotClass, type Meter } from '../../emulator/base/index.js';
import { BLOCK_SIZE } from './layout.js';

interface DiskState {
  meter: Meter;
  blocks: number;
  /** Blocks that hold anything but zeros. */
  used: Int32Array;
  contents: Uint8Array;
}

/**
 * A block device whose medium is memory, as md(4) and rd(4) are. A transfer moves one block and is booked: "bio.read" or
 * "bio.write", and its bytes as "copy.bytes", since it is the processor that copies them.
 */
export class MemoryDisk {
  readonly meter: Meter;
  readonly blocks: number;
  private readonly medium: Uint8Array;

  constructor(meter: Meter, blocks: number) {
    this.meter = meter;
    this.blocks = blocks;
    this.medium = new Uint8Array(blocks * BLOCK_SIZE);
  }

  /** The medium itself: what a look at the chips would show. */
  peek(block: number): Uint8Array {
    return this.medium.subarray(block * BLOCK_SIZE, (block + 1) * BLOCK_SIZE);
  }

  read(block: number, into: Uint8Array): void {
    into.set(this.peek(block));
    this.meter.charge('bio.read');
    this.meter.charge('copy.bytes', BLOCK_SIZE);
  }

  write(block: number, from: Uint8Array): void {
    this.peek(block).set(from);
    this.meter.charge('bio.write');
    this.meter.charge('copy.bytes', BLOCK_SIZE);
  }

  saveState(): DiskState {
    const { meter, blocks } = this;
    const zeros = new Uint8Array(BLOCK_SIZE);
    const used = Int32Array.from({ length: blocks }, (_, i) => i).filter((block) => Buffer.compare(this.peek(block), zeros) !== 0);
    const contents = new Uint8Array(used.length * BLOCK_SIZE);
    used.forEach((block, i) => contents.set(this.peek(block), i * BLOCK_SIZE));
    return { meter, blocks, used, contents };
  }

  loadState({ meter, blocks, used, contents }: DiskState): void {
    Object.assign(this, { meter, blocks, medium: new Uint8Array(blocks * BLOCK_SIZE) });
    used.forEach((block, i) => this.peek(block).set(contents.subarray(i * BLOCK_SIZE, (i + 1) * BLOCK_SIZE)));
  }
}
snapshotClass('MemoryDisk', MemoryDisk);
