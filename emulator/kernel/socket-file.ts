import { Errno, failed, type Fail, type Result, type WaitQueue } from '../base/index.js';
import { OpenFlag } from '../vfs/open-flags.js';
import { gatherLength, type Attr, type Gather } from '../vfs/vnode.js';
import type { Kernel } from './kernel.js';
import { OpenFile } from './open-file.js';
import { interface6Ioctl } from './interface6-ioctl.js';
import { interfaceIoctl } from './interface-ioctl.js';
import { AF, Msg, SO, SOL_SOCKET } from './socket-numbers.js';
import { signalProcess } from './signals.js';
import { SI, Signal } from './signal-numbers.js';
import type { Thread } from './thread.js';

/** One control message (cmsg(3)). */
export interface Control {
  level: number;
  type: number;
  data: Uint8Array;
}

/** What sendmsg hands down. Descriptors (SCM_RIGHTS) are looked up before. */
export interface Outgoing {
  bytes: Uint8Array;
  /** A sockaddr, or null. */
  address: Uint8Array | null;
  control: Control[];
  /** MSG_* */
  flags: number;
  files: OpenFile[];
}

/** What recvmsg hands up. */
export interface Incoming {
  bytes: Uint8Array;
  /** Length of the whole message, of which `bytes` may be the beginning. */
  length: number;
  address: Uint8Array | null;
  control: Control[];
  /** MSG_TRUNC, MSG_ERRQUEUE, … */
  flags: number;
  /** References that come with the message; the receiver installs or releases them. */
  files: OpenFile[];
}

/** How far a call got that moves several messages, or one in parts; kept in the blocked record from try to try. */
export interface Progress {
  /** Bytes of the current message sent. */
  sent: number;
  /** Messages done before the current one (sendmmsg, recvmmsg). */
  messages: number;
}

export function progressOf(thread: Thread): Progress {
  return (thread.blocked?.data as Progress | null | undefined) ?? { sent: 0, messages: 0 };
}

/** A socket as a descriptor sees it. Blocking calls are retried by the scheduler; see Thread.block. */
export abstract class SocketFile extends OpenFile {
  readonly kind: string = 'socket';
  readonly domain: number;
  readonly type: number;
  readonly protocol: number;
  readonly inode: number;
  /** SO_RCVTIMEO and SO_SNDTIMEO in ns; 0 waits for ever. */
  receiveTimeout = 0;
  sendTimeout = 0;
  /** SO_TIMESTAMP* option in force, 0 for none. */
  timestamp = 0;
  /** SO_PASSCRED */
  passCredentials = false;
  /** Options that are kept and told but change nothing here (SO_KEEPALIVE, SO_PRIORITY, …). */
  readonly kept = new Map<number, number>();

  constructor(kernel: Kernel, domain: number, type: number, protocol: number, flags: number) {
    super(OpenFlag.RDWR | flags);
    this.domain = domain;
    this.type = type;
    this.protocol = protocol;
    this.inode = kernel.newInode();
  }

  abstract bind(kernel: Kernel, thread: Thread, address: Uint8Array): Result;
  /** May block (a stream whose peer's backlog is full). */
  abstract connect(kernel: Kernel, thread: Thread, address: Uint8Array): number;
  abstract localName(): Uint8Array;
  /** -ENOTCONN without a peer. */
  abstract peerName(): Uint8Array | Fail;
  /** What accept(2) says of who was accepted: also of one that has gone already (inet_getname with peer 2). */
  clientName(): Uint8Array | Fail { return this.peerName(); }
  /** Bytes sent, an errno or BLOCKED. */
  abstract send(kernel: Kernel, thread: Thread, message: Outgoing): number;
  /** A message, an errno or BLOCKED. */
  abstract receive(kernel: Kernel, thread: Thread, length: number, flags: number): Incoming | number;
  abstract shutdown(how: number): Result;
  /** Forget input that arrived and was not read (a checkpoint's policy); how many bytes. */
  abstract dropUnread(): number;
  /** Bytes the next read could return (FIONREAD). */
  abstract unread(): number;
  /** Takes the pending error (SO_ERROR). */
  abstract takeError(): number;
  abstract setOption(kernel: Kernel, thread: Thread, level: number, name: number, value: Uint8Array): Result;
  /** The option's bytes; `argument` is what the caller's buffer holds. */
  abstract getOption(kernel: Kernel, thread: Thread, level: number, name: number): Uint8Array | Fail;

  listen(_kernel: Kernel, _backlog: number): Result { return -Errno.EOPNOTSUPP; }
  /** The new connection, an errno or BLOCKED. */
  accept(_kernel: Kernel, _thread: Thread, _flags: number): SocketFile | number { return -Errno.EOPNOTSUPP; }

  override read(kernel: Kernel, thread: Thread, length: number, offset: number | null): Uint8Array | number {
    if (offset !== null) return -Errno.ESPIPE;
    const message = this.receive(kernel, thread, length, 0);
    if (typeof message === 'number') return message;
    for (const file of message.files) file.release(kernel);
    return message.bytes;
  }

  override write(kernel: Kernel, thread: Thread, bytes: Gather, offset: number | null): number {
    if (offset !== null) return -Errno.ESPIPE;
    return this.sendOrSignal(kernel, thread, { bytes: joined(bytes), address: null, control: [], flags: 0, files: [] });
  }

  /** send(2) with its SIGPIPE. */
  sendOrSignal(kernel: Kernel, thread: Thread, message: Outgoing): number {
    return this.signalled(thread, this.send(kernel, thread, message), message.flags);
  }

  protected signalled(thread: Thread, result: number, flags: number): number {
    if (result === -Errno.EPIPE && !(flags & Msg.NOSIGNAL) && this.raisesPipe) {
      signalProcess(thread.process, { signo: Signal.PIPE, code: SI.USER, pid: thread.process.pid, uid: thread.process.cred.uid });
    }
    return result;
  }

  /** Only connection-oriented sockets raise SIGPIPE. */
  protected get raisesPipe(): boolean {
    return false;
  }

  override ioctl(kernel: Kernel, thread: Thread, request: number, argument: number): Result {
    const { space } = thread.process;
    switch (request >>> 0) {
      case 0x467f: // FIONREAD
        return space.writeWords(argument >>> 0, [this.unread()]);
      case 0x7472: // TIOCOUTQ
        return space.writeWords(argument >>> 0, [0]);
      case 0x667e: // FIONBIO
        return this.setFlag(thread, OpenFlag.NONBLOCK, argument);
      case 0x667d: // FIOASYNC
        return this.setFlag(thread, OpenFlag.ASYNC, argument);
    }
    const six = this.domain === AF.INET6 ? interface6Ioctl(kernel, thread, request >>> 0, argument >>> 0) : null;
    return six ?? interfaceIoctl(kernel, thread, request >>> 0, argument >>> 0);
  }

  private setFlag(thread: Thread, flag: number, argument: number): Result {
    const words = thread.process.space.readWords(argument >>> 0, 1);
    if (failed(words)) return words;
    this.flags = words[0] ? this.flags | flag : this.flags & ~flag;
    return 0;
  }

  override stat(): Attr {
    const never = { sec: 0, nsec: 0 };
    return {
      type: 'sock', mode: 0o777, uid: 0, gid: 0, ino: this.inode, dev: 0, nlink: 1, size: 0, rdev: 0,
      atime: never, mtime: never, ctime: never, blocks: 0, blksize: 4096,
    };
  }

  override describe(): string {
    return `socket:[${this.inode}]`;
  }

  /** `wait` for the next client or message. */
  protected waitForInput(kernel: Kernel, thread: Thread, name: string, queues: WaitQueue[], flags: number): number {
    return this.wait(kernel, thread, name, queues, this.receiveTimeout, flags, true);
  }

  /**
   * Sleep until `queues` wake or the time-out is over; then the call is tried again. EAGAIN instead when it may not or need not wait.
   * `top`: see Blocked.
   */
  protected wait(kernel: Kernel, thread: Thread, name: string, queues: WaitQueue[], timeout: number, flags: number, top = false): number {
    if (this.nonBlocking || flags & Msg.DONTWAIT || thread.blocked?.timedOut) return -Errno.EAGAIN;
    const deadline = timeout > 0 ? kernel.clock.cycles + kernel.clock.toCycles(timeout) : Infinity;
    // With a time-out set, socket calls are never restarted after a handler (signal(7)).
    return thread.block(name, queues, { deadline, restart: timeout > 0 ? 'never' : 'sys', top });
  }

  /** The SO_TIMESTAMP* control message for something received at `time` (ns since power-on). */
  protected stampControl(kernel: Kernel, time: number): Control[] {
    if (this.timestamp === 0) return [];
    const { seconds: whole, nanoseconds: rest } = kernel.clock.realtime(time);
    const fraction = this.timestamp === SO.TIMESTAMP || this.timestamp === SO.TIMESTAMP_NEW ? Math.floor(rest / 1000) : rest;
    const wide = this.timestamp === SO.TIMESTAMP_NEW || this.timestamp === SO.TIMESTAMPNS_NEW;
    const words = wide ? [whole | 0, Math.floor(whole / 4294967296), fraction, 0] : [whole | 0, fraction];
    return [{ level: SOL_SOCKET, type: this.timestamp, data: wordBytes(...words) }];
  }
}

export function joined(bytes: Gather): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  const whole = new Uint8Array(gatherLength(bytes));
  let at = 0;
  for (const part of bytes) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** 32-bit words as the guest stores them. */
export function wordBytes(...words: number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(words).buffer);
}

/** A little-endian word of guest bytes; what is missing counts as 0. */
export function wordAt(bytes: Uint8Array, at = 0): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

/** sa_family of a socket address, AF_UNSPEC when there is none. */
export function familyOf(address: Uint8Array): number {
  return address.length >= 2 ? address[0] | (address[1] << 8) : AF.UNSPEC;
}
