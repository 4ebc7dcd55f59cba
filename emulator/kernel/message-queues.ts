import { Errno, failed, snapshotClass, WaitQueue, type Result } from '../base/index.js';
import type { Kernel } from './kernel.js';
import { ObjectBytes } from './kernel-memory.js';
import { findById, IPC, lookup, mayUse, newId, newTable, ownedBy, remove, store, type IpcObject, type IpcTable } from './sysv.js';
import type { Thread } from './thread.js';

/** System V message queues (msgget(2), msgop(2)): longest message, bytes of a queue, queues; Linux's, but for the number of queues of a small device. */
export const MSG = { MAX: 8192, MNB: 16_384, MNI: 128 } as const;
const Flag = { NOERROR: 0o10000, EXCEPT: 0o20000, COPY: 0o40000 } as const;

interface Message {
  /** Positive. */
  type: number;
  bytes: Uint8Array;
}

export interface MessageQueue extends IpcObject {
  messages: Message[];
  /** Of all messages together. */
  bytes: number;
  /** Most bytes, and most messages. */
  limit: number;
  /** Seconds since the epoch. */
  stime: number;
  rtime: number;
  ctime: number;
  /** Who sent and received last. */
  lspid: number;
  lrpid: number;
  changed: WaitQueue;
}

/** All queues. */
export class MessageQueues {
  table: IpcTable<MessageQueue> = newTable();
}
snapshotClass('MessageQueues', MessageQueues);

const KERNEL_KEY = 'sysv.messages';

export function messageQueues(kernel: Kernel): MessageQueues {
  let state = kernel.extension.get(KERNEL_KEY) as MessageQueues | undefined;
  if (!state) {
    state = new MessageQueues();
    kernel.extension.set(KERNEL_KEY, state);
  }
  return state;
}

export function msgget(kernel: Kernel, thread: Thread, key: number, flags: number): Result {
  const { cred } = thread.process;
  const { table } = messageQueues(kernel);
  const known = lookup(table, key, flags);
  if (failed(known)) return known;
  if (known !== null && typeof known === 'object') return mayUse(known, cred, (flags >> 6) & 6) ? known.id : -Errno.EACCES;
  const id = newId(table, MSG.MNI);
  if (failed(id)) return id;
  const ctime = kernel.realtime().seconds;
  store(table, { ...ownedBy(cred, key, flags), id, messages: [], bytes: 0, limit: MSG.MNB, stime: 0, rtime: 0, ctime, lspid: 0, lrpid: 0, changed: new WaitQueue() });
  return id;
}

/** The queue of a call that may have waited: gone meanwhile is EIDRM. */
function queueOf(kernel: Kernel, thread: Thread, id: number): MessageQueue | Result {
  return findById(messageQueues(kernel).table, id) ?? (thread.blocked ? -Errno.EIDRM : -Errno.EINVAL);
}

/** struct msgbuf: 0 type | 4 text. Waits for room. */
export function msgsnd(kernel: Kernel, thread: Thread, id: number, at: number, size: number, flags: number): number {
  if (size < 0 || size > MSG.MAX || id < 0) return -Errno.EINVAL;
  const { space, cred, pid } = thread.process;
  const buffer = space.copyin(at >>> 0, 4 + size);
  if (failed(buffer)) return buffer;
  const type = new DataView(buffer.buffer, buffer.byteOffset).getInt32(0, true);
  if (type < 1) return -Errno.EINVAL;
  const queue = queueOf(kernel, thread, id);
  if (typeof queue === 'number') return queue;
  if (!mayUse(queue, cred, 2)) return -Errno.EACCES;
  if (queue.bytes + size > queue.limit || queue.messages.length + 1 > queue.limit) {
    return flags & IPC.NOWAIT ? -Errno.EAGAIN : thread.block('msg.send', [queue.changed], { restart: 'nohand' });
  }
  if (kernel.memory.take(size + ObjectBytes.message) < 0) return -Errno.ENOMEM;
  queue.messages.push({ type, bytes: buffer.slice(4) });
  queue.bytes += size;
  queue.stime = kernel.realtime().seconds;
  queue.lspid = pid;
  queue.changed.wakeAll();
  return 0;
}

/** Index of the message asked for: the first; the first of a type, or not of it; of the lowest type up to -wanted. -1: there is none. */
function choose(messages: readonly Message[], wanted: number, flags: number): number {
  if (wanted === 0) return messages.length > 0 ? 0 : -1;
  if (wanted > 0) return messages.findIndex(({ type }) => (type === wanted) !== ((flags & Flag.EXCEPT) !== 0));
  let best = -1;
  for (const [index, { type }] of messages.entries()) {
    if (type <= -wanted && (best < 0 || type < messages[best].type)) best = index;
  }
  return best;
}

/** Takes a message; the bytes of its text. One that is too long stays, unless MSG_NOERROR lets it be cut off. */
export function msgrcv(kernel: Kernel, thread: Thread, id: number, at: number, size: number, wanted: number, flags: number): number {
  if (size < 0 || id < 0) return -Errno.EINVAL;
  if (flags & Flag.COPY) return flags & Flag.EXCEPT || !(flags & IPC.NOWAIT) ? -Errno.EINVAL : -Errno.ENOSYS;
  const queue = queueOf(kernel, thread, id);
  if (typeof queue === 'number') return queue;
  if (!mayUse(queue, thread.process.cred, 4)) return -Errno.EACCES;
  const index = choose(queue.messages, wanted, flags);
  if (index < 0) return flags & IPC.NOWAIT ? -Errno.ENOMSG : thread.block('msg.receive', [queue.changed], { restart: 'nohand' });
  if (queue.messages[index].bytes.length > size && !(flags & Flag.NOERROR)) return -Errno.E2BIG;
  const [message] = queue.messages.splice(index, 1);
  forget(kernel, queue, message);
  queue.rtime = kernel.realtime().seconds;
  queue.lrpid = thread.process.pid;
  queue.changed.wakeAll();
  return deliver(thread, at >>> 0, message, size);
}

function deliver(thread: Thread, at: number, { type, bytes }: Message, size: number): number {
  const { space } = thread.process;
  const text = bytes.subarray(0, size);
  const written = space.writeWords(at, [type]);
  const copied = failed(written) ? written : space.copyout(at + 4, text);
  return failed(copied) ? copied : text.length;
}

function forget(kernel: Kernel, queue: MessageQueue, message: Message): void {
  queue.bytes -= message.bytes.length;
  kernel.memory.give(message.bytes.length + ObjectBytes.message);
}

/** With all its messages; who waits at it is told EIDRM. */
export function removeQueue(kernel: Kernel, queue: MessageQueue): void {
  remove(messageQueues(kernel).table, queue);
  for (const message of queue.messages.splice(0)) forget(kernel, queue, message);
  queue.changed.wakeAll();
}
