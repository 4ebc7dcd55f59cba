import { Errno, failed, type Fail, type Meter, type Result } from '../base/index.js';
import { PageTable, PTE_COW, PTE_DIRTY, PTE_PRESENT, PTE_READ, PTE_WRITE } from './page-table.js';
import { FrameUse, PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, type Ram } from './ram.js';
import { RegionFlag, type Region } from './region.js';
import { RegionList } from './region-list.js';
import { dropTlbPage, fillRead, fillWrite, flushTlb, flushWriteTlb } from './tlb.js';

/** Protection of a region, as PROT_*. Without the RIXI extension (the 24KEc has none) Linux/MIPS lets any of the three be read and executed. */
export const Prot = { none: 0, read: 1, write: 2, exec: 4 } as const;
export const Access = { read: 0, write: 1, exec: 2 } as const;
/** Why an access failed: nothing mapped, protection, no page behind the mapping (SIGBUS), out of memory. */
export const Fault = { maperr: -1, accerr: -2, bus: -3, oom: -4 } as const;

/** TASK_SIZE32 of Linux/MIPS: user addresses are below it. */
export const USER_END = 0x7fff_8000;
/** vm.mmap_min_addr: nothing is mapped below, so that null pointers fault. */
export const USER_START = 0x1_0000;
/** stack_guard_gap: a stack grows no nearer than this to the mapping below it. */
const STACK_GUARD = 256 * PAGE_SIZE;

export interface MappedPage {
  va: number;
  frame: number;
  /** PTE_* bits. */
  flags: number;
}

export function pageStart(va: number): number {
  return va - (va & PAGE_MASK);
}

/** Aligned words that one translation finds: what structures nearly always are. */
function inOnePage(va: number, words: number): boolean {
  return (va & 3) === 0 && words > 0 && (va & PAGE_MASK) + words * 4 <= PAGE_SIZE;
}

/** Below this length a loop over the bytes is faster than a view and a native call. */
const SHORT = 24;

/** Where the first NUL lies, counted from `at`; negative if none is among `size` bytes. */
function nulAt(bytes: Uint8Array, at: number, size: number): number {
  const short = Math.min(size, SHORT);
  for (let i = 0; i < short; i++) if (bytes[at + i] === 0) return i;
  return bytes.subarray(at, at + size).indexOf(0);
}

function latin1(bytes: Uint8Array, at: number, length: number): string {
  if (length >= SHORT) return Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('latin1');
  let text = '';
  for (let i = 0; i < length; i++) text += String.fromCharCode(bytes[at + i]);
  return text;
}

/**
 * The access half of an address space: page faults, the page table, the TLBs and the kernel's copies.
 * Regions say what may be where, the page table says what is there now. Addresses are unsigned numbers;
 * signed ones are accepted wherever a guest's register may be passed straight in.
 */
export abstract class PagedSpace {
  readonly ram: Ram;
  readonly meter: Meter;
  /** Bytes: RLIMIT_AS, RLIMIT_STACK. */
  limit = Infinity;
  stackLimit = 8 << 20;
  protected readonly list = new RegionList();
  protected readonly table: PageTable;

  constructor(ram: Ram, meter: Meter) {
    this.ram = ram;
    this.meter = meter;
    this.table = new PageTable(ram);
  }

  /** Sorted and disjoint; the caller must not change them. */
  get regions(): readonly Region[] {
    return this.list.items;
  }

  find(va: number): Region | null {
    return this.list.find(va >>> 0);
  }

  /** Every byte of [addr, addr + length) is mapped. */
  covers(addr: number, length: number): boolean {
    return this.list.covers(addr >>> 0, (addr >>> 0) + length);
  }

  /** Bytes mapped, resident or not (VmSize). */
  mappedBytes(): number {
    return this.list.bytes();
  }

  /** Make this the space the TLBs describe. */
  activate(): void {
    if (this.ram.activeSpace === this) return;
    flushTlb(this.ram);
    this.ram.activeSpace = this;
  }

  /**
   * The Ram byte address of `va` after whatever paging in, copying or stack growth the access needs, or a
   * Fault. Valid up to the end of the page. Fills the TLBs when this is the active space.
   */
  resolve(va: number, access: number): number {
    const at = va >>> 0;
    if (at >= USER_END) return Fault.maperr;
    let pte = this.table.get(at);
    if (access === Access.write) {
      if ((pte & (PTE_PRESENT | PTE_WRITE | PTE_COW)) !== (PTE_PRESENT | PTE_WRITE)) pte = this.fault(at, access);
      if (pte < 0) return pte;
      this.wroteTo(at, pte);
    } else {
      if ((pte & (PTE_PRESENT | PTE_READ)) !== (PTE_PRESENT | PTE_READ)) pte = this.fault(at, access);
      if (pte < 0) return pte;
      if (this.ram.activeSpace === this) fillRead(this.ram, at, pte >> PAGE_SHIFT);
    }
    return this.ram.frameBase + (pte & ~PAGE_MASK) + (at & PAGE_MASK);
  }

  private wroteTo(at: number, pte: number): void {
    const frame = pte >> PAGE_SHIFT;
    if (!(pte & PTE_DIRTY)) {
      this.table.set(at, pte | PTE_DIRTY);
      const region = this.list.find(at);
      if (region?.shared) region.pager?.markDirty?.(region.index(pageStart(at)));
    }
    if (this.ram.code[frame]) this.ram.dropCode(frame);
    if (this.ram.activeSpace === this && !this.ram.storesWatched) fillWrite(this.ram, at, frame);
  }

  /** The page fault proper: the new page table entry, or a Fault. */
  private fault(at: number, access: number): number {
    const region = this.list.find(at) ?? this.growStack(at);
    if (!region) return Fault.maperr;
    if (access === Access.write ? !(region.prot & Prot.write) : region.prot === Prot.none) return Fault.accerr;
    const pte = this.table.get(at);
    if (!pte) return this.pageIn(region, at, access === Access.write);
    return pte & PTE_COW && access === Access.write ? this.breakCow(at, pte) : pte;
  }

  private pageIn(region: Region, at: number, write: boolean): number {
    this.meter.charge('fault.page');
    if (!region.pager) {
      const frame = this.ram.alloc(FrameUse.user);
      if (frame < 0) return Fault.oom;
      this.meter.charge('zero.bytes', PAGE_SIZE);
      return this.install(at, frame, this.pteFlags(region));
    }
    const frame = region.pager.pageIn(region.index(pageStart(at)));
    if (frame < 0) return frame === -Errno.ENOMEM ? Fault.oom : Fault.bus;
    if (region.shared) return this.install(at, frame, this.pteFlags(region));
    if (!write) return this.install(at, frame, this.pteFlags(region) | PTE_COW);
    const copy = this.copyOf(frame);
    this.ram.release(frame);
    return copy < 0 ? Fault.oom : this.install(at, copy, this.pteFlags(region));
  }

  private pteFlags(region: Region): number {
    return PTE_PRESENT | (region.prot ? PTE_READ : 0) | (region.prot & Prot.write ? PTE_WRITE : 0);
  }

  /** Booked as "fault.cow"; "cow.copy" counts those that had to copy, because somebody else holds the frame. */
  private breakCow(at: number, pte: number): number {
    const frame = pte >> PAGE_SHIFT;
    this.meter.charge('fault.cow');
    if (this.ram.refs[frame] === 1) {
      this.ram.use[frame] = FrameUse.user;
      return this.install(at, frame, pte & PAGE_MASK & ~PTE_COW);
    }
    const copy = this.copyOf(frame);
    if (copy < 0) return Fault.oom;
    this.meter.ledger.count('cow.copy');
    this.ram.release(frame);
    return this.install(at, copy, pte & PAGE_MASK & ~PTE_COW);
  }

  private copyOf(frame: number): number {
    const copy = this.ram.alloc(FrameUse.user, false);
    if (copy < 0) return copy;
    this.ram.copyPage(frame, copy);
    this.meter.charge('copy.bytes', PAGE_SIZE);
    return copy;
  }

  private install(at: number, frame: number, flags: number): number {
    const pte = (frame << PAGE_SHIFT) | flags;
    this.setPte(at, pte);
    return pte;
  }

  /** Every change of an entry goes through here or flushes the TLBs itself. */
  protected setPte(at: number, pte: number): void {
    this.table.set(at, pte);
    if (this.ram.activeSpace === this) dropTlbPage(this.ram, at);
  }

  /** Extend a MAP_GROWSDOWN region down to the page of `at`, within RLIMIT_STACK and clear of what lies below. */
  private growStack(at: number): Region | null {
    const index = this.list.indexAbove(at);
    const region = this.list.items[index];
    if (!region || !(region.flags & RegionFlag.growsdown)) return null;
    const start = pageStart(at);
    const below = this.list.items[index - 1];
    const floor = below && below.prot && !(below.flags & RegionFlag.growsdown) ? below.end + STACK_GUARD : below?.end ?? USER_START;
    if (start < floor || region.end - start > this.stackLimit) return null;
    if (this.list.bytes() + region.start - start > this.limit) return null;
    region.start = start;
    return region;
  }

  protected dropPages(start: number, end: number): void {
    this.table.forEach(start, end, (va, pte) => {
      this.setPte(va, 0);
      this.ram.release(pte >> PAGE_SHIFT);
    });
  }

  protected refreshFlags(region: Region): void {
    const flags = this.pteFlags(region);
    this.table.forEach(region.start, region.end, (va, pte) => {
      this.setPte(va, (pte & ~(PTE_READ | PTE_WRITE)) | flags);
    });
  }

  /** Call `visit` for every present page in [start, end), upward. */
  forEachPage(start: number, end: number, visit: (va: number, frame: number) => void): void {
    this.table.forEach(start, end, (va, pte) => visit(va, pte >> PAGE_SHIFT));
  }

  /** Present pages in [start, end), upward. */
  pages(start = 0, end = USER_END): MappedPage[] {
    const result: MappedPage[] = [];
    this.table.forEach(start, end, (va, pte) => {
      result.push({ va, frame: pte >> PAGE_SHIFT, flags: pte & PAGE_MASK });
    });
    return result;
  }

  /** The frame of a present page, or -1. */
  frameAt(va: number): number {
    const pte = this.table.get(va >>> 0);
    return pte ? pte >> PAGE_SHIFT : -1;
  }

  /** PTE_* bits of the page, 0 when it is not present. */
  flagsAt(va: number): number {
    return this.table.get(va >>> 0) & PAGE_MASK;
  }

  /**
   * Put `frame` at `va`, taking over the caller's reference; a page there before is released. With `cow`
   * the next write copies the frame (or keeps it, when nobody else holds it by then).
   */
  setPage(va: number, frame: number, writable: boolean, cow = false): void {
    const at = pageStart(va >>> 0);
    const region = this.list.find(at);
    this.dropPage(at);
    const flags = PTE_PRESENT | PTE_DIRTY | (region?.prot === 0 ? 0 : PTE_READ) | (writable ? PTE_WRITE : 0) | (cow ? PTE_COW : 0);
    this.setPte(at, (frame << PAGE_SHIFT) | flags);
  }

  dropPage(va: number): void {
    const pte = this.table.get(va >>> 0);
    if (!pte) return;
    this.setPte(va >>> 0, 0);
    this.ram.release(pte >> PAGE_SHIFT);
  }

  /** The present page at `va` gets one more holder (the caller): it is copied before it is next written. */
  sharePage(va: number): number {
    const pte = this.table.get(va >>> 0);
    if (!pte) return -1;
    this.ram.addRef(pte >> PAGE_SHIFT);
    this.setPte(va >>> 0, pte | PTE_COW);
    return pte >> PAGE_SHIFT;
  }

  /** Forget what was written so far; the next write to a page sets its PTE_DIRTY again. */
  clearDirty(): void {
    this.table.forEach(0, USER_END, (va, pte) => this.table.set(va, pte & ~PTE_DIRTY));
    if (this.ram.activeSpace === this) flushWriteTlb(this.ram);
  }

  residentPages(): number {
    let pages = 0;
    this.table.forEach(0, USER_END, () => { pages++; });
    return pages;
  }

  private failure(fault: number): Fail {
    return fault === Fault.oom ? -Errno.ENOMEM : -Errno.EFAULT;
  }

  private inUserHalf(va: number, length: number): boolean {
    return length >= 0 && (va >>> 0) + length <= 0x8000_0000;
  }

  /** Call `visit(byte address in Ram, length, offset)` for each page's share of [va, va + length). */
  private eachPiece(va: number, length: number, access: number, visit: (at: number, size: number, offset: number) => void): Result {
    if (!this.inUserHalf(va, length)) return -Errno.EFAULT;
    const start = va >>> 0;
    for (let offset = 0; offset < length;) {
      const at = this.resolve(start + offset, access);
      if (at < 0) return this.failure(at);
      const size = Math.min(length - offset, PAGE_SIZE - ((start + offset) & PAGE_MASK));
      visit(at, size, offset);
      offset += size;
    }
    return 0;
  }

  /** A copy of user memory, or -EFAULT. */
  copyin(va: number, length: number): Uint8Array | Fail {
    if (!this.inUserHalf(va, length)) return -Errno.EFAULT;
    if (length > this.ram.bytes) return -Errno.ENOMEM;
    const bytes = new Uint8Array(length);
    const result = this.eachPiece(va, length, Access.read, (at, size, offset) => {
      bytes.set(this.ram.u8.subarray(at, at + size), offset);
    });
    if (failed(result)) return result;
    this.meter.charge('copy.bytes', length);
    return bytes;
  }

  /** Write user memory; on -EFAULT what lies before the bad page has been written. */
  copyout(va: number, bytes: Uint8Array): Result {
    const result = this.eachPiece(va, bytes.length, Access.write, (at, size, offset) => {
      this.ram.u8.set(bytes.subarray(offset, offset + size), at);
    });
    if (failed(result)) return result;
    this.meter.charge('copy.bytes', bytes.length);
    return 0;
  }

  /** Write zeros. */
  zero(va: number, length: number): Result {
    const result = this.eachPiece(va, length, Access.write, (at, size) => {
      this.ram.u8.fill(0, at, at + size);
    });
    if (failed(result)) return result;
    this.meter.charge('zero.bytes', length);
    return 0;
  }

  /** Bytes up to a NUL as Latin-1; -ENAMETOOLONG when none is among the first `max`. */
  copyinString(va: number, max = 4096): string | Fail {
    let text = '';
    for (let at = va >>> 0; text.length < max;) {
      const from = this.resolve(at, Access.read);
      if (from < 0) return this.failure(from);
      const size = Math.min(max - text.length, PAGE_SIZE - (at & PAGE_MASK));
      const nul = nulAt(this.ram.u8, from, size);
      const taken = nul < 0 ? size : nul;
      text += latin1(this.ram.u8, from, taken);
      this.meter.charge('copy.bytes', taken + 1);
      if (nul >= 0) return text;
      at += size;
    }
    return -Errno.ENAMETOOLONG;
  }

  /** `count` little-endian words at any alignment. */
  readWords(va: number, count: number): Int32Array | Fail {
    if (inOnePage(va, count)) {
      const at = this.resolve(va, Access.read);
      if (at < 0) return this.failure(at);
      this.meter.charge('copy.bytes', count * 4);
      return this.ram.i32.slice(at >> 2, (at >> 2) + count);
    }
    const bytes = this.copyin(va, count * 4);
    return failed(bytes) ? bytes : new Int32Array(bytes.buffer);
  }

  writeWords(va: number, words: ArrayLike<number>): Result {
    if (inOnePage(va, words.length)) {
      const at = this.resolve(va, Access.write);
      if (at < 0) return this.failure(at);
      this.meter.charge('copy.bytes', words.length * 4);
      for (let i = 0; i < words.length; i++) this.ram.i32[(at >> 2) + i] = words[i];
      return 0;
    }
    return this.copyout(va, new Uint8Array(Int32Array.from(words).buffer));
  }

  /**
   * Like copyin, for observers (strace, debuggers): nothing is paged in, no work is booked, no TLB filled, so
   * that looking does not change what happens.
   */
  peek(va: number, length: number): Uint8Array | Fail {
    if (!this.inUserHalf(va, length) || length > this.ram.bytes) return -Errno.EFAULT;
    const start = va >>> 0;
    const bytes = new Uint8Array(length);
    for (let offset = 0; offset < length;) {
      const at = start + offset;
      const size = Math.min(length - offset, PAGE_SIZE - (at & PAGE_MASK));
      const page = this.peekPage(at);
      if (!page) return -Errno.EFAULT;
      bytes.set(page.subarray(at & PAGE_MASK, (at & PAGE_MASK) + size), offset);
      offset += size;
    }
    return bytes;
  }

  private peekPage(at: number): Uint8Array | null {
    const region = this.list.find(at);
    if (!region || region.prot === Prot.none) return null;
    const pte = this.table.get(at);
    if (pte) return this.ram.page(pte >> PAGE_SHIFT);
    return region.pager ? region.pager.peek(region.index(pageStart(at))) : new Uint8Array(0);
  }

  peekWords(va: number, count: number): Int32Array | Fail {
    const bytes = this.peek(va, count * 4);
    return failed(bytes) ? bytes : new Int32Array(bytes.buffer);
  }

  peekString(va: number, max = 4096): string | Fail {
    let text = '';
    for (let at = va >>> 0; text.length < max;) {
      const piece = this.peek(at, Math.min(max - text.length, PAGE_SIZE - (at & PAGE_MASK)));
      if (failed(piece)) return piece;
      const nul = piece.indexOf(0);
      text += Buffer.from(nul < 0 ? piece : piece.subarray(0, nul)).toString('latin1');
      if (nul >= 0) return text;
      at += piece.length;
    }
    return -Errno.ENAMETOOLONG;
  }
}
