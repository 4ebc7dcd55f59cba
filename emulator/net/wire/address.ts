import { invariant } from '../../base/index.js';

/** An IPv4 address is an unsigned 32-bit number in host order, a MAC address an unsigned 48-bit number. */
export type Ip = number;
export type Mac = number;

export const ANY: Ip = 0;
export const LIMITED_BROADCAST: Ip = 0xffffffff;
export const LOOPBACK: Ip = 0x7f000001;
export const MAC_BROADCAST: Mac = 0xffff_ffff_ffff;

/** "192.168.1.1" -> number, or null. Four decimal parts, no shorthand and no octal. */
export function tryIp(text: string): Ip | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return null;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** For constants and checked configuration; a bad text is our own mistake. */
export function ip(text: string): Ip {
  const address = tryIp(text);
  invariant(address !== null, `not an IPv4 address: ${text}`);
  return address;
}

export function formatIp(address: Ip): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

export function tryMac(text: string): Mac | null {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) return null;
  return parseInt(text.replaceAll(':', ''), 16);
}

export function mac(text: string): Mac {
  const address = tryMac(text);
  invariant(address !== null, `not a MAC address: ${text}`);
  return address;
}

export function formatMac(address: Mac): string {
  return (address.toString(16).padStart(12, '0').match(/../g) as string[]).join(':');
}

export function prefixMask(prefix: number): Ip {
  return prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0;
}

/** Prefix length of a contiguous mask, or -1. */
export function maskPrefix(mask: Ip): number {
  const prefix = Math.clz32(~mask);
  return prefixMask(prefix) === mask >>> 0 ? prefix : -1;
}

export function inPrefix(address: Ip, network: Ip, prefix: number): boolean {
  return ((address ^ network) & prefixMask(prefix)) === 0;
}

export function directedBroadcast(address: Ip, prefix: number): Ip {
  return (address | ~prefixMask(prefix)) >>> 0;
}

/** Of either protocol: a string is an IPv6 address (address6.ts). */
export function isMulticast(address: Ip | string): boolean {
  return typeof address === 'number' ? address >>> 28 === 14 : address.startsWith('ff');
}

export function isLoopback(address: Ip): boolean {
  return address >>> 24 === 127;
}

/** Class E, the limited broadcast address left aside (RFC 1122 section 3.2.1.3). */
export function isReserved(address: Ip): boolean {
  return address >>> 28 === 15 && address !== LIMITED_BROADCAST;
}

/** The group bit: multicast or broadcast. */
export function isGroupMac(address: Mac): boolean {
  return (Math.floor(address / 0x100_0000_0000) & 1) === 1;
}

/** RFC 1112 section 6.4: the low 23 bits of the group under 01:00:5e. */
export function multicastMac(group: Ip): Mac {
  return 0x0100_5e00_0000 + (group & 0x7fffff);
}
