import { Errno, type Fail, type Result, type WaitQueue } from '../base/index.js';
import type { Pager } from '../memory/pager.js';
import { OpenFlag } from '../vfs/open-flags.js';
import type { Attr, Gather, Vnode } from '../vfs/vnode.js';
import type { Kernel } from './kernel.js';
import { ObjectBytes } from './kernel-memory.js';
import { dropFileLock } from './locks.js';
import type { Thread } from './thread.js';

/** poll(2) bits with their values on MIPS (asm/poll.h): WRNORM is OUT. */
export const Poll = {
  IN: 0x1,
  PRI: 0x2,
  OUT: 0x4,
  ERR: 0x8,
  HUP: 0x10,
  NVAL: 0x20,
  RDNORM: 0x40,
  RDBAND: 0x80,
  WRBAND: 0x100,
  RDHUP: 0x2000,
} as const;

/** What fchmod(2) and fchown(2) change. */
export type NodeOwner = Partial<Pick<Attr, 'mode' | 'uid' | 'gid'>>;

/** Name of the wait of a close(2), by which the call knows itself when it is made again. */
export const LINGER = 'close.linger';

/**
 * An open file description: what descriptors made by dup and fork share. Counted by the descriptors that
 * refer to it (and by messages that carry it); the last one gone closes it. Subclasses are snapshot classes.
 *
 * read and write may block: they then return `thread.block(…)` and are called again with the same arguments.
 */
export abstract class OpenFile {
  /** Access mode and status flags, O_*, without those that only steer open(2). */
  flags: number;
  refs = 0;
  /** Charged to the kernel's memory, since its first descriptor. */
  charged = false;
  /** Bytes of input read through it since it was opened; a checkpoint notes it to say what a rollback forgets. */
  consumed = 0;
  /** Clients taken from a listener: input that is not bytes. */
  accepted = 0;
  /** F_SETOWN: who gets SIGIO; kept, not acted upon. */
  owner = 0;
  /** Where reads and writes without an offset go on; meaningful for files that can seek. */
  position = 0;
  /** The file object behind it, if it was opened by name. */
  vnode: Vnode | null = null;
  /** write() is content with live views of user memory and books the copy it makes; otherwise it is given a copy to keep. */
  get gathers(): boolean { return false; }
  abstract readonly kind: string;

  constructor(flags: number) {
    this.flags = flags & ~(OpenFlag.CREAT | OpenFlag.EXCL | OpenFlag.NOCTTY | OpenFlag.TRUNC | OpenFlag.CLOEXEC);
  }

  /** Bytes that moved either way, as far as a stream counts both; a checkpoint's policy compares it. */
  get moved(): number {
    return this.consumed;
  }

  get readable(): boolean {
    return (this.flags & OpenFlag.ACCMODE) !== OpenFlag.WRONLY && !(this.flags & OpenFlag.PATH);
  }

  get writable(): boolean {
    return (this.flags & OpenFlag.ACCMODE) !== OpenFlag.RDONLY && !(this.flags & OpenFlag.PATH);
  }

  get nonBlocking(): boolean {
    return (this.flags & OpenFlag.NONBLOCK) !== 0;
  }

  /** `offset` null: at the file's own position, which moves. The bytes may be a view, to be used at once. */
  read(_kernel: Kernel, _thread: Thread, _length: number, _offset: number | null): Uint8Array | number { return -Errno.EINVAL; }
  write(_kernel: Kernel, _thread: Thread, _bytes: Gather, _offset: number | null): number { return -Errno.EINVAL; }
  /** Which Poll bits hold now, for whoever asks; without one for whom the file belongs to. */
  poll(_asker?: Thread): number { return Poll.IN | Poll.OUT | Poll.RDNORM; }
  /** Where to sleep for a change of the given poll bits. */
  waitQueues(_events: number, _asker?: Thread): WaitQueue[] { return []; }
  ioctl(_kernel: Kernel, _thread: Thread, _request: number, _argument: number): Result { return -Errno.ENOTTY; }
  /** whence: 0 start, 1 position, 2 end. Positions are numbers below 2^53. */
  seek(_offset: number, _whence: number): number { return -Errno.ESPIPE; }
  /** Where mmap(2) gets pages from; null: zero-filled private memory (/dev/zero). */
  pager(): Pager | null | Fail { return -Errno.ENODEV; }
  abstract stat(): Attr | Fail;
  /** fchmod and fchown of a file that has no vnode, after the checks. */
  setattr(_change: NodeOwner): Result { return -Errno.EINVAL; }
  /** What /proc/PID/fd/N links to: a path, or e.g. "pipe:[12]". */
  abstract describe(): string;
  /** The last reference is gone. */
  close(_kernel: Kernel): Result { return 0; }
  /** A thaw may bring it back after its close: `reopen` undoes it. */
  get reopens(): boolean { return false; }
  reopen(_kernel: Kernel): void { /* what close does nothing to needs nothing */ }
  /** close(2) of the last descriptor waits: `thread.block(LINGER, …)`, and is called again. It never fails. */
  linger(_kernel: Kernel, _thread: Thread): number { return 0; }

  addRef(): this {
    this.refs++;
    return this;
  }

  release(kernel: Kernel): Result {
    if (--this.refs > 0) return 0;
    dropFileLock(this);
    if (this.charged) kernel.memory.give(ObjectBytes.file);
    this.charged = false;
    return this.close(kernel);
  }
}
