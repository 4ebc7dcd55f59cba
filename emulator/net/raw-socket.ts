import { Errno, failed, snapshotClass, type Result } from '../base/index.js';
import { DatagramSocket } from './datagram-socket.js';
import { leaveGroups } from './memberships.js';
import type { SixOptions } from './family.js';
import { outputPath, sendFor, sendWhole } from './socket-output.js';
import type { NetStack } from './stack.js';
import type { SendOptions } from './udp-socket.js';
import { checksum, foldSum, Icmp6, icmp6Checksum, IP_ICMP, IP_ICMPV6, isIp6, onesSum, pseudoSum, write16, type Address, type Ip6 } from './wire/index.js';

const IPPROTO_RAW = 255;

/** SOCK_RAW of one protocol (raw(7)): receives whole IP packets with their header, of IPv6 the payload alone (RFC 3542 section 3); sends payloads. */
export class RawSocket extends DatagramSocket {
  readonly stack: NetStack;
  readonly protocol: number;
  /** ICMP_FILTER: bit n set hides messages of type n. */
  icmpFilter = 0;
  /** ICMP6_FILTER: the same for 256 types. */
  icmp6Filter = new Uint32Array(8);
  /** IPV6_CHECKSUM: where the checksum stands that is made here; -1: nowhere. ICMPv6 has it always (RFC 3542 section 3.1). */
  checksumOffset: number;
  connected = false;
  /** IP_HDRINCL; always so for IPPROTO_RAW. */
  headerIncluded = false;

  constructor(stack: NetStack, protocol: number, six: SixOptions | null = null) {
    super(six);
    this.checksumOffset = six && protocol === IP_ICMPV6 ? 2 : -1;
    this.stack = stack;
    this.protocol = protocol;
    this.headerIncluded = protocol === IPPROTO_RAW && !six;
  }

  bind(address: Address): Result {
    if (!this.stack.mayBind(address)) return -Errno.EADDRNOTAVAIL;
    this.localAddress = address;
    return 0;
  }

  connect(address: Address): Result {
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

  sendto(payload: Uint8Array, address: Address, options: SendOptions = {}): Result {
    const pending = this.takeError();
    if (pending) return -pending;
    const destination = address || this.remoteAddress;
    if (destination === 0) return -Errno.EDESTADDRREQ;
    if (payload.length > 65_515) return -Errno.EMSGSIZE;
    const path = outputPath(this.stack, this, destination, options.device || this.device, options.source ?? 0);
    if (failed(path)) return path;
    const summed = isIp6(destination) ? this.summed(payload, path.source, destination) : payload;
    if (!summed) return -Errno.EINVAL;
    const sent = this.headerIncluded ? sendWhole(this.stack, path, payload) : sendFor(this.stack, this, path, destination, this.protocol, summed, options);
    return failed(sent) ? sent : payload.length;
  }

  close(): void {
    leaveGroups(this.stack, this);
    this.stack.removeRaw(this);
  }

  /** With its checksum; null where there is no room for it. */
  private summed(payload: Uint8Array, source: Address, destination: Address): Uint8Array | null {
    if (this.checksumOffset < 0) return payload;
    if (this.checksumOffset + 2 > payload.length) return null;
    const copy = payload.slice();
    write16(copy, this.checksumOffset, 0);
    const sum = foldSum(onesSum(copy, 0, copy.length, pseudoSum(source, destination, this.protocol, copy.length)));
    write16(copy, this.checksumOffset, sum || 0xffff);
    return copy;
  }
}
snapshotClass('RawSocket', RawSocket);

/**
 * The unprivileged ICMP socket (SOCK_DGRAM, IPPROTO_ICMP or IPPROTO_ICMPV6; icmp(7)): sends echo requests whose identifier is
 * the socket's port, receives the replies without the IP header.
 */
export class PingSocket extends DatagramSocket {
  readonly stack: NetStack;
  identifier = 0;
  connected = false;

  constructor(stack: NetStack, six: SixOptions | null = null) {
    super(six);
    this.stack = stack;
  }

  bind(address: Address, identifier: number): Result {
    if (!this.stack.mayBind(address)) return -Errno.EADDRNOTAVAIL;
    this.localAddress = address;
    return this.stack.bindPing(this, identifier);
  }

  connect(address: Address): Result {
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

  sendto(message: Uint8Array, address: Address, options: SendOptions = {}): Result {
    const pending = this.takeError();
    if (pending) return -pending;
    const destination = address || this.remoteAddress;
    if (destination === 0) return -Errno.EDESTADDRREQ;
    if (isIp6(destination) !== (this.six !== null)) return -Errno.EINVAL;
    if (message.length < 8 || message[0] !== (this.six ? Icmp6.ECHO : 8) || message[1] !== 0) return -Errno.EINVAL;
    if (message.length > 65_515) return -Errno.EMSGSIZE;
    if (this.identifier === 0) {
      const bound = this.stack.bindPing(this, 0);
      if (failed(bound)) return bound;
    }
    const path = outputPath(this.stack, this, destination, options.device || this.device, options.source ?? 0);
    if (failed(path)) return path;
    const sent = sendFor(this.stack, this, path, destination, this.six ? IP_ICMPV6 : IP_ICMP, this.stamped(message, path.source, destination), options);
    return failed(sent) ? sent : message.length;
  }

  close(): void {
    leaveGroups(this.stack, this);
    this.stack.removePing(this);
  }

  private stamped(message: Uint8Array, source: Address, destination: Address): Uint8Array {
    const copy = message.slice();
    write16(copy, 2, 0);
    write16(copy, 4, this.identifier);
    write16(copy, 2, isIp6(destination) ? icmp6Checksum(copy, source as Ip6, destination) : checksum(copy));
    return copy;
  }
}
snapshotClass('PingSocket', PingSocket);
