import { Errno, failed, snapshotClass, WaitQueue, type Fail, type Result } from '../base/index.js';
import type { Vnode } from '../vfs/vnode.js';
import type { Kernel } from './kernel.js';
import { ObjectBytes, type KernelMemory } from './kernel-memory.js';
import { Poll, type OpenFile } from './open-file.js';
import type { Process } from './process.js';
import { AF, Msg, SCM_CREDENTIALS, Shutdown, SO, SOL_SOCKET, SocketType } from './socket-numbers.js';
import { familyOf, progressOf, SocketFile, wordBytes, type Incoming, type Outgoing } from './socket-file.js';
import { getCommonOption, setCommonOption, unknownOption } from './socket-options.js';
import type { Thread } from './thread.js';
import { collectLost, comeBack, sendAway } from './unix-in-flight.js';
import { addressOf, holderOf, isPathTaken, leaveAbstract, leavePlace, nameOf, takeName, textOf, type UnixName } from './unix-name.js';

/** Bytes a socket holds for its reader; a sender beyond it waits. */
const BUFFER = 163_840;
/** Linux: net.unix.max_dgram_qlen and somaxconn. */
const MAX_DATAGRAMS = 10;
const MAX_BACKLOG = 128;

interface UnixMessage {
  bytes: Uint8Array;
  /** The sender's name as a sockaddr_un. */
  from: Uint8Array;
  files: OpenFile[];
  credentials: Credentials;
  time: number;
}

/** A socket's unread messages and what its ends have said, as plain data. Messages are never changed in place but replaced. */
export interface UnixRecord {
  messages: UnixMessage[];
  readShutdown: boolean;
  writeShutdown: boolean;
  error: number;
}

/** struct ucred. */
interface Credentials {
  pid: number;
  uid: number;
  gid: number;
}

function credentialsOf({ pid, cred }: Process): Credentials {
  return { pid, uid: cred.euid, gid: cred.egid };
}

/** AF_UNIX (unix(7)): streams, datagrams and sequenced packets between processes of the router. */
export class UnixSocket extends SocketFile {
  override readonly kind = 'socket.unix';
  private name: UnixName | null = null;
  /** The socket file this is bound to. */
  private place: Vnode | null = null;
  /** Stream: the other end. Datagram: where send() goes. */
  private peer: UnixSocket | null = null;
  /** A stream that was connected once stays connected though the peer has gone. */
  private connected = false;
  private listening = false;
  private backlogLimit = 0;
  private backlog: UnixSocket[] = [];
  private queue: UnixMessage[] = [];
  private queuedBytes = 0;
  /** The same with what each message costs besides: what the buffer limits. */
  private held = 0;
  private readonly memory: KernelMemory;
  private closed = false;
  private readShutdown = false;
  private writeShutdown = false;
  private error = 0;
  private peerCredentials: Credentials = { pid: 0, uid: -1, gid: -1 };
  private credentials: Credentials;
  /** Woken when something can be read (or accepted), and when something was. */
  readonly arrived = new WaitQueue();
  readonly drained = new WaitQueue();

  constructor(kernel: Kernel, thread: Thread, type: number, flags: number) {
    super(kernel, AF.UNIX, type, 0, flags);
    this.credentials = credentialsOf(thread.process);
    this.memory = kernel.memory;
  }

  private get isStream(): boolean {
    return this.type === SocketType.STREAM;
  }

  private get isConnectionOriented(): boolean {
    return this.type !== SocketType.DGRAM;
  }

  protected override get raisesPipe(): boolean {
    return this.isConnectionOriented;
  }

  /** For /proc/net/unix: SS_UNCONNECTED 1, SS_CONNECTED 3; abstract names begin with "@". */
  listing(): { listening: boolean; state: number; path: string } {
    const { name, listening } = this;
    return { listening, state: this.isConnectionOriented && this.connected ? 3 : 1, path: name ? textOf(name) : '' };
  }

  /** socketpair(2). */
  pairWith(other: UnixSocket): void {
    this.attach(other);
    other.attach(this);
  }

  private attach(peer: UnixSocket): void {
    this.peer = peer;
    this.connected = true;
    this.peerCredentials = peer.credentials;
  }

  // ---- names

  bind(kernel: Kernel, thread: Thread, address: Uint8Array): Result {
    const name = nameOf(address);
    if (failed(name)) return name;
    if (this.name) return isPathTaken(kernel, thread, name) ? -Errno.EADDRINUSE : -Errno.EINVAL;
    const bound = takeName(kernel, thread, this, name);
    if (failed(bound)) return bound;
    this.name = bound.name;
    this.place = bound.place;
    return 0;
  }

  /** The live socket an address names. ENOENT: no such path. ECONNREFUSED: nobody holds it. EPROTOTYPE: of another type. */
  private find(kernel: Kernel, thread: Thread, address: Uint8Array): UnixSocket | Fail {
    const name = nameOf(address);
    if (failed(name)) return name;
    const target = holderOf(kernel, thread, name);
    if (failed(target)) return target;
    if (!(target instanceof UnixSocket) || target.closed) return -Errno.ECONNREFUSED;
    return target.type === this.type ? target : -Errno.EPROTOTYPE;
  }

  localName(): Uint8Array {
    return addressOf(this.name);
  }

  peerName(): Uint8Array | Fail {
    return this.connected && this.peer ? this.peer.localName() : -Errno.ENOTCONN;
  }

  // ---- connections

  connect(kernel: Kernel, thread: Thread, address: Uint8Array): number {
    if (!this.isConnectionOriented && familyOf(address) === AF.UNSPEC) {
      this.peer = null;
      this.connected = false;
      return 0;
    }
    if (this.isConnectionOriented && this.connected) return -Errno.EISCONN;
    if (this.listening) return -Errno.EINVAL;
    const target = this.find(kernel, thread, address);
    if (failed(target)) return target;
    if (!this.isConnectionOriented) {
      if (target.peer && target.peer !== this) return -Errno.EPERM;
      this.attach(target);
      return 0;
    }
    if (!target.listening) return -Errno.ECONNREFUSED;
    if (target.backlog.length > target.backlogLimit) return this.wait(kernel, thread, 'unix.connect', [target.drained], this.sendTimeout, 0);
    this.credentials = credentialsOf(thread.process);
    const serverEnd = new UnixSocket(kernel, thread, this.type, 0);
    serverEnd.name = target.name;
    serverEnd.credentials = target.credentials;
    this.pairWith(serverEnd);
    target.backlog.push(serverEnd);
    target.arrived.wakeAll();
    return 0;
  }

  override listen(_kernel: Kernel, backlog: number): Result {
    if (!this.isConnectionOriented) return -Errno.EOPNOTSUPP;
    if (!this.name || this.connected) return -Errno.EINVAL;
    this.listening = true;
    this.backlogLimit = backlog < 0 ? MAX_BACKLOG : Math.min(backlog, MAX_BACKLOG);
    return 0;
  }

  override accept(kernel: Kernel, thread: Thread, flags: number): SocketFile | number {
    if (!this.isConnectionOriented) return -Errno.EOPNOTSUPP;
    if (!this.listening) return -Errno.EINVAL;
    const connection = this.backlog.shift();
    if (connection) this.accepted++;
    if (!connection) return this.waitForInput(kernel, thread, 'unix.accept', [this.arrived], 0);
    connection.flags |= flags;
    this.drained.wakeAll();
    return connection;
  }

  // ---- data

  send(kernel: Kernel, thread: Thread, message: Outgoing): number {
    if (message.flags & Msg.OOB) return -Errno.EOPNOTSUPP;
    const error = this.takeError();
    if (error) return -error;
    if (this.writeShutdown) return -Errno.EPIPE;
    if (this.isConnectionOriented) {
      if (message.address) return this.connected ? -Errno.EISCONN : -Errno.EOPNOTSUPP;
      if (!this.connected) return -Errno.ENOTCONN;
      if (!this.peer || this.peer.closed || this.peer.readShutdown) return -Errno.EPIPE;
      return this.isStream ? this.sendStream(kernel, thread, this.peer, message) : this.sendMessage(kernel, thread, this.peer, message);
    }
    const target = message.address ? this.find(kernel, thread, message.address) : this.peer;
    if (failed(target)) return target;
    if (!target) return -Errno.ENOTCONN;
    if (target.closed) return -Errno.ECONNREFUSED;
    if (target.readShutdown) return -Errno.EPIPE;
    return this.sendMessage(kernel, thread, target, message);
  }

  private sendMessage(kernel: Kernel, thread: Thread, target: UnixSocket, message: Outgoing): number {
    if (message.bytes.length > BUFFER) return -Errno.EMSGSIZE;
    const full = target.queue.length > MAX_DATAGRAMS || target.held + message.bytes.length > BUFFER;
    if (full && target !== this) return this.wait(kernel, thread, 'unix.send', [target.drained], this.sendTimeout, message.flags);
    if (full) return -Errno.EAGAIN;
    const queued = target.enqueue(kernel, thread, this, message.bytes, message.files);
    return failed(queued) ? queued : message.bytes.length;
  }

  /** In parts as there is room; what was sent before a wait is noted in the blocked record. */
  private sendStream(kernel: Kernel, thread: Thread, target: UnixSocket, message: Outgoing): number {
    const progress = progressOf(thread);
    const { bytes } = message;
    const part = bytes.subarray(progress.sent, progress.sent + Math.max(0, BUFFER - target.held));
    const queued = part.length > 0 ? target.enqueue(kernel, thread, this, part, progress.sent === 0 ? message.files : []) : 0;
    if (failed(queued)) return progress.sent > 0 ? progress.sent : queued;
    progress.sent += part.length;
    if (progress.sent >= bytes.length) return bytes.length;
    const result = this.wait(kernel, thread, 'unix.send', [target.drained], this.sendTimeout, message.flags);
    if (result === -Errno.EAGAIN) return progress.sent > 0 ? progress.sent : result;
    if (thread.blocked) {
      thread.blocked.data = progress;
      thread.blocked.partial = progress.sent > 0 ? progress.sent : null;
    }
    return result;
  }

  /** -ENOBUFS without memory for it, -ETOOMANYREFS with too many descriptors under way. */
  private enqueue(kernel: Kernel, thread: Thread, from: UnixSocket, bytes: Uint8Array, files: OpenFile[]): Result {
    if (files.length > 0) {
      const refused = sendAway(kernel, files);
      if (failed(refused)) return refused;
    }
    const size = bytes.length + ObjectBytes.message;
    if (this.memory.take(size) < 0) {
      for (const file of comeBack(kernel, files)) file.release(kernel);
      return -Errno.ENOBUFS;
    }
    this.queue.push({ bytes: bytes.slice(), from: from.localName(), files, credentials: credentialsOf(thread.process), time: kernel.clock.nanoseconds() });
    this.queuedBytes += bytes.length;
    this.held += size;
    this.arrived.wakeAll();
    return 0;
  }

  /** Bytes leave the queue; `besides` is what their messages cost. */
  private uncharge(payload: number, besides: number): void {
    this.queuedBytes -= payload;
    this.held -= payload + besides;
    this.memory.give(payload + besides);
  }

  receive(kernel: Kernel, thread: Thread, length: number, flags: number): Incoming | number {
    if (flags & Msg.OOB) return -Errno.EOPNOTSUPP;
    if (this.listening) return -Errno.EINVAL;
    if (this.isConnectionOriented && !this.connected) return this.isStream ? -Errno.EINVAL : -Errno.ENOTCONN;
    // A full buffer cannot grow: waiting for more would be for ever.
    const wanted = this.isStream && flags & Msg.WAITALL ? Math.min(length, BUFFER) : 1;
    const ended = this.readShutdown || (this.isConnectionOriented && (!this.peer || this.peer.closed || this.peer.writeShutdown));
    if (this.queue.length > 0 && (this.queuedBytes >= wanted || !this.isStream || ended || this.held >= BUFFER)) {
      return this.isStream ? this.takeStream(kernel, length, flags) : this.takeMessage(kernel, length, flags);
    }
    const error = this.takeError();
    if (error) return -error;
    if (ended || (this.isStream && length === 0)) return { bytes: new Uint8Array(0), length: 0, address: null, control: [], flags: 0, files: [] };
    const result = this.waitForInput(kernel, thread, 'unix.recv', [this.arrived], flags);
    // The time is over, or may not be spent: what is there is the answer.
    return result === -Errno.EAGAIN && this.queue.length > 0 ? this.takeStream(kernel, length, flags) : result;
  }

  private takeMessage(kernel: Kernel, length: number, flags: number): Incoming {
    const message = this.queue[0];
    const peek = (flags & Msg.PEEK) !== 0;
    if (!peek) this.removeFirst();
    const bytes = message.bytes.subarray(0, length);
    const truncated = message.bytes.length > length ? Msg.TRUNC : 0;
    return { ...this.incoming(kernel, message, bytes, peek), length: message.bytes.length, address: message.from, flags: truncated };
  }

  /** Bytes of several sends run together, up to one that carries descriptors or comes from somebody else. */
  private takeStream(kernel: Kernel, length: number, flags: number): Incoming {
    const peek = (flags & Msg.PEEK) !== 0;
    const first = this.queue[0];
    const parts: Uint8Array[] = [];
    let taken = 0;
    for (let i = 0; i < this.queue.length && taken < length; i = peek ? i + 1 : 0) {
      const message = this.queue[i];
      if (message !== first && (message.files.length > 0 || (this.passCredentials && message.credentials.pid !== first.credentials.pid))) break;
      const part = message.bytes.subarray(0, length - taken);
      parts.push(part);
      taken += part.length;
      if (peek) continue;
      if (part.length === message.bytes.length) this.removeFirst();
      else this.shorten(message, part.length);
    }
    const incoming = this.incoming(kernel, first, Buffer.concat(parts), peek);
    // The descriptors went with the first byte.
    if (!peek) first.files = [];
    return { ...incoming, length: taken };
  }

  private removeFirst(): void {
    const message = this.queue.shift();
    if (!message) return;
    this.uncharge(message.bytes.length, ObjectBytes.message);
    this.consumed += message.bytes.length;
    this.drained.wakeAll();
  }

  private shorten(message: UnixMessage, by: number): void {
    message.bytes = message.bytes.subarray(by);
    this.uncharge(by, 0);
    this.consumed += by;
    this.drained.wakeAll();
  }

  private incoming(kernel: Kernel, message: UnixMessage, bytes: Uint8Array, peek: boolean): Incoming {
    const control = this.stampControl(kernel, message.time);
    const { pid, uid, gid } = message.credentials;
    if (this.passCredentials) control.push({ level: SOL_SOCKET, type: SCM_CREDENTIALS, data: wordBytes(pid, uid, gid) });
    const files = peek ? message.files.map((file) => file.addRef()) : comeBack(kernel, message.files);
    return { bytes, length: bytes.length, address: null, control, flags: 0, files };
  }

  // ---- going back

  /** The socket this one is connected with, for good or with an end of it still open. */
  get partner(): UnixSocket | null {
    return this.connected ? this.peer : null;
  }

  /** Both ends of a pair without names: nobody else can come to it by itself. */
  override get reopens(): boolean {
    return this.connected && !this.listening && this.place === null && !this.name?.abstract;
  }

  /** The conversation is over, unless `recall` takes it up again. */
  override reopen(): void {
    Object.assign(this, { closed: false, readShutdown: true, writeShutdown: true, error: Errno.ECONNRESET });
  }

  /** Its half of the conversation, for `recall`; null while descriptors are under way to it. */
  record(): UnixRecord | null {
    if (this.queue.some(({ files }) => files.length > 0)) return null;
    const { readShutdown, writeShutdown, error } = this;
    return { messages: this.queue.map((message) => ({ ...message })), readShutdown, writeShutdown, error };
  }

  recall(kernel: Kernel, { messages, readShutdown, writeShutdown, error }: UnixRecord): void {
    this.discardQueue(kernel);
    Object.assign(this, { readShutdown, writeShutdown, error, queue: messages.map((message) => ({ ...message })) });
    const payload = messages.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const size = payload + messages.length * ObjectBytes.message;
    this.memory.force(size);
    this.queuedBytes = payload;
    this.held = size;
    this.arrived.wakeAll();
    this.drained.wakeAll();
  }

  /** A checkpoint's policy: both ends learn that the conversation is over. */
  resetStream(): void {
    if (!this.partner || !this.isConnectionOriented) return;
    this.dropUnread();
    this.readShutdown = true;
    this.writeShutdown = true;
    this.error = Errno.ECONNRESET;
    this.partner.error = Errno.ECONNRESET;
    this.wakeBoth();
  }

  // ---- state

  shutdown(how: number): Result {
    if (this.isConnectionOriented && !this.connected) return -Errno.ENOTCONN;
    if (how !== Shutdown.WRITE) this.readShutdown = true;
    if (how !== Shutdown.READ) this.writeShutdown = true;
    this.wakeBoth();
    return 0;
  }

  private wakeBoth(): void {
    for (const end of [this, this.peer]) {
      end?.arrived.wakeAll();
      end?.drained.wakeAll();
    }
  }

  override poll(): number {
    let ready = 0;
    if (this.listening) return this.backlog.length > 0 ? Poll.IN | Poll.RDNORM : 0;
    const gone = this.isConnectionOriented && this.connected && (!this.peer || this.peer.closed);
    const ended = this.readShutdown || gone || (this.isConnectionOriented && this.peer?.writeShutdown === true);
    if (this.queue.length > 0 || ended) ready |= Poll.IN | Poll.RDNORM;
    if (ended && this.isConnectionOriented) ready |= Poll.RDHUP;
    if (gone || (this.readShutdown && this.writeShutdown) || (this.isConnectionOriented && !this.connected)) ready |= Poll.HUP;
    if (this.error) ready |= Poll.ERR;
    if (this.mayWrite()) ready |= Poll.OUT | Poll.WRBAND;
    return ready;
  }

  private mayWrite(): boolean {
    const { peer } = this;
    if (!peer || peer.closed) return true;
    return peer.held < BUFFER && (this.isStream || peer.queue.length <= MAX_DATAGRAMS);
  }

  override waitQueues(events: number): WaitQueue[] {
    const queues = [this.arrived];
    if (events & Poll.OUT && this.peer) queues.push(this.peer.drained);
    return queues;
  }

  dropUnread(): number {
    const bytes = this.queuedBytes;
    // Messages that carry descriptors keep them, emptied, so that their references are not lost.
    const before = this.queue.length;
    this.queue = this.queue.filter((message) => message.files.length > 0);
    for (const message of this.queue) message.bytes = new Uint8Array(0);
    this.uncharge(bytes, (before - this.queue.length) * ObjectBytes.message);
    this.drained.wakeAll();
    return bytes;
  }

  unread(): number {
    return this.isStream ? this.queuedBytes : (this.queue[0]?.bytes.length ?? 0);
  }

  takeError(): number {
    const { error } = this;
    this.error = 0;
    return error;
  }

  setOption(kernel: Kernel, thread: Thread, level: number, name: number, value: Uint8Array): Result {
    if (level !== SOL_SOCKET) return -Errno.EOPNOTSUPP;
    // Sizes, addresses and broadcasting mean nothing here and are accepted, as Linux does.
    if (name === SO.RCVBUF || name === SO.RCVBUFFORCE || name === SO.REUSEADDR || name === SO.BROADCAST || name === SO.REUSEPORT) return value.length < 4 ? -Errno.EINVAL : 0;
    return setCommonOption(this, name, value) ?? unknownOption(kernel, thread, 'setsockopt', level, name);
  }

  getOption(kernel: Kernel, thread: Thread, level: number, name: number): Uint8Array | Fail {
    if (level !== SOL_SOCKET) return -Errno.EOPNOTSUPP;
    const { pid, uid, gid } = this.peerCredentials;
    if (name === SO.PEERCRED) return wordBytes(pid, uid, gid);
    if (name === SO.ACCEPTCONN) return wordBytes(this.listening ? 1 : 0);
    if (name === SO.RCVBUF) return wordBytes(BUFFER);
    if (name === SO.REUSEADDR || name === SO.BROADCAST || name === SO.REUSEPORT) return wordBytes(0);
    return getCommonOption(this, name) ?? unknownOption(kernel, thread, 'getsockopt', level, name);
  }

  override close(kernel: Kernel): Result {
    this.closed = true;
    if (this.name?.abstract) leaveAbstract(kernel, this, this.name);
    for (const connection of this.backlog.splice(0)) connection.close(kernel);
    // Unread data at the end of a stream resets the peer (unix(7) follows TCP here).
    if (this.isConnectionOriented && this.queue.length > 0 && this.peer) this.peer.error = Errno.ECONNRESET;
    this.discardQueue(kernel);
    this.wakeBoth();
    if (this.place) {
      leavePlace(this.place);
      this.place = null;
    }
    collectLost(kernel);
    return 0;
  }

  private discardQueue(kernel: Kernel): void {
    const queue = this.queue.splice(0);
    this.uncharge(this.queuedBytes, queue.length * ObjectBytes.message);
    for (const message of queue) for (const file of comeBack(kernel, message.files)) file.release(kernel);
  }

  /** Every file that lies unread in it, or in connections nobody has accepted. */
  *carried(): Generator<OpenFile> {
    for (const message of this.queue) yield* message.files;
    for (const connection of this.backlog) yield* connection.carried();
  }

  /** Nobody can reach it any more (collectLost): what it carries goes. */
  purge(kernel: Kernel): void {
    this.discardQueue(kernel);
  }
}
snapshotClass('UnixSocket', UnixSocket);
