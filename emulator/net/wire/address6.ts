import { invariant } from '../../base/index.js';
import { formatIp, tryIp, type Ip, type Mac } from './address.js';

/** An IPv6 address: its 32 hexadecimal digits, lower case. Equal ones are ===, so that maps take them for keys; sorted they are in network order. */
export type Ip6 = string;

/** Of either protocol: a number is IPv4, a string IPv6. Where a socket has an address, 0 is "any" of both. */
export type Address = Ip | Ip6;

export const ANY6: Ip6 = '0'.repeat(32);
export const LOOPBACK6: Ip6 = ip6('::1');
export const ALL_NODES: Ip6 = ip6('ff02::1');
export const ALL_ROUTERS: Ip6 = ip6('ff02::2');
const MAPPED = '00000000000000000000ffff';

export function isIp6(address: Address): address is Ip6 {
  return typeof address === 'string';
}

/** RFC 4291 section 2.2, all three forms, no zone; null when it is none of them. */
export function tryIp6(text: string): Ip6 | null {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted) {
    const last = tryIp(dotted[2]);
    return last === null ? null : tryIp6(`${dotted[1]}${(last >>> 16).toString(16)}:${(last & 0xffff).toString(16)}`);
  }
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  if (!groups.flat().every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  const given = groups.flat().length;
  if (halves.length === 1 ? given !== 8 : given > 7) return null;
  const filled = halves.length === 1 ? groups[0] : [...groups[0], ...new Array<string>(8 - given).fill('0'), ...groups[1]];
  return filled.map((group) => group.toLowerCase().padStart(4, '0')).join('');
}

/** For constants and checked configuration; a bad text is our own mistake. */
export function ip6(text: string): Ip6 {
  const address = tryIp6(text);
  invariant(address !== null, `not an IPv6 address: ${text}`);
  return address;
}

/** RFC 5952: no leading zeros, the first longest run of zero groups as "::", a mapped IPv4 address in dots. */
export function formatIp6(address: Ip6): string {
  if (isMapped(address)) return `::ffff:${formatIp(unmapped(address))}`;
  const groups = (address.match(/..../g) as string[]).map((group) => group.replace(/^0{1,3}/, ''));
  let [best, length] = [-1, 1];
  for (let at = 0; at < 8; at++) {
    let end = at;
    while (groups[end] === '0') end++;
    if (end - at > length) [best, length] = [at, end - at];
  }
  if (best < 0) return groups.join(':');
  return `${groups.slice(0, best).join(':')}::${groups.slice(best + length).join(':')}`;
}

export function formatAddress(address: Address): string {
  return isIp6(address) ? formatIp6(address) : formatIp(address);
}

/** Bytes beyond the end count as 0. */
export function readIp6(bytes: Uint8Array, at: number): Ip6 {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex', at, at + 16).padEnd(32, '0');
}

export function writeIp6(bytes: Uint8Array, at: number, address: Ip6): void {
  for (let i = 0; i < 16; i++) bytes[at + i] = parseInt(address.slice(2 * i, 2 * i + 2), 16);
}

export function bytesOfIp6(address: Ip6): Uint8Array {
  const bytes = new Uint8Array(16);
  writeIp6(bytes, 0, address);
  return bytes;
}

/** The address with all but its first `prefix` bits zero. */
export function network6(address: Ip6, prefix: number): Ip6 {
  const whole = prefix >> 2;
  if (whole >= 32) return address;
  const part = parseInt(address[whole], 16) & (0xf0 >> (prefix & 3)) & 0xf;
  return `${address.slice(0, whole)}${part.toString(16)}`.padEnd(32, '0');
}

export function inPrefix6(address: Ip6, network: Ip6, prefix: number): boolean {
  const whole = prefix >> 2;
  if (address.slice(0, whole) !== network.slice(0, whole)) return false;
  return (prefix & 3) === 0 || network6(address, prefix) === network6(network, prefix);
}

/** How many bits two addresses have in common from the front. */
export function commonPrefix6(a: Ip6, b: Ip6): number {
  let at = 0;
  while (at < 32 && a[at] === b[at]) at++;
  return at === 32 ? 128 : at * 4 + Math.clz32(parseInt(a[at], 16) ^ parseInt(b[at], 16)) - 28;
}

/** ::ffff:a.b.c.d: an IPv4 peer as an AF_INET6 socket names it (RFC 4291 section 2.5.5.2). */
export function mapped(address: Ip): Ip6 {
  return MAPPED + address.toString(16).padStart(8, '0');
}

export function isMapped(address: Ip6): boolean {
  return address.startsWith(MAPPED);
}

export function unmapped(address: Ip6): Ip {
  return parseInt(address.slice(24), 16);
}

export function isLinkLocal(address: Ip6): boolean {
  return address.startsWith('fe') && '89ab'.includes(address[2]);
}

export function isMulticast6(address: Ip6): boolean {
  return address.startsWith('ff');
}

/** Scopes of RFC 4291 section 2.7, unicast addresses mapped to them: 1 interface, 2 link, 5 site, 14 global. */
export function scope6(address: Ip6): number {
  if (isMulticast6(address)) return parseInt(address[3], 16);
  if (address === LOOPBACK6) return 1;
  return isLinkLocal(address) ? 2 : 14;
}

/** Needs an interface beside it to say where it is. */
export function needsScope(address: Ip6): boolean {
  return isLinkLocal(address) || (isMulticast6(address) && scope6(address) <= 2);
}

/** RFC 4291 section 2.7.1: ff02::1:ff and the last 24 bits. */
export function solicitedNode(address: Ip6): Ip6 {
  return `ff0200000000000000000001ff${address.slice(26)}`;
}

/** RFC 2464 section 7: the last 32 bits of the group under 33:33. */
export function multicastMac6(group: Ip6): Mac {
  return 0x3333_0000_0000 + parseInt(group.slice(24), 16);
}

/** The prefix, a multiple of 4 bits up to 64, with the interface identifier of RFC 4291 appendix A (modified EUI-64). */
export function withInterfaceId(prefix: Ip6, mac: Mac): Ip6 {
  const digits = mac.toString(16).padStart(12, '0');
  const first = (parseInt(digits.slice(0, 2), 16) ^ 2).toString(16).padStart(2, '0');
  return `${prefix.slice(0, 16)}${first}${digits.slice(2, 6)}fffe${digits.slice(6)}`;
}

export function linkLocalOf(mac: Mac): Ip6 {
  return withInterfaceId('fe80'.padEnd(32, '0'), mac);
}

/** A number for hash tables. */
export function hashAddress(address: Address): number {
  if (!isIp6(address)) return address;
  let hash = 0;
  for (let at = 0; at < 32; at += 8) hash = Math.imul(hash ^ parseInt(address.slice(at, at + 8), 16), 0x85ebca6b) ^ (hash >>> 13);
  return hash >>> 0;
}
