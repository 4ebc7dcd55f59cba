import { Errno, snapshotClass, type Result } from '../emulator/base/index.js';
import { PAGE_SIZE, type Ram } from '../emulator/memory/ram.js';

/** What the device's kernel would hold for an inode, and for a name besides its letters. */
export const INODE_BYTES = 512;
export const NAME_BYTES = 64;

/**
 * The memory a ramdisk takes from the device: file contents in whole pages, inodes and names summed up into
 * pages. Both are withdrawn from RAM, so a full device is a full ramdisk.
 */
export class Budget {
  private readonly ram: Ram;
  /** Upper limit of its own, in pages. */
  readonly maxPages: number;
  private pages = 0;
  /** Pages of files that are frames already charged to RAM (adopted-pages.ts): they count against the limit alone. */
  private frames = 0;
  private metaBytes = 0;
  inodes = 0;

  constructor(ram: Ram, maxPages: number) {
    this.ram = ram;
    this.maxPages = maxPages;
  }

  get usedPages(): number {
    return this.pages + this.frames;
  }

  freePages(): number {
    return Math.max(0, Math.min(this.ram.free(), this.freeLimit()));
  }

  /** Pages that the limit of its own still allows. */
  freeLimit(): number {
    return this.maxPages - this.usedPages;
  }

  /** Change the number of pages held; -ENOSPC leaves it as it was. */
  change(pages: number): Result {
    if (pages > 0) {
      if (this.usedPages + pages > this.maxPages || this.ram.withdraw(pages) < 0) return -Errno.ENOSPC;
    } else if (pages < 0) {
      this.ram.giveBack(-pages);
    }
    this.pages += pages;
    return 0;
  }

  /** Change the number of frames that are pages of files; the caller has asked for room. */
  adopt(frames: number): void {
    this.frames += frames;
  }

  /** Bytes of inodes and names. */
  changeMeta(bytes: number): Result {
    const before = Math.ceil(this.metaBytes / PAGE_SIZE);
    const after = Math.ceil((this.metaBytes + bytes) / PAGE_SIZE);
    const result = this.change(after - before);
    if (result === 0) this.metaBytes += bytes;
    return result;
  }
}
snapshotClass('RamdiskBudget', Budget);
