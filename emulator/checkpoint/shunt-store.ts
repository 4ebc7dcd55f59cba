import { Errno, failed, snapshotClass, type Fail } from '../base/index.js';
import type { Kernel, Process } from '../kernel/index.js';
import { FrameUse, PAGE_SIZE, type Ram, type Region } from '../memory/index.js';
import { isSharable } from './adopt.js';
import { checksum, checksumFrames, extent } from './checksum.js';
import type { FramePool } from './frame-pool.js';
import { Store, type ImageStore, type OpenImage, type PageSource, type StoreContext, type StoredImage } from './image-store.js';
import type { ProcessImage } from './process-image.js';
import { decodeRecord, encodeRecord } from './record-codec.js';
import { PageKind, type PageRun } from './record.js';

/**
 * The shunt: images go past vnodes and file system into frames of the device's RAM. The notes take frames
 * too. Three modes: copies in frames from the free list, copies in a warm pool, pages shared copy-on-write (what may change
 * under the image, shared mappings and unmodified pages of writable file mappings, is copied even then).
 */
export class ShuntImage implements StoredImage {
  readonly store: number;
  readonly headBytes: number;
  readonly head: number[];
  /** In the order of the runs. */
  readonly frames: number[];
  /** 1 where the frame is one the process had, in share mode. */
  readonly shared: Uint8Array | null;

  constructor(store: number, headBytes: number, head: number[], frames: number[], shared: Uint8Array | null) {
    this.store = store;
    this.headBytes = headBytes;
    this.head = head;
    this.frames = frames;
    this.shared = shared;
  }

  get bytes(): number {
    return (this.head.length + this.frames.length) * PAGE_SIZE;
  }

  heldFrames(kernel: Kernel): number {
    if (!this.shared) return this.head.length + this.frames.length;
    let held = this.head.length;
    for (const frame of this.frames) if (kernel.ram.refs[frame] === 1) held++;
    return held;
  }

  open(kernel: Kernel, _process: Process, checked: boolean): OpenImage | Fail {
    const { ram } = kernel;
    const head = readFrames(ram, this.head, this.headBytes);
    const decoded = decodeRecord(head);
    if (!decoded) return -Errno.EINVAL;
    const { record, sums, sumsAt } = decoded;
    const runs = record.runs;
    if (runs.some((run) => run.kind === PageKind.added) || sum(runs) !== this.frames.length) return -Errno.EINVAL;
    if (checked && !sums.checked) return -Errno.EINVAL;
    if (sums.checked && (checksum(head.subarray(0, sumsAt)) !== sums.head || !this.sumsHold(ram, runs, sums.segments))) return -Errno.EINVAL;
    return { record, source: new ShuntSource(ram, this.frames, this.shared, runs), summed: sums.checked };
  }

  private sumsHold(ram: Ram, runs: readonly PageRun[], expected: readonly number[]): boolean {
    const sums = checksumRuns(ram, runs, this.frames);
    return sums.length === expected.length && sums.every((crc, i) => crc === expected[i]);
  }

  drop(kernel: Kernel, _process: Process, pool: FramePool): void {
    if (this.store === Store.pool) {
      pool.give([...this.head, ...this.frames]);
      return;
    }
    for (const frame of this.head) kernel.ram.release(frame);
    for (const frame of this.frames) kernel.ram.release(frame);
  }
}
snapshotClass('ShuntImage', ShuntImage);

class ShuntSource implements PageSource {
  private readonly ram: Ram;
  private readonly frames: readonly number[];
  private readonly shared: Uint8Array | null;
  private readonly base: number[] = [];

  constructor(ram: Ram, frames: readonly number[], shared: Uint8Array | null, runs: readonly PageRun[]) {
    this.ram = ram;
    this.frames = frames;
    this.shared = shared;
    let at = 0;
    for (const run of runs) {
      this.base.push(at);
      at += run.pages;
    }
  }

  extent(run: number, page: number, pages: number): Uint8Array {
    const first = this.base[run] + page;
    let count = 1;
    while (count < pages && this.frames[first + count] === this.frames[first] + count) count++;
    return extent(this.ram, this.frames[first], count);
  }

  sharedFrame(run: number, page: number): number {
    const at = this.base[run] + page;
    return this.shared?.[at] ? this.frames[at] : -1;
  }
}

const sum = (runs: readonly PageRun[]): number => runs.reduce((pages, run) => pages + run.pages, 0);

function checksumRuns(ram: Ram, runs: readonly PageRun[], frames: readonly number[]): number[] {
  let at = 0;
  return runs.map((run) => {
    const crc = checksumFrames(ram, frames, at, run.pages);
    at += run.pages;
    return crc;
  });
}

function readFrames(ram: Ram, frames: readonly number[], length: number): Uint8Array {
  const bytes = new Uint8Array(frames.length * PAGE_SIZE);
  frames.forEach((frame, i) => bytes.set(ram.page(frame), i * PAGE_SIZE));
  return bytes.subarray(0, length);
}

function writeFrames(ram: Ram, frames: readonly number[], bytes: Uint8Array): void {
  frames.forEach((frame, i) => ram.page(frame).set(bytes.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE)));
}

/** Copy whole frames, as many at a time as lie side by side on both ends. */
export function copyFrames(ram: Ram, from: ArrayLike<number>, to: ArrayLike<number>): void {
  for (let start = 0; start < from.length;) {
    let count = 1;
    while (start + count < from.length && from[start + count] === from[start] + count && to[start + count] === to[start] + count) count++;
    const at = ram.address(from[start]);
    ram.u8.copyWithin(ram.address(to[start]), at, at + count * PAGE_SIZE);
    start += count;
  }
}

interface Taken {
  frames: number[];
  shared: Uint8Array | null;
}

export class ShuntStore implements ImageStore {
  readonly mode: number;

  constructor(mode: number) {
    this.mode = mode;
  }

  write(context: StoreContext, image: ProcessImage, regions: readonly Region[]): ShuntImage | Fail {
    const { kernel, options } = context;
    const { record, frames } = image;
    const sums = options.checksum ? checksumRuns(kernel.ram, record.runs, frames) : [];
    const head = encodeRecord(record, options.checksum, sums);
    const headFrames = this.take(context, Math.ceil(head.length / PAGE_SIZE));
    if (failed(headFrames)) return headFrames;
    const taken = this.mode === Store.share ? sharePages(context, image, regions) : this.copyPages(context, frames);
    if (failed(taken)) {
      this.giveBack(context, headFrames);
      return taken;
    }
    writeFrames(kernel.ram, headFrames, head);
    kernel.meter.charge('copy.bytes', head.length);
    return new ShuntImage(this.mode, head.length, headFrames, taken.frames, taken.shared);
  }

  private take(context: StoreContext, count: number): number[] | Fail {
    if (this.mode === Store.pool) return context.pool.take(count) ?? -Errno.ENOSPC;
    return allocate(context.kernel.ram, count);
  }

  private giveBack(context: StoreContext, frames: readonly number[]): void {
    if (this.mode === Store.pool) context.pool.give(frames);
    else for (const frame of frames) context.kernel.ram.release(frame);
  }

  private copyPages(context: StoreContext, frames: readonly number[]): Taken | Fail {
    const copies = this.take(context, frames.length);
    if (failed(copies)) return copies;
    copyFrames(context.kernel.ram, frames, copies);
    context.kernel.meter.charge('copy.bytes', frames.length * PAGE_SIZE);
    return { frames: copies, shared: null };
  }
}

/** `count` frames from the free list; -ENOMEM leaves none taken. */
export function allocate(ram: Ram, count: number, use: FrameUse = FrameUse.shunt): number[] | Fail {
  const frames: number[] = [];
  while (frames.length < count) {
    const frame = ram.alloc(use, false);
    if (failed(frame)) {
      for (const taken of frames) ram.release(taken);
      return frame;
    }
    frames.push(frame);
  }
  return frames;
}

function sharePages({ kernel, process }: StoreContext, image: ProcessImage, regions: readonly Region[]): Taken | Fail {
  const { runs } = image.record;
  const shared = new Uint8Array(image.frames.length);
  let at = 0;
  let region = 0;
  for (const run of runs) {
    while (regions[region].end <= run.va) region++;
    shared.fill(isSharable(run, regions[region]) ? 1 : 0, at, at + run.pages);
    at += run.pages;
  }
  const copies = allocate(kernel.ram, shared.reduce((count, flag) => count - flag, shared.length));
  if (failed(copies)) return copies;
  const frames = takeShared({ kernel, process }, image, shared, copies);
  kernel.meter.charge('copy.bytes', copies.length * PAGE_SIZE);
  kernel.meter.charge('checkpoint.share', frames.length - copies.length);
  return { frames, shared };
}

function takeShared(context: { kernel: Kernel; process: Process }, image: ProcessImage, shared: Uint8Array, copies: readonly number[]): number[] {
  const { ram } = context.kernel;
  const frames: number[] = [];
  let copied = 0;
  for (const run of image.record.runs) {
    for (let page = 0; page < run.pages; page++) {
      const at = frames.length;
      if (shared[at]) {
        frames.push(context.process.space.sharePage(run.va + page * PAGE_SIZE));
      } else {
        ram.copyPage(image.frames[at], copies[copied]);
        frames.push(copies[copied++]);
      }
    }
  }
  return frames;
}
