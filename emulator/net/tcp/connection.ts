import { Errno, failed, snapshotClass, type EventTarget, type Result } from '../../base/index.js';
import { LOOPBACK, type Address } from '../wire/index.js';
import { ControlBlock, NEVER, type TcpState } from './control-block.js';
import { CONNECTION_BYTES, SOMAXCONN } from './parameters.js';
import { output, sendAck, sendResetOf, sendSyn, windowAfterRead } from './segment-out.js';
import { plus } from './sequence.js';
import { TimeWait } from './time-wait.js';
import { onTimer } from './timers.js';

/** Told when something about a connection changed: a plain-data object known to the snapshot registry. */
export interface TcpHandler {
  /** Ask the connection what it is now: state, available, space, ended, error. Called from the event queue, never from inside a call. */
  onTcp(connection: TcpConnection): void;
}

/**
 * A TCP end point: the calls of its user, and what they and segments lead to. Nothing blocks: a call answers a Result,
 * what it started is told through `readable` and `writable` or `handler`.
 */
export class TcpConnection extends ControlBlock implements EventTarget {
  // ---- calls

  /** EADDRNOTAVAIL, EADDRINUSE, EINVAL (bound already). Port 0 picks one. */
  bind(address: Address, port: number): Result {
    if (!this.tcp.net.mayBind(address)) return -Errno.EADDRNOTAVAIL;
    if (this.state !== 'CLOSED' || this.localPort !== 0) return -Errno.EINVAL;
    return this.tcp.ports.bind(this, address, port);
  }

  listen(backlog: number): Result {
    if (this.state !== 'CLOSED' && this.state !== 'LISTEN') return -Errno.EINVAL;
    const limit = backlog < 0 ? SOMAXCONN : Math.min(backlog, this.tcp.somaxconn);
    if (this.listener) {
      this.listener.backlog = limit;
      return 0;
    }
    const { ports } = this.tcp;
    if (!this.holdsPort) {
      const bound = ports.bind(this, this.localAddress, this.localPort);
      if (failed(bound)) return bound;
      this.portChosen = true;
    }
    // Bound beside others by SO_REUSEADDR, only one may listen.
    if (ports.conflicts(this, this.localAddress, this.localPort)) return -Errno.EADDRINUSE;
    this.listener = { id: this.tcp.newListener(this), backlog: limit, queue: [], halfOpen: 0 };
    this.readShutdown = this.writeShutdown = false;
    ports.addListener(this);
    this.setState('LISTEN');
    return 0;
  }

  /** The oldest connection that waits, or null. */
  accept(): TcpConnection | null {
    return this.listener?.queue.shift() ?? null;
  }

  /** Starts it; 0 says the SYN is under way. The outcome: state ESTABLISHED, or CLOSED and `error`. */
  connect(address: Address, port: number): Result {
    if (this.state !== 'CLOSED') return this.state === 'LISTEN' || this.connected ? -Errno.EISCONN : -Errno.EALREADY;
    const remote = address === 0 ? LOOPBACK : address;
    const path = this.tcp.net.path(remote, this.settings.device, this.localAddress);
    if (failed(path)) return path;
    if (path.kind === 'broadcast' || path.kind === 'multicast') return -Errno.ENETUNREACH;
    const named = this.name(path.source, remote, port);
    if (failed(named)) return named;
    if (!this.charge(CONNECTION_BYTES)) {
      this.forgetNames();
      return -Errno.ENOBUFS;
    }
    this.remoteAddress = remote;
    this.remotePort = port;
    this.start();
    return 0;
  }

  /** Give the connection an address of ours and a port. EADDRNOTAVAIL when a flow of these names exists or no port is left. */
  private name(source: Address, remote: Address, port: number): Result {
    const { ports } = this.tcp;
    const local = this.localAddress || source;
    if (this.localPort === 0) {
      const chosen = ports.connectPort(local, remote, port);
      if (chosen === 0) return -Errno.EADDRNOTAVAIL;
      ports.hold(this, chosen);
      this.portChosen = true;
    } else if (!this.tcp.mayReplace(ports.find(local, this.localPort, remote, port))) {
      return -Errno.EADDRNOTAVAIL;
    }
    this.addressChosen = this.localAddress === 0;
    this.localAddress = local;
    return 0;
  }

  private start(): void {
    const { tcp } = this;
    const old = tcp.ports.find(this.localAddress, this.localPort, this.remoteAddress, this.remotePort);
    this.iss = old ? plus(old.sndNxt, 65_537) : tcp.initialSequence(this);
    if (old instanceof TimeWait) tcp.removeTimeWait(old);
    this.error = this.softError = 0;
    this.readShutdown = this.writeShutdown = this.finQueued = this.finReceived = this.done = false;
    this.sendQueue.clear();
    this.receiveQueue.clear();
    this.sndUna = this.sndNxt = this.iss;
    this.queueStart = this.recover = plus(this.iss, 1);
    this.retries = this.backoff = 0;
    this.srtt = 0;
    this.timestamps = this.sackPermitted = true;
    tcp.ports.addFlow(this);
    tcp.count('Tcp.ActiveOpens');
    this.setState('SYN_SENT');
    sendSyn(this);
  }

  /** Takes as many bytes as there is room for and says how many; 0 when there is none. EPIPE after the end, ENOTCONN before the beginning, the pending error. */
  send(bytes: Uint8Array, options: { more?: boolean; urgent?: boolean } = {}): number {
    const error = this.takeError();
    if (error) return -error;
    if (this.writeShutdown || (this.state === 'CLOSED' && this.done)) return -Errno.EPIPE;
    if (this.state !== 'ESTABLISHED' && this.state !== 'CLOSE_WAIT') return this.state === 'SYN_SENT' || this.state === 'SYN_RECEIVED' ? 0 : -Errno.ENOTCONN;
    const taken = Math.min(bytes.length, this.space);
    if (taken < bytes.length) this.wantsSpace = true;
    if (taken === 0) return 0;
    if (!this.charge(taken)) return -Errno.ENOBUFS;
    this.accepted += taken;
    this.sendQueue.append(taken === bytes.length ? bytes : bytes.subarray(0, taken));
    if (options.urgent && taken === bytes.length) {
      this.sndUp = plus(this.queueStart, this.sendQueue.length);
      this.urgentOut = true;
    }
    output(this, options.more === true);
    return taken;
  }

  /** Up to `length` bytes, or none: then `ended` says whether more can come. Stops in front of an urgent byte. */
  receive(length: number, peek = false, offset = 0): Uint8Array {
    if (this.urgentAt === 0 && !peek && !this.settings.oobInline) this.skipUrgent();
    const limit = this.urgentAt > offset ? Math.min(length, this.urgentAt - offset) : length;
    const bytes = this.receiveQueue.copy(offset, limit);
    if (!peek && bytes.length > 0) this.consume(bytes.length);
    return bytes;
  }

  /** Reading went past the mark: the urgent byte was only to be had with MSG_OOB. */
  private skipUrgent(): void {
    this.urgentAt = -1;
    this.consume(1);
  }

  private consume(count: number): void {
    this.receiveQueue.drop(count);
    this.uncharge(count);
    if (this.urgentAt >= 0) this.urgentAt = this.urgentAt >= count ? this.urgentAt - count : -1;
    windowAfterRead(this);
  }

  /** Forget unread input; how many bytes. */
  dropUnread(): number {
    const count = this.receiveQueue.length;
    if (count > 0) this.consume(count);
    return count;
  }

  /** No more will be sent: a FIN follows what is queued. ENOTCONN without a connection. */
  shutdownWrite(): Result {
    if (this.state === 'CLOSED' || this.state === 'LISTEN' || this.state === 'SYN_SENT') return -Errno.ENOTCONN;
    if (this.writeShutdown) return 0;
    this.writeShutdown = true;
    if (this.finQueued) return 0;
    this.finQueued = true;
    // In SYN-RECEIVED the FIN waits for the ACK of our SYN (RFC 9293 section 3.10.4).
    if (this.state === 'ESTABLISHED') this.setState('FIN_WAIT_1');
    else if (this.state === 'CLOSE_WAIT') this.setState('LAST_ACK');
    output(this);
    return 0;
  }

  /** Nothing more will be read; what comes is still acknowledged. */
  shutdownRead(): Result {
    if (this.state === 'CLOSED') return -Errno.ENOTCONN;
    this.readShutdown = true;
    this.tell(true, false);
    return 0;
  }

  /**
   * The user lets go. Unread input (RFC 2525 section 2.17) or a linger time of 0 resets; otherwise what is queued and the FIN go
   * out, and the rest of the connection's life passes without its user.
   */
  close(): void {
    this.handler = null;
    this.orphan = true;
    if (this.state === 'LISTEN') this.stopListening();
    else if (this.state === 'CLOSED') this.destroy();
    else if (this.state === 'SYN_SENT') this.die(0);
    else if (this.receiveQueue.length > 0 || this.settings.linger === 0) this.abort('TcpExt.TCPAbortOnClose');
    else this.closeGently();
  }

  private closeGently(): void {
    this.readShutdown = true;
    this.shutdownWrite();
    if (this.state === 'FIN_WAIT_2') this.tcp.startFinWait2(this);
    this.cancelKeepalive();
  }

  private cancelKeepalive(): void {
    if (this.state !== 'FIN_WAIT_2') this.lifeAt = NEVER;
  }

  /** Send a reset and forget everything. */
  abort(counter = 'TcpExt.TCPAbortOnData'): void {
    if (this.state === 'LISTEN') return this.stopListening();
    if (this.state !== 'CLOSED' && this.state !== 'SYN_SENT') {
      this.tcp.count(counter);
      sendResetOf(this);
    }
    this.die(0);
  }

  private stopListening(): void {
    const { listener, tcp } = this;
    if (!listener) return;
    tcp.dropHalfOpen(listener.id);
    tcp.ports.removeListener(this);
    for (const child of listener.queue.splice(0)) {
      child.orphan = true;
      child.abort('TcpExt.TCPAbortOnClose');
    }
    this.listener = null;
    this.setState('CLOSED');
    if (this.orphan) this.destroy();
    this.tell(true, true);
  }

  /** connect() with AF_UNSPEC, or shutdown of a socket that connects or listens: as before connect. */
  disconnect(): void {
    if (this.state === 'LISTEN') this.stopListening();
    else if (this.state !== 'CLOSED') this.abort('TcpExt.TCPAbortOnClose');
    this.error = 0;
    this.done = false;
    this.readShutdown = this.writeShutdown = false;
    this.forgetNames();
  }

  // ---- its end

  setState(state: TcpState): void {
    const from = this.state;
    this.state = state;
    this.tcp.transition(from, state);
    this.tcp.countEstablished(from, state);
  }

  /** The connection is no more; its user learns `error` (0: none). */
  die(error: number): void {
    const { tcp } = this;
    if (this.state === 'CLOSED') return;
    tcp.ports.removeFlow(this);
    this.setState('CLOSED');
    this.finish(error);
  }

  /** TIME-WAIT goes on without it; the user may still read. */
  finish(error: number): void {
    if (error) this.error = error;
    this.done = true;
    this.readShutdown = this.writeShutdown = true;
    this.stopTimers();
    // What was received can still be read.
    this.uncharge(this.charged - this.receiveQueue.length);
    this.sendQueue.clear();
    this.early = [];
    this.earlyBytes = 0;
    this.sacked.clear();
    if (this.orphan) this.destroy();
    this.tell(true, true);
  }

  private destroy(): void {
    this.receiveQueue.clear();
    this.uncharge(this.charged);
    this.tcp.ports.release(this);
  }

  private forgetNames(): void {
    this.remoteAddress = this.remotePort = 0;
    if (this.addressChosen) this.localAddress = 0;
    if (this.portChosen) {
      this.tcp.ports.release(this);
      this.localPort = 0;
    }
    this.addressChosen = this.portChosen = false;
  }

  stopTimers(): void {
    this.retransmitAt = this.ackAt = this.lifeAt = NEVER;
    this.tcp.net.events.cancel(this.timer);
    this.timer = null;
  }

  /** Put the earliest deadline into the event queue; a later one is found when the event comes. */
  arm(): void {
    const next = Math.min(this.retransmitAt, this.ackAt, this.lifeAt);
    const { events } = this.tcp.net;
    if (next === NEVER || (this.timer && this.timer.time <= next)) return;
    events.cancel(this.timer);
    this.timer = events.at(next, this, 'timer');
  }

  onEvent(kind: string): void {
    if (kind === 'timer') return onTimer(this);
    this.telling = false;
    this.handler?.onTcp(this);
  }

  /** Something changed for whoever reads or writes. */
  tell(reader: boolean, writer: boolean): void {
    if (reader) this.readableQueue?.wakeAll();
    if (writer) this.writableQueue?.wakeAll();
    if (!this.handler || this.telling) return;
    this.telling = true;
    const { clock, events } = this.tcp.net;
    events.at(clock.cycles, this, 'tell');
  }

  /** Answer at once with what we have. */
  acknowledge(): void {
    sendAck(this);
  }
}
snapshotClass('TcpConnection', TcpConnection);
