import { invariant } from '../../base/index.js';
import { isMulticast6, readIp6, writeIp6, type Ip6 } from './address6.js';
import { read16, read32, write16, write32 } from './bytes.js';
import type { IpPacket, Ipv4Packet } from './ipv4.js';

export const IPV6_HEADER = 40;
/** RFC 8200 section 5: every link carries packets of this length. */
export const IPV6_MIN_MTU = 1280;
export const IP_ICMPV6 = 58;
/** Extension headers (RFC 8200 section 4). */
export const Next = { HOP_BY_HOP: 0, ROUTING: 43, FRAGMENT: 44, NONE: 59, DESTINATION: 60 } as const;

const FRAGMENT_HEADER = 8;
/** A chain of more headers than any honest packet has is not followed. */
const MAX_EXTENSIONS = 8;

/**
 * `options` are the extension headers before the fragment header or the upper layer, as they came, and `firstHeader` is the
 * type of the first; `protocol` is what `payload` is.
 */
export interface Ipv6Packet extends IpPacket<Ip6> {
  flow: number;
  firstHeader: number;
  /** Came in a fragment header, be it the only one (RFC 6946). */
  fragment: boolean;
}

/** Of either protocol. */
export type Packet = Ipv4Packet | Ipv6Packet;

/** Why a packet is not passed on; with an ICMPv6 parameter problem to be told, unless it went to a group and `toGroup` is not set. */
export interface HeaderProblem {
  drop: string;
  code: number;
  /** Offset of the offending byte in the packet. */
  pointer: number;
  toGroup: boolean;
}

/**
 * RFC 8200 section 3:
 *   0 version:4 traffic class:8 flow label:20 | 4 payload length | 6 next header | 7 hop limit | 8 source | 24 destination
 * The record, the name of the reason why there is none, or what is told to the sender. Padding behind the payload is cut off.
 */
export function readIpv6(bytes: Uint8Array): Ipv6Packet | HeaderProblem | string {
  if (bytes.length < IPV6_HEADER) return 'ip6.short';
  const first = read32(bytes, 0);
  if (first >>> 28 !== 6) return 'ip6.version';
  const length = read16(bytes, 4);
  if (IPV6_HEADER + length > bytes.length) return 'ip6.payload-length';
  const source = readIp6(bytes, 8);
  if (isMulticast6(source)) return 'ip6.martian-source';
  return walk({
    tos: (first >>> 20) & 255, flow: first & 0xfffff, identification: 0, dontFragment: true, moreFragments: false, fragmentOffset: 0, fragment: false,
    ttl: bytes[7], protocol: bytes[6], firstHeader: bytes[6], source, destination: readIp6(bytes, 24),
    options: bytes.subarray(0, 0), payload: bytes.subarray(IPV6_HEADER, IPV6_HEADER + length),
  });
}

/** Take extension headers off the front of the payload, up to the upper layer or a fragment header. */
export function walk(packet: Ipv6Packet): Ipv6Packet | HeaderProblem | string {
  const whole = packet.payload;
  let [at, protocol] = [0, packet.protocol];
  for (let count = 0; isExtension(protocol); count++) {
    if (count >= MAX_EXTENSIONS) return 'ip6.too-many-headers';
    // Hop-by-hop options come first or not at all.
    if (protocol === Next.HOP_BY_HOP && (at > 0 || packet.fragment)) return problem('ip6.header-order', 1, at, false);
    if (at + 8 > whole.length) return 'ip6.header-short';
    if (protocol === Next.FRAGMENT) return fragmentOf(packet, whole, at);
    const length = (whole[at + 1] + 1) * 8;
    if (at + length > whole.length) return 'ip6.header-short';
    const wrong = protocol === Next.ROUTING ? checkRouting(whole, at) : checkOptions(whole, at + 2, at + length);
    if (wrong) return wrong;
    protocol = whole[at];
    at += length;
  }
  return { ...packet, protocol, options: packet.fragment ? packet.options : whole.subarray(0, at), payload: whole.subarray(at) };
}

function isExtension(protocol: number): boolean {
  return protocol === Next.HOP_BY_HOP || protocol === Next.ROUTING || protocol === Next.FRAGMENT || protocol === Next.DESTINATION;
}

function problem(drop: string, code: number, at: number, toGroup: boolean): HeaderProblem {
  return { drop, code, pointer: IPV6_HEADER + at, toGroup };
}

/** RFC 8200 section 4.4: a routing header that has been followed to its end is passed over, any other is not followed (RFC 5095). */
function checkRouting(bytes: Uint8Array, at: number): HeaderProblem | null {
  return bytes[at + 3] === 0 ? null : problem('ip6.routing-header', 0, at + 2, false);
}

/** RFC 8200 section 4.2: the first two bits of an unknown option's type say what becomes of the packet. */
function checkOptions(bytes: Uint8Array, start: number, end: number): HeaderProblem | string | null {
  for (let at = start; at < end;) {
    const type = bytes[at];
    if (type === 0) {
      at++;
      continue;
    }
    if (at + 2 > end || at + 2 + bytes[at + 1] > end) return 'ip6.option-length';
    // PadN and router alert (RFC 2711) are known.
    if (type !== 1 && type !== 5 && type >>> 6 !== 0) return type >>> 6 === 1 ? 'ip6.unknown-option' : problem('ip6.unknown-option', 2, at, type >>> 6 === 2);
    at += 2 + bytes[at + 1];
  }
  return null;
}

/** 0 next header | 1 reserved | 2 offset:13 (in 8 bytes) reserved:2 more:1 | 4 identification */
function fragmentOf(packet: Ipv6Packet, bytes: Uint8Array, at: number): Ipv6Packet | HeaderProblem | string {
  const word = read16(bytes, at + 2);
  const [fragmentOffset, moreFragments] = [word & 0xfff8, (word & 1) !== 0];
  const payload = bytes.subarray(at + FRAGMENT_HEADER);
  if (packet.fragment) return 'ip6.fragment-in-fragment';
  if (moreFragments && (payload.length % 8 !== 0 || payload.length === 0)) return problem('ip6.fragment-length', 0, 4 - IPV6_HEADER, false);
  if (fragmentOffset + payload.length > 65_535) return problem('ip6.fragment-beyond-end', 0, at + 2, false);
  return { ...packet, protocol: bytes[at], options: bytes.subarray(0, at), payload, fragmentOffset, moreFragments, identification: read32(bytes, at + 4), fragment: true };
}

/** With its extension headers as they are. */
export function writeIpv6(packet: Ipv6Packet): Uint8Array {
  const length = packet.options.length + packet.payload.length;
  invariant(length <= 65_535, 'an IPv6 payload is below 64 KiB');
  const bytes = new Uint8Array(IPV6_HEADER + length);
  write32(bytes, 0, (0x60000000 | (packet.tos << 20) | packet.flow) >>> 0);
  write16(bytes, 4, length);
  bytes[6] = packet.options.length > 0 ? packet.firstHeader : packet.protocol;
  bytes[7] = packet.ttl;
  writeIp6(bytes, 8, packet.source);
  writeIp6(bytes, 24, packet.destination);
  bytes.set(packet.options, IPV6_HEADER);
  bytes.set(packet.payload, IPV6_HEADER + packet.options.length);
  return bytes;
}

const NO_OPTIONS = new Uint8Array(0);

/** A whole packet without extension headers; what is left out is the usual. */
export function ipv6(fields: Pick<Ipv6Packet, 'source' | 'destination' | 'protocol' | 'payload'> & Partial<Ipv6Packet>): Ipv6Packet {
  return {
    tos: 0, flow: 0, identification: 0, dontFragment: true, moreFragments: false, fragmentOffset: 0, fragment: false, ttl: 64,
    options: NO_OPTIONS, firstHeader: fields.protocol, ...fields,
  };
}

/** RFC 8200 section 4.5: pieces of at most `mtu` bytes, each with a fragment header. Only packets without other extension headers are cut. */
export function fragmentIpv6(packet: Ipv6Packet, mtu: number): Ipv6Packet[] {
  const room = (mtu - IPV6_HEADER - FRAGMENT_HEADER) & ~7;
  const pieces: Ipv6Packet[] = [];
  for (let at = 0; at < packet.payload.length; at += room) {
    const part = packet.payload.subarray(at, at + room);
    const more = at + part.length < packet.payload.length;
    const payload = new Uint8Array(FRAGMENT_HEADER + part.length);
    payload[0] = packet.protocol;
    write16(payload, 2, at | (more ? 1 : 0));
    write32(payload, 4, packet.identification);
    payload.set(part, FRAGMENT_HEADER);
    pieces.push({ ...packet, protocol: Next.FRAGMENT, firstHeader: Next.FRAGMENT, payload });
  }
  return pieces;
}
