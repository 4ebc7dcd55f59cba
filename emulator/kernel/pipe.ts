import { Errno, Invariant, snapshotClass, WaitQueue, type Result } from '../base/index.js';
import { PAGE_SIZE } from '../memory/ram.js';
import { gatherLength, type Attr, type Gather } from '../vfs/vnode.js';
import { VOP_CLOSE } from '../vfs/vop.js';
import { OpenFlag } from '../vfs/open-flags.js';
import type { Opened } from '../vfs/vfs.js';
import { Ioctl } from './ioctl.js';
import type { Kernel } from './kernel.js';
import type { KernelMemory } from './kernel-memory.js';
import { OpenFile, Poll, type NodeOwner } from './open-file.js';
import { Signal } from './signal-numbers.js';
import { signalThread } from './signals.js';
import type { Thread } from './thread.js';

/** pipe(7): capacity, and the size up to which a write is atomic: a page. */
export const PIPE_BYTES = 65_536;
export const PIPE_BUF = PAGE_SIZE;
const PIPE_MAX = 1 << 20;

/** One page of a pipe, plain data: bytes from `start` to `end` are unread. A packet (O_DIRECT) is read by itself and never added to. */
export interface Slot {
  page: Uint8Array;
  start: number;
  end: number;
  packet: boolean;
}

interface PipeInode {
  ino: number;
  mode: number;
  uid: number;
  gid: number;
}

/**
 * The buffer between the ends of a pipe or FIFO: slots of a page each, as in fs/pipe.c. A write fills slots of its own, but
 * that what exceeds whole pages is added to the last slot where it fits; so 1000 bytes at a time fill a pipe earlier than 1 at a time.
 */
export class Pipe {
  private readonly memory: KernelMemory;
  private readonly slots: Slot[] = [];
  capacity = PIPE_BYTES;
  /** Of a pipe without a name; both ends are the same file. */
  inode: PipeInode | null = null;
  readers = 0;
  writers = 0;
  /** Ends ever opened: how a blocked open(2) of a FIFO sees that a partner came, though it may be gone again. */
  readersSeen = 0;
  writersSeen = 0;
  readable = new WaitQueue();
  writable = new WaitQueue();
  /** Where open(2) of a FIFO waits for a partner; `pending` are the ends that wait, counted already. */
  opening = new WaitQueue();
  private pending: { thread: Thread; file: PipeFile }[] = [];

  constructor(memory: KernelMemory) {
    this.memory = memory;
  }

  /** Unread bytes. */
  get length(): number {
    return this.slots.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  get empty(): boolean {
    return this.slots.length === 0;
  }

  get full(): boolean {
    return this.slots.length * PAGE_SIZE >= this.capacity;
  }

  /** Pages in use. */
  get used(): number {
    return this.slots.length;
  }

  /** How many of the bytes went in, from none to all; -ENOMEM if none did for want of memory. The first `joining` bytes may join the last slot. */
  push(bytes: Uint8Array, packet: boolean, joining: number): number {
    let done = this.join(bytes.subarray(0, joining));
    while (done < bytes.length && !this.full) {
      if (this.memory.take(PAGE_SIZE) < 0) {
        if (done === 0) return -Errno.ENOMEM;
        break;
      }
      const part = bytes.subarray(done, done + PAGE_SIZE);
      const page = new Uint8Array(PAGE_SIZE);
      page.set(part);
      this.slots.push({ page, start: 0, end: part.length, packet });
      done += part.length;
    }
    if (done > 0) this.readable.wakeAll();
    return done;
  }

  /** Add to the last slot what fits there as a whole. */
  private join(bytes: Uint8Array): number {
    const last = this.slots.at(-1);
    if (!last || last.packet || last.end + bytes.length > PAGE_SIZE) return 0;
    last.page.set(bytes, last.end);
    last.end += bytes.length;
    return bytes.length;
  }

  /** Up to `length` bytes; of a packet, what does not fit is lost. */
  take(length: number): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let left = length; left > 0 && this.slots.length > 0;) {
      const slot = this.slots[0];
      const part = slot.page.slice(slot.start, Math.min(slot.end, slot.start + left));
      parts.push(part);
      slot.start += part.length;
      left = slot.packet ? 0 : left - part.length;
      if (slot.packet || slot.start === slot.end) this.dropSlot();
    }
    return parts.length === 1 ? parts[0] : new Uint8Array(Buffer.concat(parts));
  }

  private dropSlot(): void {
    this.slots.shift();
    this.memory.give(PAGE_SIZE);
    this.writable.wakeAll();
  }

  addPending(thread: Thread, file: PipeFile): void {
    this.pending.push({ thread, file });
  }

  settlePending(file: PipeFile): void {
    this.pending = this.pending.filter((one) => one.file !== file);
  }

  /** Ends whose open(2) a signal has broken off count no longer. */
  dropBroken(): void {
    const broken = this.pending.filter(({ thread, file }) => thread.state === 'dead' || thread.blocked?.data !== file);
    if (broken.length === 0) return;
    this.pending = this.pending.filter((one) => !broken.includes(one));
    for (const { file } of broken) file.leave();
  }

  /** What is unread, as `refill` takes it. */
  contents(): Slot[] {
    return this.slots.map((slot) => ({ ...slot, page: slot.page.slice() }));
  }

  /** Have these contents and no others. */
  refill(contents: readonly Slot[]): void {
    this.clear();
    this.memory.force(contents.length * PAGE_SIZE);
    for (const slot of contents) this.slots.push({ ...slot, page: slot.page.slice() });
    this.readable.wakeAll();
    this.writable.wakeAll();
  }

  /** Unread input is forgotten (a checkpoint's policy). */
  clear(): void {
    while (this.slots.length > 0) this.dropSlot();
  }
}
snapshotClass('Pipe', Pipe);

/** One end of a pipe, or an open FIFO (which may be both). */
export class PipeFile extends OpenFile {
  readonly kind: string;
  readonly pipe: Pipe;
  private readonly opened: Opened | null;
  /** FIFO: writers seen before this reader came; end of file only after one of its own has left. */
  private readonly writersBefore: number;
  private readonly readersBefore: number;

  constructor(kernel: Kernel, thread: Thread, pipe: Pipe, flags: number, opened: Opened | null = null) {
    super(flags);
    this.pipe = pipe;
    this.kind = opened ? 'fifo' : 'pipe';
    this.opened = opened;
    this.vnode = opened?.vnode ?? null;
    if (!opened) pipe.inode ??= { ino: kernel.newInode(), mode: 0o600, uid: thread.process.cred.euid, gid: thread.process.cred.egid };
    this.writersBefore = pipe.writersSeen - pipe.writers;
    this.readersBefore = pipe.readersSeen - pipe.readers;
    if (this.readable) {
      pipe.readers++;
      pipe.readersSeen++;
    }
    if (this.writable) {
      pipe.writers++;
      pipe.writersSeen++;
    }
    pipe.opening.wakeAll();
  }

  override get gathers(): boolean { return true; }

  override read(_kernel: Kernel, thread: Thread, length: number): Uint8Array | number {
    const { pipe } = this;
    pipe.dropBroken();
    if (length === 0) return new Uint8Array(0);
    if (!pipe.empty) {
      const bytes = pipe.take(length);
      this.consumed += bytes.length;
      return bytes;
    }
    if (pipe.writers === 0 && (this.nonBlocking || pipe.writersSeen > this.writersBefore || !this.opened)) return new Uint8Array(0);
    if (this.nonBlocking) return -Errno.EAGAIN;
    return thread.block('pipe.read', [pipe.readable]);
  }

  /** Up to PIPE_BUF bytes need one page at most and go in as a whole; more may go in parts, and a blocked write notes how far it came. */
  override write(kernel: Kernel, thread: Thread, bytes: Gather): number {
    const { pipe } = this;
    pipe.dropBroken();
    const total = gatherLength(bytes);
    let done = (thread.blocked?.data as number | null) ?? 0;
    if (pipe.readers === 0) return done > 0 ? done : brokenPipe(thread);
    if (total === 0) return 0;
    const packet = (this.flags & OpenFlag.DIRECT) !== 0;
    const pushed = pipe.push(slice(bytes, done, Math.min(total - done, pipe.capacity)), packet, thread.blocked === null ? total % PAGE_SIZE : 0);
    if (pushed < 0) return done > 0 ? done : pushed;
    kernel.meter.charge('copy.bytes', pushed);
    done += pushed;
    if (done === total) return total;
    if (this.nonBlocking) return done > 0 ? done : -Errno.EAGAIN;
    return thread.block('pipe.write', [pipe.writable], { data: done, partial: done > 0 ? done : undefined });
  }

  override poll(): number {
    const { pipe } = this;
    pipe.dropBroken();
    let ready = 0;
    if (this.readable) {
      if (!pipe.empty) ready |= Poll.IN | Poll.RDNORM;
      if (pipe.writers === 0 && (!this.opened || pipe.writersSeen > this.writersBefore)) ready |= Poll.HUP;
    }
    if (this.writable) {
      if (!pipe.full) ready |= Poll.OUT;
      if (pipe.readers === 0) ready |= Poll.ERR;
    }
    return ready;
  }

  override waitQueues(): WaitQueue[] {
    const queues: WaitQueue[] = [];
    if (this.readable) queues.push(this.pipe.readable);
    if (this.writable) queues.push(this.pipe.writable);
    return queues;
  }

  override ioctl(_kernel: Kernel, thread: Thread, request: number, argument: number): Result {
    return request === Ioctl.FIONREAD ? thread.process.space.writeWords(argument >>> 0, [this.pipe.length]) : -Errno.ENOTTY;
  }

  /** F_SETPIPE_SZ: rounded up to a power of two pages; -EBUSY when more pages are in use. */
  resize(bytes: number): Result {
    if (bytes > PIPE_MAX) return -Errno.EPERM;
    let capacity = PIPE_BUF;
    while (capacity < bytes) capacity *= 2;
    if (capacity < this.pipe.used * PAGE_SIZE) return -Errno.EBUSY;
    this.pipe.capacity = capacity;
    return capacity;
  }

  override setattr(change: NodeOwner): Result {
    Object.assign(this.inode, change);
    return 0;
  }

  private get inode(): PipeInode {
    if (!this.pipe.inode) throw new Invariant('a pipe without inode');
    return this.pipe.inode;
  }

  stat(): Attr {
    if (this.vnode) return this.vnode.getattr();
    const never = { sec: 0, nsec: 0 };
    return {
      type: 'fifo', ...this.inode, dev: 0, nlink: 1, size: 0, rdev: 0,
      atime: never, mtime: never, ctime: never, blocks: 0, blksize: PIPE_BUF,
    };
  }

  describe(): string {
    return this.opened ? `fifo:${this.opened.name}` : `pipe:[${this.inode.ino}]`;
  }

  /** Has an end of the other kind come since this one was made? It may be gone again. */
  get partnerCame(): boolean {
    const { pipe } = this;
    return this.readable ? pipe.writers > 0 || pipe.writersSeen > this.writersBefore : pipe.readers > 0 || pipe.readersSeen > this.readersBefore;
  }

  override close(): Result {
    this.leave();
    return this.vnode ? VOP_CLOSE(this.vnode) : 0;
  }

  /** A FIFO's other end may be anybody's. */
  override get reopens(): boolean { return !this.opened; }

  override reopen(): void {
    if (this.readable) this.pipe.readers++;
    if (this.writable) this.pipe.writers++;
  }

  leave(): void {
    const { pipe } = this;
    if (this.readable && --pipe.readers === 0) pipe.writable.wakeAll();
    if (this.writable && --pipe.writers === 0) pipe.readable.wakeAll();
    if (pipe.readers === 0 && pipe.writers === 0) pipe.clear();
  }
}
snapshotClass('PipeFile', PipeFile);

/** SIGPIPE, and -EPIPE for who ignores it. */
export function brokenPipe(thread: Thread): Result {
  signalThread(thread, { signo: Signal.PIPE, code: 0, pid: thread.process.pid, uid: thread.process.cred.uid });
  return -Errno.EPIPE;
}

/** `length` bytes from `from` of a gather list; a view where one part holds them all. */
function slice(bytes: Gather, from: number, length: number): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes.subarray(from, from + length);
  const result = new Uint8Array(length);
  let skip = from;
  let at = 0;
  for (const part of bytes) {
    const piece = part.subarray(Math.min(skip, part.length), skip + length - at);
    skip = Math.max(0, skip - part.length);
    result.set(piece, at);
    at += piece.length;
    if (at === length) break;
  }
  return result;
}
