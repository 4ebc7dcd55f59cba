import { Errno, type Fail, type Result } from '../emulator/base/index.js';
import type { Pager } from '../emulator/memory/pager.js';
import { PAGE_SIZE } from '../emulator/memory/ram.js';
import { gatherLength, Vnode, type Gather, type VnodeType } from '../emulator/vfs/vnode.js';
import { pagerOf } from '../emulator/vfs/vnode-pager.js';
import { AdoptedPages } from './adopted-pages.js';
import { FILE_MAX } from './limits.js';
import type { Ramdisk } from './ramdisk.js';
import { StoreNode } from './store.js';

/**
 * The contents half of an inode of the ramdisk: bytes in memfs (`node`, rebuilt from a snapshot), pages that are frames of RAM
 * shared with a process, or still in flash. Whatever they lie in, the device is charged before anything is allocated.
 */
export abstract class RamdiskContents extends Vnode {
  declare readonly fs: Ramdisk;
  readonly ino: number;
  readonly rdev: number;
  protected node: StoreNode;
  /** Pages of the device held for the contents in memfs. */
  private charged = 0;
  /** Pages of the contents that are frames of RAM, if any. */
  private adopted: AdoptedPages | null = null;
  /** What has not been read of it yet lies there. */
  protected unread: { path: string; size: number } | null = null;
  /** The contents are those of flash: they cost no RAM until the first write. */
  private inFlash = false;

  constructor(fs: Ramdisk, type: VnodeType, rdev: number) {
    super(fs, type);
    this.ino = fs.newInode();
    this.rdev = rdev;
    this.node = new StoreNode(this);
  }

  /** The contents have changed: the times follow. */
  protected abstract changed(): void;
  abstract get size(): number;

  /** Bytes of a regular file. */
  protected get length(): number {
    if (this.unread) return this.unread.size;
    return this.adopted ? Math.max(this.node.getSize(), this.adopted.end) : this.node.getSize();
  }

  protected resize(size: number): Result {
    if (this.type !== 'reg') return -Errno.EINVAL;
    if (size > FILE_MAX) return -Errno.EFBIG;
    const pages = Math.ceil(size / PAGE_SIZE);
    const refused = this.leaveFlash() || this.disown(size, pages * PAGE_SIZE);
    if (refused) return refused;
    this.cutFrames(pages);
    const result = this.charge(pages);
    if (result) return result;
    this.node.resize(size, this.fs.pool);
    return 0;
  }

  /** Pages of the contents: all below the end, holes too, in memfs or in frames. */
  protected get held(): number {
    return this.adopted ? this.charged + this.adopted.count : this.charged;
  }

  /** Hold exactly `pages` pages. */
  private charge(pages: number): Result {
    const more = pages - this.held;
    const result = this.fs.budget.change(more);
    if (result === 0) this.charged += more;
    return result;
  }

  // ---- contents

  override read(offset: number, length: number): Uint8Array | Fail {
    if (this.type !== 'reg') return this.type === 'dir' ? -Errno.EISDIR : -Errno.EINVAL;
    if (!this.adopted) return this.readFlash() || this.node.view(offset, length);
    const { size } = this;
    return this.adopted.read(Math.min(offset, size), Math.min(offset + length, size), (at, bytes) => this.node.viewPadded(at, bytes));
  }

  override write(offset: number, bytes: Gather): Result {
    if (this.type !== 'reg') return -Errno.EINVAL;
    const wanted = gatherLength(bytes);
    if (wanted === 0) return 0;
    if (offset >= FILE_MAX) return -Errno.EFBIG;
    const copied = this.leaveFlash();
    if (copied) return copied;
    const length = this.roomFor(offset, Math.min(wanted, FILE_MAX - offset));
    if (length <= 0) return -Errno.ENOSPC;
    const refused = this.disown(offset, offset + length);
    if (refused) return refused;
    this.node.reserve(offset + length, this.fs.pool);
    this.node.store(offset, bytes, length);
    this.changed();
    return length;
  }

  /**
   * Charge the device for a write before memfs allocates anything; the bytes that may be written. memfs stores no holes,
   * so a hole counts as much as data, and a hole that does not fit refuses the write.
   */
  private roomFor(offset: number, length: number): number {
    const needed = Math.ceil((offset + length) / PAGE_SIZE);
    if (needed <= this.held || this.charge(needed) === 0) return length;
    const reachable = this.held + this.fs.budget.freePages();
    const room = Math.min(length, reachable * PAGE_SIZE - offset);
    return room > 0 && this.charge(Math.max(this.held, Math.ceil((offset + room) / PAGE_SIZE))) === 0 ? room : 0;
  }

  override allocate(offset: number, length: number, keepSize: boolean): Result {
    if (this.type !== 'reg') return -Errno.ENODEV;
    const end = offset + length;
    if (end > FILE_MAX) return -Errno.EFBIG;
    const pages = Math.ceil(end / PAGE_SIZE);
    const result = this.leaveFlash() || (pages > this.held ? this.charge(pages) : 0);
    if (result) return result;
    this.node.reserve(end, this.fs.pool);
    if (!keepSize && end > this.size) {
      this.node.resize(end, this.fs.pool);
      this.changed();
    }
    return 0;
  }

  /** A mapped file has all its bytes in the store, which its pager copies from and to. */
  override pager(): Pager | Fail {
    if (this.type !== 'reg') return -Errno.ENODEV;
    return this.disown(0, Infinity, true) ? -Errno.ENOMEM : pagerOf(this);
  }

  // ---- pages shared with a process

  override adopt(offset: number, frames: readonly number[]): Result {
    if (this.type !== 'reg' || offset % PAGE_SIZE !== 0) return -Errno.EINVAL;
    if (offset + frames.length * PAGE_SIZE > FILE_MAX) return -Errno.EFBIG;
    if (this.pages) return -Errno.EBUSY;
    const copied = this.leaveFlash();
    if (copied) return copied;
    const first = offset / PAGE_SIZE;
    const { budget, vfs } = this.fs;
    const fresh = Math.max(0, first + frames.length - Math.max(first, this.held));
    if (budget.freeLimit() < fresh || (first > this.held && this.charge(first))) return -Errno.ENOSPC;
    this.adopted ??= new AdoptedPages(vfs.ram);
    for (let i = 0; i < frames.length; i++) this.exchange(this.adopted, first + i, frames[i]);
    this.changed();
    return 0;
  }

  /** Page `index` is `frame` from now on: what memory it had in memfs goes back. */
  private exchange(adopted: AdoptedPages, index: number, frame: number): void {
    const { budget } = this.fs;
    if (adopted.at(index) < 0) {
      if (index < this.held) {
        budget.change(-1);
        this.charged--;
      }
      budget.adopt(1);
    }
    adopted.put(index, frame);
  }

  override frames(offset: number, pages: number): number[] | null {
    const { adopted } = this;
    return adopted ? Array.from({ length: pages }, (_, i) => adopted.at(offset / PAGE_SIZE + i)) : null;
  }

  override get lentFrames(): number {
    return this.adopted?.lent ?? 0;
  }

  /**
   * The bytes [start, end) are about to be written: frames in there become pages of memfs again. What shares a page with
   * them, or everything if `keep`, is copied. -ENOSPC when there is no memory for a copy.
   */
  private disown(start: number, end: number, keep = false): Result {
    const { adopted } = this;
    if (!adopted) return 0;
    for (const index of adopted.between(Math.floor(start / PAGE_SIZE), Math.ceil(end / PAGE_SIZE))) {
      const whole = start <= index * PAGE_SIZE && (index + 1) * PAGE_SIZE <= end;
      const result = this.disownPage(adopted, index, keep || !whole);
      if (result) return result;
    }
    if (adopted.count === 0) this.adopted = null;
    return 0;
  }

  private disownPage(adopted: AdoptedPages, index: number, copied: boolean): Result {
    const { budget, pool, vfs } = this.fs;
    const frame = adopted.at(index);
    if (vfs.ram.refs[frame] > 1 && vfs.ram.free() <= 0) return -Errno.ENOSPC;
    if (copied) {
      this.node.reserve((index + 1) * PAGE_SIZE, pool);
      this.node.store(index * PAGE_SIZE, vfs.ram.page(frame), PAGE_SIZE);
      vfs.meter.charge('copy.bytes', PAGE_SIZE);
    }
    adopted.release(index);
    budget.adopt(-1);
    this.charged++;
    return budget.change(1);
  }

  /** Give back the frames from page `first` on. */
  private cutFrames(first: number): void {
    const { adopted } = this;
    if (!adopted) return;
    for (const index of adopted.between(first, Infinity)) {
      adopted.release(index);
      this.fs.budget.adopt(-1);
    }
    if (adopted.count === 0) this.adopted = null;
  }

  /** Bring the contents in. EIO when flash does not give what it announced. */
  private readFlash(): Result {
    if (!this.unread || this.type !== 'reg') return 0;
    const { path, size } = this.unread;
    const content = this.fs.flash?.read(path);
    if (content?.length !== size) {
      this.fs.flashFailed(path);
      return -Errno.EIO;
    }
    this.unread = null;
    this.inFlash = true;
    this.node.adopt(content);
    return 0;
  }

  /** Copy up: the contents now take RAM. */
  private leaveFlash(): Result {
    const read = this.readFlash();
    if (read || !this.inFlash) return read;
    const result = this.charge(Math.ceil(this.size / PAGE_SIZE));
    if (result === 0) this.inFlash = false;
    return result;
  }

  /** The last name is gone: nothing needs to be read any more, and all memory goes back. */
  protected discard(): void {
    this.unread = null;
    this.inFlash = false;
    this.resize(0);
  }
}
