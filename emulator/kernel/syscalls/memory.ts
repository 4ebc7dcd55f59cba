import { Errno, failed, type Result } from '../../base/index.js';
import { Access, PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, pageEnd, Prot, RegionFlag, type MapRequest, type Pager } from '../../memory/index.js';
import type { Kernel } from '../kernel.js';
import { Rlimit } from '../limits.js';
import { defineSyscalls } from '../syscall-table.js';
import type { Thread } from '../thread.js';

/** brk, mmap and their relatives (mmap(2), mremap(2), madvise(2), mlock(2), msync(2), mincore(2)). */

/** MAP_* of MIPS (asm/mman.h). */
const MAP = { SHARED: 1, PRIVATE: 2, SHARED_VALIDATE: 3, TYPE: 0xf, FIXED: 0x10, ANONYMOUS: 0x800, LOCKED: 0x8000, POPULATE: 0x1_0000, HUGETLB: 0x8_0000, FIXED_NOREPLACE: 0x10_0000 } as const;
const KEPT_FLAGS = RegionFlag.noreserve | RegionFlag.growsdown;
const PROT_KNOWN = 0x0300_000f;
const MADV = { NORMAL: 0, RANDOM: 1, SEQUENTIAL: 2, WILLNEED: 3, DONTNEED: 4, FREE: 8 } as const;
const MS = { ASYNC: 1, INVALIDATE: 2, SYNC: 4 } as const;
/** sysmips(2). */
const SYSMIPS = { SETNAME: 1, FLUSH_CACHE: 3, FIXADE: 7, RMW: 2001 } as const;

interface Source {
  pager: Pager | null;
  name: string;
  maxProt: number;
}

const anywhere: Source = { pager: null, name: '', maxProt: Prot.read | Prot.write | Prot.exec };

/** `pageOffset` in pages. */
function map(thread: Thread, addr: number, length: number, prot: number, flags: number, fd: number, pageOffset: number): number {
  const type = flags & MAP.TYPE;
  if (length === 0 || flags & MAP.HUGETLB || (type !== MAP.SHARED && type !== MAP.PRIVATE && type !== MAP.SHARED_VALIDATE)) return -Errno.EINVAL;
  if ((length >>> 0) > 0x8000_0000) return -Errno.ENOMEM;
  const shared = type !== MAP.PRIVATE;
  const source = flags & MAP.ANONYMOUS ? anywhere : fileSource(thread, fd, shared, prot);
  if (failed(source)) return source;
  const fixed = (flags & (MAP.FIXED | MAP.FIXED_NOREPLACE)) !== 0;
  const request: MapRequest = {
    ...source, addr, length: length >>> 0, prot, shared, fixed, noreplace: (flags & MAP.FIXED_NOREPLACE) !== 0, pageOffset: pageOffset >>> 0, flags: flags & KEPT_FLAGS,
  };
  const { space } = thread.process;
  const at = space.map(request);
  if (!failed(at) && flags & (MAP.POPULATE | MAP.LOCKED)) populate(thread, at, length >>> 0);
  return at;
}

/** What mmap of a descriptor maps, with the checks of access mode. */
function fileSource(thread: Thread, fd: number, shared: boolean, prot: number): Source | Result {
  const file = thread.process.fds.get(fd);
  if (!file) return -Errno.EBADF;
  if (!file.readable) return -Errno.EACCES;
  if (shared && prot & Prot.write && !file.writable) return -Errno.EACCES;
  const pager = file.pager();
  if (failed(pager)) return pager;
  const maxProt = shared && !file.writable ? Prot.read | Prot.exec : anywhere.maxProt;
  return { pager, name: file.describe(), maxProt };
}

/** Page in what may be read, for writing where it may be written; the first failure ends it silently, as mmap(2) says of MAP_POPULATE. */
function populate(thread: Thread, addr: number, length: number): Result {
  const { space } = thread.process;
  for (let va = addr; va < addr + length; va += PAGE_SIZE) {
    const region = space.find(va);
    const at = space.resolve(va, region && region.prot & Prot.write && !region.shared ? Access.write : Access.read);
    if (at < 0) return at;
  }
  return 0;
}

function mmap2(_: Kernel, thread: Thread, addr: number, length: number, prot: number, flags: number, fd: number, pageOffset: number): number {
  return map(thread, addr, length, prot, flags, fd, pageOffset);
}

function mmap(_: Kernel, thread: Thread, addr: number, length: number, prot: number, flags: number, fd: number, offset: number): number {
  if (offset & PAGE_MASK) return -Errno.EINVAL;
  return map(thread, addr, length, prot, flags, fd, offset >>> PAGE_SHIFT);
}

function munmap(_: Kernel, thread: Thread, addr: number, length: number): Result {
  return thread.process.space.unmap(addr, length >>> 0);
}

function mprotect(_: Kernel, thread: Thread, addr: number, length: number, prot: number): Result {
  if (addr & PAGE_MASK || prot & ~PROT_KNOWN) return -Errno.EINVAL;
  if (length === 0) return 0;
  return thread.process.space.protect(addr, length >>> 0, prot);
}

function mremap(_: Kernel, thread: Thread, addr: number, oldLength: number, newLength: number, flags: number, newAddr: number): number {
  return thread.process.space.remap(addr, oldLength >>> 0, newLength >>> 0, flags, newAddr);
}

function brk(_: Kernel, thread: Thread, addr: number): number {
  return thread.process.space.setBrk(addr);
}

/** Advice that changes nothing here is accepted; advice that would change what a program sees is refused unless it is done. */
function madvise(_: Kernel, thread: Thread, addr: number, length: number, advice: number): Result {
  const { space } = thread.process;
  if (addr & PAGE_MASK || pageEnd(length >>> 0) + (addr >>> 0) > 0x1_0000_0000) return -Errno.EINVAL;
  switch (advice) {
    case MADV.DONTNEED: case MADV.FREE: return length === 0 ? 0 : space.discard(addr, length >>> 0);
    case MADV.WILLNEED: case MADV.NORMAL: case MADV.RANDOM: case MADV.SEQUENTIAL:
      return length === 0 || space.covers(addr, pageEnd(length >>> 0)) ? 0 : -Errno.ENOMEM;
  }
  return -Errno.EINVAL;
}

/** Shared mappings agree with read and write at any time: nothing is left to do but the checks. */
function msync(_: Kernel, thread: Thread, addr: number, length: number, flags: number): Result {
  if (addr & PAGE_MASK || flags & ~(MS.ASYNC | MS.INVALIDATE | MS.SYNC) || (flags & MS.ASYNC && flags & MS.SYNC)) return -Errno.EINVAL;
  return thread.process.space.covers(addr, pageEnd(length >>> 0)) ? 0 : -Errno.ENOMEM;
}

function mincore(_: Kernel, thread: Thread, addr: number, length: number, vector: number): Result {
  const { space } = thread.process;
  const bytes = pageEnd(length >>> 0);
  if (addr & PAGE_MASK) return -Errno.EINVAL;
  if (!space.covers(addr, bytes)) return -Errno.ENOMEM;
  const resident = new Uint8Array(bytes / PAGE_SIZE);
  for (let i = 0; i < resident.length; i++) resident[i] = space.frameAt((addr >>> 0) + i * PAGE_SIZE) >= 0 ? 1 : 0;
  return space.copyout(vector, resident);
}

/** Nothing is ever paged out: locking is being present, within RLIMIT_MEMLOCK. */
function mlock(_: Kernel, thread: Thread, addr: number, length: number): Result {
  const { process } = thread;
  const start = (addr >>> 0) - (addr & PAGE_MASK);
  const bytes = pageEnd((addr & PAGE_MASK) + (length >>> 0));
  if (process.cred.euid !== 0 && bytes > process.limits[Rlimit.MEMLOCK].soft) return -Errno.ENOMEM;
  if (!process.space.covers(start, bytes)) return -Errno.ENOMEM;
  return failed(populate(thread, start, bytes)) ? -Errno.ENOMEM : 0;
}

function mlock2(kernel: Kernel, thread: Thread, addr: number, length: number, flags: number): Result {
  return flags & ~1 ? -Errno.EINVAL : mlock(kernel, thread, addr, length);
}

function munlock(_: Kernel, thread: Thread, addr: number, length: number): Result {
  const start = (addr >>> 0) - (addr & PAGE_MASK);
  return thread.process.space.covers(start, pageEnd((addr & PAGE_MASK) + (length >>> 0))) ? 0 : -Errno.ENOMEM;
}

function mlockall(_: Kernel, thread: Thread, flags: number): Result {
  if (flags === 0 || flags & ~7) return -Errno.EINVAL;
  const { process } = thread;
  return process.cred.euid !== 0 && process.space.mappedBytes() > process.limits[Rlimit.MEMLOCK].soft ? -Errno.ENOMEM : 0;
}

/** Stores reach decoded code by themselves; only the range is checked (cacheflush(2)). */
function cacheflush(_: Kernel, __: Thread, addr: number, length: number, caches: number): Result {
  if (caches === 0 || caches & ~3) return -Errno.EINVAL;
  return (addr >>> 0) + (length >>> 0) > 0x8000_0000 ? -Errno.EFAULT : 0;
}

/** MIPS_ATOMIC_SET (2001) swaps a word and answers its old value; one in the range of error numbers cannot be told from an error. */
function sysmips(_: Kernel, thread: Thread, command: number, arg1: number, arg2: number): number {
  switch (command) {
    case SYSMIPS.FLUSH_CACHE: return 0;
    case SYSMIPS.FIXADE: return arg1 & ~3 ? -Errno.EINVAL : 0;
    case SYSMIPS.RMW: {
      if (arg1 & 3) return -Errno.EINVAL;
      const { space } = thread.process;
      const before = space.readWords(arg1, 1);
      if (failed(before)) return before;
      const written = space.writeWords(arg1, [arg2]);
      return failed(written) ? written : before[0];
    }
  }
  return -Errno.EINVAL;
}

defineSyscalls({
  4045: ['brk', 1, brk],
  4090: ['mmap', 6, mmap],
  4091: ['munmap', 2, munmap],
  4125: ['mprotect', 3, mprotect],
  4144: ['msync', 3, msync],
  4147: ['cacheflush', 3, cacheflush],
  4149: ['sysmips', 3, sysmips],
  4154: ['mlock', 2, mlock],
  4155: ['munlock', 2, munlock],
  4156: ['mlockall', 1, mlockall],
  4157: ['munlockall', 0, () => 0],
  4167: ['mremap', 5, mremap],
  4210: ['mmap2', 6, mmap2],
  4217: ['mincore', 3, mincore],
  4218: ['madvise', 3, madvise],
  4359: ['mlock2', 3, mlock2],
});
