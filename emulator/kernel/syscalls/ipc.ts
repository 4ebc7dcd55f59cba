import { Errno, failed, type Result } from '../../base/index.js';
import { Cap, capable } from '../capabilities.js';
import type { Kernel } from '../kernel.js';
import { MSG, messageQueues, msgget, msgrcv, msgsnd, removeQueue, type MessageQueue } from '../message-queues.js';
import { countWaiters, removeSet, SEM, semaphores, semget, semop, setValue, type SemaphoreSet, type SemOp } from '../semaphores.js';
import { removeSegment, sharedMemory, SHM, shmat, shmdt, shmget, type SharedSegment } from '../shared-memory.js';
import { defineSyscalls } from '../syscall-table.js';
import { decodePerm, encodePerm, findById, highestIndex, IPC, mayControl, mayUse } from '../sysv.js';
import type { Thread } from '../thread.js';
import { readTimespec } from '../user-memory.js';

/**
 * System V IPC, by its own numbers and through ipc(2), which musl and older glibc use. Only the IPC_64 structures exist.
 */

/** `version << 16 | call` of ipc(2). */
const CALL = { SEMOP: 1, SEMGET: 2, SEMCTL: 3, SEMTIMEDOP: 4, MSGSND: 11, MSGRCV: 12, MSGGET: 13, MSGCTL: 14, SHMAT: 21, SHMDT: 22, SHMGET: 23, SHMCTL: 24 } as const;
/** semctl commands beyond IPC_*. */
const CTL = { GETPID: 11, GETVAL: 12, GETALL: 13, GETNCNT: 14, GETZCNT: 15, SETVAL: 16, SETALL: 17, SEM_STAT: 18, SEM_INFO: 19 } as const;
/** shmctl commands beyond IPC_*. */
const SHMCTL = { LOCK: 11, UNLOCK: 12, STAT: 13, INFO: 14 } as const;
/** msgctl commands beyond IPC_*. */
const MSGCTL = { STAT: 11, INFO: 12, STAT_ANY: 13 } as const;
const IPC_64 = 0x100;
const SEMID_WORDS = 14;
const SHMID_WORDS = 18;
const MSQID_WORDS = 22;
const MSG_BYTES_MAX = 1 << 20;
const SEMBUF_BYTES = 6;

function readOps(thread: Thread, address: number, count: number): SemOp[] | Result {
  if (count < 1) return -Errno.EINVAL;
  if ((count >>> 0) > SEM.OPM) return -Errno.E2BIG;
  const bytes = thread.process.space.copyin(address, count * SEMBUF_BYTES);
  if (failed(bytes)) return bytes;
  const view = new DataView(bytes.buffer);
  return Array.from({ length: count }, (_, i) => {
    const at = i * SEMBUF_BYTES;
    return { num: view.getUint16(at, true), op: view.getInt16(at + 2, true), flags: view.getUint16(at + 4, true) };
  });
}

/** A relative time limit of 32-bit or 64-bit seconds as a deadline in cycles; Infinity without one. */
function deadlineFor(kernel: Kernel, thread: Thread, timeout: number, wide: boolean): number {
  if (timeout === 0) return Infinity;
  const time = readTimespec(thread.process.space, timeout, wide);
  if (failed(time)) return time;
  const { clock } = kernel;
  return time.seconds > 1e9 ? Infinity : clock.cycles + clock.toCycles(time.seconds * 1e9 + time.nanoseconds);
}

function timedSemop(kernel: Kernel, thread: Thread, id: number, address: number, count: number, timeout: number, wide: boolean): number {
  const ops = readOps(thread, address, count);
  if (!Array.isArray(ops)) return ops;
  const deadline = thread.blocked ? Infinity : deadlineFor(kernel, thread, timeout, wide);
  return failed(deadline) ? deadline : semop(kernel, thread, id, ops, deadline);
}

/** `argument`: the union semun, an address or a value. */
function semctl(kernel: Kernel, thread: Thread, id: number, num: number, command: number, argument: number): Result {
  const { table } = semaphores(kernel);
  const kind = command & ~IPC_64;
  if (kind === IPC.INFO || kind === CTL.SEM_INFO) return semInfo(kernel, thread, argument, kind);
  const set = kind === CTL.SEM_STAT ? table.slots[id] ?? null : findById(table, id);
  if (!set) return -Errno.EINVAL;
  if (kind === IPC.RMID || kind === IPC.SET) return controlSet(kernel, thread, set, kind, argument);
  const alters = kind === CTL.SETVAL || kind === CTL.SETALL;
  if (!mayUse(set, thread.process.cred, alters ? 2 : 4)) return -Errno.EACCES;
  if (kind === IPC.STAT || kind === CTL.SEM_STAT) return failedOr(statSet(thread, set, argument), kind === IPC.STAT ? 0 : set.id);
  if (kind === CTL.GETALL || kind === CTL.SETALL) return allValues(kernel, thread, set, argument, alters);
  if (num < 0 || num >= set.values.length) return -Errno.EINVAL;
  switch (kind) {
    case CTL.GETVAL: return set.values[num];
    case CTL.GETPID: return set.pids[num];
    case CTL.GETNCNT: return countWaiters(kernel, set, num, false);
    case CTL.GETZCNT: return countWaiters(kernel, set, num, true);
    case CTL.SETVAL:
      if (argument < 0 || argument > SEM.VMX) return -Errno.ERANGE;
      setValue(kernel, thread.process, set, num, argument);
      set.changed.wakeAll();
      return 0;
  }
  return -Errno.EINVAL;
}

function failedOr(result: Result, value: number): Result {
  return failed(result) ? result : value;
}

function controlSet(kernel: Kernel, thread: Thread, set: SemaphoreSet, kind: number, argument: number): Result {
  if (!mayControl(set, thread.process.cred)) return -Errno.EPERM;
  if (kind === IPC.RMID) {
    removeSet(kernel, set);
    return 0;
  }
  const words = thread.process.space.readWords(argument, SEMID_WORDS);
  if (failed(words)) return words;
  decodePerm(words, set);
  set.ctime = kernel.realtime().seconds;
  return 0;
}

/** struct semid64_ds: perm, otime, ctime, nsems, otime_high, ctime_high. */
function statSet(thread: Thread, set: SemaphoreSet, address: number): Result {
  const words = new Int32Array(SEMID_WORDS);
  encodePerm(words, set);
  words.set([set.otime, set.ctime, set.values.length], 9);
  return thread.process.space.writeWords(address, words);
}

function allValues(kernel: Kernel, thread: Thread, set: SemaphoreSet, address: number, alters: boolean): Result {
  const { process } = thread;
  if (!alters) return process.space.copyout(address, new Uint8Array(Uint16Array.from(set.values).buffer));
  const bytes = process.space.copyin(address, set.values.length * 2);
  if (failed(bytes)) return bytes;
  const values = new Uint16Array(bytes.buffer);
  if (values.some((value) => value > SEM.VMX)) return -Errno.ERANGE;
  values.forEach((value, num) => setValue(kernel, process, set, num, value));
  set.changed.wakeAll();
  return 0;
}

/** struct seminfo: semmap, semmni, semmns, semmnu, semmsl, semopm, semume, semusz, semvmx, semaem. */
function semInfo(kernel: Kernel, thread: Thread, address: number, kind: number): Result {
  const { table } = semaphores(kernel);
  const sets = table.slots.filter((set) => set !== null);
  const [used, total] = kind === CTL.SEM_INFO ? [sets.length, sets.reduce((sum, set) => sum + set.values.length, 0)] : [20, SEM.VMX];
  const info = [SEM.MNI * SEM.MSL, SEM.MNI, SEM.MNI * SEM.MSL, SEM.MNI * SEM.MSL, SEM.MSL, SEM.OPM, SEM.OPM, used, SEM.VMX, total];
  return failedOr(thread.process.space.writeWords(address, info), highestIndex(table));
}

function shmctl(kernel: Kernel, thread: Thread, id: number, command: number, address: number): Result {
  const { table } = sharedMemory(kernel);
  const { cred } = thread.process;
  const kind = command & ~IPC_64;
  if (kind === IPC.INFO || kind === SHMCTL.INFO) return shmInfo(kernel, thread, address, kind);
  const segment = kind === SHMCTL.STAT ? table.slots[id] ?? null : findById(table, id);
  if (!segment) return -Errno.EINVAL;
  if (kind === IPC.STAT || kind === SHMCTL.STAT) {
    if (!mayUse(segment, cred, 4)) return -Errno.EACCES;
    return failedOr(statSegment(thread, segment, address), kind === IPC.STAT ? 0 : segment.id);
  }
  if (kind !== IPC.RMID && kind !== IPC.SET && kind !== SHMCTL.LOCK && kind !== SHMCTL.UNLOCK) return -Errno.EINVAL;
  if (!mayControl(segment, cred)) return -Errno.EPERM;
  if (kind === IPC.RMID) removeSegment(kernel, segment);
  return kind === IPC.SET ? setSegment(kernel, thread, segment, address) : 0;
}

function setSegment(kernel: Kernel, thread: Thread, segment: SharedSegment, address: number): Result {
  const words = thread.process.space.readWords(address, SHMID_WORDS);
  if (failed(words)) return words;
  decodePerm(words, segment);
  segment.ctime = kernel.realtime().seconds;
  return 0;
}

/** struct shmid64_ds: perm, segsz, atime, dtime, ctime, cpid, lpid, nattch, then the high halves of the times. */
function statSegment(thread: Thread, segment: SharedSegment, address: number): Result {
  const words = new Int32Array(SHMID_WORDS);
  encodePerm(words, segment, segment.pager.removed ? SHM.DEST : 0);
  words.set([segment.size, segment.atime, segment.dtime, segment.ctime, segment.cpid, segment.lpid, segment.pager.attached], 9);
  return thread.process.space.writeWords(address, words);
}

/** IPC_INFO: struct shminfo {max, min, mni, seg, all}; SHM_INFO: struct shm_info {used_ids, tot, rss, swp, two unused}. */
function shmInfo(kernel: Kernel, thread: Thread, address: number, kind: number): Result {
  const { table } = sharedMemory(kernel);
  const segments = table.slots.filter((segment) => segment !== null);
  const sum = (of: (segment: SharedSegment) => number): number => segments.reduce((total, segment) => total + of(segment), 0);
  const info = kind === IPC.INFO
    ? [kernel.ram.bytes, 1, SHM.MNI, SHM.MNI, kernel.ram.frames, 0, 0, 0, 0]
    : [segments.length, sum(({ size }) => Math.ceil(size / 4096)), sum(({ pager }) => pager.residentPages()), 0, 0, 0];
  return failedOr(thread.process.space.writeWords(address, info), highestIndex(table));
}

function msgctl(kernel: Kernel, thread: Thread, id: number, command: number, address: number): Result {
  const { table } = messageQueues(kernel);
  const { cred } = thread.process;
  const kind = command & ~IPC_64;
  if (kind === IPC.INFO || kind === MSGCTL.INFO) return msgInfo(kernel, thread, address, kind);
  const byIndex = kind === MSGCTL.STAT || kind === MSGCTL.STAT_ANY;
  const queue = byIndex ? table.slots[id] ?? null : findById(table, id);
  if (!queue) return -Errno.EINVAL;
  if (kind === IPC.STAT || byIndex) {
    if (kind !== MSGCTL.STAT_ANY && !mayUse(queue, cred, 4)) return -Errno.EACCES;
    return failedOr(statQueue(thread, queue, address), byIndex ? queue.id : 0);
  }
  if (kind !== IPC.RMID && kind !== IPC.SET) return -Errno.EINVAL;
  if (!mayControl(queue, cred)) return -Errno.EPERM;
  if (kind === IPC.SET) return setQueue(kernel, thread, queue, address);
  removeQueue(kernel, queue);
  return 0;
}

/** Owner, mode and the most bytes it holds. */
function setQueue(kernel: Kernel, thread: Thread, queue: MessageQueue, address: number): Result {
  const words = thread.process.space.readWords(address, MSQID_WORDS);
  if (failed(words)) return words;
  const limit = words[17] >>> 0;
  if (limit > MSG.MNB && !capable(thread.process.cred, Cap.SYS_RESOURCE)) return -Errno.EPERM;
  decodePerm(words, queue);
  // A superuser may raise it, though not beyond what a device can hold.
  queue.limit = Math.min(limit, MSG_BYTES_MAX);
  queue.ctime = kernel.realtime().seconds;
  queue.changed.wakeAll();
  return 0;
}

/** struct msqid64_ds: perm, stime, rtime, ctime (each with its high half), cbytes, qnum, qbytes, lspid, lrpid. */
function statQueue(thread: Thread, queue: MessageQueue, address: number): Result {
  const words = new Int32Array(MSQID_WORDS);
  encodePerm(words, queue);
  words.set([queue.stime, 0, queue.rtime, 0, queue.ctime, 0, queue.bytes, queue.messages.length, queue.limit, queue.lspid, queue.lrpid], 9);
  return thread.process.space.writeWords(address, words);
}

/** struct msginfo: pool, map, max, mnb, mni, ssz, tql, seg:16. MSG_INFO counts what there is: queues, messages and bytes. */
function msgInfo(kernel: Kernel, thread: Thread, address: number, kind: number): Result {
  const { table } = messageQueues(kernel);
  const queues = table.slots.filter((queue) => queue !== null);
  const sum = (of: (queue: MessageQueue) => number): number => queues.reduce((total, queue) => total + of(queue), 0);
  const [pool, map, headers] = kind === IPC.INFO
    ? [(MSG.MNI * MSG.MNB) / 1024, MSG.MNB, MSG.MNB]
    : [queues.length, sum(({ messages }) => messages.length), sum(({ bytes }) => bytes)];
  return failedOr(thread.process.space.writeWords(address, [pool, map, MSG.MAX, MSG.MNB, MSG.MNI, 16, headers, 0xffff]), highestIndex(table));
}

/** ipc(2) of version 0 gives msgrcv's buffer and type in a structure of their own. */
function oldMsgrcv(kernel: Kernel, thread: Thread, id: number, size: number, flags: number, pointer: number): number {
  if (pointer === 0) return -Errno.EINVAL;
  const words = thread.process.space.readWords(pointer, 2);
  return failed(words) ? words : msgrcv(kernel, thread, id, words[0], size, words[1], flags);
}

/** ipc(2): arguments mean what the call makes of them (ipc/syscall.c). */
function ipc(kernel: Kernel, thread: Thread, call: number, first: number, second: number, third: number, pointer: number, fifth: number): number {
  const version = call >>> 16;
  switch (call & 0xffff) {
    case CALL.SEMOP: return timedSemop(kernel, thread, first, pointer, second, 0, false);
    case CALL.SEMTIMEDOP: return timedSemop(kernel, thread, first, pointer, second, fifth, false);
    case CALL.SEMGET: return semget(kernel, thread, first, second, third);
    case CALL.SEMCTL: {
      const argument = pointer === 0 ? -Errno.EINVAL : thread.process.space.readWords(pointer, 1);
      return failed(argument) ? argument : semctl(kernel, thread, first, second, third, argument[0]);
    }
    case CALL.MSGSND: return msgsnd(kernel, thread, first, pointer, second, third);
    case CALL.MSGRCV: return version === 0 ? oldMsgrcv(kernel, thread, first, second, third, pointer) : msgrcv(kernel, thread, first, pointer, second, fifth, third);
    case CALL.MSGGET: return msgget(kernel, thread, first, second);
    case CALL.MSGCTL: return msgctl(kernel, thread, first, second, pointer);
    case CALL.SHMAT: {
      if (version !== 0) return -Errno.EINVAL;
      const at = shmat(kernel, thread, first, pointer, second);
      return failed(at) ? at : thread.process.space.writeWords(third, [at]);
    }
    case CALL.SHMDT: return shmdt(kernel, thread, pointer);
    case CALL.SHMGET: return shmget(kernel, thread, first, second >>> 0, third);
    case CALL.SHMCTL: return shmctl(kernel, thread, first, second, pointer);
  }
  kernel.countUnknown(`ipc(${call & 0xffff})`, thread.process.comm);
  return -Errno.ENOSYS;
}

defineSyscalls({
  4117: ['ipc', 6, ipc, 'int int int int ptr int'],
  4393: ['semget', 3, semget, 'hex int oct'],
  4394: ['semctl', 4, semctl, 'int int hex hex'],
  4395: ['shmget', 3, (kernel, thread, key, size, flags) => shmget(kernel, thread, key, size >>> 0, flags), 'hex uint oct'],
  4396: ['shmctl', 3, shmctl, 'int hex ptr'],
  4397: ['shmat', 3, shmat, 'int ptr oct'],
  4398: ['shmdt', 1, shmdt, 'ptr'],
  4399: ['msgget', 2, msgget, 'hex oct'],
  4400: ['msgsnd', 4, msgsnd, 'int ptr uint oct'],
  4401: ['msgrcv', 5, msgrcv, 'int ptr uint int oct'],
  4402: ['msgctl', 3, msgctl, 'int hex ptr'],
  4420: ['semtimedop_time64', 4, (kernel, thread, id, ops, count, timeout) => timedSemop(kernel, thread, id, ops, count, timeout, true), 'int ptr uint timespec64'],
});
