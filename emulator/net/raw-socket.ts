import { Errno, failed, snapshotClass, type Result } from '../base/index.js';
import { DatagramSocket } from './datagram-socket.js';
import { leaveGroups } from './memberships.js';
import type { NetStack } from './stack.js';
import type { SendOptions } from './udp-socket.js';
import { IP_ICMP, write16, checksum, type Ip } from './wire/index.js';

const IPPROTO_RAW = 255;

/** SOCK_RAW of one protocol (raw(7)): receives whole IP packets with their header, sends payloads. */
export class RawSocket extends DatagramSocket {
  readonly stack: NetStack;
  readonly protocol: number;
  /** ICMP_FILTER: bit n set hides messages of type n. */
  icmpFilter = 0;
  connected = false;
  /** IP_HDRINCL; always so for IPPROTO_RAW. */
  headerIncluded = false;

  constructor(stack: NetStack, protocol: number) {
    super();
    this.stack = stack;
    this.protocol = protocol;
    this.headerIncluded = protocol === IPPROTO_RAW;
  }

  bind(address: Ip): Result {
    if (!this.stack.mayBind(address)) return -Errno.EADDRNOTAVAIL;
    this.localAddress = address;
    return 0;
  }

  connect(address: Ip): Result {
    const path = this.stack.path(address, this.device, this.localAddress);
    if (failed(path)) return path;
    this.remoteAddress = address;
    this.connected = true;
    return 0;
  }

  disconnect(): void {
    this.remoteAddress = 0;
    this.connected = false;
  }

  sendto(payload: Uint8Array, address: Ip, options: SendOptions = {}): Result {
    const pending = this.takeError();
    if (pending) return -pending;
    const destination = address || this.remoteAddress;
    if (destination === 0) return -Errno.EDESTADDRREQ;
    if (payload.length > 65_515) return -Errno.EMSGSIZE;
    const path = this.stack.outputPath(this, destination, options.device || this.device, options.source ?? 0);
    if (failed(path)) return path;
    const sent = this.headerIncluded ? this.stack.sendWhole(path, payload) : this.stack.sendFor(this, path, destination, this.protocol, payload, options);
    return failed(sent) ? sent : payload.length;
  }

  close(): void {
    leaveGroups(this.stack, this);
    this.stack.removeRaw(this);
  }
}
snapshotClass('RawSocket', RawSocket);

/**
 * The unprivileged ICMP socket (SOCK_DGRAM, IPPROTO_ICMP; icmp(7)): sends echo requests whose identifier is
 * the socket's port, receives the replies without the IP header.
 */
export class PingSocket extends DatagramSocket {
  readonly stack: NetStack;
  identifier = 0;
  connected = false;

  constructor(stack: NetStack) {
    super();
    this.stack = stack;
  }

  bind(address: Ip, identifier: number): Result {
    if (!this.stack.mayBind(address)) return -Errno.EADDRNOTAVAIL;
    this.localAddress = address;
    return this.stack.bindPing(this, identifier);
  }

  connect(address: Ip): Result {
    const path = this.stack.path(address, this.device, this.localAddress);
    if (failed(path)) return path;
    this.remoteAddress = address;
    this.connected = true;
    return 0;
  }

  disconnect(): void {
    this.remoteAddress = 0;
    this.connected = false;
  }

  sendto(message: Uint8Array, address: Ip, options: SendOptions = {}): Result {
    const pending = this.takeError();
    if (pending) return -pending;
    const destination = address || this.remoteAddress;
    if (destination === 0) return -Errno.EDESTADDRREQ;
    if (message.length < 8 || message[0] !== 8 || message[1] !== 0) return -Errno.EINVAL;
    if (message.length > 65_515) return -Errno.EMSGSIZE;
    if (this.identifier === 0) {
      const bound = this.stack.bindPing(this, 0);
      if (failed(bound)) return bound;
    }
    const path = this.stack.outputPath(this, destination, options.device || this.device, options.source ?? 0);
    if (failed(path)) return path;
    const sent = this.stack.sendFor(this, path, destination, IP_ICMP, this.stamped(message), options);
    return failed(sent) ? sent : message.length;
  }

  close(): void {
    this.stack.removePing(this);
  }

  private stamped(message: Uint8Array): Uint8Array {
    const copy = message.slice();
    write16(copy, 2, 0);
    write16(copy, 4, this.identifier);
    write16(copy, 2, checksum(copy));
    return copy;
  }
}
snapshotClass('PingSocket', PingSocket);
