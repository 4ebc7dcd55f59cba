import { Errno, type Result } from '../base/index.js';
import type { Credentials } from './credentials.js';

/** What System V semaphores and shared memory have in common (sysvipc(7), ipc/util.c). */

export const IPC = { PRIVATE: 0, CREAT: 0o1000, EXCL: 0o2000, NOWAIT: 0o4000, RMID: 0, SET: 1, STAT: 2, INFO: 3 } as const;

/** Identifiers are index + 32768 * sequence, so that a stale one does not hit the next object in its place. */
const INDEX_BITS = 15;
const SEQUENCE_MAX = 0xffff;
export const IPC_PERM_BYTES = 36;

/** The owner part of every object: struct ipc64_perm. A plain object. */
export interface IpcObject {
  id: number;
  key: number;
  uid: number;
  gid: number;
  cuid: number;
  cgid: number;
  /** Permission bits 0777. */
  mode: number;
}

/** What makes an object new: its owner and key. */
export function ownedBy(cred: Credentials, key: number, mode: number): Omit<IpcObject, 'id'> {
  return { key, uid: cred.euid, gid: cred.egid, cuid: cred.euid, cgid: cred.egid, mode: mode & 0o777 };
}

/** `wanted`: 4 read, 2 alter; the superuser may everything. */
export function mayUse(object: IpcObject, cred: Credentials, wanted: number): boolean {
  if (cred.euid === 0) return true;
  const owner = cred.euid === object.uid || cred.euid === object.cuid;
  const inGroup = [object.gid, object.cgid].some((gid) => gid === cred.egid || cred.groups.includes(gid));
  const shift = owner ? 6 : inGroup ? 3 : 0;
  return ((object.mode >> shift) & wanted) === wanted;
}

/** May change or remove it. */
export function mayControl(object: IpcObject, cred: Credentials): boolean {
  return cred.euid === 0 || cred.euid === object.uid || cred.euid === object.cuid;
}

/** Objects of one kind by identifier and key. Subject to saveGraph as a plain part of its owner. */
export interface IpcTable<T extends IpcObject> {
  slots: (T | null)[];
  sequence: number;
}

export function newTable<T extends IpcObject>(): IpcTable<T> {
  return { slots: [], sequence: 0 };
}

export function findById<T extends IpcObject>(table: IpcTable<T>, id: number): T | null {
  const object = id < 0 ? null : table.slots[id & ((1 << INDEX_BITS) - 1)];
  return object?.id === id ? object : null;
}

export function findByKey<T extends IpcObject>(table: IpcTable<T>, key: number): T | null {
  return key === IPC.PRIVATE ? null : table.slots.find((object) => object?.key === key) ?? null;
}

/** The identifier for a new object, or -ENOSPC when `most` exist. The caller stores it with `store`. */
export function newId<T extends IpcObject>(table: IpcTable<T>, most: number): Result {
  let index = table.slots.indexOf(null);
  if (index < 0) index = table.slots.length;
  if (index >= most) return -Errno.ENOSPC;
  return index + (table.sequence << INDEX_BITS);
}

export function store<T extends IpcObject>(table: IpcTable<T>, object: T): void {
  table.slots[object.id & ((1 << INDEX_BITS) - 1)] = object;
}

/** Each removal moves the sequence on. */
export function remove<T extends IpcObject>(table: IpcTable<T>, object: T): void {
  table.slots[object.id & ((1 << INDEX_BITS) - 1)] = null;
  table.sequence = (table.sequence + 1) & SEQUENCE_MAX;
}

/** The existing object under `key`, or an errno, or null: make a new one (semget(2), shmget(2)). */
export function lookup<T extends IpcObject>(table: IpcTable<T>, key: number, flags: number): T | Result | null {
  const known = findByKey(table, key);
  if (known) return flags & IPC.CREAT && flags & IPC.EXCL ? -Errno.EEXIST : known;
  return key === IPC.PRIVATE || flags & IPC.CREAT ? null : -Errno.ENOENT;
}

/**
 * struct ipc64_perm: key, uid, gid, cuid, cgid, mode, u16 seq, u16 pad, two unused words.
 */
export function encodePerm(words: Int32Array, object: IpcObject, extraMode = 0): void {
  words.set([object.key, object.uid, object.gid, object.cuid, object.cgid, object.mode | extraMode, object.id >>> INDEX_BITS, 0, 0]);
}

/** IPC_SET takes uid, gid and mode. */
export function decodePerm(words: Int32Array, object: IpcObject): void {
  object.uid = words[1];
  object.gid = words[2];
  object.mode = words[5] & 0o777;
}

/** Highest index in use, what the INFO commands answer. */
export function highestIndex<T extends IpcObject>(table: IpcTable<T>): number {
  return Math.max(0, table.slots.findLastIndex((object) => object !== null));
}
