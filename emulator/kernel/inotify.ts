import { Errno, failed, snapshotClass, WaitQueue, type Fail, type Result } from '../base/index.js';
import { OpenFlag } from '../vfs/open-flags.js';
import type { Attr, Vnode } from '../vfs/vnode.js';
import { In, type Watch } from '../vfs/watch.js';
import { anonymousAttr } from './eventpoll.js';
import type { Kernel } from './kernel.js';
import { ObjectBytes, type KernelMemory } from './kernel-memory.js';
import { OpenFile, Poll } from './open-file.js';
import type { Thread } from './thread.js';

/** fs.inotify.max_queued_events and max_user_watches, for a small machine. */
const QUEUE_MAX = 16_384;
const WATCHES_MAX = 8192;
const HEADER = 16;

export const InFlag = { ONLYDIR: 0x01000000, DONT_FOLLOW: 0x02000000, MASK_CREATE: 0x10000000, MASK_ADD: 0x20000000, ONESHOT: 0x80000000 } as const;

interface Event {
  wd: number;
  mask: number;
  cookie: number;
  name: string;
}

/** One vnode watched through one inotify descriptor. */
class InotifyWatch implements Watch {
  readonly owner: InotifyFile;
  readonly wd: number;
  readonly vnode: Vnode;
  mask: number;

  constructor(owner: InotifyFile, wd: number, vnode: Vnode, mask: number) {
    this.owner = owner;
    this.wd = wd;
    this.vnode = vnode;
    this.mask = mask;
  }

  happened(mask: number, cookie: number, name: string): void {
    if (mask & this.mask & In.ALL) {
      this.owner.enqueue({ wd: this.wd, mask, cookie, name });
      if (this.mask & InFlag.ONESHOT) this.owner.remove(this.wd);
    }
    if (mask & In.DELETE_SELF) this.owner.remove(this.wd);
  }
}
snapshotClass('InotifyWatch', InotifyWatch);

/** inotify(7): a queue of what happened to watched files. */
export class InotifyFile extends OpenFile {
  readonly kind = 'inotify';
  private readonly memory: KernelMemory;
  private readonly watches = new Map<number, InotifyWatch>();
  private readonly queue: Event[] = [];
  private readonly arrived = new WaitQueue();
  private nextWd = 1;

  constructor(memory: KernelMemory, flags: number) {
    super(flags & OpenFlag.NONBLOCK);
    this.memory = memory;
  }

  /** The watch's number; a vnode that is watched already keeps its own. */
  watch(vnode: Vnode, mask: number): number {
    const known = [...this.watches.values()].find((one) => one.vnode === vnode);
    if (known) {
      if (mask & InFlag.MASK_CREATE) return -Errno.EEXIST;
      known.mask = mask & InFlag.MASK_ADD ? known.mask | mask : mask;
      return known.wd;
    }
    if (this.watches.size >= WATCHES_MAX) return -Errno.ENOSPC;
    if (this.memory.take(ObjectBytes.watch) < 0) return -Errno.ENOMEM;
    const watch = new InotifyWatch(this, this.nextWd++, vnode, mask);
    this.watches.set(watch.wd, watch);
    vnode.watches = [...(vnode.watches ?? []), watch];
    return watch.wd;
  }

  /** The last event of a watch is IN_IGNORED. */
  remove(wd: number): Result {
    const watch = this.watches.get(wd);
    if (!watch) return -Errno.EINVAL;
    this.detach(watch);
    this.enqueue({ wd, mask: In.IGNORED, cookie: 0, name: '' });
    return 0;
  }

  private detach(watch: InotifyWatch): void {
    this.watches.delete(watch.wd);
    this.memory.give(ObjectBytes.watch);
    const left = watch.vnode.watches?.filter((one) => one !== watch) ?? [];
    watch.vnode.watches = left.length > 0 ? left : null;
  }

  /** Equal to the one before: it says nothing new. A full queue says so once. */
  enqueue(event: Event): void {
    const last = this.queue.at(-1);
    if (last && last.wd === event.wd && last.mask === event.mask && last.cookie === event.cookie && last.name === event.name) return;
    if (this.queue.length > QUEUE_MAX) return;
    this.queue.push(this.queue.length === QUEUE_MAX ? { wd: -1, mask: In.Q_OVERFLOW, cookie: 0, name: '' } : event);
    this.arrived.wakeAll();
  }

  override read(_kernel: Kernel, thread: Thread, length: number): Uint8Array | number {
    const [first] = this.queue;
    if (!first) return this.nonBlocking ? -Errno.EAGAIN : thread.block('inotify.read', [this.arrived]);
    const parts: Uint8Array[] = [];
    let room = length;
    while (this.queue.length > 0) {
      const bytes = encode(this.queue[0]);
      if (bytes.length > room) break;
      parts.push(bytes);
      room -= bytes.length;
      this.queue.shift();
    }
    return parts.length > 0 ? Buffer.concat(parts) : -Errno.EINVAL;
  }

  override poll(): number {
    return this.queue.length > 0 ? Poll.IN | Poll.RDNORM : 0;
  }

  override waitQueues(): WaitQueue[] {
    return [this.arrived];
  }

  override ioctl(kernel: Kernel, thread: Thread, request: number, argument: number): Result {
    if (request !== 0x467f) return super.ioctl(kernel, thread, request, argument);
    return thread.process.space.writeWords(argument >>> 0, [this.queue.reduce((sum, event) => sum + encode(event).length, 0)]);
  }

  stat(): Attr {
    return anonymousAttr();
  }

  describe(): string {
    return 'anon_inode:inotify';
  }

  override close(): Result {
    for (const watch of this.watches.values()) this.detach(watch);
    return 0;
  }
}
snapshotClass('InotifyFile', InotifyFile);

/** struct inotify_event: 0 watch | 4 mask | 8 cookie | 12 length of the name, which is padded with zeros to a multiple of 16 */
function encode({ wd, mask, cookie, name }: Event): Uint8Array {
  const padded = name === '' ? 0 : Math.ceil((name.length + 1) / 16) * 16;
  const bytes = Buffer.alloc(HEADER + padded);
  bytes.writeInt32LE(wd, 0);
  bytes.writeUInt32LE(mask >>> 0, 4);
  bytes.writeUInt32LE(cookie, 8);
  bytes.writeUInt32LE(padded, 12);
  bytes.write(name, HEADER, 'latin1');
  return bytes;
}

function inotifyAt(thread: Thread, fd: number): InotifyFile | Fail {
  const file = thread.process.fds.get(fd);
  if (!file) return -Errno.EBADF;
  return file instanceof InotifyFile ? file : -Errno.EINVAL;
}

export function inotifyInit(kernel: Kernel, thread: Thread, flags: number): number {
  if (flags & ~(OpenFlag.CLOEXEC | OpenFlag.NONBLOCK)) return -Errno.EINVAL;
  return thread.process.fds.install(new InotifyFile(kernel.memory, flags), 0, (flags & OpenFlag.CLOEXEC) !== 0);
}

export function inotifyAddWatch(kernel: Kernel, thread: Thread, fd: number, pathVa: number, mask: number): number {
  const { process } = thread;
  const file = inotifyAt(thread, fd);
  if (failed(file)) return file;
  if ((mask & In.ALL) === 0 || (mask & InFlag.MASK_ADD && mask & InFlag.MASK_CREATE)) return -Errno.EINVAL;
  const path = process.space.copyinString(pathVa >>> 0, 4096);
  if (failed(path)) return path;
  const context = { cwd: process.cwd, root: process.root, cred: process.cred, umask: process.umask };
  const vnode = kernel.vfs.find(context, path, (mask & InFlag.DONT_FOLLOW) === 0);
  if (failed(vnode)) return vnode;
  if (mask & InFlag.ONLYDIR && vnode.type !== 'dir') return -Errno.ENOTDIR;
  const refused = kernel.vfs.checkAccess(vnode, 4, process.cred);
  return refused || file.watch(vnode, mask);
}

export function inotifyRemoveWatch(_kernel: Kernel, thread: Thread, fd: number, wd: number): number {
  const file = inotifyAt(thread, fd);
  return failed(file) ? file : file.remove(wd);
}
