import { Errno, failed, snapshotClass, WaitQueue, type Result } from '../base/index.js';
import { registerHooks } from './hooks.js';
import type { Kernel } from './kernel.js';
import type { Process } from './process.js';
import { findById, IPC, lookup, mayUse, newId, newTable, ownedBy, remove, store, type IpcObject, type IpcTable } from './sysv.js';
import type { Thread } from './thread.js';

/** System V semaphores (semget(2), semop(2)). Limits of /proc/sys/kernel/sem, sized for a small device. */
export const SEM = { MSL: 250, MNI: 128, OPM: 100, VMX: 32_767, UNDO: 0x1000 } as const;

export interface SemaphoreSet extends IpcObject {
  values: number[];
  /** Who operated last on each. */
  pids: number[];
  /** Seconds since the epoch. */
  otime: number;
  ctime: number;
  changed: WaitQueue;
}

export interface SemOp {
  num: number;
  op: number;
  flags: number;
}

/** What a blocked semop notes: which semaphore of which set holds it up, and whether it waits for zero. */
export interface SemWait {
  id: number;
  num: number;
  zero: boolean;
}

/** A semop of the process that raised a semaphore: a resource given back to others, which a rollback does not take again. */
export interface SemRelease {
  id: number;
  num: number;
  amount: number;
  /** 1 for the first release of the process, and so on. */
  sequence: number;
}

const RELEASES_KEPT = 64;
const KERNEL_KEY = 'sysv.semaphores';
const RELEASES_KEY = 'sem.releases';

/** All sets, and the adjustments that SEM_UNDO promises at exit. */
export class Semaphores {
  table: IpcTable<SemaphoreSet> = newTable();
  /** pid -> set id -> adjustment of each semaphore. */
  undos = new Map<number, Map<number, number[]>>();
}
snapshotClass('Semaphores', Semaphores);

/** Per process: how often it raised a semaphore, and the latest of those operations. */
export class SemReleases {
  count = 0;
  latest: SemRelease[] = [];
}
snapshotClass('SemReleases', SemReleases);

export function semaphores(kernel: Kernel): Semaphores {
  let state = kernel.extension.get(KERNEL_KEY) as Semaphores | undefined;
  if (!state) {
    state = new Semaphores();
    kernel.extension.set(KERNEL_KEY, state);
  }
  return state;
}

/** For the checkpoint layer: compare `count` now with `count` at the freeze. */
export function semReleases(process: Process): SemReleases {
  let releases = process.extension.get(RELEASES_KEY) as SemReleases | undefined;
  if (!releases) {
    releases = new SemReleases();
    process.extension.set(RELEASES_KEY, releases);
  }
  return releases;
}

export function semget(kernel: Kernel, thread: Thread, key: number, count: number, flags: number): Result {
  const { cred } = thread.process;
  const { table } = semaphores(kernel);
  if (count < 0 || count > SEM.MSL) return -Errno.EINVAL;
  const known = lookup(table, key, flags);
  if (failed(known)) return known;
  if (known !== null && typeof known === 'object') {
    if (count > known.values.length) return -Errno.EINVAL;
    return mayUse(known, cred, (flags >> 6) & 6) ? known.id : -Errno.EACCES;
  }
  if (count === 0) return -Errno.EINVAL;
  const id = newId(table, SEM.MNI);
  if (failed(id)) return id;
  const zeros = (): number[] => new Array<number>(count).fill(0);
  store(table, { ...ownedBy(cred, key, flags), id, values: zeros(), pids: zeros(), otime: 0, ctime: kernel.realtime().seconds, changed: new WaitQueue() });
  return id;
}

/** All operations at once or none; blocks until they can be. `deadline` in cycles. */
export function semop(kernel: Kernel, thread: Thread, id: number, ops: readonly SemOp[], deadline: number): number {
  const set = findById(semaphores(kernel).table, id);
  if (!set) return thread.blocked ? -Errno.EIDRM : -Errno.EINVAL;
  if (ops.some(({ num }) => num >= set.values.length)) return -Errno.EFBIG;
  if (!mayUse(set, thread.process.cred, ops.some(({ op }) => op !== 0) ? 2 : 4)) return -Errno.EACCES;
  const outcome = attempt(set, ops);
  if (Array.isArray(outcome)) return complete(kernel, thread.process, set, ops, outcome);
  if (failed(outcome)) return outcome;
  const obstacle = ops[outcome];
  if (obstacle.flags & IPC.NOWAIT || thread.blocked?.timedOut) return -Errno.EAGAIN;
  const data: SemWait = { id, num: obstacle.num, zero: obstacle.op === 0 };
  return thread.block('sem.op', [set.changed], { deadline, data, restart: 'never' });
}

/** The values after all operations, or the index of the first that must wait, or an errno. */
function attempt(set: SemaphoreSet, ops: readonly SemOp[]): number[] | number {
  const values = [...set.values];
  for (const [index, { num, op }] of ops.entries()) {
    if (op === 0 ? values[num] !== 0 : values[num] + op < 0) return index;
    values[num] += op;
    if (values[num] > SEM.VMX) return -Errno.ERANGE;
  }
  return values;
}

function complete(kernel: Kernel, process: Process, set: SemaphoreSet, ops: readonly SemOp[], values: number[]): Result {
  set.values = values;
  set.otime = kernel.realtime().seconds;
  for (const { num, op, flags } of ops) {
    set.pids[num] = process.pid;
    if (op !== 0 && flags & SEM.UNDO) noteUndo(kernel, process, set, num, -op);
    if (op > 0) noteRelease(process, set.id, num, op);
  }
  if (ops.some(({ op }) => op !== 0)) set.changed.wakeAll();
  return 0;
}

function noteUndo(kernel: Kernel, process: Process, set: SemaphoreSet, num: number, adjustment: number): void {
  const { undos } = semaphores(kernel);
  const own = undos.get(process.pid) ?? new Map<number, number[]>();
  undos.set(process.pid, own);
  const adjustments = own.get(set.id) ?? new Array<number>(set.values.length).fill(0);
  own.set(set.id, adjustments);
  adjustments[num] += adjustment;
}

function noteRelease(process: Process, id: number, num: number, amount: number): void {
  const releases = semReleases(process);
  releases.count++;
  releases.latest.push({ id, num, amount, sequence: releases.count });
  if (releases.latest.length > RELEASES_KEPT) releases.latest.shift();
}

/** A value set by SETVAL or SETALL forgets what SEM_UNDO would do to it. */
export function setValue(kernel: Kernel, process: Process, set: SemaphoreSet, num: number, value: number): void {
  if (value > set.values[num]) noteRelease(process, set.id, num, value - set.values[num]);
  set.values[num] = value;
  set.pids[num] = process.pid;
  set.ctime = kernel.realtime().seconds;
  for (const own of semaphores(kernel).undos.values()) {
    const adjustments = own.get(set.id);
    if (adjustments) adjustments[num] = 0;
  }
}

export function removeSet(kernel: Kernel, set: SemaphoreSet): void {
  const { table, undos } = semaphores(kernel);
  remove(table, set);
  for (const own of undos.values()) own.delete(set.id);
  set.changed.wakeAll();
}

/** Threads blocked on one semaphore: GETNCNT, or with `zero` GETZCNT. */
export function countWaiters(kernel: Kernel, set: SemaphoreSet, num: number, zero: boolean): number {
  let count = 0;
  for (const process of kernel.processes.values()) {
    for (const { blocked } of process.threads) {
      if (blocked?.name !== 'sem.op') continue;
      const wait = blocked.data as SemWait;
      if (wait.id === set.id && wait.num === num && wait.zero === zero) count++;
    }
  }
  return count;
}

/** At exit the adjustments are applied, none below zero (semop(2): an undo that would do so stops at zero). */
function applyUndos(process: Process): void {
  const { kernel } = process;
  const { table, undos } = semaphores(kernel);
  const own = undos.get(process.pid);
  undos.delete(process.pid);
  for (const [id, adjustments] of own ?? []) {
    const set = findById(table, id);
    if (!set) continue;
    adjustments.forEach((adjustment, num) => {
      if (adjustment === 0) return;
      set.values[num] = Math.min(SEM.VMX, Math.max(0, set.values[num] + adjustment));
      set.pids[num] = process.pid;
    });
    set.changed.wakeAll();
  }
}

registerHooks({ onExit: applyUndos });
