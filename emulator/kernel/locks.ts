import { Errno, failed, snapshotClass, WaitQueue, type Fail, type Result } from '../base/index.js';
import type { AddressSpace } from '../memory/address-space.js';
import type { Vnode } from '../vfs/vnode.js';
import { ObjectBytes, type KernelMemory } from './kernel-memory.js';
import type { OpenFile } from './open-file.js';
import type { Thread } from './thread.js';

/** fcntl(2) lock types, and operations of flock(2). */
export const F_RDLCK = 0;
export const F_WRLCK = 1;
export const F_UNLCK = 2;
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;

/** Locked ranges of one file; every operation looks at all of them. */
const LOCKS_MAX = 4096;

/** A range of a file, [start, end), locked by one owner: a descriptor table (record locks) or an open file (flock). */
interface Lock {
  owner: object;
  pid: number;
  write: boolean;
  start: number;
  end: number;
}

export interface LockRequest {
  type: number;
  start: number;
  end: number;
}

/** The advisory locks of one file. */
export class FileLocks {
  private locks: Lock[] = [];
  private readonly memory: KernelMemory;

  constructor(memory: KernelMemory) {
    this.memory = memory;
  }

  readonly released = new WaitQueue();

  conflict(owner: object, request: LockRequest): Lock | undefined {
    return this.locks.find((lock) => lock.owner !== owner && lock.start < request.end && lock.end > request.start
      && (lock.write || request.type === F_WRLCK));
  }

  /** Replace what `owner` held in the range; the caller has looked for conflicts. -ENOLCK: too many, or no memory for one more. */
  set(owner: object, pid: number, request: LockRequest): Result {
    const { start, end, type } = request;
    const kept: Lock[] = [];
    for (const lock of this.locks) {
      if (lock.owner !== owner || lock.end <= start || lock.start >= end) {
        kept.push(lock);
        continue;
      }
      if (lock.start < start) kept.push({ ...lock, end: start });
      if (lock.end > end) kept.push({ ...lock, start: end });
    }
    if (type !== F_UNLCK) kept.push({ owner, pid, write: type === F_WRLCK, start, end });
    const more = kept.length - this.locks.length;
    if (more > 0 && (kept.length > LOCKS_MAX || this.memory.take(more * ObjectBytes.lock) < 0)) return -Errno.ENOLCK;
    if (more < 0) this.memory.give(-more * ObjectBytes.lock);
    this.locks = kept;
    this.released.wakeAll();
    return 0;
  }

  drop(owner: object): void {
    if (this.locks.some((lock) => lock.owner === owner)) this.set(owner, 0, { type: F_UNLCK, start: 0, end: Infinity });
  }

  heldBy(owner: object): boolean {
    return this.locks.some((lock) => lock.owner === owner);
  }
}
snapshotClass('FileLocks', FileLocks);

/** Locks hang on the vnode while it lives; files without one (pipes, sockets) cannot be locked. */
class LockTable {
  readonly records: FileLocks;
  readonly whole: FileLocks;

  constructor(memory: KernelMemory) {
    this.records = new FileLocks(memory);
    this.whole = new FileLocks(memory);
  }
}
snapshotClass('LockTable', LockTable);

function tableOf(vnode: Vnode, thread: Thread): LockTable {
  return (vnode.locks ??= new LockTable(thread.process.kernel.memory)) as LockTable;
}

/** A process closes any descriptor of a file: its record locks there go (fcntl(2)). */
export function dropRecordLocks(file: OpenFile, owner: object): void {
  (file.vnode?.locks as LockTable | null | undefined)?.records.drop(owner);
}

/** An open file is closed for good: its flock goes. */
export function dropFileLock(file: OpenFile): void {
  (file.vnode?.locks as LockTable | null | undefined)?.whole.drop(file);
}

/** Does anyone hold a lock through this open file or descriptor table? For the hazards a rollback reports. */
export function holdsLock(file: OpenFile, owner: object): boolean {
  const table = file.vnode?.locks as LockTable | null | undefined;
  return table !== null && table !== undefined && (table.records.heldBy(owner) || table.whole.heldBy(file));
}

interface FlockLayout {
  wide: boolean;
  /** Offsets of start, length and pid. */
  start: number;
  length: number;
  pid: number;
  size: number;
}

/** struct flock64 (32 bytes) and the old struct flock (36 bytes) of MIPS, which has l_sysid before l_pid (asm/fcntl.h). */
const FLOCK64: FlockLayout = { wide: true, start: 8, length: 16, pid: 24, size: 32 };
const FLOCK: FlockLayout = { wide: false, start: 4, length: 8, pid: 16, size: 36 };

function readRequest(space: AddressSpace, va: number, layout: FlockLayout, file: OpenFile): LockRequest | Fail {
  const bytes = space.copyin(va, layout.size);
  if (failed(bytes)) return bytes;
  const view = new DataView(bytes.buffer);
  const number = (at: number): number => (layout.wide ? Number(view.getBigInt64(at, true)) : view.getInt32(at, true));
  const type = view.getInt16(0, true);
  const whence = view.getInt16(2, true);
  if (type < 0 || type > 2 || whence < 0 || whence > 2) return -Errno.EINVAL;
  const base = whence === 0 ? 0 : whence === 1 ? file.position : (file.vnode as Vnode).getattr().size;
  const from = base + number(layout.start);
  const length = number(layout.length);
  const start = length < 0 ? from + length : from;
  const end = length === 0 ? Infinity : length < 0 ? from : from + length;
  return start < 0 ? -Errno.EINVAL : { type, start, end };
}

function describe(space: AddressSpace, va: number, layout: FlockLayout, lock: Lock | undefined): Result {
  const bytes = space.copyin(va, layout.size);
  if (failed(bytes)) return bytes;
  const view = new DataView(bytes.buffer);
  if (!lock) view.setInt16(0, F_UNLCK, true);
  else {
    const length = lock.end === Infinity ? 0 : lock.end - lock.start;
    view.setInt16(0, lock.write ? F_WRLCK : F_RDLCK, true);
    view.setInt16(2, 0, true);
    if (layout.wide) {
      view.setBigInt64(layout.start, BigInt(lock.start), true);
      view.setBigInt64(layout.length, BigInt(length), true);
    } else {
      view.setInt32(layout.start, lock.start, true);
      view.setInt32(layout.length, length, true);
    }
    view.setInt32(layout.pid, lock.pid, true);
  }
  return space.copyout(va, bytes);
}

export type LockAction = 'get' | 'set' | 'wait';

/** F_GETLK, F_SETLK, F_SETLKW and their 64-bit forms. */
export function recordLock(thread: Thread, file: OpenFile, action: LockAction, va: number, wide: boolean): number {
  const { space, fds, pid } = thread.process;
  if (!file.vnode) return -Errno.EINVAL;
  const layout = wide ? FLOCK64 : FLOCK;
  const request = readRequest(space, va >>> 0, layout, file);
  if (failed(request)) return request;
  const { records } = tableOf(file.vnode, thread);
  const conflict = request.type === F_UNLCK ? undefined : records.conflict(fds, request);
  if (action === 'get') return describe(space, va >>> 0, layout, conflict);
  if (request.type === F_RDLCK && !file.readable) return -Errno.EBADF;
  if (request.type === F_WRLCK && !file.writable) return -Errno.EBADF;
  if (conflict) return action === 'wait' ? thread.block('fcntl.lock', [records.released]) : -Errno.EAGAIN;
  return records.set(fds, pid, request);
}

/** flock(2). */
export function flock(thread: Thread, file: OpenFile, operation: number): number {
  if (!file.vnode) return -Errno.EINVAL;
  const { whole } = tableOf(file.vnode, thread);
  const types: Record<number, number> = { [LOCK_SH]: F_RDLCK, [LOCK_EX]: F_WRLCK, [LOCK_UN]: F_UNLCK };
  const type = types[operation & ~LOCK_NB];
  if (type === undefined) return -Errno.EINVAL;
  const request: LockRequest = { type, start: 0, end: Infinity };
  if (type !== F_UNLCK && whole.conflict(file, request)) {
    return operation & LOCK_NB ? -Errno.EAGAIN : thread.block('flock', [whole.released]);
  }
  return whole.set(file, thread.process.pid, request);
}
