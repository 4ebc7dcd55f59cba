import { ObjectBytes, type KernelMemory } from './kernel-memory.js';
import { Errno, snapshotClass, WaitQueue, type Result, type Sleeper } from '../base/index.js';
import type { Attr } from '../vfs/vnode.js';
import type { Kernel } from './kernel.js';
import { OpenFile, Poll } from './open-file.js';
import type { Thread } from './thread.js';

/** epoll_ctl(2); the event bits below these are those of poll. */
const EPOLLET = 0x8000_0000;
const EPOLLONESHOT = 0x4000_0000;
const ALWAYS = Poll.ERR | Poll.HUP;
const BITS = 0xffff;

/** One watched descriptor. It sleeps on the file's queues all the time, so that an edge is not missed between two waits. */
class Watch implements Sleeper {
  readonly file: OpenFile;
  readonly owner: EpollFile;
  events: number;
  data: [low: number, high: number];
  /** Something happened since the last report. */
  edge = true;
  /** How often something happened. */
  wakes = 0;
  removed = false;

  constructor(owner: EpollFile, file: OpenFile, events: number, data: [number, number]) {
    this.owner = owner;
    this.file = file;
    this.events = events;
    this.data = data;
    if (file instanceof EpollFile) file.watchers++;
    this.listen();
  }

  private get queues(): WaitQueue[] {
    return this.file.waitQueues(this.events & BITS);
  }

  listen(): void {
    for (const queue of this.queues) queue.add(this);
  }

  remove(): void {
    this.removed = true;
    this.owner.memory.give(ObjectBytes.watch);
    if (this.file instanceof EpollFile) this.file.watchers--;
    for (const queue of this.queues) queue.remove(this);
  }

  wake(): void {
    if (this.removed) return;
    this.edge = true;
    this.wakes++;
    this.listen();
    this.owner.changed.wakeAll();
  }

  ready(): number {
    if ((this.events & BITS) === 0 && this.events & EPOLLONESHOT) return 0;
    if (this.events & EPOLLET && !this.edge) return 0;
    return this.file.poll() & ((this.events & BITS) | ALWAYS);
  }

  reported(): void {
    this.edge = false;
    if (this.events & EPOLLONESHOT) this.events = EPOLLONESHOT;
  }
}
snapshotClass('EpollWatch', Watch);

/** One entry of an interest list, as a checkpoint remembers it. The file is not counted. */
export interface Interest {
  fd: number;
  file: OpenFile;
  events: number;
  data: [number, number];
  edge: boolean;
  wakes: number;
}

export interface ReadyEvent {
  events: number;
  data: [number, number];
}

/** An epoll instance (epoll(7)). */
export class EpollFile extends OpenFile {
  readonly kind = 'epoll';
  readonly changed = new WaitQueue();
  private readonly watches = new Map<number, Watch>();
  /** Epoll instances that watch this one. */
  watchers = 0;
  readonly memory: KernelMemory;

  constructor(memory: KernelMemory, flags: number) {
    super(flags);
    this.memory = memory;
  }

  /**
   * An instance may watch instances that watch none themselves: no circles, and wake-ups never go deeper than two. Linux
   * allows a depth of four.
   */
  private mayWatch(file: OpenFile): boolean {
    if (!(file instanceof EpollFile)) return true;
    return this.watchers === 0 && ![...file.watches.values()].some((watch) => watch.file instanceof EpollFile);
  }

  add(fd: number, file: OpenFile, events: number, data: [number, number]): Result {
    if (file === this) return -Errno.EINVAL;
    if (file.vnode?.type === 'reg' || file.vnode?.type === 'dir') return -Errno.EPERM;
    const known = this.watches.get(fd);
    if (known?.file === file) return -Errno.EEXIST;
    if (!this.mayWatch(file)) return -Errno.ELOOP;
    if (this.memory.take(ObjectBytes.watch) < 0) return -Errno.ENOSPC;
    known?.remove();
    this.watches.set(fd, new Watch(this, file, events, data));
    this.changed.wakeAll();
    return 0;
  }

  modify(fd: number, file: OpenFile, events: number, data: [number, number]): Result {
    const watch = this.watches.get(fd);
    if (watch?.file !== file) return -Errno.ENOENT;
    watch.remove();
    this.memory.force(ObjectBytes.watch);
    this.watches.set(fd, new Watch(this, file, events, data));
    this.changed.wakeAll();
    return 0;
  }

  delete(fd: number, file: OpenFile): Result {
    const watch = this.watches.get(fd);
    if (watch?.file !== file) return -Errno.ENOENT;
    watch.remove();
    this.watches.delete(fd);
    return 0;
  }

  override get reopens(): boolean { return true; }

  /** Does it watch any of these? */
  watchesAny(files: ReadonlySet<OpenFile>): boolean {
    return Array.from(this.watches.values()).some(({ file }) => files.has(file));
  }

  /** The interest list, for a checkpoint. */
  interests(): Interest[] {
    this.dropClosed();
    return Array.from(this.watches, ([fd, { file, events, data, edge, wakes }]) => ({ fd, file, events, data, edge, wakes }));
  }

  /**
   * The interest list as it was (a thaw), without files that are closed by now. An edge that was waiting then, or came since,
   * waits to be reported: the state gone back to has not heard of it.
   */
  restoreInterests(interests: readonly Interest[]): void {
    const before = new Map(this.watches);
    this.watches.clear();
    for (const { fd, file, events, data, edge, wakes } of interests) {
      if (file.refs === 0) continue;
      const known = before.get(fd);
      const same = known?.file === file;
      const watch = same && known.events === events ? known : this.anew(file, events, data);
      if (watch === known) before.delete(fd);
      watch.data = data;
      watch.edge = !same || known.wakes !== wakes || edge;
      this.watches.set(fd, watch);
    }
    for (const watch of before.values()) watch.remove();
    this.changed.wakeAll();
  }

  private anew(file: OpenFile, events: number, data: [number, number]): Watch {
    this.memory.force(ObjectBytes.watch);
    return new Watch(this, file, events, data);
  }

  /** Files closed everywhere leave the set by themselves. */
  private dropClosed(): void {
    for (const [fd, watch] of this.watches) {
      if (watch.file.refs > 0) continue;
      watch.remove();
      this.watches.delete(fd);
    }
  }

  /** Up to `max` events; who was reported goes to the end, so that none starves. */
  collect(max: number): ReadyEvent[] {
    this.dropClosed();
    const found: ReadyEvent[] = [];
    for (const [fd, watch] of Array.from(this.watches)) {
      if (found.length === max) break;
      const ready = watch.ready();
      if (ready === 0) continue;
      found.push({ events: ready, data: watch.data });
      watch.reported();
      this.watches.delete(fd);
      this.watches.set(fd, watch);
    }
    return found;
  }

  override poll(): number {
    this.dropClosed();
    for (const watch of this.watches.values()) if (watch.ready() !== 0) return Poll.IN | Poll.RDNORM;
    return 0;
  }

  override waitQueues(): WaitQueue[] {
    return [this.changed];
  }

  stat(): Attr {
    return anonymousAttr();
  }

  describe(): string {
    return 'anon_inode:[eventpoll]';
  }

  override close(): Result {
    for (const watch of this.watches.values()) watch.remove();
    this.watches.clear();
    return 0;
  }
}
snapshotClass('EpollFile', EpollFile);

const EFD_SEMAPHORE = 1;
/** The counter of the real one ends at 2^64 - 2; nobody counts that far. */
const COUNTER_MAX = Number.MAX_SAFE_INTEGER;

/** eventfd(2). */
export class EventFile extends OpenFile {
  readonly kind = 'eventfd';
  counter: number;
  private readonly semaphore: boolean;
  private readonly readers = new WaitQueue();
  private readonly writers = new WaitQueue();

  constructor(initial: number, flags: number) {
    super(2 | (flags & 0x80));
    this.counter = initial;
    this.semaphore = (flags & EFD_SEMAPHORE) !== 0;
  }

  override read(_kernel: Kernel, thread: Thread, length: number): Uint8Array | number {
    if (length < 8) return -Errno.EINVAL;
    if (this.counter === 0) return this.nonBlocking ? -Errno.EAGAIN : thread.block('eventfd.read', [this.readers]);
    const value = this.semaphore ? 1 : this.counter;
    this.counter -= value;
    this.writers.wakeAll();
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    return bytes;
  }

  override write(_kernel: Kernel, thread: Thread, bytes: Uint8Array): number {
    if (bytes.length < 8) return -Errno.EINVAL;
    const value = Number(Buffer.from(bytes).readBigUInt64LE());
    if (value > COUNTER_MAX) return -Errno.EINVAL;
    if (this.counter + value > COUNTER_MAX) return this.nonBlocking ? -Errno.EAGAIN : thread.block('eventfd.write', [this.writers]);
    this.counter += value;
    if (value > 0) this.readers.wakeAll();
    return 8;
  }

  override get reopens(): boolean { return true; }

  /** Count as then, and let everyone look. */
  recall(counter: number): void {
    this.counter = counter;
    this.readers.wakeAll();
    this.writers.wakeAll();
  }

  override poll(): number {
    return (this.counter > 0 ? Poll.IN | Poll.RDNORM : 0) | (this.counter < COUNTER_MAX ? Poll.OUT : 0);
  }

  override waitQueues(): WaitQueue[] {
    return [this.readers, this.writers];
  }

  stat(): Attr {
    return anonymousAttr();
  }

  describe(): string {
    return 'anon_inode:[eventfd]';
  }
}
snapshotClass('EventFile', EventFile);

/** What fstat says of an object without an inode of its own. */
export function anonymousAttr(): Attr {
  const never = { sec: 0, nsec: 0 };
  return {
    type: 'reg', mode: 0o600, uid: 0, gid: 0, ino: 1, dev: 0, nlink: 1, size: 0, rdev: 0, atime: never, mtime: never, ctime: never, blocks: 0, blksize: 4096,
  };
}
