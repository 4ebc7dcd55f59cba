import { Errno, failed, snapshotClass, type Fail, type Result, type WaitQueue } from '../../base/index.js';
import { OpenFlag } from '../../vfs/open-flags.js';
import type { Attr, Gather } from '../../vfs/vnode.js';
import type { Opened } from '../../vfs/vfs.js';
import { VOP_CLOSE } from '../../vfs/vop.js';
import { Ioctl } from '../ioctl.js';
import type { Kernel } from '../kernel.js';
import { OpenFile, Poll, type NodeOwner } from '../open-file.js';
import { joined } from '../socket-file.js';
import { Signal } from '../signal-numbers.js';
import type { Thread } from '../thread.js';
import { checkJob } from './job-control.js';
import { PTY_BYTES, ptys, Pty } from './pty.js';
import { Cc, Lflag } from './termios.js';
import { terminalIoctl } from './tty-ioctl.js';

/** Linux: kernel.pty.max */
const PTY_MAX = 4096;
const PTMX_RDEV = 0x502;
/** Major number of slaves (UNIX98_PTY_SLAVE_MAJOR). */
const SLAVE_MAJOR = 136;

const never = { sec: 0, nsec: 0 };

export function slaveAttr(pty: Pty): Attr {
  const { index, uid, gid, mode, dev } = pty;
  return {
    type: 'chr', mode, uid, gid, ino: index + 3, dev, nlink: 1, size: 0, rdev: (SLAVE_MAJOR << 8) | index, atime: never, mtime: never, ctime: never, blocks: 0, blksize: 1024,
  };
}

/** The end a terminal emulator, or telnetd, holds: /dev/ptmx opened. */
export class PtyMaster extends OpenFile {
  readonly kind = 'pty.master';
  readonly pty: Pty;

  constructor(pty: Pty, flags: number, opened: Opened) {
    super(flags);
    this.pty = pty;
    this.vnode = opened.vnode;
  }

  override read(_kernel: Kernel, thread: Thread, length: number): Uint8Array | number {
    const { pty } = this;
    if (length === 0) return new Uint8Array(0);
    if (pty.packetMode && pty.packetStatus !== 0) {
      const status = Uint8Array.of(pty.packetStatus);
      pty.packetStatus = 0;
      return status;
    }
    if (pty.pendingOutput > 0) {
      const head = pty.packetMode ? 1 : 0;
      const bytes = pty.takeOutput(length - head);
      return head ? Buffer.concat([Uint8Array.of(0), bytes]) : bytes;
    }
    if (pty.hadSlave && pty.slaves === 0) return -Errno.EIO;
    return this.nonBlocking ? -Errno.EAGAIN : thread.block('pty.master.read', [pty.shown]);
  }

  override write(_kernel: Kernel, thread: Thread, bytes: Gather): number {
    const { discipline, consumed } = this.pty;
    if (!discipline.room && discipline.hasInput) return this.nonBlocking ? -Errno.EAGAIN : thread.block('pty.master.write', [consumed]);
    const whole = joined(bytes);
    discipline.receive(whole);
    return whole.length;
  }

  override poll(): number {
    const { pty } = this;
    const closed = pty.hadSlave && pty.slaves === 0;
    const readable = pty.pendingOutput > 0 || (pty.packetMode && pty.packetStatus !== 0);
    const priority = pty.packetMode && pty.packetStatus !== 0 ? Poll.PRI : 0;
    return (readable ? Poll.IN | Poll.RDNORM : 0) | priority | (closed ? Poll.HUP : 0) | (pty.discipline.room ? Poll.OUT : 0);
  }

  override waitQueues(): WaitQueue[] {
    return [this.pty.shown, this.pty.consumed];
  }

  override ioctl(kernel: Kernel, thread: Thread, request: number, argument: number): Result {
    const { pty } = this;
    const { space, fds } = thread.process;
    const va = argument >>> 0;
    switch (request) {
      case Ioctl.FIONREAD: return space.writeWords(va, [pty.pendingOutput]);
      case Ioctl.TIOCGPTN: return space.writeWords(va, [pty.index]);
      case Ioctl.TIOCGPTLCK: return space.writeWords(va, [pty.locked ? 1 : 0]);
      case Ioctl.TIOCSPTLCK: case Ioctl.TIOCPKT: {
        const words = space.readWords(va, 1);
        if (failed(words)) return words;
        if (request === Ioctl.TIOCSPTLCK) pty.locked = words[0] !== 0;
        else [pty.packetMode, pty.packetStatus] = [words[0] !== 0, 0];
        return 0;
      }
      case Ioctl.TIOCGPTPEER: {
        const file = openSlave(thread, pty, argument, null);
        return failed(file) ? file : fds.install(file, 0, (argument & OpenFlag.CLOEXEC) !== 0);
      }
      case Ioctl.TIOCSIG:
        pty.signal(argument);
        return 0;
    }
    return terminalIoctl(thread, pty, request, argument, true) ?? super.ioctl(kernel, thread, request, argument);
  }

  stat(): Attr {
    return { ...slaveAttr(this.pty), dev: 0, mode: 0o666, uid: 0, gid: 0, ino: 2, rdev: PTMX_RDEV };
  }

  describe(): string {
    return '/dev/ptmx';
  }

  override close(kernel: Kernel): Result {
    this.pty.closeMaster();
    kernel.memory.give(PTY_BYTES);
    ptys(kernel).delete(this.pty.index);
    return this.vnode ? VOP_CLOSE(this.vnode) : 0;
  }
}
snapshotClass('PtyMaster', PtyMaster);

/** The end programs take for a terminal: /dev/pts/N. */
export class PtySlave extends OpenFile {
  readonly kind = 'pty.slave';
  readonly pty: Pty;

  constructor(pty: Pty, flags: number, opened: Opened | null) {
    super(flags);
    this.pty = pty;
    this.vnode = opened?.vnode ?? null;
    pty.slaves++;
    pty.hadSlave = true;
  }

  override read(kernel: Kernel, thread: Thread, length: number): Uint8Array | number {
    const { pty } = this;
    const job = checkJob(thread, pty, Signal.TTIN);
    if (job) return job;
    if (length === 0) return new Uint8Array(0);
    const { discipline } = pty;
    const { termios } = discipline;
    const raw = !termios.local(Lflag.ICANON);
    const wanted = raw ? Math.min(termios.cc(Cc.MIN), length) : 0;
    if (discipline.hasInput && discipline.available >= wanted) return this.take(length);
    if (!pty.masterOpen) return new Uint8Array(0);
    return raw && termios.cc(Cc.MIN) === 0 ? this.timed(kernel, thread, length) : this.nonBlocking ? -Errno.EAGAIN : thread.block('tty.read', [pty.input]);
  }

  private take(length: number): Uint8Array {
    const bytes = this.pty.discipline.take(length) ?? new Uint8Array(0);
    this.consumed += bytes.length;
    this.pty.consumed.wakeAll();
    return bytes;
  }

  /** MIN 0: what there is, after at most TIME tenths of a second. */
  private timed(kernel: Kernel, thread: Thread, length: number): Uint8Array | number {
    const { pty } = this;
    const tenths = pty.discipline.termios.cc(Cc.TIME);
    if (pty.discipline.hasInput || tenths === 0 || thread.blocked?.timedOut) return this.take(length);
    return this.nonBlocking ? -Errno.EAGAIN : thread.block('tty.read', [pty.input], { deadline: kernel.clock.cycles + kernel.clock.toCycles(tenths * 1e8) });
  }

  override write(_kernel: Kernel, thread: Thread, bytes: Gather): number {
    const { pty } = this;
    const { discipline } = pty;
    const job = discipline.termios.local(Lflag.TOSTOP) ? checkJob(thread, pty, Signal.TTOU) : 0;
    if (job) return job;
    if (!pty.masterOpen) return -Errno.EIO;
    if (!pty.outputRoom) return this.nonBlocking ? -Errno.EAGAIN : thread.block('tty.write', [pty.drained]);
    const whole = joined(bytes);
    pty.display(discipline.process(whole));
    return whole.length;
  }

  override poll(): number {
    const { pty } = this;
    if (!pty.masterOpen) return Poll.IN | Poll.OUT | Poll.ERR | Poll.HUP;
    return (pty.discipline.hasInput ? Poll.IN | Poll.RDNORM : 0) | (pty.outputRoom ? Poll.OUT : 0);
  }

  override waitQueues(): WaitQueue[] {
    return [this.pty.input, this.pty.drained];
  }

  override ioctl(kernel: Kernel, thread: Thread, request: number, argument: number): Result {
    const { pty } = this;
    if (!pty.masterOpen) return -Errno.EIO;
    if (request === Ioctl.FIONREAD) return thread.process.space.writeWords(argument >>> 0, [pty.discipline.available]);
    if (request === Ioctl.TIOCOUTQ) return thread.process.space.writeWords(argument >>> 0, [pty.pendingOutput]);
    if (request === Ioctl.TIOCSTI) {
      const byte = thread.process.space.copyin(argument >>> 0, 1);
      if (failed(byte)) return byte;
      pty.discipline.receive(byte);
      return 0;
    }
    return terminalIoctl(thread, pty, request, argument, false) ?? super.ioctl(kernel, thread, request, argument);
  }

  stat(): Attr {
    return slaveAttr(this.pty);
  }

  override setattr(change: NodeOwner): Result {
    Object.assign(this.pty, change);
    return 0;
  }

  describe(): string {
    return `/dev/pts/${this.pty.index}`;
  }

  override close(): Result {
    this.pty.closeSlave();
    return this.vnode ? VOP_CLOSE(this.vnode) : 0;
  }
}
snapshotClass('PtySlave', PtySlave);

/** open("/dev/ptmx"): a new pair. */
export function openMaster(kernel: Kernel, thread: Thread, flags: number, opened: Opened): PtyMaster | Fail {
  const table = ptys(kernel);
  if (table.size >= PTY_MAX) return -Errno.ENOSPC;
  if (kernel.memory.take(PTY_BYTES) < 0) return -Errno.ENOMEM;
  let index = 0;
  while (table.has(index)) index++;
  const pty = new Pty(kernel, index);
  pty.uid = thread.process.cred.fsuid;
  pty.gid = thread.process.cred.fsgid;
  table.set(index, pty);
  return new PtyMaster(pty, flags, opened);
}

/** A session leader without a terminal gets this one, unless it says O_NOCTTY. */
export function openSlave(thread: Thread, pty: Pty, flags: number, opened: Opened | null): PtySlave | Fail {
  if (!pty.masterOpen) return -Errno.EIO;
  if (pty.locked) return -Errno.EIO;
  const { process } = thread;
  const leads = process.pid === process.sid && process.terminal === null;
  if (!(flags & OpenFlag.NOCTTY) && leads && pty.session === 0) pty.takeSession(process);
  return new PtySlave(pty, flags, opened);
}
