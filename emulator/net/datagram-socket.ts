import { snapshotClass, WaitQueue } from '../base/index.js';
import type { SixOptions } from './family.js';
import type { Address } from './wire/index.js';

export interface Datagram {
  payload: Uint8Array;
  source: Address;
  sourcePort: number;
  destination: Address;
  /** Index of the interface it came in on. */
  device: number;
  /** Hop limit and traffic class of IPv6. */
  ttl: number;
  tos: number;
  /** Virtual nanoseconds since power-on. */
  time: number;
}

/** An ICMP error about a packet this socket sent, or a local refusal (IP_RECVERR, ip(7)). */
export interface SocketError {
  errno: number;
  /** SO_EE_ORIGIN_LOCAL 1, SO_EE_ORIGIN_ICMP 2, SO_EE_ORIGIN_ICMP6 3. */
  origin: number;
  type: number;
  code: number;
  /** The next hop's MTU for "fragmentation needed". */
  info: number;
  offender: Address;
  destination: Address;
  destinationPort: number;
  payload: Uint8Array;
}

/** Linux's rmem_default on 32-bit routers with small memory is of this order; the value is doubled as setsockopt doubles it. */
export const DEFAULT_RECEIVE_BUFFER = 163_840;
export const MIN_RECEIVE_BUFFER = 2_304;
/** Linux: rmem_max; SO_RCVBUF beyond it is cut. */
export const MAX_RECEIVE_BUFFER = 2 * 163_840;
/** What a queued datagram costs beyond its payload: the sk_buff and its rounding (`truesize`). */
const PACKET_OVERHEAD = 512;
const MAX_ERRORS = 16;

/** IP_MTU_DISCOVER, ip(7). */
export const PmtuDiscovery = { dont: 0, want: 1, do: 2, probe: 3, interface: 4, omit: 5 } as const;

/** What all sockets of a stack may hold unread together: net.ipv4.udp_mem, three sixteenths of the memory of 64 MiB by default. */
export class SocketBuffers {
  limit = 12 << 20;
  bytes = 0;
}
snapshotClass('SocketBuffers', SocketBuffers);

/** What UDP and raw sockets have in common: a bounded receive queue, errors, and the IP options. */
export abstract class DatagramSocket {
  /** null: an AF_INET socket. */
  readonly six: SixOptions | null;
  localAddress: Address = 0;
  remoteAddress: Address = 0;
  /** SO_BINDTODEVICE: interface index, 0 for any. */
  device = 0;
  /** SO_BROADCAST */
  broadcast = false;
  ttl = 64;
  tos = 0;
  multicastTtl = 1;
  multicastLoop = true;
  multicastDevice = 0;
  readonly memberships: { group: Address; device: number }[] = [];
  pmtuDiscovery: number = PmtuDiscovery.want;
  /** IP_RECVERR */
  receiveErrors = false;
  receiveBuffer = DEFAULT_RECEIVE_BUFFER;
  /** Reports whether it can be read; also woken by an error. */
  readonly readable = new WaitQueue();
  readonly queue: Datagram[] = [];
  queuedBytes = 0;
  /** Where `queuedBytes` are counted too. */
  private buffers: SocketBuffers | null = null;
  /** Datagrams lost because the receive buffer was full. */
  drops = 0;
  /** errno of an asynchronous error, reported once (SO_ERROR). */
  error = 0;
  readonly errors: SocketError[] = [];
  readShutdown = false;
  writeShutdown = false;

  constructor(six: SixOptions | null) {
    this.six = six;
  }

  /** False when the receive buffer is full, or the memory of all of them. */
  deliver(datagram: Datagram, buffers: SocketBuffers): boolean {
    if (this.queuedBytes >= this.receiveBuffer || buffers.bytes >= buffers.limit) {
      this.drops++;
      return false;
    }
    this.buffers = buffers;
    this.queue.push({ ...datagram, payload: datagram.payload.slice() });
    this.account(datagram.payload.length + PACKET_OVERHEAD);
    this.readable.wakeAll();
    return true;
  }

  /** The oldest datagram, or null. */
  recv(): Datagram | null {
    const datagram = this.queue.shift();
    if (!datagram) return null;
    this.account(-(datagram.payload.length + PACKET_OVERHEAD));
    return datagram;
  }

  private account(bytes: number): void {
    this.queuedBytes += bytes;
    if (this.buffers) this.buffers.bytes += bytes;
  }

  peek(): Datagram | null {
    return this.queue[0] ?? null;
  }

  /** Forget what has arrived and was not read; returns how many datagrams. */
  dropUnread(): number {
    const count = this.queue.length;
    this.queue.length = 0;
    this.account(-this.queuedBytes);
    return count;
  }

  /** `hard`: also told to a connected socket that did not ask for errors (RFC 1122 section 4.1.3.3). */
  fail(error: SocketError, hard: boolean): void {
    if (this.receiveErrors) {
      if (this.errors.length < MAX_ERRORS) this.errors.push({ ...error, payload: error.payload.slice() });
    } else if (!hard || this.remoteAddress === 0) {
      return;
    }
    this.error = error.errno;
    this.readable.wakeAll();
  }

  /** errno of the pending error, which is thereby cleared; 0 for none. */
  takeError(): number {
    const { error } = this;
    this.error = 0;
    return error;
  }
}
