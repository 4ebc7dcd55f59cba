import { Errno, failed, snapshotClass, type Fail, type Result, type WaitQueue } from '../base/index.js';
import { sixOptions } from '../net/family.js';
import { takeUrgent, TcpConnection, type Names } from '../net/tcp/index.js';
import { queueEnd } from '../net/tcp/segment-out.js';
import { distance } from '../net/tcp/sequence.js';
import { isIp6, isMulticast, type Address } from '../net/wire/index.js';
import { gatherLength, type Gather } from '../vfs/vnode.js';
import { local6, peerOf, remote6, socketName, type Six } from './inet-address.js';
import type { Kernel } from './kernel.js';
import { LINGER, Poll } from './open-file.js';
import { progressOf, familyOf, SocketFile, type Incoming, type Outgoing } from './socket-file.js';
import { AF, Msg, Shutdown, SocketType } from './socket-numbers.js';
import { getTcpOption, setTcpOption } from './tcp-options.js';
import type { Thread } from './thread.js';

const NOTHING = new Uint8Array(0);

/** An AF_INET or AF_INET6 stream as a descriptor sees it (tcp(7)); the protocol is in net/tcp. */
export class TcpSocket extends SocketFile {
  override readonly kind = 'socket.tcp';
  connection: TcpConnection;
  /** connect() was called and its outcome not yet told (SS_CONNECTING). */
  private connecting = false;
  /** Owner's user id, for /proc/net/tcp. */
  uid = 0;

  constructor(kernel: Kernel, flags: number, connection: TcpConnection) {
    super(kernel, connection.six ? AF.INET6 : AF.INET, SocketType.STREAM, 6, flags);
    this.connection = connection;
  }

  /** The end of our side counts as a byte: the peer takes it for the end of a message. */
  override get moved(): number {
    const { accepted, finQueued } = this.connection;
    return this.consumed + accepted + (finQueued ? 1 : 0);
  }

  protected override get raisesPipe(): boolean {
    return true;
  }

  bind(_kernel: Kernel, thread: Thread, address: Uint8Array): Result {
    const { six } = this.connection;
    const local = six ? local6(address, this.place(six)) : peerOf(address, true);
    if (failed(local)) return local;
    if (!six && familyOf(address) === AF.UNSPEC && local.address !== 0) return -Errno.EAFNOSUPPORT;
    if (isMulticast(local.address) && six) return -Errno.EINVAL;
    if (local.device !== 0) this.connection.configure({ device: local.device });
    if (!this.connection.tcp.net.mayBind(local.address)) return -Errno.EADDRNOTAVAIL;
    // Linux: ip_unprivileged_port_start.
    if (local.port > 0 && local.port < 1024 && thread.process.cred.euid !== 0) return -Errno.EACCES;
    return this.connection.bind(local.address, local.port);
  }

  override listen(_kernel: Kernel, backlog: number): Result {
    return this.connecting ? -Errno.EINVAL : this.connection.listen(backlog);
  }

  override accept(kernel: Kernel, thread: Thread, flags: number): SocketFile | number {
    if (this.connection.state !== 'LISTEN') return -Errno.EINVAL;
    const connection = this.connection.accept();
    if (!connection) return this.waitForInput(kernel, thread, 'tcp.accept', [this.connection.readable], 0);
    this.accepted++;
    const made = new TcpSocket(kernel, flags, connection);
    made.uid = this.uid;
    return made;
  }

  // ---- connect: SS_UNCONNECTED, SS_CONNECTING, SS_CONNECTED of __inet_stream_connect

  connect(kernel: Kernel, thread: Thread, address: Uint8Array): number {
    const { connection } = this;
    if (address.length < 2) return -Errno.EINVAL;
    if (familyOf(address) === AF.UNSPEC) {
      this.connecting = false;
      connection.disconnect();
      return 0;
    }
    if (this.connecting) return this.goOnConnecting(kernel, thread, thread.blocked ? -Errno.EINPROGRESS : -Errno.EALREADY);
    // The call slept when its process was frozen; what it waited for came, and was told to a state that was gone back from.
    if (thread.blocked && connection.connected) return 0;
    if (connection.state !== 'CLOSED') return -Errno.EISCONN;
    const { six } = connection;
    const peer = six ? remote6(address, this.place(six), false) : peerOf(address, false);
    if (failed(peer)) return peer;
    if (peer.device !== 0) connection.configure({ device: peer.device });
    // A connection that is over can be made anew.
    connection.disconnect();
    const started = connection.connect(peer.address, peer.port);
    if (failed(started)) return started;
    this.connecting = true;
    return this.goOnConnecting(kernel, thread, -Errno.EINPROGRESS);
  }

  private goOnConnecting(kernel: Kernel, thread: Thread, meanwhile: number): number {
    const { connection } = this;
    if (connection.state === 'SYN_SENT' || connection.state === 'SYN_RECEIVED') {
      const result = this.wait(kernel, thread, 'tcp.connect', [connection.writable], this.sendTimeout, 0);
      return result === -Errno.EAGAIN ? meanwhile : result;
    }
    this.connecting = false;
    if (connection.state !== 'CLOSED' || connection.finReceived) return 0;
    const error = connection.takeError();
    return -(error || Errno.ECONNABORTED);
  }

  localName(): Uint8Array {
    return this.name(this.connection.localAddress, this.connection.localPort);
  }

  private place(six: Six['six']): Six {
    return { six, localAddress: this.connection.localAddress, device: this.connection.settings.device };
  }

  private name(address: Address, port: number): Uint8Array {
    const { localAddress, settings, tcp } = this.connection;
    const device = settings.device || (isIp6(localAddress) ? tcp.net.v6.owner(localAddress)?.index ?? 0 : 0);
    return socketName(tcp.net, this.domain, address, port, device);
  }

  peerName(): Uint8Array | Fail {
    const { connection } = this;
    return connection.connected ? this.name(connection.remoteAddress, connection.remotePort) : -Errno.ENOTCONN;
  }

  override clientName(): Uint8Array | Fail {
    const { remoteAddress, remotePort } = this.connection;
    return this.name(remoteAddress, remotePort);
  }

  // ---- data

  /** A long write is tried again for every part: only what is taken is copied. */
  override get gathers(): boolean { return true; }

  override write(kernel: Kernel, thread: Thread, bytes: Gather, offset: number | null): number {
    return offset !== null ? -Errno.ESPIPE : this.signalled(thread, this.sendBytes(kernel, thread, bytes, 0), 0);
  }

  send(kernel: Kernel, thread: Thread, message: Outgoing): number {
    return this.sendBytes(kernel, thread, message.bytes, message.flags);
  }

  /** In parts as there is room; what was sent before a wait is noted in the blocked record. */
  private sendBytes(kernel: Kernel, thread: Thread, bytes: Gather, flags: number): number {
    const { connection } = this;
    const progress = progressOf(thread);
    if (!connection.connected && connection.state !== 'SYN_SENT' && connection.state !== 'SYN_RECEIVED') return this.sendFailed(progress.sent, -Errno.EPIPE);
    const total = gatherLength(bytes);
    const part = slice(bytes, progress.sent, connection.space);
    const rest = progress.sent + part.length < total;
    const sent = connection.send(part, { more: !rest && (flags & Msg.MORE) !== 0, urgent: !rest && (flags & Msg.OOB) !== 0 });
    if (sent < 0) return this.sendFailed(progress.sent, sent);
    kernel.meter.charge('copy.bytes', sent);
    progress.sent += sent;
    if (progress.sent >= total && connection.connected) return total;
    connection.wantsSpace = true;
    const result = this.wait(kernel, thread, 'tcp.send', [connection.writable], this.sendTimeout, flags);
    if (result === -Errno.EAGAIN) return progress.sent > 0 ? progress.sent : result;
    if (thread.blocked) {
      thread.blocked.data = progress;
      thread.blocked.partial = progress.sent > 0 ? progress.sent : null;
    }
    return result;
  }

  /** What went out before counts; the error is told by the next call. */
  private sendFailed(sent: number, error: number): number {
    const { connection } = this;
    if (sent > 0) {
      if (error !== -Errno.EPIPE) connection.error = -error;
      return sent;
    }
    if (error !== -Errno.EPIPE) return error;
    const pending = connection.takeError();
    return pending ? -pending : error;
  }

  receive(kernel: Kernel, thread: Thread, length: number, flags: number): Incoming | number {
    const { connection } = this;
    if (connection.state === 'LISTEN') return -Errno.ENOTCONN;
    if (flags & Msg.OOB) return this.receiveUrgent(flags);
    if (flags & Msg.ERRQUEUE) return -Errno.EAGAIN;
    // Even a read of no bytes waits for one (Linux: sock_rcvlowat).
    const wanted = Math.max(1, Math.min(length, flags & Msg.WAITALL ? connection.settings.receiveBuffer >>> 1 : connection.settings.receiveLowWater));
    const over = connection.finReceived || connection.readShutdown || connection.error !== 0;
    if (connection.available > 0 && (connection.available >= wanted || over || connection.urgentAt >= 0)) return this.taken(length, flags);
    if (connection.finReceived) return incoming(NOTHING);
    const error = connection.takeError();
    if (error) return -error;
    if (connection.readShutdown) return incoming(NOTHING);
    if (connection.state === 'CLOSED') return -Errno.ENOTCONN;
    const result = this.waitForInput(kernel, thread, 'tcp.recv', [connection.readable], flags);
    // The time is over, or may not be spent: what is there is the answer.
    return result === -Errno.EAGAIN && connection.available > 0 ? this.taken(length, flags) : result;
  }

  /** MSG_TRUNC throws away what it counts (tcp(7)). */
  private taken(length: number, flags: number): Incoming {
    const peek = (flags & Msg.PEEK) !== 0;
    const bytes = this.connection.receive(length, peek);
    if (!peek) this.consumed += bytes.length;
    return flags & Msg.TRUNC ? { ...incoming(NOTHING), length: bytes.length } : incoming(bytes);
  }

  private receiveUrgent(flags: number): Incoming | number {
    const { connection } = this;
    if (connection.state === 'CLOSED' && !connection.done) return -Errno.ENOTCONN;
    const byte = takeUrgent(connection, (flags & Msg.PEEK) !== 0);
    return byte < 0 ? byte : { ...incoming(Uint8Array.of(byte)), flags: Msg.OOB };
  }

  shutdown(how: number): Result {
    const { connection } = this;
    const { state } = connection;
    if (state === 'LISTEN' || state === 'SYN_SENT') {
      if (state === 'LISTEN' && how === Shutdown.WRITE) return 0;
      this.connecting = false;
      connection.disconnect();
      return 0;
    }
    if (state === 'CLOSED') {
      connection.tell(true, true);
      return -Errno.ENOTCONN;
    }
    if (how !== Shutdown.WRITE) connection.shutdownRead();
    if (how !== Shutdown.READ) connection.shutdownWrite();
    connection.tell(true, true);
    return 0;
  }

  // ---- state

  /** tcp_poll of Linux. */
  override poll(): number {
    const { connection: c } = this;
    if (c.state === 'LISTEN') return (c.listener?.queue.length ?? 0) > 0 ? Poll.IN | Poll.RDNORM : 0;
    const closed = c.state === 'CLOSED';
    const readOver = c.finReceived || c.readShutdown;
    let ready = 0;
    if ((readOver && c.writeShutdown) || closed) ready |= Poll.HUP;
    if (readOver) ready |= Poll.IN | Poll.RDNORM | Poll.RDHUP;
    if (c.state !== 'SYN_SENT' && c.state !== 'SYN_RECEIVED') {
      const skipped = c.urgentAt === 0 && !c.settings.oobInline ? 1 : 0;
      if (c.available > 0 && c.available >= Math.min(c.settings.receiveLowWater, c.settings.receiveBuffer >>> 1) + skipped) ready |= Poll.IN | Poll.RDNORM;
      if (c.writeShutdown || this.mayWrite()) ready |= Poll.OUT | (c.writeShutdown ? 0 : Poll.WRBAND);
      if (c.urgentByte >= 0) ready |= Poll.PRI;
    }
    if (c.error) ready |= Poll.ERR;
    return ready;
  }

  /** A third of the buffer is free (sk_stream_is_writeable). Whoever hears "no" is woken when it is. */
  private mayWrite(): boolean {
    const { connection } = this;
    if (connection.space * 2 >= connection.sendQueue.length && connection.space > 0) return true;
    connection.wantsSpace = true;
    return false;
  }

  override waitQueues(events: number): WaitQueue[] {
    const { readable, writable } = this.connection;
    return events & Poll.OUT ? [readable, writable] : [readable];
  }

  dropUnread(): number {
    return this.connection.dropUnread();
  }

  /** A checkpoint's policy: the peer learns that the conversation is over, and so does the program, even if it is already and there were bytes left to read, or only its end. */
  resetStream(): void {
    const { connection } = this;
    if (!connection.connected && !connection.done) return;
    connection.dropUnread();
    if (connection.connected) connection.abort('TcpExt.TCPAbortOnClose');
    connection.finReceived = false;
    connection.urgentByte = -1;
    connection.error = Errno.ECONNRESET;
    connection.tell(true, true);
  }

  unread(): number {
    return this.connection.state === 'LISTEN' ? 0 : this.connection.available;
  }

  takeError(): number {
    return this.connection.takeError();
  }

  setOption(kernel: Kernel, thread: Thread, level: number, name: number, value: Uint8Array): Result {
    return setTcpOption(kernel, thread, this, level, name, value);
  }

  getOption(kernel: Kernel, thread: Thread, level: number, name: number): Uint8Array | Fail {
    return getTcpOption(kernel, thread, this, level, name);
  }

  override ioctl(kernel: Kernel, thread: Thread, request: number, argument: number): Result {
    const { connection } = this;
    const listening = connection.state === 'LISTEN';
    const answer = (value: number): Result => thread.process.space.writeWords(argument >>> 0, [value]);
    switch (request >>> 0) {
      case 0x467f: // SIOCINQ
        return listening ? -Errno.EINVAL : answer(connection.available);
      case 0x7472: // SIOCOUTQ
        return listening ? -Errno.EINVAL : answer(connection.state === 'CLOSED' ? 0 : connection.unacknowledgedAll);
      case 0x894b: // SIOCOUTQNSD
        return listening ? -Errno.EINVAL : answer(connection.connected ? distance(connection.sndNxt, queueEnd(connection)) : 0);
      case 0x40047307: // SIOCATMARK
        return answer(connection.urgentAt === 0 ? 1 : 0);
    }
    return super.ioctl(kernel, thread, request, argument);
  }

  /** A connection that was closed comes back as one its peer has reset, so that the program lets go of it. */
  override get reopens(): boolean { return this.connection.listener === null; }

  override reopen(kernel: Kernel): void {
    const { net } = kernel;
    if (!net) return;
    const before = this.connection;
    this.connection = net.tcp.socket();
    this.connection.error = Errno.ECONNRESET;
    this.connecting = false;
    // Who watches the old one looks at the new one from now on.
    before.tell(true, true);
  }

  override close(_kernel: Kernel): Result {
    this.connection.close();
    return 0;
  }

  /** SO_LINGER with a time. */
  override linger(kernel: Kernel, thread: Thread): number {
    const { localAddress, localPort, remoteAddress, remotePort, settings } = this.connection;
    if (settings.linger <= 0) return 0;
    return lingering(kernel, thread, { localAddress, localPort, remoteAddress, remotePort }, kernel.clock.cycles + kernel.clock.toCycles(settings.linger));
  }
}
snapshotClass('TcpSocket', TcpSocket);

const UNDER_WAY: readonly string[] = ['FIN_WAIT_1', 'CLOSING', 'LAST_ACK'];

/**
 * close(2) waits until all is acknowledged, the FIN too; a signal or the end of the time lets the connection go on without us. The descriptor is
 * gone by then: what the call knows of the connection are its names, which survive a freeze and a thaw.
 */
function lingering(kernel: Kernel, thread: Thread, names: Names, deadline: number): number {
  const flow = kernel.net?.tcp.ports.find(names.localAddress, names.localPort, names.remoteAddress, names.remotePort);
  if (!(flow instanceof TcpConnection) || !flow.orphan || !UNDER_WAY.includes(flow.state) || thread.blocked?.timedOut) return 0;
  return thread.block(LINGER, [flow.writable], { deadline, data: names, restart: 'never', partial: 0 });
}

/** The call is made again: its record has no names when an image says so that was not ours. */
export function lingerOn(kernel: Kernel, thread: Thread): number {
  const names = thread.blocked?.data as Names | null;
  return names ? lingering(kernel, thread, names, Infinity) : 0;
}

/** Up to `length` bytes from `start`; a view where they lie together. */
function slice(gather: Gather, start: number, length: number): Uint8Array {
  if (gather instanceof Uint8Array) return gather.subarray(start, start + length);
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const part of gather) {
    const wanted = part.subarray(Math.max(0, start - at), Math.max(0, start + length - at));
    if (wanted.length > 0) parts.push(wanted);
    at += part.length;
  }
  return parts.length === 1 ? parts[0] : Buffer.concat(parts);
}

function incoming(bytes: Uint8Array): Incoming {
  return { bytes, length: bytes.length, address: null, control: [], flags: 0, files: [] };
}

/** socket(AF_INET or AF_INET6, SOCK_STREAM); connections are charged to the device's memory. */
export function tcpSocket(kernel: Kernel, thread: Thread, domain: number, flags: number): TcpSocket | Fail {
  const { net } = kernel;
  if (!net) return -Errno.EAFNOSUPPORT;
  net.tcp.memory ??= kernel.memory;
  const socket = new TcpSocket(kernel, flags, net.tcp.socket(domain === AF.INET6 ? sixOptions() : null));
  socket.uid = thread.process.cred.euid;
  return socket;
}
