import { Errno, invariant, snapshotClass, type Result } from '../base/index.js';
import { flushTlb, dropWriteEntriesOf } from './tlb.js';

export const PAGE_SIZE = 4096;
export const PAGE_SHIFT = 12;
export const PAGE_MASK = PAGE_SIZE - 1;

/** What a frame is used for; accounting only. */
export const FrameUse = { free: 0, user: 1, pageCache: 2, shunt: 3, kernel: 4 } as const;
export type FrameUse = (typeof FrameUse)[keyof typeof FrameUse];

/** Bytes before the first frame: the control area, which a compiled tier shares with the interpreter. */
const CONTROL_BYTES = 65_536;
const WASM_PAGE = 65_536;

interface RamState {
  bytes: number;
  used: Int32Array;
  refs: Int32Array;
  use: Uint8Array;
  freeList: Int32Array;
  withdrawn: number;
  contents: Uint8Array;
}

/**
 * The device's RAM: page frames with reference counts behind one WebAssembly.Memory.
 *
 *   byte 0                        frameBase (64 KiB)
 *   | control area: TLBs, cpu ... | frame 0 | frame 1 | ... | frame n-1 |
 *
 * A frame number is an index from 0. Free frames form a stack, lowest number on top at power-on, so that
 * equal histories hand out equal frames. Memory that host structures model (file contents of the ramdisk)
 * is withdrawn from the free count without naming frames.
 */
export class Ram {
  readonly bytes: number;
  readonly frameBase = CONTROL_BYTES;
  readonly frames: number;
  readonly memory: WebAssembly.Memory;
  /** Views over the whole memory, control area included. */
  readonly u8: Uint8Array;
  readonly i8: Int8Array;
  readonly u16: Uint16Array;
  readonly i16: Int16Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  refs: Int32Array;
  use: Uint8Array;
  /** Nonzero: some decoded code of this frame exists. Set by markCode, cleared by dropCode. */
  code: Uint8Array;
  /** Counts whatever may make a fetch translation stale: the cpu drops its fetch cache when it moved. */
  codeEpoch = 0;
  /** The AddressSpace the TLBs describe; a cache, null after a load. */
  activeSpace: object | null = null;
  /** Stores are watched: no write entry may spare one the slow path. A host's wish, not saved. */
  storesWatched = false;
  private readonly freeList: Int32Array;
  private freeCount: number;
  private withdrawn = 0;

  constructor(bytes: number) {
    invariant(bytes >= PAGE_SIZE && bytes <= 0x7000_0000, `RAM size ${bytes}`);
    this.bytes = bytes;
    this.frames = Math.floor(bytes / PAGE_SIZE);
    const pages = Math.ceil((CONTROL_BYTES + this.frames * PAGE_SIZE) / WASM_PAGE);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { buffer } = this.memory;
    this.u8 = new Uint8Array(buffer);
    this.i8 = new Int8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.i16 = new Int16Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.refs = new Int32Array(this.frames);
    this.use = new Uint8Array(this.frames);
    this.code = new Uint8Array(this.frames);
    this.freeList = new Int32Array(this.frames);
    this.freeCount = this.frames;
    for (let i = 0; i < this.frames; i++) this.freeList[i] = this.frames - 1 - i;
    flushTlb(this);
  }

  /** A frame with one reference, zeroed unless told otherwise; -ENOMEM when none is left. */
  alloc(use: FrameUse, zero = true): number {
    if (this.free() <= 0) return -Errno.ENOMEM;
    const frame = this.freeList[--this.freeCount];
    this.refs[frame] = 1;
    this.use[frame] = use;
    if (zero) {
      const at = this.address(frame);
      this.u8.fill(0, at, at + PAGE_SIZE);
    }
    return frame;
  }

  addRef(frame: number): void {
    invariant(this.refs[frame] > 0, `addRef of free frame ${frame}`);
    this.refs[frame]++;
  }

  /** The last release frees the frame. */
  release(frame: number): void {
    invariant(this.refs[frame] > 0, `release of free frame ${frame}`);
    if (--this.refs[frame] > 0) return;
    this.use[frame] = FrameUse.free;
    this.dropCode(frame);
    this.freeList[this.freeCount++] = frame;
  }

  /** Frames neither allocated nor withdrawn. */
  free(): number {
    return this.freeCount - this.withdrawn;
  }

  /** Frames in use for `use`; a scan, for reports. */
  countUse(use: FrameUse): number {
    let count = 0;
    for (let frame = 0; frame < this.frames; frame++) if (this.use[frame] === use) count++;
    return count;
  }

  get withdrawnFrames(): number {
    return this.withdrawn;
  }

  /** Charge `frames` of device memory that live outside the array; -ENOMEM when not so many are free. */
  withdraw(frames: number): Result {
    if (frames > this.free()) return -Errno.ENOMEM;
    this.withdrawn += frames;
    return 0;
  }

  /**
   * Charge frames for what cannot be refused at this moment (a page table in the middle of an operation). The free
   * count may drop below zero; until it is back above, nothing else is handed out.
   */
  charge(frames: number): void {
    this.withdrawn += frames;
  }

  giveBack(frames: number): void {
    invariant(frames <= this.withdrawn, `${frames} frames given back, ${this.withdrawn} withdrawn`);
    this.withdrawn -= frames;
  }

  /** Byte offset of a frame in the views. */
  address(frame: number): number {
    return this.frameBase + frame * PAGE_SIZE;
  }

  /** The frame that holds a byte offset of the views. */
  frameOf(address: number): number {
    return (address - this.frameBase) >>> PAGE_SHIFT;
  }

  /** A live view of one page. */
  page(frame: number): Uint8Array {
    const at = this.address(frame);
    return this.u8.subarray(at, at + PAGE_SIZE);
  }

  copyPage(from: number, to: number): void {
    const at = this.address(from);
    this.u8.copyWithin(this.address(to), at, at + PAGE_SIZE);
    this.dropCode(to);
  }

  /** Decoded code of this frame comes to exist: from now on a store to it must take the slow path. */
  markCode(frame: number): void {
    this.code[frame] = 1;
    dropWriteEntriesOf(this, frame);
  }

  /** The contents changed: decoded code is stale. */
  dropCode(frame: number): void {
    if (this.code[frame] === 0) return;
    this.code[frame] = 0;
    this.codeEpoch++;
  }

  /** Only frames in use are kept; caches (views, code flags, TLBs) are rebuilt. */
  saveState(): RamState {
    const used = Int32Array.from(this.refs.keys()).filter((frame) => this.refs[frame] > 0);
    const contents = new Uint8Array(used.length * PAGE_SIZE);
    used.forEach((frame, i) => contents.set(this.page(frame), i * PAGE_SIZE));
    return {
      bytes: this.bytes, used, contents,
      refs: used.map((frame) => this.refs[frame]),
      use: Uint8Array.from(used, (frame) => this.use[frame]),
      freeList: this.freeList.slice(0, this.freeCount),
      withdrawn: this.withdrawn,
    };
  }

  loadState(state: RamState): void {
    Object.assign(this, new Ram(state.bytes));
    state.used.forEach((frame, i) => {
      this.refs[frame] = state.refs[i];
      this.use[frame] = state.use[i];
      this.page(frame).set(state.contents.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE));
    });
    this.freeList.set(state.freeList);
    this.freeCount = state.freeList.length;
    this.withdrawn = state.withdrawn;
  }

  /** Back to a saved state of this very object: the views stay, and so does decoded code whose bytes are the same. */
  rewind(state: RamState): void {
    const before = new Uint8Array(this.frames);
    state.used.forEach((frame, i) => {
      before[frame] = 1;
      const contents = state.contents.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE);
      const page = this.page(frame);
      if (this.code[frame] !== 0 && Buffer.compare(page, contents) !== 0) this.dropCode(frame);
      if (this.code[frame] === 0) page.set(contents);
    });
    for (let frame = 0; frame < this.frames; frame++) if (before[frame] === 0) this.dropCode(frame);
    this.refs.fill(0);
    this.use.fill(FrameUse.free);
    state.used.forEach((frame, i) => {
      this.refs[frame] = state.refs[i];
      this.use[frame] = state.use[i];
    });
    this.freeList.set(state.freeList);
    this.freeCount = state.freeList.length;
    this.withdrawn = state.withdrawn;
    flushTlb(this);
    this.activeSpace = null;
  }
}
snapshotClass('Ram', Ram);
