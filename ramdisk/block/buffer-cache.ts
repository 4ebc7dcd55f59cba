import { snapshotClass, type Meter } from '../../emulator/base/index.js';
import type { Vfs } from '../../emulator/vfs/vfs.js';
import { BLOCK_SIZE } from './layout.js';
import type { MemoryDisk } from './memory-disk.js';

interface Buf {
  block: number;
  /** Inode whose contents these are, 0 for the file system's own blocks. */
  owner: number;
  dirty: boolean;
  data: Uint8Array;
}

/**
 * The buffer cache between a file system and its disk: a fixed number of buffers, each for one block. Blocks are changed in their buffers
 * and written to the disk when the file is synced or the buffer is needed for another block (delayed write); the least recently
 * used buffer goes first. What is found is booked as "buf.hit", what is not as "buf.miss".
 *
 * A buffer returned is good until the next few blocks are asked for.
 */
export class BufferCache {
  static readonly transient = ['spare'];
  readonly disk: MemoryDisk;
  readonly capacity: number;
  private readonly vfs: Vfs;
  /** In order of use, the longest unused first. */
  private readonly buffers = new Map<number, Buf>();
  /** Host memory of buffers that hold no block. */
  private spare: Uint8Array[] = [];

  constructor(vfs: Vfs, disk: MemoryDisk, capacity: number) {
    this.vfs = vfs;
    this.disk = disk;
    this.capacity = capacity;
  }

  afterLoad(): void {
    this.spare = [];
  }

  private get meter(): Meter {
    return this.vfs.meter;
  }

  /** For the host's eyes: the current bytes of a block; nothing moves. */
  peek(block: number): Uint8Array {
    return this.buffers.get(block)?.data ?? this.disk.peek(block);
  }

  read(block: number, owner = 0): Uint8Array {
    return this.vfs.quiet ? this.peek(block) : this.get(block, owner, true).data;
  }

  /** To be changed: it will be written to the disk some time. */
  modify(block: number, owner = 0): Uint8Array {
    const buf = this.get(block, owner, true);
    buf.dirty = true;
    return buf.data;
  }

  /** To be filled by the caller, every byte: what is on the disk is not read. */
  overwrite(block: number, owner = 0): Uint8Array {
    const buf = this.get(block, owner, false);
    buf.dirty = true;
    return buf.data;
  }

  /** A block newly allocated, filled with zeros. */
  zeroed(block: number, owner = 0): Uint8Array {
    this.meter.charge('zero.bytes', BLOCK_SIZE);
    return this.overwrite(block, owner).fill(0);
  }

  private get(block: number, owner: number, fill: boolean): Buf {
    const known = this.buffers.get(block);
    this.meter.charge(known ? 'buf.hit' : 'buf.miss');
    const buf = known ?? this.reclaim(block);
    if (known) this.buffers.delete(block);
    else if (fill) this.disk.read(block, buf.data);
    buf.owner = owner;
    this.buffers.set(block, buf);
    return buf;
  }

  private reclaim(block: number): Buf {
    if (this.buffers.size < this.capacity) return { block, owner: 0, dirty: false, data: this.spare.pop() ?? new Uint8Array(BLOCK_SIZE) };
    const [oldest] = this.buffers.values();
    this.buffers.delete(oldest.block);
    this.clean(oldest);
    oldest.block = block;
    return oldest;
  }

  private clean(buf: Buf): void {
    if (!buf.dirty) return;
    this.disk.write(buf.block, buf.data);
    buf.dirty = false;
  }

  /** The block was freed: its contents need not reach the disk. */
  forget(block: number): void {
    const buf = this.buffers.get(block);
    if (!buf) return;
    this.buffers.delete(block);
    this.spare.push(buf.data);
  }

  /** Write what is dirty of one inode's contents. */
  flush(owner: number): void {
    for (const buf of this.buffers.values()) if (buf.owner === owner) this.clean(buf);
  }

  flushBlock(block: number): void {
    const buf = this.buffers.get(block);
    if (buf) this.clean(buf);
  }

  flushAll(): void {
    for (const buf of this.buffers.values()) this.clean(buf);
  }
}
snapshotClass('BufferCache', BufferCache);
