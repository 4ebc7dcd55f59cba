import { Errno, WaitQueue, type Fail, type TimedEvent } from '../../base/index.js';
import type { SixOptions } from '../family.js';
import type { Address } from '../wire/index.js';
import { ByteQueue } from './byte-queue.js';
import type { TcpConnection, TcpHandler } from './connection.js';
import { DEFAULT_MSS, INITIAL_RTO, MAX_SEND_BUFFER } from './parameters.js';
import { Ranges } from './ranges.js';
import { after, distance } from './sequence.js';
import { DEFAULT_SETTINGS, type TcpSettings } from './settings.js';
import type { TcpStack } from './tcp-stack.js';

/** RFC 9293 section 3.3.2. TIME_WAIT and passive SYN_RECEIVED have compact forms of their own: TimeWait, SynQueue. */
export type TcpState =
  'CLOSED' | 'LISTEN' | 'SYN_SENT' | 'SYN_RECEIVED' | 'ESTABLISHED' | 'FIN_WAIT_1' | 'FIN_WAIT_2' | 'CLOSE_WAIT' | 'CLOSING' | 'LAST_ACK' | 'TIME_WAIT';

/** A piece that came before what precedes it. */
export interface EarlyPiece {
  sequence: number;
  bytes: Uint8Array;
}

export interface Listener {
  id: number;
  backlog: number;
  /** Established, not yet accepted. */
  queue: TcpConnection[];
  halfOpen: number;
}

/** How the congestion control stands: RFC 5681 with RFC 6582 and RFC 6675. */
export type Recovery = 'open' | 'fast' | 'loss';

export const NEVER = Infinity;

/**
 * The transmission control block of RFC 9293 section 3.3.1 with its buffers: what a connection is now. Times are cycles,
 * sequence numbers unsigned 32-bit numbers.
 */
export abstract class ControlBlock {
  readonly tcp: TcpStack;
  state: TcpState = 'CLOSED';
  settings: TcpSettings = DEFAULT_SETTINGS;
  localAddress: Address = 0;
  localPort = 0;
  remoteAddress: Address = 0;
  remotePort = 0;
  holdsPort = false;
  /** The address or the port was chosen by connect or listen, not by bind. */
  addressChosen = false;
  portChosen = false;
  listener: Listener | null = null;
  handler: TcpHandler | null = null;
  protected telling = false;
  protected readableQueue: WaitQueue | null = null;
  protected writableQueue: WaitQueue | null = null;
  /** A writer found no room: it is woken when a third is free. */
  wantsSpace = false;

  // ---- sending
  iss = 0;
  sndUna = 0;
  sndNxt = 0;
  sndWnd = 0;
  sndWl1 = 0;
  sndWl2 = 0;
  maxWnd = 0;
  sndScale = 0;
  /** Both sides asked for window scaling (RFC 7323). */
  scaling = false;
  peerMss = DEFAULT_MSS;
  readonly sendQueue = new ByteQueue();
  /** Sequence number of the first byte in the queue. */
  queueStart = 0;
  finQueued = false;
  /** Sequence number behind the urgent byte, while it is to be announced. */
  sndUp = 0;
  urgentOut = false;

  // ---- loss and congestion
  cwnd = 0;
  ssthresh = NEVER;
  /** Bytes acknowledged since the window grew in congestion avoidance. */
  ackedBytes = 0;
  recovery: Recovery = 'open';
  /** Recovery ends when this is acknowledged. */
  recover = 0;
  readonly sacked = new Ranges();
  dupAcks = 0;
  /** What is unacknowledged before this is taken for lost. */
  lostPoint = 0;
  /** What was sent again ends here. */
  highRxt = 0;
  rescued = false;

  // ---- round-trip time (RFC 6298), in cycles
  srtt = 0;
  rttvar = 0;
  /** Doubled so many times. */
  backoff = 0;
  retries = 0;
  /** When the oldest unacknowledged byte was sent first. */
  firstSentAt = 0;
  timedEnd = 0;
  timedAt = -1;
  totalRetransmits = 0;
  probes = 0;

  // ---- receiving
  irs = 0;
  rcvNxt = 0;
  /** Right edge of the window as announced. */
  rcvAdv = 0;
  rcvScale = 0;
  readonly receiveQueue = new ByteQueue();
  early: EarlyPiece[] = [];
  earlyBytes = 0;
  /** Where the latest early piece begins. */
  earlyLatest = 0;
  /** Sequence number of a FIN that came early, if any; -1: none. */
  earlyFin = -1;
  finReceived = false;
  /** Sequence number up to which was acknowledged. */
  lastAck = 0;
  /** Largest segment received. */
  rcvMss = DEFAULT_MSS;
  quickAck = false;
  /** Offset in receiveQueue of the urgent byte; -1: none there. */
  urgentAt = -1;
  /** The urgent byte taken out of line; -1: none. */
  urgentByte = -1;
  /** Sequence number of an urgent byte that was announced and has not come, if `urgentExpected`. */
  rcvUp = 0;
  urgentExpected = false;

  // ---- options agreed upon
  sackPermitted = false;
  timestamps = false;
  tsRecent = 0;

  // ---- deadlines
  retransmitAt = NEVER;
  /** `retransmitAt` is for probing the window or opening the cork: nothing is under way. */
  persisting = false;
  ackAt = NEVER;
  /** Keepalive, or the end of an orphan in FIN-WAIT-2. */
  lifeAt = NEVER;
  timer: TimedEvent | null = null;
  lastReceived = 0;
  lastSent = 0;
  invalidAckAt = -NEVER;

  // ---- as the user sees it
  /** errno to be reported once (SO_ERROR), and one that explains a later time-out. */
  error = 0;
  softError = 0;
  readShutdown = false;
  writeShutdown = false;
  /** The user has closed it. */
  orphan = false;
  /** It was connected once. */
  done = false;
  /** Bytes charged to memory. */
  charged = 0;
  /** Bytes that came from the peer, in order, and bytes taken from the user. */
  received = 0;
  accepted = 0;

  constructor(tcp: TcpStack) {
    this.tcp = tcp;
  }

  get six(): Readonly<SixOptions> | null {
    return this.settings.six;
  }

  get readable(): WaitQueue {
    return this.readableQueue ??= new WaitQueue();
  }

  get writable(): WaitQueue {
    return this.writableQueue ??= new WaitQueue();
  }

  configure(change: Partial<TcpSettings>): void {
    this.settings = { ...this.settings, ...change };
  }

  // ---- what it is now

  /** Bytes that can be received at once. */
  get available(): number {
    return this.receiveQueue.length;
  }

  /** The peer has finished and everything was received, or nothing will come any more. */
  get ended(): boolean {
    return this.receiveQueue.length === 0 && (this.finReceived || this.readShutdown);
  }

  get sendLimit(): number {
    const { sendBuffer, sendBufferFixed } = this.settings;
    return sendBufferFixed ? sendBuffer : Math.max(sendBuffer, Math.min(4 * this.cwnd, MAX_SEND_BUFFER));
  }

  /** Bytes send() would take. */
  get space(): number {
    return Math.max(0, this.sendLimit - this.sendQueue.length);
  }

  get connected(): boolean {
    return this.state !== 'CLOSED' && this.state !== 'LISTEN' && this.state !== 'SYN_SENT' && this.state !== 'SYN_RECEIVED';
  }

  /** Sent or not, with the FIN (SIOCOUTQ). */
  get unacknowledgedAll(): number {
    return this.sendQueue.length + (this.finQueued && this.state !== 'FIN_WAIT_2' ? 1 : 0);
  }

  get unacknowledged(): number {
    return distance(this.sndUna, this.sndNxt);
  }

  /** The window as the next header would carry it. */
  headerWindow(): number {
    return Math.min(0xffff, Math.ceil((after(this.rcvAdv, this.rcvNxt) ? distance(this.rcvNxt, this.rcvAdv) : 0) / 2 ** this.rcvScale));
  }

  get initialRto(): number {
    return this.tcp.net.clock.toCycles(INITIAL_RTO);
  }

  peerName(): { address: Address; port: number } | Fail {
    return this.connected ? { address: this.remoteAddress, port: this.remotePort } : -Errno.ENOTCONN;
  }

  takeError(): number {
    const { error } = this;
    this.error = 0;
    return error;
  }

  // ---- memory

  /** False when the device has none left. */
  charge(bytes: number): boolean {
    const { memory } = this.tcp;
    if (memory && memory.take(bytes) < 0) {
      this.tcp.count('TcpExt.TCPMemoryPressures');
      return false;
    }
    this.charged += bytes;
    return true;
  }

  uncharge(bytes: number): void {
    const given = Math.min(bytes, this.charged);
    this.charged -= given;
    if (given > 0) this.tcp.memory?.give(given);
  }
}
