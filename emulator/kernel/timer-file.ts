import { Errno, snapshotClass, WaitQueue, type EventTarget, type Result, type TimedEvent } from '../base/index.js';
import { OpenFlag } from '../vfs/open-flags.js';
import type { Attr } from '../vfs/vnode.js';
import { anonymousAttr } from './eventpoll.js';
import type { Kernel } from './kernel.js';
import { OpenFile, Poll } from './open-file.js';
import type { Thread } from './thread.js';

/**
 * timerfd_create(2): expirations of a timer, read as a count. The next event is scheduled when the last expirations were
 * read, so that a short interval nobody looks at costs nothing.
 */
export class TimerFile extends OpenFile implements EventTarget {
  readonly kind = 'timerfd';
  readonly clockId: number;
  private readonly kernel: Kernel;
  /** First expiry not yet read, in cycles; Infinity when disarmed. */
  private next = Infinity;
  private interval = 0;
  private event: TimedEvent | null = null;
  private readonly expired = new WaitQueue();

  constructor(kernel: Kernel, clockId: number, flags: number) {
    super(flags & OpenFlag.NONBLOCK);
    this.kernel = kernel;
    this.clockId = clockId;
  }

  /** First expiry (cycles, absolute; Infinity disarms) and interval. */
  set(next: number, interval: number): void {
    this.next = next;
    this.interval = interval;
    this.schedule();
  }

  private schedule(): void {
    this.kernel.events.cancel(this.event);
    this.event = this.next === Infinity ? null : this.kernel.events.at(this.next, this, 'expire');
  }

  private get now(): number {
    return this.kernel.clock.cycles;
  }

  /** Expirations nobody has read. */
  private count(): number {
    if (this.now < this.next) return 0;
    return this.interval > 0 ? Math.floor((this.now - this.next) / this.interval) + 1 : 1;
  }

  /** Cycles to the next expiry (0 when disarmed), and the interval. */
  get(): { left: number; interval: number } {
    const { interval } = this;
    const next = interval > 0 ? this.next + this.count() * interval : this.next;
    return { left: next === Infinity || next <= this.now ? 0 : next - this.now, interval };
  }

  onEvent(): void {
    this.event = null;
    this.expired.wakeAll();
  }

  override read(_kernel: Kernel, thread: Thread, length: number): Uint8Array | number {
    if (length < 8) return -Errno.EINVAL;
    const count = this.count();
    if (count === 0) return this.nonBlocking ? -Errno.EAGAIN : thread.block('timerfd.read', [this.expired]);
    this.next = this.interval > 0 ? this.next + count * this.interval : Infinity;
    this.schedule();
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(count));
    return bytes;
  }

  override poll(): number {
    return this.count() > 0 ? Poll.IN | Poll.RDNORM : 0;
  }

  override waitQueues(): WaitQueue[] {
    return [this.expired];
  }

  stat(): Attr {
    return anonymousAttr();
  }

  describe(): string {
    return 'anon_inode:[timerfd]';
  }

  override get reopens(): boolean { return true; }

  override reopen(): void {
    this.schedule();
  }

  override close(): Result {
    this.kernel.events.cancel(this.event);
    return 0;
  }
}
snapshotClass('TimerFile', TimerFile);
