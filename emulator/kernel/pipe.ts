import { Errno, snapshotClass, WaitQueue, type Result } from '../base/index.js';
import { PAGE_SIZE } from '../memory/ram.js';
import { gatherLength, type Attr, type Gather } from '../vfs/vnode.js';
import { VOP_CLOSE } from '../vfs/vop.js';
import type { Opened } from '../vfs/vfs.js';
import { Ioctl } from './ioctl.js';
import type { Kernel } from './kernel.js';
import type { KernelMemory } from './kernel-memory.js';
import { OpenFile, Poll } from './open-file.js';
import { Signal } from './signal-numbers.js';
import { signalThread } from './signals.js';
import type { Thread } from './thread.js';

/** pipe(7): capacity, and the size up to which a write is atomic. */
export const PIPE_BYTES = 65_536;
export const PIPE_BUF = 4096;
const PIPE_MAX = 1 << 20;

/** The buffer between the ends of a pipe or FIFO. */
export class Pipe {
  private readonly memory: KernelMemory;
  private readonly pages: Uint8Array[] = [];
  /** Where in the first page the unread bytes begin. */
  private head = 0;
  /** Bytes in it. */
  length = 0;
  capacity = PIPE_BYTES;
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

  get room(): number {
    return this.capacity - this.length;
  }

  /** All of it, or -ENOMEM: every page of the buffer is one of the device's. */
  push(bytes: Uint8Array): Result {
    const tail = this.head + this.length;
    const pages = Math.ceil((tail + bytes.length) / PAGE_SIZE) - this.pages.length;
    if (pages > 0 && this.memory.take(pages * PAGE_SIZE) < 0) return -Errno.ENOMEM;
    for (let i = 0; i < pages; i++) this.pages.push(new Uint8Array(PAGE_SIZE));
    for (let done = 0; done < bytes.length;) {
      const at = (tail + done) % PAGE_SIZE;
      const part = bytes.subarray(done, done + PAGE_SIZE - at);
      this.pages[Math.floor((tail + done) / PAGE_SIZE)].set(part, at);
      done += part.length;
    }
    this.length += bytes.length;
    if (bytes.length > 0) this.readable.wakeAll();
    return 0;
  }

  take(length: number): Uint8Array {
    const result = new Uint8Array(Math.min(length, this.length));
    for (let done = 0; done < result.length;) {
      const part = this.pages[0].subarray(this.head, this.head + result.length - done);
      result.set(part, done);
      done += part.length;
      this.head += part.length;
      if (this.head === PAGE_SIZE) this.dropPage();
    }
    this.length -= result.length;
    if (this.length === 0 && this.pages.length > 0) this.dropPage();
    if (result.length > 0) this.writable.wakeAll();
    return result;
  }

  private dropPage(): void {
    this.pages.shift();
    this.head = 0;
    this.memory.give(PAGE_SIZE);
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

  /** Unread input is forgotten (a checkpoint's policy). */
  clear(): void {
    while (this.pages.length > 0) this.dropPage();
    this.length = 0;
    this.writable.wakeAll();
  }
}
snapshotClass('Pipe', Pipe);

/** One end of a pipe, or an open FIFO (which may be both). */
export class PipeFile extends OpenFile {
  readonly kind: string;
  readonly pipe: Pipe;
  private readonly ino: number;
  private readonly opened: Opened | null;
  /** FIFO: writers seen before this reader came; end of file only after one of its own has left. */
  private readonly writersBefore: number;
  private readonly readersBefore: number;
  private readonly uid: number;
  private readonly gid: number;

  constructor(kernel: Kernel, thread: Thread, pipe: Pipe, flags: number, opened: Opened | null = null) {
    super(flags);
    this.pipe = pipe;
    this.kind = opened ? 'fifo' : 'pipe';
    this.opened = opened;
    this.vnode = opened?.vnode ?? null;
    this.ino = opened ? 0 : kernel.newInode();
    this.uid = thread.process.cred.euid;
    this.gid = thread.process.cred.egid;
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
    if (pipe.length > 0) {
      const bytes = pipe.take(length);
      this.consumed += bytes.length;
      return bytes;
    }
    if (pipe.writers === 0 && (this.nonBlocking || pipe.writersSeen > this.writersBefore || !this.opened)) return new Uint8Array(0);
    if (this.nonBlocking) return -Errno.EAGAIN;
    return thread.block('pipe.read', [pipe.readable]);
  }

  /** Up to PIPE_BUF bytes go in as a whole; more may go in parts, and a blocked write notes how far it came. */
  override write(kernel: Kernel, thread: Thread, bytes: Gather): number {
    const { pipe } = this;
    pipe.dropBroken();
    const total = gatherLength(bytes);
    let done = (thread.blocked?.data as number | null) ?? 0;
    if (pipe.readers === 0) return done > 0 ? done : brokenPipe(thread);
    if (total === 0) return 0;
    const needed = total <= PIPE_BUF ? total : 1;
    if (pipe.room >= needed) {
      const size = Math.min(total - done, pipe.room);
      if (pipe.push(slice(bytes, done, size)) < 0) return done > 0 ? done : -Errno.ENOMEM;
      kernel.meter.charge('copy.bytes', size);
      done += size;
      if (done === total) return total;
    }
    if (this.nonBlocking) return done > 0 ? done : -Errno.EAGAIN;
    return thread.block('pipe.write', [pipe.writable], { data: done, partial: done > 0 ? done : undefined });
  }

  override poll(): number {
    const { pipe } = this;
    pipe.dropBroken();
    let ready = 0;
    if (this.readable) {
      if (pipe.length > 0) ready |= Poll.IN | Poll.RDNORM;
      if (pipe.writers === 0 && (!this.opened || pipe.writersSeen > this.writersBefore)) ready |= Poll.HUP;
    }
    if (this.writable) {
      if (pipe.room >= PIPE_BUF) ready |= Poll.OUT;
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

  /** F_SETPIPE_SZ: rounded up to a power of two pages; -EBUSY when more bytes are in it. */
  resize(bytes: number): Result {
    if (bytes > PIPE_MAX) return -Errno.EPERM;
    let capacity = PIPE_BUF;
    while (capacity < bytes) capacity *= 2;
    if (capacity < this.pipe.length) return -Errno.EBUSY;
    this.pipe.capacity = capacity;
    return capacity;
  }

  stat(): Attr {
    if (this.vnode) return this.vnode.getattr();
    const never = { sec: 0, nsec: 0 };
    return {
      type: 'fifo', mode: 0o600, uid: this.uid, gid: this.gid, ino: this.ino, dev: 0, nlink: 1, size: 0, rdev: 0,
      atime: never, mtime: never, ctime: never, blocks: 0, blksize: PIPE_BUF,
    };
  }

  describe(): string {
    return this.opened ? `fifo:${this.opened.name}` : `pipe:[${this.ino}]`;
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
