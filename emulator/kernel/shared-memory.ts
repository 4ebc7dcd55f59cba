import { Errno, failed, hexDigits, snapshotClass, type Result } from '../base/index.js';
import { AnonPager, PAGE_MASK, pageEnd, Prot, type AddressSpace, type Ram, type Region } from '../memory/index.js';
import type { Kernel } from './kernel.js';
import { findById, IPC, lookup, mayUse, newId, newTable, ownedBy, remove, store, type IpcObject, type IpcTable } from './sysv.js';
import type { Thread } from './thread.js';

/** System V shared memory (shmget(2), shmop(2)). */
export const SHM = { RDONLY: 0o10000, RND: 0o20000, REMAP: 0o40000, EXEC: 0o100000, MNI: 128, DEST: 0o1000 } as const;
/** Attach addresses are multiples of this on MIPS (asm/shmparam.h). */
export const SHMLBA = 0x4_0000;

export interface SharedSegment extends IpcObject {
  /** As asked for; the pager rounds up to pages. */
  size: number;
  pager: SegmentPager;
  atime: number;
  dtime: number;
  ctime: number;
  cpid: number;
  lpid: number;
}

/** Memory of a segment; the table holds one reference, each attachment one. */
export class SegmentPager extends AnonPager {
  readonly size: number;
  /** IPC_RMID was given: it lives as long as it is attached. */
  removed = false;

  constructor(ram: Ram, size: number) {
    super(ram);
    this.size = size;
    this.addRef();
  }

  /** Attached regions (shm_nattch). */
  get attached(): number {
    return this.removed ? this.mappings : this.mappings - 1;
  }
}
snapshotClass('SegmentPager', SegmentPager);

/** A removed segment stays in the table, found by identifier only, until nobody has it attached. */
export class SharedMemory {
  table: IpcTable<SharedSegment> = newTable();

  /** Forget removed segments that were detached meanwhile. */
  sweep(): void {
    for (const segment of this.table.slots) {
      if (segment?.pager.removed && segment.pager.attached === 0) remove(this.table, segment);
    }
  }
}
snapshotClass('SharedMemory', SharedMemory);

const KERNEL_KEY = 'sysv.shared-memory';

export function sharedMemory(kernel: Kernel): SharedMemory {
  let state = kernel.extension.get(KERNEL_KEY) as SharedMemory | undefined;
  if (!state) {
    state = new SharedMemory();
    kernel.extension.set(KERNEL_KEY, state);
  }
  state.sweep();
  return state;
}

export function shmget(kernel: Kernel, thread: Thread, key: number, size: number, flags: number): Result {
  const { process } = thread;
  const { table } = sharedMemory(kernel);
  const known = lookup(table, key, flags);
  if (failed(known)) return known;
  if (known !== null && typeof known === 'object') {
    if (size > known.size) return -Errno.EINVAL;
    return mayUse(known, process.cred, (flags >> 6) & 6) ? known.id : -Errno.EACCES;
  }
  if (size === 0 || size > kernel.ram.bytes) return -Errno.EINVAL;
  const id = newId(table, SHM.MNI);
  if (failed(id)) return id;
  const pager = new SegmentPager(kernel.ram, size);
  store(table, { ...ownedBy(process.cred, key, flags), id, size, pager, atime: 0, dtime: 0, ctime: kernel.realtime().seconds, cpid: process.pid, lpid: 0 });
  return id;
}

/** The address, or -errno. */
export function shmat(kernel: Kernel, thread: Thread, id: number, addr: number, flags: number): number {
  const { process } = thread;
  const segment = findById(sharedMemory(kernel).table, id);
  if (!segment) return -Errno.EINVAL;
  const readOnly = (flags & SHM.RDONLY) !== 0;
  if (!mayUse(segment, process.cred, readOnly ? 4 : 6)) return -Errno.EACCES;
  const place = attachAddress(process.space, segment, addr >>> 0, flags);
  if (failed(place)) return place;
  const prot = Prot.read | (readOnly ? 0 : Prot.write) | (flags & SHM.EXEC ? Prot.exec : 0);
  const at = process.space.map({
    addr: place, length: segment.size, fixed: place !== 0, shared: true, pager: segment.pager, prot,
    maxProt: readOnly ? Prot.read | Prot.exec : Prot.read | Prot.write | Prot.exec, name: segmentName(segment),
  });
  if (failed(at)) return at;
  segment.atime = kernel.realtime().seconds;
  segment.lpid = process.pid;
  return at;
}

/** As /proc/PID/maps shows it. */
function segmentName(segment: SharedSegment): string {
  return `/SYSV${hexDigits(segment.key, 8)} (deleted)`;
}

/** 0: anywhere. */
function attachAddress(space: AddressSpace, segment: SharedSegment, addr: number, flags: number): number {
  const place = flags & SHM.RND ? addr - (addr % SHMLBA) : addr;
  if (place % SHMLBA !== 0 || (addr !== 0 && place === 0) || (addr === 0 && flags & SHM.REMAP)) return -Errno.EINVAL;
  const occupied = place !== 0 && space.regions.some(({ start, end }) => start < place + pageEnd(segment.size) && end > place);
  return occupied && !(flags & SHM.REMAP) ? -Errno.EINVAL : place;
}

/** Every region of the attachment that begins at `addr` goes. */
export function shmdt(kernel: Kernel, thread: Thread, addr: number): Result {
  const { space, pid } = thread.process;
  const start = addr >>> 0;
  if (start & PAGE_MASK) return -Errno.EINVAL;
  const first = space.regions.find((region) => region.pager instanceof SegmentPager && region.start - region.pageOffset * 4096 === start);
  if (!first) return -Errno.EINVAL;
  const belongs = (region: Region): boolean => region.pager === first.pager && region.start - region.pageOffset * 4096 === start;
  for (const region of space.regions.filter(belongs)) space.unmap(region.start, region.end - region.start);
  const segment = sharedMemory(kernel).table.slots.find((entry) => entry?.pager === first.pager);
  if (segment) {
    segment.dtime = kernel.realtime().seconds;
    segment.lpid = pid;
  }
  return 0;
}

/** IPC_RMID: no new key lookups; gone with the last attachment. */
export function removeSegment(kernel: Kernel, segment: SharedSegment): void {
  if (segment.pager.removed) return;
  segment.pager.removed = true;
  segment.key = IPC.PRIVATE;
  segment.pager.release();
  sharedMemory(kernel).sweep();
}
