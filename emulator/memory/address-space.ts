import { Errno, failed, snapshotClass, type Fail, type Meter, type Result } from '../base/index.js';
import { AnonPager, type Pager } from './pager.js';
import { PageTable, PTE_COW, PTE_DIRTY, PTE_PRESENT, PTE_READ, PTE_WRITE } from './page-table.js';
import { FrameUse, PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, type Ram } from './ram.js';
import { Region, RegionFlag } from './region.js';
import { RegionList } from './region-list.js';
import { dropTlbPage, fillRead, fillWrite, flushTlb, flushWriteTlb } from './tlb.js';

export { PTE_COW, PTE_DIRTY, PTE_PRESENT, PTE_READ, PTE_WRITE };

/** Protection of a region, as PROT_*. Without the RIXI extension (the 24KEc has none) Linux/MIPS lets any of the three be read and executed. */
export const Prot = { none: 0, read: 1, write: 2, exec: 4 } as const;
export const Access = { read: 0, write: 1, exec: 2 } as const;
/** Why an access failed: nothing mapped, protection, no page behind the mapping (SIGBUS), out of memory. */
export const Fault = { maperr: -1, accerr: -2, bus: -3, oom: -4 } as const;

/** TASK_SIZE32 of Linux/MIPS: user addresses are below it. */
export const USER_END = 0x7fff_8000;
/** vm.mmap_min_addr: nothing is mapped below, so that null pointers fault. */
const USER_START = 0x1_0000;
/** mmap_base of arch/mips/mm/mmap.c with the usual 8 MiB stack limit: the gap for the stack is 128 MiB. */
const MAP_TOP = USER_END - 0x0800_0000;
/** stack_guard_gap: a stack grows no nearer than this to the mapping below it. */
const STACK_GUARD = 256 * PAGE_SIZE;
const PROT_ALL = 7;
/** mprotect: apply down to the start of a growing stack. */
const PROT_GROWSDOWN = 0x0100_0000;
/** mremap flags. */
const MREMAP_MAYMOVE = 1;
const MREMAP_FIXED = 2;

export interface MapRequest {
  /** A hint, or the place itself with `fixed`. */
  addr?: number;
  length: number;
  /** Prot bits. */
  prot: number;
  maxProt?: number;
  shared?: boolean;
  fixed?: boolean;
  /** With `fixed`: -EEXIST instead of replacing what is there. */
  noreplace?: boolean;
  /** null or absent: zero-filled memory. */
  pager?: Pager | null;
  /** In pages. */
  pageOffset?: number;
  name?: string;
  /** RegionFlag bits. */
  flags?: number;
}

export interface MappedPage {
  va: number;
  frame: number;
  /** PTE_* bits. */
  flags: number;
}

function pageStart(va: number): number {
  return va - (va & PAGE_MASK);
}

function pageEnd(va: number): number {
  return Math.ceil(va / PAGE_SIZE) * PAGE_SIZE;
}

/**
 * The memory of one process (or of several that share it): regions say what may be where, the page table
 * says what is there now. Addresses are unsigned numbers; signed ones are accepted wherever a guest's
 * register may be passed straight in.
 */
export class AddressSpace {
  readonly ram: Ram;
  readonly meter: Meter;
  /** Processes and vfork children that run in this space; the last destroy() tears it down. */
  users = 1;
  brkStart = 0;
  brk = 0;
  /** Bytes: RLIMIT_AS, RLIMIT_STACK, RLIMIT_DATA. */
  limit = Infinity;
  stackLimit = 8 << 20;
  dataLimit = Infinity;
  /** mmap without a place searches downward from here. */
  mapTop = MAP_TOP;
  private readonly list = new RegionList();
  private readonly table = new PageTable();

  constructor(ram: Ram, meter: Meter) {
    this.ram = ram;
    this.meter = meter;
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

  // ---- access -----------------------------------------------------------------------------------

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
    if (this.ram.activeSpace === this) fillWrite(this.ram, at, frame);
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

  private breakCow(at: number, pte: number): number {
    const frame = pte >> PAGE_SHIFT;
    this.meter.charge('fault.cow');
    if (this.ram.refs[frame] === 1) {
      this.ram.use[frame] = FrameUse.user;
      return this.install(at, frame, pte & PAGE_MASK & ~PTE_COW);
    }
    const copy = this.copyOf(frame);
    if (copy < 0) return Fault.oom;
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
  private setPte(at: number, pte: number): void {
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

  // ---- mapping ----------------------------------------------------------------------------------

  /** Map as mmap(2) does: the address, or -errno. */
  map(request: MapRequest): number {
    const length = pageEnd(request.length);
    if (!(length > 0)) return -Errno.EINVAL;
    if (length > USER_END) return -Errno.ENOMEM;
    const start = this.place(request, length);
    if (failed(start)) return start;
    const region = this.regionFor(request, start, length);
    const replaced = this.list.bytesIn(start, region.end);
    if (this.list.bytes() - replaced + length > this.limit || this.overcommits(region)) return -Errno.ENOMEM;
    if (replaced > 0) this.unmapRange(start, region.end);
    region.pager?.addRef();
    this.list.insert(region);
    return start;
  }

  private regionFor(request: MapRequest, start: number, length: number): Region {
    const { shared = false } = request;
    const anonymous = shared && !request.pager;
    const pager = anonymous ? new AnonPager(this.ram) : request.pager ?? null;
    return new Region({
      start, end: start + length, pager, shared,
      prot: request.prot & PROT_ALL, maxProt: request.maxProt ?? PROT_ALL,
      pageOffset: pager ? request.pageOffset ?? 0 : 0,
      name: request.name || (anonymous ? '/dev/zero (deleted)' : ''),
      flags: request.flags ?? 0,
    });
  }

  /** The heuristic of vm.overcommit_memory 0: refuse what could not fit the whole device. */
  private overcommits(region: Region): boolean {
    return !region.shared && (region.prot & Prot.write) !== 0 && !(region.flags & RegionFlag.noreserve)
      && region.end - region.start > this.ram.bytes;
  }

  private place(request: MapRequest, length: number): number {
    const addr = (request.addr ?? 0) >>> 0;
    if (request.fixed) {
      if (addr & PAGE_MASK) return -Errno.EINVAL;
      if (addr + length > USER_END) return -Errno.ENOMEM;
      if (addr < USER_START) return -Errno.EPERM;
      return request.noreplace && this.list.bytesIn(addr, addr + length) > 0 ? -Errno.EEXIST : addr;
    }
    const hint = pageEnd(addr);
    if (hint >= USER_START && hint + length <= USER_END && this.list.bytesIn(hint, hint + length) === 0) return hint;
    return this.findGap(length);
  }

  /** Top down from mapTop; when that half is full, bottom up over everything, as Linux does. */
  private findGap(length: number): number {
    const below = this.list.gapBelow(length, USER_START, this.mapTop);
    if (below >= 0) return below;
    const anywhere = this.list.gapAbove(length, USER_START, USER_END);
    return anywhere >= 0 ? anywhere : -Errno.ENOMEM;
  }

  unmap(addr: number, length: number): Result {
    const start = addr >>> 0;
    const end = start + pageEnd(length);
    if (start & PAGE_MASK || end > USER_END || end === start) return -Errno.EINVAL;
    this.unmapRange(start, end);
    return 0;
  }

  private unmapRange(start: number, end: number): void {
    for (const region of this.list.cut(start, end)) {
      this.dropPages(region.start, region.end);
      region.pager?.release();
    }
  }

  private dropPages(start: number, end: number): void {
    this.table.forEach(start, end, (va, pte) => {
      this.setPte(va, 0);
      this.ram.release(pte >> PAGE_SHIFT);
    });
  }

  /** mprotect(2): a hole in the range is -ENOMEM, after what lies before it was changed. */
  protect(addr: number, length: number, prot: number): Result {
    let start = addr >>> 0;
    const end = start + pageEnd(length);
    if (start & PAGE_MASK) return -Errno.EINVAL;
    if (end > USER_END) return -Errno.ENOMEM;
    if (prot & PROT_GROWSDOWN) {
      const region = this.list.find(start);
      if (!region) return -Errno.ENOMEM;
      if (!(region.flags & RegionFlag.growsdown)) return -Errno.EINVAL;
      start = region.start;
    }
    const result = this.protectRange(start, end, prot & PROT_ALL);
    this.list.merge(start, end);
    return result;
  }

  private protectRange(start: number, end: number, prot: number): Result {
    let at = start;
    this.list.split(start);
    this.list.split(end);
    for (const region of this.list.overlapping(start, end)) {
      if (region.start > at) return -Errno.ENOMEM;
      if (prot & ~region.maxProt) return -Errno.EACCES;
      region.prot = prot;
      this.refreshFlags(region);
      at = region.end;
    }
    return at < end ? -Errno.ENOMEM : 0;
  }

  private refreshFlags(region: Region): void {
    const flags = this.pteFlags(region);
    this.table.forEach(region.start, region.end, (va, pte) => {
      this.setPte(va, (pte & ~(PTE_READ | PTE_WRITE)) | flags);
    });
  }

  /** brk(2) of Linux: the new break, or the old one when it cannot move. */
  setBrk(addr: number): number {
    const wanted = addr >>> 0;
    if (wanted < this.brkStart || wanted > USER_END) return this.brk;
    const [from, to] = [pageEnd(this.brk), pageEnd(wanted)];
    if (to > from && !this.growHeap(from, to)) return this.brk;
    if (to < from) this.unmapRange(to, from);
    this.brk = wanted;
    return wanted;
  }

  private growHeap(from: number, to: number): boolean {
    if (to - this.brkStart > this.dataLimit || this.list.bytesIn(from, to) > 0) return false;
    return !failed(this.map({ addr: from, length: to - from, prot: PROT_ALL, fixed: true, noreplace: true, name: '[heap]' }));
  }

  /** mremap(2); the old range must lie within one region. */
  remap(addr: number, oldLength: number, newLength: number, flags: number, newAddr: number): number {
    const start = addr >>> 0;
    const [before, after] = [pageEnd(oldLength), pageEnd(newLength)];
    const fixed = (flags & MREMAP_FIXED) !== 0;
    if (start & PAGE_MASK || after === 0 || flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED)) return -Errno.EINVAL;
    if (fixed && (!(flags & MREMAP_MAYMOVE) || newAddr & PAGE_MASK)) return -Errno.EINVAL;
    const region = this.list.find(start);
    if (!region || before === 0 || start + before > region.end) return before === 0 ? -Errno.EINVAL : -Errno.EFAULT;
    if (fixed) return this.moveTo(start, before, after, newAddr >>> 0);
    if (after <= before) {
      if (after < before) this.unmapRange(start + after, start + before);
      return start;
    }
    if (this.list.bytes() + after - before > this.limit || after > this.ram.bytes) return -Errno.ENOMEM;
    if (start + before === region.end && this.growInPlace(region, start + after)) return start;
    if (!(flags & MREMAP_MAYMOVE)) return -Errno.ENOMEM;
    const target = this.findGap(after);
    return failed(target) ? target : this.move(start, before, after, target);
  }

  private growInPlace(region: Region, end: number): boolean {
    if (end > USER_END || this.list.bytesIn(region.end, end) > 0) return false;
    region.end = end;
    this.list.merge(region.start, end);
    return true;
  }

  private moveTo(start: number, before: number, after: number, target: number): number {
    if (target + after > USER_END || (target < start + before && start < target + after)) return -Errno.EINVAL;
    if (target < USER_START) return -Errno.EPERM;
    const replaced = this.list.bytesIn(target, target + after);
    if (this.list.bytes() - replaced + after - before > this.limit || after > this.ram.bytes) return -Errno.ENOMEM;
    this.unmapRange(target, target + after);
    if (after < before) this.unmapRange(start + after, start + before);
    return this.move(start, Math.min(before, after), after, target);
  }

  private move(start: number, before: number, after: number, target: number): number {
    const [region] = this.list.cut(start, start + before);
    const moved = region.slice(region.start, region.end);
    moved.start = target;
    moved.end = target + after;
    this.table.forEach(start, start + before, (va, pte) => {
      this.setPte(va, 0);
      this.setPte(va - start + target, pte);
    });
    this.list.insert(moved);
    return target;
  }

  /** MADV_DONTNEED: private pages are lost (zero or the file's contents again), shared ones unmapped. */
  discard(addr: number, length: number): Result {
    const start = addr >>> 0;
    const end = start + pageEnd(length);
    if (start & PAGE_MASK || end > USER_END) return -Errno.EINVAL;
    this.dropPages(start, end);
    return this.list.covers(start, end) ? 0 : -Errno.ENOMEM;
  }

  // ---- life -------------------------------------------------------------------------------------

  /** A copy: private pages copy-on-write in both, shared mappings truly shared. */
  fork(): AddressSpace | Fail {
    const child = new AddressSpace(this.ram, this.meter);
    const { brkStart, brk, limit, stackLimit, dataLimit, mapTop } = this;
    Object.assign(child, { brkStart, brk, limit, stackLimit, dataLimit, mapTop });
    for (const region of this.list.items) {
      region.pager?.addRef();
      child.list.items.push(region.slice(region.start, region.end));
      this.forkPages(region, child);
    }
    if (this.ram.activeSpace === this) flushWriteTlb(this.ram);
    return child;
  }

  private forkPages(region: Region, child: AddressSpace): void {
    let pages = 0;
    this.table.forEach(region.start, region.end, (va, pte) => {
      const entry = region.shared ? pte : pte | PTE_COW;
      this.ram.addRef(pte >> PAGE_SHIFT);
      this.table.set(va, entry);
      child.table.set(va, entry);
      pages++;
    });
    if (pages > 0) this.meter.charge('fork.page', pages);
  }

  /** One more process runs here (CLONE_VM). */
  retain(): void {
    this.users++;
  }

  /** One user less; the last one unmaps everything. */
  destroy(): void {
    if (--this.users > 0) return;
    this.unmapRange(0, USER_END);
    this.table.clear();
    if (this.ram.activeSpace === this) {
      flushTlb(this.ram);
      this.ram.activeSpace = null;
    }
  }

  // ---- pages, for checkpoints, cores and /proc --------------------------------------------------------

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

  // ---- the kernel's access to user memory -----------------------------------------------------------------

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
      const nul = this.ram.u8.subarray(from, from + size).indexOf(0);
      const taken = nul < 0 ? size : nul;
      text += Buffer.from(this.ram.memory.buffer, from, taken).toString('latin1');
      this.meter.charge('copy.bytes', taken + 1);
      if (nul >= 0) return text;
      at += size;
    }
    return -Errno.ENAMETOOLONG;
  }


  /** `count` little-endian words at any alignment. */
  readWords(va: number, count: number): Int32Array | Fail {
    const bytes = this.copyin(va, count * 4);
    return failed(bytes) ? bytes : new Int32Array(bytes.buffer);
  }

  writeWords(va: number, words: ArrayLike<number>): Result {
    return this.copyout(va, new Uint8Array(Int32Array.from(words).buffer));
  }
}
snapshotClass('AddressSpace', AddressSpace);
