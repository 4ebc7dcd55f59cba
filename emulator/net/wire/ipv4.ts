import { invariant } from '../../base/index.js';
import type { Ip } from './address.js';
import type { Address } from './address6.js';
import { read16, read32, write16, write32 } from './bytes.js';
import { checksum } from './checksum.js';

export const IP_ICMP = 1;
export const IP_IGMP = 2;
export const IP_TCP = 6;
export const IP_UDP = 17;
export const IPV4_HEADER = 20;
export const IPV4_MAX = 65535;

/**
 * RFC 791 section 3.1:
 *   0 version:4 ihl:4 | 1 tos | 2 total length | 4 identification | 6 flags:3 (0, DF, MF) offset:13 (in 8 bytes)
 *   8 ttl | 9 protocol | 10 header checksum | 12 source | 16 destination | 20 options
 */
export class Ipv4View {
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  get version(): number { return this.bytes[0] >>> 4; }
  get headerLength(): number { return (this.bytes[0] & 15) * 4; }
  get tos(): number { return this.bytes[1] | 0; }
  get totalLength(): number { return read16(this.bytes, 2); }
  get identification(): number { return read16(this.bytes, 4); }
  get dontFragment(): boolean { return (this.bytes[6] & 0x40) !== 0; }
  get moreFragments(): boolean { return (this.bytes[6] & 0x20) !== 0; }
  /** In bytes. */
  get fragmentOffset(): number { return (read16(this.bytes, 6) & 0x1fff) * 8; }
  get ttl(): number { return this.bytes[8] | 0; }
  get protocol(): number { return this.bytes[9] | 0; }
  get source(): Ip { return read32(this.bytes, 12); }
  get destination(): Ip { return read32(this.bytes, 16); }
  get checksumHolds(): boolean { return checksum(this.bytes, 0, this.headerLength) === 0; }
}

/** What the upper layers see of a packet of either protocol: `ttl` is IPv6's hop limit, `tos` its traffic class. */
export interface IpPacket<A extends Address> {
  tos: number;
  identification: number;
  dontFragment: boolean;
  moreFragments: boolean;
  /** In bytes, a multiple of 8. */
  fragmentOffset: number;
  ttl: number;
  protocol: number;
  source: A;
  destination: A;
  /** Kept as they came, padded to 4 bytes; nothing interprets them. */
  options: Uint8Array;
  payload: Uint8Array;
}

export type Ipv4Packet = IpPacket<Ip>;

/** Bytes beyond the total length (Ethernet padding) are cut off. */
export function readIpv4(bytes: Uint8Array): Ipv4Packet | string {
  if (bytes.length < IPV4_HEADER) return 'ip.short';
  const view = new Ipv4View(bytes);
  if (view.version !== 4) return 'ip.version';
  if (view.headerLength < IPV4_HEADER || view.headerLength > bytes.length) return 'ip.header-length';
  if (view.totalLength < view.headerLength) return 'ip.total-length';
  if (view.totalLength > bytes.length) return 'ip.truncated';
  if (!view.checksumHolds) return 'ip.checksum';
  const { tos, identification, dontFragment, moreFragments, fragmentOffset, ttl, protocol, source, destination } = view;
  const payload = bytes.subarray(view.headerLength, view.totalLength);
  if (fragmentOffset + payload.length > IPV4_MAX - IPV4_HEADER) return 'ip.fragment-beyond-end';
  if (moreFragments && (payload.length % 8 !== 0 || payload.length === 0)) return 'ip.fragment-length';
  const options = bytes.subarray(IPV4_HEADER, view.headerLength);
  return { tos, identification, dontFragment, moreFragments, fragmentOffset, ttl, protocol, source, destination, options, payload };
}

export function writeIpv4(packet: Ipv4Packet): Uint8Array {
  const headerLength = IPV4_HEADER + packet.options.length;
  const length = headerLength + packet.payload.length;
  invariant(headerLength <= 60 && headerLength % 4 === 0 && length <= IPV4_MAX && packet.fragmentOffset % 8 === 0, 'an IPv4 packet within its limits');
  const bytes = new Uint8Array(length);
  bytes[0] = 0x40 | (headerLength / 4);
  bytes[1] = packet.tos;
  write16(bytes, 2, length);
  write16(bytes, 4, packet.identification);
  write16(bytes, 6, (packet.dontFragment ? 0x4000 : 0) | (packet.moreFragments ? 0x2000 : 0) | (packet.fragmentOffset / 8));
  bytes[8] = packet.ttl;
  bytes[9] = packet.protocol;
  write32(bytes, 12, packet.source);
  write32(bytes, 16, packet.destination);
  bytes.set(packet.options, IPV4_HEADER);
  write16(bytes, 10, checksum(bytes, 0, headerLength));
  bytes.set(packet.payload, headerLength);
  return bytes;
}

const NO_OPTIONS = new Uint8Array(0);

/** A whole, optionless packet; what is left out is the usual. */
export function ipv4(fields: Pick<Ipv4Packet, 'source' | 'destination' | 'protocol' | 'payload'> & Partial<Ipv4Packet>): Ipv4Packet {
  return {
    tos: 0, identification: 0, dontFragment: false, moreFragments: false, fragmentOffset: 0, ttl: 64,
    options: NO_OPTIONS, ...fields,
  };
}

/**
 * Cut a packet into fragments of at most `mtu` bytes (RFC 791 section 3.2). Only options whose copied bit is
 * set go into later fragments.
 */
export function fragmentIpv4(packet: Ipv4Packet, mtu: number): Ipv4Packet[] {
  const fragments: Ipv4Packet[] = [];
  let options = packet.options;
  for (let at = 0; at < packet.payload.length;) {
    const room = (mtu - IPV4_HEADER - options.length) & ~7;
    invariant(room > 0, 'an MTU holds a header and eight bytes');
    const payload = packet.payload.subarray(at, at + room);
    const last = at + payload.length >= packet.payload.length;
    fragments.push({ ...packet, options, payload, fragmentOffset: packet.fragmentOffset + at, moreFragments: packet.moreFragments || !last });
    at += payload.length;
    options = copiedOptions(packet.options);
  }
  return fragments;
}

/** The options with the copied bit; a malformed list ends where it stops making sense. */
function copiedOptions(options: Uint8Array): Uint8Array {
  const kept: number[] = [];
  for (let at = 0; at < options.length && options[at] !== 0;) {
    const length = options[at] === 1 ? 1 : options[at + 1];
    if (!(length >= 1) || (options[at] !== 1 && length < 2) || at + length > options.length) break;
    if (options[at] & 0x80) kept.push(...options.subarray(at, at + length));
    at += length;
  }
  while (kept.length % 4 !== 0) kept.push(0);
  return Uint8Array.from(kept);
}
