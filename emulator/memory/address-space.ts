import { Errno, failed, snapshotClass, type Fail, type Result } from '../base/index.js';
import { Access, Fault, PagedSpace, pageStart, Prot, USER_END, USER_START, type MappedPage } from './paged-space.js';
import { AnonPager, type Pager } from './pager.js';
import { PTE_COW, PTE_DIRTY, PTE_PRESENT, PTE_READ, PTE_WRITE } from './page-table.js';
import { PAGE_MASK, PAGE_SHIFT, PAGE_SIZE } from './ram.js';
import { Region, RegionFlag } from './region.js';
import { flushTlb, flushWriteTlb } from './tlb.js';

export { Access, AnonPager, Fault, pageStart, Prot, PTE_COW, PTE_DIRTY, PTE_PRESENT, PTE_READ, PTE_WRITE, Region, RegionFlag, USER_END, USER_START };
export type { MappedPage, Pager };

/** mmap_base of arch/mips/mm/mmap.c with the usual 8 MiB stack limit: the gap for the stack is 128 MiB. */
const MAP_TOP = USER_END - 0x0800_0000;
/** vm.max_map_count: regions a space may have. */
const REGIONS_MAX = 65_530;
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

export function pageEnd(va: number): number {
  return Math.ceil(va / PAGE_SIZE) * PAGE_SIZE;
}

/** Regions a frame holds (Linux's vm_area_struct and its share of the tree); the first ones lie in the process itself. */
const REGIONS_A_FRAME = 16;
const regionFrames = (count: number): number => Math.max(0, Math.ceil(count / REGIONS_A_FRAME) - 2);

/**
 * The memory of one process, or of several that share it: what mmap(2), brk(2) and fork(2) do to the
 * regions, on top of the paging of PagedSpace.
 */
export class AddressSpace extends PagedSpace {
  /** Processes that run in this space (vfork, CLONE_VM). */
  users = 1;
  brkStart = 0;
  brk = 0;
  /** Bytes: RLIMIT_DATA. */
  dataLimit = Infinity;
  /** mmap without a place searches downward from here. */
  mapTop = MAP_TOP;
  /** Frames charged for regions. */
  private regionFrames = 0;

  /** Map as mmap(2) does: the address, or -errno. */
  map(request: MapRequest): number {
    const length = pageEnd(request.length);
    if (!(length > 0)) return -Errno.EINVAL;
    if (length > USER_END) return -Errno.ENOMEM;
    const start = this.place(request, length);
    if (failed(start)) return start;
    const region = this.regionFor(request, start, length);
    const replaced = this.list.bytesIn(start, region.end);
    if (this.exceedsLimit(length - replaced) || this.overcommits(region) || this.crowded(1)) return -Errno.ENOMEM;
    if (replaced > 0) this.unmapRange(start, region.end);
    region.pager?.addRef();
    this.list.insert(region);
    this.settleRegions();
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

  private exceedsLimit(more: number): boolean {
    return this.limit !== Infinity && this.list.bytes() + more > this.limit;
  }

  /** The heuristic of vm.overcommit_memory 0: refuse what could not fit the whole device. */
  private overcommits(region: Region): boolean {
    return !region.shared && (region.prot & Prot.write) !== 0 && !(region.flags & RegionFlag.noreserve)
      && region.end - region.start > this.ram.bytes;
  }

  /** `more` further regions would be too many, or there is no memory for them. */
  private crowded(more: number): boolean {
    const count = this.list.items.length + more;
    return count > REGIONS_MAX || regionFrames(count) > this.regionFrames + Math.max(0, this.ram.free());
  }

  /** Charge the regions there are now to the device. */
  private settleRegions(): void {
    const frames = regionFrames(this.list.items.length);
    if (frames > this.regionFrames) this.ram.charge(frames - this.regionFrames);
    else this.ram.giveBack(this.regionFrames - frames);
    this.regionFrames = frames;
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
    const around = this.list.find(start);
    if (around && around.start < start && end < around.end && this.crowded(1)) return -Errno.ENOMEM;
    this.unmapRange(start, end);
    return 0;
  }

  private unmapRange(start: number, end: number): void {
    for (const region of this.list.cut(start, end)) {
      this.dropPages(region.start, region.end);
      region.pager?.release();
    }
    this.settleRegions();
  }

  /** mprotect(2): a hole in the range is -ENOMEM, after what lies before it was changed. */
  protect(addr: number, length: number, prot: number): Result {
    let start = addr >>> 0;
    const end = start + pageEnd(length);
    if (start & PAGE_MASK) return -Errno.EINVAL;
    if (end > USER_END || this.crowded(2)) return -Errno.ENOMEM;
    if (prot & PROT_GROWSDOWN) {
      const region = this.list.find(start);
      if (!region) return -Errno.ENOMEM;
      if (!(region.flags & RegionFlag.growsdown)) return -Errno.EINVAL;
      start = region.start;
    }
    const result = this.protectRange(start, end, prot & PROT_ALL);
    this.list.merge(start, end);
    this.settleRegions();
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
    const target = newAddr >>> 0;
    if (fixed && (!(flags & MREMAP_MAYMOVE) || target & PAGE_MASK || target + after > USER_END)) return -Errno.EINVAL;
    if (fixed && target < start + before && start < target + after) return -Errno.EINVAL;
    const region = this.list.find(start);
    if (this.crowded(2)) return -Errno.ENOMEM;
    if (!region || before === 0 || start + before > region.end) return before === 0 ? -Errno.EINVAL : -Errno.EFAULT;
    if (fixed) return this.moveTo(start, before, after, target);
    if (after <= before) {
      if (after < before) this.unmapRange(start + after, start + before);
      return start;
    }
    if (this.exceedsLimit(after - before) || after > this.ram.bytes) return -Errno.ENOMEM;
    if (start + before === region.end && this.growInPlace(region, start + after)) return start;
    if (!(flags & MREMAP_MAYMOVE)) return -Errno.ENOMEM;
    const gap = this.findGap(after);
    return failed(gap) ? gap : this.move(start, before, after, gap);
  }

  private growInPlace(region: Region, end: number): boolean {
    if (end > USER_END || this.list.bytesIn(region.end, end) > 0) return false;
    region.end = end;
    this.list.merge(region.start, end);
    return true;
  }

  private moveTo(start: number, before: number, after: number, target: number): number {
    if (target < USER_START) return -Errno.EPERM;
    const replaced = this.list.bytesIn(target, target + after);
    if (this.exceedsLimit(after - before - replaced) || after > this.ram.bytes) return -Errno.ENOMEM;
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
    this.settleRegions();
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

  /** A copy: private pages copy-on-write in both, shared mappings truly shared. */
  fork(): AddressSpace | Fail {
    if (this.table.frames + this.regionFrames > this.ram.free()) return -Errno.ENOMEM;
    const child = new AddressSpace(this.ram, this.meter);
    const { brkStart, brk, limit, stackLimit, dataLimit, mapTop } = this;
    Object.assign(child, { brkStart, brk, limit, stackLimit, dataLimit, mapTop });
    for (const region of this.list.items) {
      region.pager?.addRef();
      child.list.items.push(region.slice(region.start, region.end));
      this.forkPages(region, child);
    }
    if (this.ram.activeSpace === this) flushWriteTlb(this.ram);
    child.settleRegions();
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

  /**
   * Have exactly these regions from now on (a thaw). Their pagers are already counted; the old regions come back with
   * theirs still counted. Pages stay as they are: the caller sees to each of them.
   */
  overlayRegions(regions: readonly Region[]): Region[] {
    const before = [...this.list.items];
    this.list.replace(regions);
    this.settleRegions();
    return before;
  }

  /** One more process runs here. */
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
}
snapshotClass('AddressSpace', AddressSpace);
