import { Errno, failed, snapshotClass } from '../base/index.js';
import { FrameUse, PAGE_SIZE, type Ram } from '../memory/ram.js';
import type { Pager } from '../memory/pager.js';
import { enterVop, vref, vrele } from './vop.js';
import type { Vnode } from './vnode.js';

/**
 * The page cache of one vnode, while something maps it. The vnode's store stays the authority for read and
 * write: pages a shared mapping may have written go back to the store before the store is read or written, and what
 * is written to the store is copied into resident pages. So mappings, reads and writes always agree.
 */
export class VnodePager implements Pager {
  readonly vnode: Vnode;
  private readonly ram: Ram;
  private refs = 0;
  private readonly frames = new Map<number, number>();
  /** Pages some shared mapping may write at any time: once written they stay suspect while they are mapped. */
  private readonly dirty = new Set<number>();

  constructor(vnode: Vnode, ram: Ram) {
    this.vnode = vnode;
    this.ram = ram;
  }

  get residentPages(): number {
    return this.frames.size;
  }

  get mappings(): number {
    return this.refs;
  }

  pageIn(index: number): number {
    const resident = this.frames.get(index);
    if (resident !== undefined) {
      this.ram.addRef(resident);
      return resident;
    }
    const frame = this.load(index);
    if (frame < 0) return frame;
    this.frames.set(index, frame);
    this.ram.addRef(frame);
    return frame;
  }

  resident(index: number): number {
    return this.frames.get(index) ?? -1;
  }

  private load(index: number): number {
    const offset = index * PAGE_SIZE;
    if (offset >= this.vnode.getattr().size) return -Errno.EFAULT;
    if (enterVop(this.vnode, 'getpages', 'vop.getpages', index) < 0) return -Errno.EFAULT;
    const frame = this.ram.alloc(FrameUse.pageCache);
    if (frame < 0) return frame;
    const bytes = this.vnode.read(offset, PAGE_SIZE);
    if (failed(bytes)) {
      this.ram.release(frame);
      return -Errno.EFAULT;
    }
    this.ram.page(frame).set(bytes);
    this.vnode.fs.vfs.meter.charge('copy.bytes', bytes.length);
    return frame;
  }

  peek(index: number): Uint8Array | null {
    const frame = this.frames.get(index);
    if (frame !== undefined) return this.ram.page(frame);
    const bytes = index * PAGE_SIZE < this.vnode.getattr().size ? this.vnode.peek(index * PAGE_SIZE, PAGE_SIZE) : -Errno.EFAULT;
    return failed(bytes) ? null : bytes;
  }

  markDirty(index: number): void {
    this.dirty.add(index);
  }

  addRef(): void {
    if (this.refs++ === 0) vref(this.vnode);
  }

  /** The last mapping gone: suspect pages are written back, the frames freed. */
  release(): void {
    if (--this.refs > 0) return;
    this.writeBack(0, Infinity);
    for (const frame of this.frames.values()) this.ram.release(frame);
    this.frames.clear();
    this.dirty.clear();
    if (this.vnode.pages === this) this.vnode.pages = null;
    vrele(this.vnode);
  }

  /** Bring the store up to date with what shared mappings wrote to a range. */
  writeBack(offset: number, length: number): void {
    if (this.dirty.size === 0) return;
    const first = Math.floor(offset / PAGE_SIZE);
    const last = (offset + length - 1) / PAGE_SIZE;
    for (const index of this.dirty) {
      if (index >= first && index <= last) this.putPage(index);
    }
  }

  private putPage(index: number): void {
    const frame = this.frames.get(index);
    const start = index * PAGE_SIZE;
    const length = Math.min(PAGE_SIZE, this.vnode.getattr().size - start);
    if (frame === undefined || length <= 0) return;
    const page = this.ram.page(frame).subarray(0, length);
    const stored = this.vnode.read(start, length);
    if (failed(stored) || Buffer.compare(page, stored) === 0) return;
    const { vfs } = this.vnode.fs;
    vfs.meter.charge('vop.putpages');
    vfs.trace?.('putpages', this.vnode, index);
    vfs.meter.charge('copy.bytes', length);
    this.vnode.write(start, page);
  }

  /** The store has new contents in a range. */
  written(offset: number, length: number): void {
    const end = offset + length;
    for (const [index, frame] of this.frames) {
      const start = index * PAGE_SIZE;
      if (start < end && start + PAGE_SIZE > offset) this.refresh(frame, start);
    }
  }

  private refresh(frame: number, start: number): void {
    const bytes = this.vnode.read(start, PAGE_SIZE);
    if (failed(bytes)) return;
    const page = this.ram.page(frame);
    page.set(bytes);
    page.fill(0, bytes.length);
    this.ram.dropCode(frame);
  }

  /** Pages from `first` on, which nothing maps any more, are gone. */
  forget(first: number): void {
    for (const [index, frame] of this.frames) {
      if (index < first) continue;
      this.ram.release(frame);
      this.frames.delete(index);
      this.dirty.delete(index);
    }
  }

  /** The file was cut or extended to `size`: resident bytes past the end read as zero. Pages already mapped stay mapped until their owner takes them away and forgets them here. */
  truncated(size: number): void {
    this.written(size - (size % PAGE_SIZE), Infinity);
  }
}
snapshotClass('VnodePager', VnodePager);

/** The pager of a vnode whose contents are read and written through `read` and `write`. */
export function pagerOf(vnode: Vnode): VnodePager {
  vnode.pages ??= new VnodePager(vnode, vnode.fs.vfs.ram);
  return vnode.pages;
}
