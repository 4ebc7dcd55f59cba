import type { Mac } from './address.js';
import { readIp6, writeIp6, type Ip6 } from './address6.js';
import { read32, read48, write16, write32, write48 } from './bytes.js';
import { foldSum, onesSum, pseudoSum } from './checksum.js';
import { IP_ICMPV6 } from './ipv6.js';

/** RFC 4443, RFC 4861, RFC 2710, RFC 3810. */
export const Icmp6 = {
  UNREACHABLE: 1, TOO_BIG: 2, TIME_EXCEEDED: 3, PARAMETER: 4, ECHO: 128, ECHO_REPLY: 129, MLD_QUERY: 130, MLD_REPORT: 131, MLD_DONE: 132,
  ROUTER_SOLICIT: 133, ROUTER_ADVERT: 134, NEIGHBOUR_SOLICIT: 135, NEIGHBOUR_ADVERT: 136, REDIRECT: 137, MLD2_REPORT: 143,
} as const;

/** Codes of destination unreachable. */
export const Unreachable6 = { route: 0, prohibited: 1, scope: 2, address: 3, port: 4 } as const;

/** 0 type | 1 code | 2 checksum | 4 rest of the header | 8 data */
export interface Icmp6Message {
  type: number;
  code: number;
  rest: number;
  data: Uint8Array;
}

export function icmp6Checksum(bytes: Uint8Array, source: Ip6, destination: Ip6): number {
  return foldSum(onesSum(bytes, 0, bytes.length, pseudoSum(source, destination, IP_ICMPV6, bytes.length)));
}

export function readIcmp6(bytes: Uint8Array, source: Ip6, destination: Ip6): Icmp6Message | string {
  if (bytes.length < 8) return 'icmp6.short';
  if (icmp6Checksum(bytes, source, destination) !== 0) return 'icmp6.checksum';
  return { type: bytes[0], code: bytes[1], rest: read32(bytes, 4), data: bytes.subarray(8) };
}

export function writeIcmp6(message: Icmp6Message, source: Ip6, destination: Ip6): Uint8Array {
  const bytes = new Uint8Array(8 + message.data.length);
  bytes[0] = message.type;
  bytes[1] = message.code;
  write32(bytes, 4, message.rest);
  bytes.set(message.data, 8);
  write16(bytes, 2, icmp6Checksum(bytes, source, destination));
  return bytes;
}

/** Below 128 are errors, which are never answered with errors (RFC 4443 section 2.4). */
export function isIcmp6Error(type: number): boolean {
  return type < 128;
}

/** Options of neighbour discovery (RFC 4861 section 4.6). */
export const NdOption = { SOURCE_MAC: 1, TARGET_MAC: 2, PREFIX: 3, MTU: 5 } as const;

/** 0 type | 1 length in 8 bytes | 2 value: the options with their first two bytes, or null when the list is malformed. */
export function readNdOptions(bytes: Uint8Array): { type: number; bytes: Uint8Array }[] | null {
  const found: { type: number; bytes: Uint8Array }[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = (bytes[at + 1] ?? 0) * 8;
    if (length === 0 || at + length > bytes.length) return null;
    found.push({ type: bytes[at], bytes: bytes.subarray(at, at + length) });
    at += length;
  }
  return found;
}

export function macOption(options: readonly { type: number; bytes: Uint8Array }[], type: number): Mac | null {
  const option = options.find((one) => one.type === type);
  return option ? read48(option.bytes, 2) : null;
}

/** The target of a neighbour solicitation or advertisement and a link-layer address option. */
export function neighbourData(target: Ip6, option: number, mac: Mac): Uint8Array {
  const bytes = new Uint8Array(24);
  writeIp6(bytes, 0, target);
  bytes[16] = option;
  bytes[17] = 1;
  write48(bytes, 18, mac);
  return bytes;
}

/** RFC 4861 section 4.2: 0 hop limit, flags, lifetime (the rest of the header) | 8 reachable time | 12 retransmission time | 16 options */
export interface RouterAdvertisement {
  hopLimit: number;
  managed: boolean;
  other: boolean;
  /** Seconds; 0: no default router. */
  lifetime: number;
  /** The router's MAC, if it says so. */
  mac: Mac | null;
  mtu: number;
  prefixes: { prefix: Ip6; length: number; onLink: boolean; autonomous: boolean; valid: number; preferred: number }[];
}

export function readRouterAdvertisement({ rest, data }: Icmp6Message): RouterAdvertisement | null {
  const options = data.length < 8 ? null : readNdOptions(data.subarray(8));
  if (!options) return null;
  const mtu = options.find(({ type }) => type === NdOption.MTU);
  return {
    hopLimit: rest >>> 24, managed: (rest & 0x80_0000) !== 0, other: (rest & 0x40_0000) !== 0, lifetime: rest & 0xffff,
    mac: macOption(options, NdOption.SOURCE_MAC), mtu: mtu ? read32(mtu.bytes, 4) : 0,
    prefixes: options.filter(({ type, bytes }) => type === NdOption.PREFIX && bytes.length === 32).map(({ bytes }) => ({
      length: bytes[2], onLink: (bytes[3] & 0x80) !== 0, autonomous: (bytes[3] & 0x40) !== 0, valid: read32(bytes, 4), preferred: read32(bytes, 8), prefix: readIp6(bytes, 16),
    })),
  };
}

/** RFC 3810 section 5.2: 4 reserved, number of records | 8 record type, 9 auxiliary length, 10 sources | 12 group */
export function mldReport(group: Ip6, record: number): Uint8Array {
  const data = new Uint8Array(20);
  data[0] = record;
  writeIp6(data, 4, group);
  return data;
}

/** A query's group, "any" for the general one; and how long an answer may take, in ms (RFC 3810 section 5.1.3). */
export function readMldQuery({ rest, data }: Icmp6Message): { group: Ip6; within: number; old: boolean } {
  const code = rest >>> 16;
  const within = data.length <= 16 || code < 0x8000 ? code : ((code & 0xfff) | 0x1000) << (((code >>> 12) & 7) + 3);
  return { group: readIp6(data, 0), within, old: data.length <= 16 };
}

